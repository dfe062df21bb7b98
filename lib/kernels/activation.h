/* SPDX-License-Identifier: MIT
 * Which function an activation is, the same for kernels and for those above them.  Backward reads
 * what its column says: the input x or the output y.
 *
 *   kind             y = f(x)                                             parameter   reads
 *   CNN_RELU         max(x, 0)                                                        y
 *   CNN_LEAKY_RELU   x where x > 0, else parameter * x                    slope >= 0  y
 *   CNN_RELU6        min(max(x, 0), 6)                                                y
 *   CNN_SIGMOID      1 / (1 + exp(-x))                                                y
 *   CNN_TANH         (exp(2 x) - 1) / (exp(2 x) + 1)                                  y
 *   CNN_SILU         x * sigmoid(x)                                                   x
 *   CNN_HARD_SWISH   x * min(max(x + 3, 0), 6) / 6                                    x
 *   CNN_HARD_SIGMOID min(max(x + 3, 0), 6) / 6                                        y
 *   CNN_GELU         x * P(x), P of the normal distribution: (1 + erf(x / sqrt 2)) / 2  x
 *   CNN_ELU          x where x > 0, else parameter * (exp(x) - 1)         alpha >= 0  y
 *
 * Infinite x give the limits, also where the formula says 0 * infinite; NaN stays NaN. */
#ifndef CNNI_ACTIVATION_H
#define CNNI_ACTIVATION_H

#include "cnn/layer.h"

struct cnni_activation {
    cnn_layer_kind kind;
    float parameter;
};

#endif
