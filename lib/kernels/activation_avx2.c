/* SPDX-License-Identifier: MIT
 * Activations with AVX2 and FMA: activation_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx2.h"
#include "kernels/activation_body.h"

void cnni_activation_forward_avx2(const struct cnni_activation *activation, int64_t count, float *y,
                                  const float *x)
{
    activation_run(activation, count, y, x);
}

void cnni_activation_backward_avx2(const struct cnni_activation *activation, int64_t count,
                                   float *dx, const float *dy, const float *value)
{
    activation_backward_run(activation, count, dx, dy, value);
}
