/* SPDX-License-Identifier: MIT
 * The model that a network is built as. */
#ifndef NETWORK_H
#define NETWORK_H

#include "network_table.h"

#include <cnn.h>

#include <stdbool.h>
#include <stdint.h>

/* Creates the model for colour pictures of `size` x `size` and the classes of `dataset`.  False,
 * after a message, when it cannot; `model` is then incomplete or NULL, and still to be freed. */
bool network_create(cnn_model **model, cnn_context *context, const struct network *network,
                    int64_t size, const cnn_dataset *dataset);

/* Prints a line per layer: what it is, the shape of its output, how many parameters it has. */
void network_print(cnn_model *model);

#endif
