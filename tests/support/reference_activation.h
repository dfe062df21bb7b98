/* SPDX-License-Identifier: MIT
 * Activations and their derivatives in double precision, written from the formulas in cnn/layer.h,
 * with their limits for infinite x. */
#ifndef SUPPORT_REFERENCE_ACTIVATION_H
#define SUPPORT_REFERENCE_ACTIVATION_H

#include "cnn/layer.h"

/* `parameter` is the slope or alpha of the kinds that have one. */
double reference_activation(cnn_layer_kind kind, double parameter, double x);

/* The derivative, from x for the kinds silu, hard_swish and gelu, for the others from y; and the
 * sum of the magnitudes of its terms, which its rounding is relative to. */
double reference_activation_gradient(cnn_layer_kind kind, double parameter, double value,
                                     double *magnitude);

#endif
