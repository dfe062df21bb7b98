/* SPDX-License-Identifier: MIT
 * The bodies of the kernels activation_*.c: a file includes its lanes_<level>.h, whose vec_...()
 * they are written in, then this.  Each kind is a function f(x) and, below it, its derivative by
 * what backward reads, times dy; both get the activation's parameter.  Formulas:
 * activation.h. */
#ifndef CNNI_ACTIVATION_BODY_H
#define CNNI_ACTIVATION_BODY_H

#include <math.h>

#include "kernels/exp_body.h"
#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* ---- Straight lines ---- */

CNNI_INLINE vec relu_of(vec x, vec unused)
{
    (void)unused;
    return vec_relu(x);
}

CNNI_INLINE vec relu_gradient(vec dy, vec y, vec unused)
{
    (void)unused;
    return vec_select(vec_nle(y, vec_set(0)), dy, vec_set(0));
}

CNNI_INLINE vec leaky_relu_of(vec x, vec slope)
{
    return vec_select(vec_nle(x, vec_set(0)), x, vec_mul(x, slope));
}

CNNI_INLINE vec leaky_relu_gradient(vec dy, vec y, vec slope)
{
    return vec_select(vec_nle(y, vec_set(0)), dy, vec_mul(dy, slope));
}

/* dy where y is between 0 and `most`, or NaN, else 0. */
CNNI_INLINE vec between(vec dy, vec y, float most)
{
    const vec zero = vec_set(0), below = vec_select(vec_nle(vec_set(most), y), dy, zero);
    return vec_select(vec_nle(y, zero), below, zero);
}

/* ReLU first: levels differ about the larger of +0 and -0. */
CNNI_INLINE vec relu6_of(vec x, vec unused)
{
    (void)unused;
    return vec_clamp(vec_relu(x), 0, 6);
}

CNNI_INLINE vec relu6_gradient(vec dy, vec y, vec unused)
{
    (void)unused;
    return between(dy, y, 6);
}

/* Six times the sixth that is a float is 1. */
CNNI_INLINE vec hard_sigmoid_of(vec x, vec unused)
{
    (void)unused;
    return vec_mul(vec_clamp(vec_add(x, vec_set(3)), 0, 6), vec_set(1.0f / 6));
}

CNNI_INLINE vec hard_sigmoid_gradient(vec dy, vec y, vec unused)
{
    (void)unused;
    return between(vec_mul(dy, vec_set(1.0f / 6)), y, 1);
}

CNNI_INLINE vec hard_swish_of(vec x, vec unused)
{
    return vec_mul(vec_clamp(x, -3, INFINITY), hard_sigmoid_of(x, unused));
}

CNNI_INLINE vec hard_swish_gradient(vec dy, vec x, vec unused)
{
    (void)unused;
    const vec slope = vec_fma(x, vec_set(1.0f / 3), vec_set(0.5f));
    const vec below = vec_select(vec_nle(vec_set(3), x), slope, vec_set(1));
    return vec_mul(dy, vec_select(vec_nle(x, vec_set(-3)), below, vec_set(0)));
}

/* ---- By the exponential ---- */

CNNI_INLINE vec magnitude(vec x)
{
    return vec_max(x, vec_sub(vec_set(0), x));
}

/* 1 / (1 + e) or, where x is negative, e / (1 + e) with e = exp(-|x|), which does not overflow. */
CNNI_INLINE vec sigmoid_of(vec x, vec unused)
{
    (void)unused;
    const vec one = vec_set(1), e = exponential(vec_sub(vec_set(0), magnitude(x)));
    return vec_div(vec_select(vec_nle(vec_set(0), x), e, one), vec_add(one, e));
}

CNNI_INLINE vec sigmoid_gradient(vec dy, vec y, vec unused)
{
    (void)unused;
    return vec_mul(dy, vec_mul(y, vec_sub(vec_set(1), y)));
}

/* Beyond the clamp sigmoid(x) is 0 on the one side and 1 on the other: so are the products. */
CNNI_INLINE vec silu_of(vec x, vec unused)
{
    return vec_mul(vec_clamp(x, CNNI_EXP_LEAST, INFINITY), sigmoid_of(x, unused));
}

/* s (1 + x r) with s = sigmoid(x) and r = 1 - s = sigmoid(-x), which keeps its digits. */
CNNI_INLINE vec silu_gradient(vec dy, vec x, vec unused)
{
    (void)unused;
    const vec one = vec_set(1), e = exponential(vec_sub(vec_set(0), magnitude(x)));
    const vec large = vec_div(one, vec_add(one, e)), small = vec_mul(e, large);
    const vec_mask negative = vec_nle(vec_set(0), x);
    const vec s = vec_select(negative, small, large), r = vec_select(negative, large, small);
    const vec within = vec_clamp(x, CNNI_EXP_LEAST, -CNNI_EXP_LEAST);
    return vec_mul(dy, vec_mul(s, vec_fma(within, r, one)));
}

/* From 10 on it is 1. */
CNNI_INLINE vec tanh_of(vec x, vec unused)
{
    (void)unused;
    const vec within = vec_clamp(x, -10, 10), e = exponential_less_one(vec_add(within, within));
    return vec_div(e, vec_add(e, vec_set(2)));
}

CNNI_INLINE vec tanh_gradient(vec dy, vec y, vec unused)
{
    (void)unused;
    return vec_mul(dy, vec_fnma(y, y, vec_set(1)));
}

CNNI_INLINE vec elu_of(vec x, vec alpha)
{
    return vec_select(vec_nle(x, vec_set(0)), x, vec_mul(alpha, exponential_less_one(x)));
}

CNNI_INLINE vec elu_gradient(vec dy, vec y, vec alpha)
{
    return vec_select(vec_nle(y, vec_set(0)), dy, vec_mul(dy, vec_add(y, alpha)));
}

/* ---- By the normal distribution ---- */

/* P(-|x|) exp(x^2 / 2) is h(v) u with u = 1 / (1 + 0.35 |x|), v = |x| u and a polynomial h of
 * degree 8 with h(0) = 1/2, to a relative error of 3.6e-8 up to |x| = 15 (fitted as the exponential
 * was).  What x^2 loses by rounding is made good.  Returns P(x), and writes the density P'(x).
 * |x| is at most 15, where the one is 0 or 1, and the other 0. */
CNNI_INLINE vec normal(vec x, vec *density)
{
    static const float curve[] = {-0x1.b52d4ep-18f, 0x1.dd2816p-15f,  -0x1.e45f96p-14f,
                                  -0x1.77bbp-14f,   -0x1.f57284p-11f, 0x1.20174p-8f,
                                  0x1.05faa6p-5f,   -0x1.caa1dap-3f,  0.5f};
    const vec one = vec_set(1), half = vec_set(0.5f), square = vec_mul(x, x);
    const vec excess = vec_fnma(x, x, square); /* square - x^2 */
    vec e = exponential(vec_fnma(half, square, vec_set(0)));
    e = vec_fma(e, vec_mul(half, excess), e);
    const vec distance = magnitude(x), u = vec_div(one, vec_fma(vec_set(0.35f), distance, one));
    const vec v = vec_mul(distance, u);
    vec h = vec_set(curve[0]);
    CNNI_UNROLL
    for (int i = 1; i < CNNI_COUNT(curve); i++)
        h = vec_fma(h, v, vec_set(curve[i]));
    const vec tail = vec_mul(e, vec_mul(h, u));
    *density = vec_mul(e, vec_set(0x1.988454p-2f)); /* 1 / sqrt(2 pi) */
    return vec_select(vec_nle(x, vec_set(0)), vec_sub(one, tail), tail);
}

CNNI_INLINE vec gelu_of(vec x, vec unused)
{
    (void)unused;
    vec density;
    return vec_mul(vec_clamp(x, -15, INFINITY), normal(vec_clamp(x, -15, 15), &density));
}

/* P(x) + x P'(x) */
CNNI_INLINE vec gelu_gradient(vec dy, vec x, vec unused)
{
    (void)unused;
    vec density;
    const vec within = vec_clamp(x, -15, 15), below = normal(within, &density);
    return vec_mul(dy, vec_fma(within, density, below));
}

/* ---- Arrays ---- */

/* Inlined with f a constant: a loop for each kind. */
CNNI_INLINE void map(vec (*f)(vec, vec), float parameter, int64_t count, float *y, const float *x)
{
    for (int64_t i = 0; i < count; i += VECTOR)
        vec_store(y + i, f(vec_load(x + i, count - i), vec_set(parameter)), count - i);
}

CNNI_INLINE void map_gradient(vec (*f)(vec, vec, vec), float parameter, int64_t count, float *dx,
                              const float *dy, const float *value)
{
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vec gradient = vec_load(dy + i, count - i), at = vec_load(value + i, count - i);
        vec_store(dx + i, f(gradient, at, vec_set(parameter)), count - i);
    }
}

static inline void activation_run(const struct cnni_activation *activation, int64_t count, float *y,
                                  const float *x)
{
    const float p = activation->parameter;
    switch (activation->kind) {
    case CNN_RELU: map(relu_of, p, count, y, x); break;
    case CNN_LEAKY_RELU: map(leaky_relu_of, p, count, y, x); break;
    case CNN_RELU6: map(relu6_of, p, count, y, x); break;
    case CNN_SIGMOID: map(sigmoid_of, p, count, y, x); break;
    case CNN_TANH: map(tanh_of, p, count, y, x); break;
    case CNN_SILU: map(silu_of, p, count, y, x); break;
    case CNN_HARD_SWISH: map(hard_swish_of, p, count, y, x); break;
    case CNN_HARD_SIGMOID: map(hard_sigmoid_of, p, count, y, x); break;
    case CNN_GELU: map(gelu_of, p, count, y, x); break;
    case CNN_ELU: map(elu_of, p, count, y, x); break;
    }
}

static inline void activation_backward_run(const struct cnni_activation *activation, int64_t count,
                                           float *dx, const float *dy, const float *value)
{
    const float p = activation->parameter;
    switch (activation->kind) {
    case CNN_RELU: map_gradient(relu_gradient, p, count, dx, dy, value); break;
    case CNN_LEAKY_RELU: map_gradient(leaky_relu_gradient, p, count, dx, dy, value); break;
    case CNN_RELU6: map_gradient(relu6_gradient, p, count, dx, dy, value); break;
    case CNN_SIGMOID: map_gradient(sigmoid_gradient, p, count, dx, dy, value); break;
    case CNN_TANH: map_gradient(tanh_gradient, p, count, dx, dy, value); break;
    case CNN_SILU: map_gradient(silu_gradient, p, count, dx, dy, value); break;
    case CNN_HARD_SWISH: map_gradient(hard_swish_gradient, p, count, dx, dy, value); break;
    case CNN_HARD_SIGMOID: map_gradient(hard_sigmoid_gradient, p, count, dx, dy, value); break;
    case CNN_GELU: map_gradient(gelu_gradient, p, count, dx, dy, value); break;
    case CNN_ELU: map_gradient(elu_gradient, p, count, dx, dy, value); break;
    }
}

#endif
