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
    cnn_dataset *test;        /* NULL: none */
    bool validation_is_given; /* there is a folder for it: it was not taken from the others */
    bool test_set_aside;      /* there is no folder for it: it was taken from the others */
    const char *too_few;      /* the class that has too few pictures for that, if one has */
};

/* Opens the folder `path` and splits it as `options` say.  Without a test folder a share of each
 * class is set aside in its place, the same pictures whatever the seed is; with a folder for the
 * validation, which is usually what is measured on, only if they ask for it.  options->test becomes
 * that share where it was left open.  False, after a message, when it cannot; what was opened by
 * then is in `parts`, and still to be freed. */
bool parts_open(struct parts *parts, cnn_context *context, const char *path,
                struct options *options);

/* What the best model is measured on at the end: the test pictures, or, where there are none, those
 * of a validation folder; NULL where there is neither. */
cnn_dataset *parts_measured(const struct parts *parts);

/* Prints a line per part, and where the test pictures come from. */
void parts_print(const struct parts *parts);

void parts_free(struct parts *parts);

#endif
