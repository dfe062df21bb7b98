/* SPDX-License-Identifier: MIT
 * The pictures of a training in three parts: to train on, to choose the best model on, to test
 * on. */
#ifndef PARTS_H
#define PARTS_H

#include "options.h"

#include <cnn.h>

#include <stdbool.h>

struct parts {
    cnn_dataset *training, *validation;
    cnn_dataset *test;   /* NULL: none */
    bool test_set_aside; /* there is no folder for it: it was taken from the others */
    const char *too_few; /* the class that has too few pictures for that, if one has */
};

/* Opens the folder `path` and splits it as `options` say.  Without a test folder a share of each
 * class is set aside in its place, the same pictures whatever the seed is.  False, after a message,
 * when it cannot; what was opened by then is in `parts`, and still to be freed. */
bool parts_open(struct parts *parts, cnn_context *context, const char *path,
                const struct options *options);

/* Prints a line per part, and where the test pictures come from. */
void parts_print(const struct parts *parts);

void parts_free(struct parts *parts);

#endif
