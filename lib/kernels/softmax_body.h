/* SPDX-License-Identifier: MIT
 * The bodies of the kernels softmax_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Contracts: kernels.h. */
#ifndef CNNI_SOFTMAX_BODY_H
#define CNNI_SOFTMAX_BODY_H

#include <math.h>

#include "kernels/exp_body.h"
#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* The order does not matter to the largest; NaN is passed over. */
static inline float largest_of_row(int64_t count, const float *x)
{
    vec best = vec_set(-INFINITY);
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        best = vec_max(vec_load(x + i, VECTOR), best);
    if (i < count)
        best = vec_max(vec_first(vec_load(x + i, count - i), best, count - i), best);
    return vec_largest(best);
}

CNNI_INLINE void clear_lanes(vec *lane)
{
    CNNI_UNROLL
    for (int j = 0; j < LANES / VECTOR; j++)
        lane[j] = vec_set(0);
}

/* LANES elements or, at the end, fewer. */
CNNI_INLINE void exp_lanes(float *y, vec *lane, const float *x, vec max, const int64_t count)
{
    CNNI_UNROLL
    for (int j = 0; j < LANES; j += VECTOR) {
        if (j >= count)
            break;
        const vec value = exponential(vec_sub(vec_load(x + j, count - j), max));
        vec_store(y + j, value, count - j);
        lane[j / VECTOR] = vec_add(lane[j / VECTOR], vec_first(value, vec_set(0), count - j));
    }
}

static inline void exp_run(int64_t count, float *y, float *max, float *sum, const float *x)
{
    *max = largest_of_row(count, x);
    const vec most = vec_set(*max);
    vec lane[LANES / VECTOR];
    clear_lanes(lane);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        exp_lanes(y + i, lane, x + i, most, LANES);
    exp_lanes(y + i, lane, x + i, most, count - i);
    *sum = vec_fold(lane);
}

/* ---- Backward ---- */

CNNI_INLINE void dot_lanes(vec *lane, const float *y, const float *dy, const int64_t count)
{
    CNNI_UNROLL
    for (int j = 0; j < LANES; j += VECTOR)
        lane[j / VECTOR] =
            vec_fma(vec_load(y + j, count - j), vec_load(dy + j, count - j), lane[j / VECTOR]);
}

static inline float dot(int64_t count, const float *y, const float *dy)
{
    vec lane[LANES / VECTOR];
    clear_lanes(lane);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        dot_lanes(lane, y + i, dy + i, LANES);
    dot_lanes(lane, y + i, dy + i, count - i);
    return vec_fold(lane);
}

static inline void softmax_backward_run(int64_t count, float *dx, const float *dy, const float *y)
{
    const vec sum = vec_set(dot(count, y, dy));
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vec rest = vec_sub(vec_load(dy + i, count - i), sum);
        vec_store(dx + i, vec_mul(vec_load(y + i, count - i), rest), count - i);
    }
}

#endif
