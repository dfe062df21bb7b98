/* SPDX-License-Identifier: MIT
 * Optimizer steps in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include <math.h>

void cnni_optimizer_sgd_generic(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                                float *v)
{
    for (int64_t i = 0; i < count; i++) {
        const float h = g[i] * step->gradient_scale + step->weight_decay * w[i];
        float d = h;
        if (v != NULL) {
            v[i] = step->first ? h : step->momentum * v[i] + h;
            d = step->nesterov ? step->momentum * v[i] + h : v[i];
        }
        w[i] -= step->learning_rate * d;
        g[i] = 0;
    }
}

void cnni_optimizer_adam_generic(const struct cnni_adam_step *step, int64_t count, float *w,
                                 float *g, float *m, float *v)
{
    for (int64_t i = 0; i < count; i++) {
        const float h = g[i] * step->gradient_scale + step->weight_decay * w[i];
        m[i] = step->beta1 * m[i] + step->rest1 * h;
        v[i] = step->beta2 * v[i] + step->rest2 * h * h;
        const float root = sqrtf(v[i]) / step->root_correction + step->epsilon;
        w[i] = w[i] * step->shrink - step->step_size * (m[i] / root);
        g[i] = 0;
    }
}
