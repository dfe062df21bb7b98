/* SPDX-License-Identifier: MIT
 * What a session holds. */
#ifndef CNNI_SESSION_H
#define CNNI_SESSION_H

#include "cnn/session.h"
#include "model/flip.h"

struct cnn_session {
    struct cnni_plan *plan;
    struct cnni_flip flip;
};

#endif
