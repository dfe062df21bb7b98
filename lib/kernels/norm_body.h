/* SPDX-License-Identifier: MIT
 * The bodies of the kernels norm_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Memory is what bounds them, so
 * that they go pixel by pixel, except for sums, which stay in registers.  Contracts: kernels.h. */
#ifndef CNNI_NORM_BODY_H
#define CNNI_NORM_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* ---- Sums over the pixels of a block, some channels at a time ---- */

enum { CHANNELS = 32, SUMS = CHANNELS / VECTOR };

/* `count` channels: CHANNELS or, at the end, fewer. */
CNNI_INLINE void moments_of(const struct cnni_norm *norm, float *sums, float *squares,
                            const float *x, const int64_t count)
{
    vec sum[SUMS], square[SUMS];
    CNNI_UNROLL
    for (int v = 0; v < SUMS; v++)
        sum[v] = square[v] = vec_set(0);
    for (int64_t p = 0; p < norm->pixels; p++) {
        CNNI_UNROLL
        for (int v = 0; v < SUMS; v++)
            sum[v] =
                vec_add(sum[v], vec_load(x + p * norm->channels + v * VECTOR, count - v * VECTOR));
    }
    CNNI_UNROLL
    for (int v = 0; v < SUMS; v++) {
        if (count > v * VECTOR)
            vec_store(sums + v * VECTOR, sum[v], count - v * VECTOR);
        sum[v] = vec_div(sum[v], vec_set((float)norm->pixels));
    }
    for (int64_t p = 0; p < norm->pixels; p++) {
        CNNI_UNROLL
        for (int v = 0; v < SUMS; v++) {
            const vec away =
                vec_sub(vec_load(x + p * norm->channels + v * VECTOR, count - v * VECTOR), sum[v]);
            square[v] = vec_fma(away, away, square[v]);
        }
    }
    CNNI_UNROLL
    for (int v = 0; v < SUMS; v++)
        if (count > v * VECTOR)
            vec_store(squares + v * VECTOR, square[v], count - v * VECTOR);
}

static inline void moments_run(const struct cnni_norm *norm, float *sums, float *squares,
                               const float *x)
{
    int64_t c = 0;
    for (; c + CHANNELS <= norm->channels; c += CHANNELS)
        moments_of(norm, sums + c, squares + c, x + c, CHANNELS);
    if (c < norm->channels)
        moments_of(norm, sums + c, squares + c, x + c, norm->channels - c);
}

/* ---- Element by element: `at` is the place in the arrays, `c` the channel ---- */

CNNI_INLINE vec normalized(const struct cnni_norm *norm, const float *x, int64_t c,
                           const int64_t count)
{
    return vec_fma(vec_load(x + c, count), vec_load(norm->scale + c, count),
                   vec_load(norm->shift + c, count));
}

CNNI_INLINE void apply_at(const struct cnni_norm *norm, float *y, const float *x,
                          const float *addend, int64_t at, int64_t c, const int64_t count)
{
    vec value = normalized(norm, x + at, c, count);
    if (addend != NULL)
        value = vec_add(value, vec_load(addend + at + c, count));
    vec_store(y + at + c, vec_clamp(value, norm->low, norm->high), count);
}

static inline void apply_run(const struct cnni_norm *norm, float *y, const float *x,
                             const float *addend)
{
    for (int64_t p = 0; p < norm->pixels; p++) {
        const int64_t at = p * norm->channels;
        int64_t c = 0;
        CNNI_UNROLL_BY_2
        for (; c + VECTOR <= norm->channels; c += VECTOR)
            apply_at(norm, y, x, addend, at, c, VECTOR);
        if (c < norm->channels)
            apply_at(norm, y, x, addend, at, c, norm->channels - c);
    }
}

/* dy, and 0 where the value is not between low and high. */
CNNI_INLINE vec gated(const struct cnni_norm *norm, const float *dy, const float *x, const float *y,
                      int64_t at, int64_t c, const int64_t count)
{
    const vec value = y != NULL ? vec_load(y + at + c, count) : normalized(norm, x + at, c, count);
    const vec_mask inside =
        vec_both(vec_nle(value, vec_set(norm->low)), vec_nle(vec_set(norm->high), value));
    return vec_where(inside, vec_load(dy + at + c, count));
}

CNNI_INLINE void gradient_of(const struct cnni_norm *norm, float *sums, float *products, float *g,
                             const float *dy, const float *x, const float *y, int64_t c,
                             const int64_t count)
{
    vec sum[SUMS], product[SUMS];
    CNNI_UNROLL
    for (int v = 0; v < SUMS; v++)
        sum[v] = product[v] = vec_set(0);
    for (int64_t p = 0; p < norm->pixels; p++) {
        const int64_t at = p * norm->channels;
        CNNI_UNROLL
        for (int v = 0; v < SUMS; v++) {
            const int64_t channel = c + v * VECTOR, some = count - v * VECTOR;
            if (some <= 0)
                continue;
            const vec value = gated(norm, dy, x, y, at, channel, some);
            const vec away =
                vec_sub(vec_load(x + at + channel, some), vec_load(norm->mean + channel, some));
            sum[v] = vec_add(sum[v], value);
            product[v] = vec_fma(value, away, product[v]);
            if (g != NULL)
                vec_store(g + at + channel, value, some);
        }
    }
    CNNI_UNROLL
    for (int v = 0; v < SUMS; v++)
        if (count > v * VECTOR) {
            vec_store(sums + c + v * VECTOR, sum[v], count - v * VECTOR);
            vec_store(products + c + v * VECTOR, product[v], count - v * VECTOR);
        }
}

static inline void gradient_run(const struct cnni_norm *norm, float *sums, float *products,
                                float *g, const float *dy, const float *x, const float *y)
{
    int64_t c = 0;
    for (; c + CHANNELS <= norm->channels; c += CHANNELS)
        gradient_of(norm, sums, products, g, dy, x, y, c, CHANNELS);
    if (c < norm->channels)
        gradient_of(norm, sums, products, g, dy, x, y, c, norm->channels - c);
}

CNNI_INLINE void backward_at(const struct cnni_norm *norm, float *dx, const float *dy,
                             const float *x, const float *y, int64_t at, int64_t c,
                             const int64_t count)
{
    const vec away = vec_sub(vec_load(x + at + c, count), vec_load(norm->mean + c, count));
    const vec rest =
        vec_fma(away, vec_load(norm->slope + c, count), vec_load(norm->offset + c, count));
    vec_store(dx + at + c,
              vec_fma(gated(norm, dy, x, y, at, c, count), vec_load(norm->scale + c, count), rest),
              count);
}

static inline void backward_run(const struct cnni_norm *norm, float *dx, const float *dy,
                                const float *x, const float *y)
{
    for (int64_t p = 0; p < norm->pixels; p++) {
        const int64_t at = p * norm->channels;
        int64_t c = 0;
        CNNI_UNROLL_BY_2
        for (; c + VECTOR <= norm->channels; c += VECTOR)
            backward_at(norm, dx, dy, x, y, at, c, VECTOR);
        if (c < norm->channels)
            backward_at(norm, dx, dy, x, y, at, c, norm->channels - c);
    }
}

#endif
