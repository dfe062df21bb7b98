/* SPDX-License-Identifier: MIT
 * The numbers of one step of an optimizer, the same for kernels and for those above them.
 * Formulas: kernels.h. */
#ifndef CNNI_OPTIMIZER_STEP_H
#define CNNI_OPTIMIZER_STEP_H

#include <stdbool.h>

struct cnni_sgd_step {
    float learning_rate;
    float momentum;
    float weight_decay;
    float gradient_scale; /* g is multiplied by it first: clipping */
    bool nesterov;
    bool first; /* v = h instead of momentum * v + h */
};

struct cnni_adam_step {
    float step_size;       /* learning rate / (1 - beta1^t) */
    float root_correction; /* sqrt(1 - beta2^t) */
    float epsilon;
    float beta1, rest1; /* rest = 1 - beta, worked out in double: in float it would be off by ... */
    float beta2, rest2; /* ... 5e-5 of itself */
    float weight_decay; /* added to g (Adam) */
    float shrink;       /* w is multiplied by it first: 1 - lr * weight_decay (AdamW), else 1 */
    float gradient_scale;
};

#endif
