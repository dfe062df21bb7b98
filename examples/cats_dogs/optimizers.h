/* SPDX-License-Identifier: MIT
 * How gradients change the weights. */
#ifndef OPTIMIZERS_H
#define OPTIMIZERS_H

#include <cnn.h>

struct optimizer {
    const char *name;
    cnn_status (*create)(cnn_optimizer **optimizer, cnn_context *context, double learning_rate);
    /* For a network whose recipe is made for another optimizer: the same numbers mean other things
     * to each. */
    double learning_rate, weight_decay;
};

/* The optimizer of a name; NULL, after a message, for another one. */
const struct optimizer *optimizer_find(const char *name);

#endif
