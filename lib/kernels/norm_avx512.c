/* SPDX-License-Identifier: MIT
 * Batch normalisation with AVX-512: norm_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx512.h"
#include "kernels/norm_body.h"

void cnni_norm_moments_avx512(const struct cnni_norm *norm, float *sums, float *squares,
                              const float *x)
{
    moments_run(norm, sums, squares, x);
}

void cnni_norm_apply_avx512(const struct cnni_norm *norm, float *y, const float *x,
                            const float *addend)
{
    apply_run(norm, y, x, addend);
}

void cnni_norm_gradient_avx512(const struct cnni_norm *norm, float *sums, float *products, float *g,
                               const float *dy, const float *x, const float *y)
{
    gradient_run(norm, sums, products, g, dy, x, y);
}

void cnni_norm_backward_avx512(const struct cnni_norm *norm, float *dx, const float *dy,
                               const float *x, const float *y)
{
    backward_run(norm, dx, dy, x, y);
}
