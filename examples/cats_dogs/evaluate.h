/* SPDX-License-Identifier: MIT
 * Which pictures of a folder a model is measured on. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include <cnn.h>

/* Opens the test pictures of `path`, or, where it has no folder for them, all that it has. */
cnn_status evaluate_open(cnn_dataset **dataset, cnn_context *context, const char *path);

#endif
