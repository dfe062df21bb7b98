/* SPDX-License-Identifier: MIT
 * The bodies of the kernels vector_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Memory is what bounds them.
 * Contracts: kernels.h. */
#ifndef CNNI_VECTOR_BODY_H
#define CNNI_VECTOR_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

static inline void add_run(int64_t count, float *y, const float *a, const float *b)
{
    int64_t i = 0;
    CNNI_UNROLL_BY_2
    for (; i + VECTOR <= count; i += VECTOR)
        vec_store(y + i, vec_add(vec_load(a + i, VECTOR), vec_load(b + i, VECTOR)), VECTOR);
    if (i < count)
        vec_store(y + i, vec_add(vec_load(a + i, count - i), vec_load(b + i, count - i)),
                  count - i);
}

CNNI_INLINE vec averaged(const float *a, const float *w, float rest, const int64_t count)
{
    const vec average = vec_load(a, count);
    return vec_fma(vec_set(rest), vec_sub(vec_load(w, count), average), average);
}

static inline void average_run(int64_t count, float *a, const float *w, float rest)
{
    int64_t i = 0;
    CNNI_UNROLL_BY_2
    for (; i + VECTOR <= count; i += VECTOR)
        vec_store(a + i, averaged(a + i, w + i, rest, VECTOR), VECTOR);
    if (i < count)
        vec_store(a + i, averaged(a + i, w + i, rest, count - i), count - i);
}

/* Adds the squares of LANES values, or of fewer, each to its lane. */
CNNI_INLINE void add_squares(vec_wide *lane, const float *x, const int64_t count)
{
    CNNI_UNROLL
    for (int j = 0; j < LANES; j += VECTOR)
        vec_add_squares(lane + 2 * j / VECTOR, vec_load(x + j, count - j));
}

static inline double sum_squares_run(int64_t count, const float *x)
{
    vec_wide lane[2 * LANES / VECTOR];
    CNNI_UNROLL
    for (int j = 0; j < 2 * LANES / VECTOR; j++)
        lane[j] = vec_wide_zero();
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        add_squares(lane, x + i, LANES);
    add_squares(lane, x + i, count - i);
    return vec_wide_fold(lane);
}

#endif
