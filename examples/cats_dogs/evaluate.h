/* SPDX-License-Identifier: MIT
 * Which pictures of a folder a model is measured on. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include <cnn.h>

/* Opens the test pictures of `path`, or, where it has no folder for them, those for validation, or
 * else all that it has.  Which they are is written into `part` unless that is NULL. */
cnn_status evaluate_open(cnn_dataset **dataset, cnn_part *part, cnn_context *context,
                         const char *path);

#endif
