/* SPDX-License-Identifier: MIT
 * Loops over arrays in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

enum { LANES = 16 };

void cnni_vector_add_generic(int64_t count, float *y, const float *a, const float *b)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

void cnni_vector_average_generic(int64_t count, float *a, const float *w, float rest)
{
    for (int64_t i = 0; i < count; i++)
        a[i] += rest * (w[i] - a[i]);
}

double cnni_vector_sum_squares_generic(int64_t count, const float *x)
{
    double lane[LANES] = {0};
    for (int64_t i = 0; i < count; i++)
        lane[i % LANES] += (double)x[i] * (double)x[i];
    for (int32_t half = LANES / 2; half > 0; half /= 2)
        for (int32_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}
