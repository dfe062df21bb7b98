/* SPDX-License-Identifier: MIT
 * Pictures that a model takes for another class than the folder they lie in. */
#ifndef CHECK_LABELS_H
#define CHECK_LABELS_H

#include "check_folder.h"

#include <cnn.h>

#include <stdbool.h>

/* The model that is asked. */
struct judge {
    const char *path; /* where it was read from */
    cnn_context *context;
    cnn_model *model;
    bool flip; /* it is asked about mirror images, too */
};

/* Asks the model about all pictures that are fine and whose class it knows, and adds those of which
 * it is sure that they are of another; and classes that only it or the folder has.  False, after a
 * message, when it cannot or was interrupted. */
bool check_labels(const struct check_folder *folder, struct findings *findings,
                  const struct judge *judge, int64_t threads);

#endif
