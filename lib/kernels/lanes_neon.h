/* SPDX-License-Identifier: MIT
 * Four lanes and parts of them: helpers of the kernel files *_neon.c, and of no other file. */
#ifndef CNNI_LANES_NEON_H
#define CNNI_LANES_NEON_H

#include <arm_neon.h>
#include <string.h>

#include "base/base.h"

/* The first `count` of 4 values, none for less than 0, all for more than 4; the rest 0. */
static inline float32x4_t load_lanes(const float *x, int64_t count)
{
    float lanes[4] = {0};
    if (count >= 4)
        return vld1q_f32(x);
    if (count > 0)
        memcpy(lanes, x, (size_t)count * sizeof *x);
    return vld1q_f32(lanes);
}

static inline void store_lanes(float *y, float32x4_t value, int64_t count)
{
    float lanes[4];
    if (count >= 4) {
        vst1q_f32(y, value);
        return;
    }
    vst1q_f32(lanes, value);
    if (count > 0)
        memcpy(y, lanes, (size_t)count * sizeof *y);
}

/* x where the mask is not set, else +0. */
static inline float32x4_t clear(float32x4_t x, uint32x4_t mask)
{
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(x), mask));
}

/* x, values <= 0 become +0; NaN stays. */
static inline float32x4_t relu(float32x4_t x)
{
    return clear(x, vcleq_f32(x, vdupq_n_f32(0)));
}

/* ---- The vocabulary of bodies that all levels share ---- */

typedef float32x4_t vec;
enum { VECTOR = 4 };

static inline vec vec_set(float value)
{
    return vdupq_n_f32(value);
}

/* The first `count` values, none below 0, all of them from VECTOR on; the rest 0. */
static inline vec vec_load(const float *x, int64_t count)
{
    return load_lanes(x, count);
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    store_lanes(y, value, count);
}

/* There is nothing past the caches. */
static inline void vec_stream(float *y, vec value)
{
    vst1q_f32(y, value);
}

static inline vec vec_add(vec a, vec b)
{
    return vaddq_f32(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

/* a b + c, rounded once */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

/* c - a b, rounded once */
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return vfmsq_f32(c, a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return vdivq_f32(a, b);
}

static inline vec vec_sqrt(vec x)
{
    return vsqrtq_f32(x);
}

static inline vec vec_relu(vec x)
{
    return relu(x);
}

/* The tree over 16 lanes: j + 8, then j + 4, j + 2, j + 1. */
static inline float fold_lanes(const float32x4_t lane[4])
{
    const float32x4_t four = vaddq_f32(vaddq_f32(lane[0], lane[2]), vaddq_f32(lane[1], lane[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

#endif
