/* SPDX-License-Identifier: MIT
 * Optimizer updates of one parameter array, on at most `lanes` threads.  Formulas:
 * cnn/optimizer.h.  Those with a gradient `g` clear it to 0 in passing. */
#ifndef CNNI_OP_OPTIMIZER_H
#define CNNI_OP_OPTIMIZER_H

#include "base/base.h"
#include "cnn/context.h"
#include "kernels/optimizer_step.h"

/* `v` is NULL without momentum. */
void cnni_sgd_update(cnn_context *context, int32_t lanes, const struct cnni_sgd_step *step,
                     int64_t count, float *w, float *g, float *v);

void cnni_adam_update(cnn_context *context, int32_t lanes, const struct cnni_adam_step *step,
                      int64_t count, float *w, float *g, float *m, float *v);

/* a += rest * (w - a): an average that moves. */
void cnni_average_update(cnn_context *context, int32_t lanes, int64_t count, float *a,
                         const float *w, float rest);

/* Sum of x^2 in double precision: blocks of 4096 in 16 lanes, a fixed tree, blocks added in
 * order. */
double cnni_sum_squares(cnn_context *context, int32_t lanes, int64_t count, const float *x);

#endif
