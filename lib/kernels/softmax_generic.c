/* SPDX-License-Identifier: MIT
 * Softmax rows in portable C.  Contracts: kernels.h; the exponential is explained in exp.h. */
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

#include "kernels/exp.h"

enum { LANES = 16 };

static float fold(float lane[LANES])
{
    for (int32_t half = LANES / 2; half > 0; half /= 2)
        for (int32_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static float power_of_two(int32_t exponent)
{
    const uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float exponential(float x)
{
    if (x != x)
        return x;
    x = x < CNNI_EXP_LEAST ? CNNI_EXP_LEAST : x > CNNI_EXP_MOST ? CNNI_EXP_MOST : x;
    const float n = (x * CNNI_EXP_LOG2E + CNNI_EXP_ROUND) - CNNI_EXP_ROUND;
    const float r = (x - n * CNNI_EXP_LN2_HIGH) - n * CNNI_EXP_LN2_LOW;
    float p = CNNI_EXP_C6;
    p = p * r + CNNI_EXP_C5;
    p = p * r + CNNI_EXP_C4;
    p = p * r + CNNI_EXP_C3;
    p = p * r + CNNI_EXP_C2;
    p = p * r + 1;
    p = p * r + 1;
    const int32_t whole = (int32_t)n, half = whole / 2;
    return p * power_of_two(half) * power_of_two(whole - half);
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
