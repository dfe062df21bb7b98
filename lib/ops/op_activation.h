/* SPDX-License-Identifier: MIT
 * Activations of whole arrays.  Which there are, and what backward reads, is in
 * kernels/activation.h.  Outputs may be the same array as an input, but may not overlap it
 * otherwise. */
#ifndef CNNI_OP_ACTIVATION_H
#define CNNI_OP_ACTIVATION_H

#include "base/base.h"
#include "cnn/context.h"
#include "kernels/activation.h"

struct cnni_kernels;

/* y = f(x) by the calling thread alone: for a piece that another operation has in the caches. */
void cnni_activation_apply(const struct cnni_kernels *kernels,
                           const struct cnni_activation *activation, int64_t count, float *y,
                           const float *x);

/* y = f(x), cut among at most `lanes` threads; dx = dy * f'(x), `value` being x or y. */
void cnni_activation_forward(cnn_context *context, int32_t lanes,
                             const struct cnni_activation *activation, int64_t count, float *y,
                             const float *x);
void cnni_activation_backward(cnn_context *context, int32_t lanes,
                              const struct cnni_activation *activation, int64_t count, float *dx,
                              const float *dy, const float *value);

#endif
