/* SPDX-License-Identifier: MIT
 * Softmax rows in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include <math.h>

#include "kernels/lanes_generic.h"
#include "kernels/exp_body.h"

enum { LANES = 16 };

static float fold(float lane[LANES])
{
    for (int32_t half = LANES / 2; half > 0; half /= 2)
        for (int32_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

void cnni_softmax_exp_generic(int64_t count, float *y, float *max, float *sum, const float *x)
{
    float lane[LANES] = {0}, largest = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (int64_t i = 0; i < count; i++) {
        y[i] = exponential(x[i] - largest);
        lane[i % LANES] += y[i];
    }
    *max = largest;
    *sum = fold(lane);
}

void cnni_softmax_backward_generic(int64_t count, float *dx, const float *dy, const float *y)
{
    float lane[LANES] = {0};
    for (int64_t i = 0; i < count; i++)
        lane[i % LANES] += y[i] * dy[i];
    const float sum = fold(lane);
    for (int64_t i = 0; i < count; i++)
        dx[i] = y[i] * (dy[i] - sum);
}
