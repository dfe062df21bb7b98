/* SPDX-License-Identifier: MIT
 * One lane: what the files *_generic.c whose bodies all levels share call a vector. */
#ifndef CNNI_LANES_GENERIC_H
#define CNNI_LANES_GENERIC_H

#include <string.h>

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

static inline vec vec_fnma(vec a, vec b, vec c)
{
    return c - a * b;
}

static inline vec vec_div(vec a, vec b)
{
    return a / b;
}

static inline vec vec_relu(vec x)
{
    return x <= 0 ? 0 : x;
}

typedef bool vec_mask;

/* Not a <= b: a > b, or one is NaN. */
static inline vec_mask vec_nle(vec a, vec b)
{
    return !(a <= b);
}

static inline vec vec_select(vec_mask mask, vec a, vec b)
{
    return mask ? a : b;
}

static inline vec vec_max(vec a, vec b)
{
    return a > b ? a : b;
}

/* x between low and high; NaN stays. */
static inline vec vec_clamp(vec x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline float power_of_two(int32_t exponent)
{
    const uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* x 2^n in two factors, so that a result below the normal range is rounded once; n is a whole
 * number from -150 to 128, or NaN. */
static inline vec vec_scale(vec x, vec n)
{
    if (n != n)
        return n;
    const int32_t whole = (int32_t)n, half = whole / 2;
    return x * power_of_two(half) * power_of_two(whole - half);
}

#endif
