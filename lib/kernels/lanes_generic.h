/* SPDX-License-Identifier: MIT
 * One lane: what winograd_generic.c calls a vector. */
#ifndef CNNI_LANES_GENERIC_H
#define CNNI_LANES_GENERIC_H

#include "base/base.h"

typedef float vec;
enum { VECTOR = 1 };

static inline vec vec_set(float value)
{
    return value;
}

static inline vec vec_load(const float *x, int64_t count)
{
    return count > 0 ? *x : 0;
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    (void)count;
    *y = value;
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

static inline vec vec_relu(vec x)
{
    return x <= 0 ? 0 : x;
}

#endif
