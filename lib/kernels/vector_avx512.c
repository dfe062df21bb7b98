/* SPDX-License-Identifier: MIT
 * Loops over arrays with AVX-512: vector_body.h.  Contracts: kernels.h. */
#include "kernels/lanes_avx512.h"
#include "kernels/vector_body.h"

void cnni_vector_add_avx512(int64_t count, float *y, const float *a, const float *b)
{
    add_run(count, y, a, b);
}

void cnni_vector_average_avx512(int64_t count, float *a, const float *w, float rest)
{
    average_run(count, a, w, rest);
}

double cnni_vector_sum_squares_avx512(int64_t count, const float *x)
{
    return sum_squares_run(count, x);
}
