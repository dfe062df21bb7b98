/* SPDX-License-Identifier: MIT
 * Batch normalisation in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

void cnni_norm_moments_generic(const struct cnni_norm *norm, float *sums, float *squares,
                               const float *x)
{
    const int64_t channels = norm->channels;
    for (int64_t c = 0; c < channels; c++) {
        float sum = 0, square = 0;
        for (int64_t p = 0; p < norm->pixels; p++)
            sum += x[p * channels + c];
        const float mean = sum / (float)norm->pixels;
        for (int64_t p = 0; p < norm->pixels; p++) {
            const float away = x[p * channels + c] - mean;
            square += away * away;
        }
        sums[c] = sum;
        squares[c] = square;
    }
}

static float normalized(const struct cnni_norm *norm, float x, int64_t c)
{
    return x * norm->scale[c] + norm->shift[c];
}

void cnni_norm_apply_generic(const struct cnni_norm *norm, float *y, const float *x,
                             const float *addend)
{
    for (int64_t p = 0, i = 0; p < norm->pixels; p++)
        for (int64_t c = 0; c < norm->channels; c++, i++) {
            float value = normalized(norm, x[i], c);
            value += addend == NULL ? 0 : addend[i];
            value = value < norm->low ? norm->low : value;
            y[i] = value > norm->high ? norm->high : value;
        }
}

/* dy, and 0 where the value is not between low and high. */
static float gated(const struct cnni_norm *norm, const float *dy, const float *x, const float *y,
                   int64_t i, int64_t c)
{
    const float value = y == NULL ? normalized(norm, x[i], c) : y[i];
    return value <= norm->low || value >= norm->high ? 0 : dy[i];
}

void cnni_norm_gradient_generic(const struct cnni_norm *norm, float *sums, float *products,
                                float *g, const float *dy, const float *x, const float *y)
{
    const int64_t channels = norm->channels;
    for (int64_t c = 0; c < channels; c++) {
        float sum = 0, product = 0;
        for (int64_t p = 0; p < norm->pixels; p++) {
            const int64_t i = p * channels + c;
            const float value = gated(norm, dy, x, y, i, c);
            sum += value;
            product += value * (x[i] - norm->mean[c]);
            if (g != NULL)
                g[i] = value;
        }
        sums[c] = sum;
        products[c] = product;
    }
}

void cnni_norm_backward_generic(const struct cnni_norm *norm, float *dx, const float *dy,
                                const float *x, const float *y)
{
    for (int64_t p = 0, i = 0; p < norm->pixels; p++)
        for (int64_t c = 0; c < norm->channels; c++, i++)
            dx[i] = gated(norm, dy, x, y, i, c) * norm->scale[c] +
                    ((x[i] - norm->mean[c]) * norm->slope[c] + norm->offset[c]);
}
