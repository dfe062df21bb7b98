/* SPDX-License-Identifier: MIT
 * Optimizer updates of one parameter array, on at most `lanes` threads.  Formulas:
 * cnn/optimizer.h.  All clear `g` to 0 in passing. */
#ifndef CNNI_OP_OPTIMIZER_H
#define CNNI_OP_OPTIMIZER_H

#include "base/base.h"
#include "cnn/context.h"

struct cnni_sgd {
    float learning_rate;
    float momentum;
    float weight_decay;
    float gradient_scale; /* g is multiplied by it first: clipping */
    bool nesterov;
    bool first; /* v = g instead of momentum * v + g */
};

/* `v` is NULL without momentum. */
void cnni_sgd_update(cnn_context *context, int32_t lanes, const struct cnni_sgd *sgd, int64_t count,
                     float *w, float *g, float *v);

struct cnni_adam {
    float step_size;     /* learning rate / (1 - beta1^t) */
    double beta1, beta2; /* double, because 1 - beta in float would be off by 5e-5 of itself */
    float epsilon;
    float root_correction; /* sqrt(1 - beta2^t) */
    float weight_decay;    /* added to g (Adam) */
    float shrink;          /* w is multiplied by it first: 1 - lr * weight_decay (AdamW), else 1 */
    float gradient_scale;
};

void cnni_adam_update(cnn_context *context, int32_t lanes, const struct cnni_adam *adam,
                      int64_t count, float *w, float *g, float *m, float *v);

/* Sum of x^2 in double precision: blocks of 4096 in 16 lanes, a fixed tree, blocks added in
 * order. */
double cnni_sum_squares(cnn_context *context, int32_t lanes, int64_t count, const float *x);

#endif
