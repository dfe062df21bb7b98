/* SPDX-License-Identifier: MIT
 * What a session holds. */
#ifndef CNNI_SESSION_H
#define CNNI_SESSION_H

#include "cnn/session.h"
#include "model/plan.h"

struct cnn_session {
    struct cnni_plan *plan;
};

#endif
