/* SPDX-License-Identifier: MIT
 * Optimizer steps with AVX2 and FMA: optimizer_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/optimizer_body.h"

void cnni_optimizer_sgd_avx2(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                             float *v)
{
    sgd_run(step, count, w, g, v);
}

void cnni_optimizer_adam_avx2(const struct cnni_adam_step *step, int64_t count, float *w, float *g,
                              float *m, float *v)
{
    adam_run(step, count, w, g, m, v);
}
