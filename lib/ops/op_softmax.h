/* SPDX-License-Identifier: MIT
 * Softmax along contiguous rows, on at most `lanes` threads. */
#ifndef CNNI_OP_SOFTMAX_H
#define CNNI_OP_SOFTMAX_H

#include "base/base.h"
#include "cnn/context.h"

/* y [rows][columns] = exp(x - max) / sum of exp(x - max), row by row; y may be x.  `log_sums`
 * [rows] (or NULL) gets log(sum of exp(x)). */
void cnni_softmax_forward(cnn_context *context, int32_t lanes, int64_t rows, int64_t columns,
                          float *y, float *log_sums, const float *x);

/* dx = y * (dy - sum of y * dy); dx may be dy. */
void cnni_softmax_backward(cnn_context *context, int32_t lanes, int64_t rows, int64_t columns,
                           float *dx, const float *dy, const float *y);

#endif
