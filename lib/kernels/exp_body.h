/* SPDX-License-Identifier: MIT
 * exp(x) and exp(x) - 1, for the bodies of kernels: written in the vec_...() of a lanes_<level>.h,
 * which comes before.  How it works is explained in exp.h. */
#ifndef CNNI_EXP_BODY_H
#define CNNI_EXP_BODY_H

#include "kernels/exp.h"
#include "kernels/unroll.h"

/* x = n log 2 + r, x clamped.  NaN passes through. */
CNNI_INLINE vec exp_split(vec x, vec *n)
{
    const vec clamped = vec_clamp(x, CNNI_EXP_LEAST, CNNI_EXP_MOST),
              round = vec_set(CNNI_EXP_ROUND);
    *n = vec_sub(vec_fma(clamped, vec_set(CNNI_EXP_LOG2E), round), round);
    const vec r = vec_fnma(*n, vec_set(CNNI_EXP_LN2_HIGH), clamped);
    return vec_fnma(*n, vec_set(CNNI_EXP_LN2_LOW), r);
}

/* (p(r) - 1 - r) / r^2 */
CNNI_INLINE vec exp_curve(vec r)
{
    vec p = vec_fma(vec_set(CNNI_EXP_C6), r, vec_set(CNNI_EXP_C5));
    p = vec_fma(p, r, vec_set(CNNI_EXP_C4));
    p = vec_fma(p, r, vec_set(CNNI_EXP_C3));
    return vec_fma(p, r, vec_set(CNNI_EXP_C2));
}

CNNI_INLINE vec exponential(vec x)
{
    vec n;
    const vec r = exp_split(x, &n);
    const vec p = vec_fma(exp_curve(r), r, vec_set(1));
    return vec_scale(vec_fma(p, r, vec_set(1)), n);
}

/* 2^n (p(r) - 1) + (2^n - 1): without 1 to lose digits against where x is small. */
CNNI_INLINE vec exponential_less_one(vec x)
{
    vec n;
    const vec r = exp_split(x, &n);
    const vec q = vec_fma(vec_mul(r, r), exp_curve(r), r), power = vec_scale(vec_set(1), n);
    return vec_fma(q, power, vec_sub(power, vec_set(1)));
}

#endif
