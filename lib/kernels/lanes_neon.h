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
enum { VECTOR = 4, LANES = 16 }; /* LANES: of a sum, on every level */

static inline vec vec_set(float value)
{
    return vdupq_n_f32(value);
}

/* The first `count` values, all of them from VECTOR on, none for less than 1; the rest 0. */
static inline vec vec_load(const float *x, int64_t count)
{
    return load_lanes(x, count);
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    store_lanes(y, value, count);
}

/* May send a whole vector past the caches; y is aligned to 64 bytes. */
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

/* Makes column j of four vectors the vector j. */
static inline void vec_transpose(vec line[VECTOR])
{
    const float32x4x2_t even = vzipq_f32(line[0], line[2]), odd = vzipq_f32(line[1], line[3]);
    const float32x4x2_t low = vzipq_f32(even.val[0], odd.val[0]);
    const float32x4x2_t high = vzipq_f32(even.val[1], odd.val[1]);
    line[0] = low.val[0];
    line[1] = low.val[1];
    line[2] = high.val[0];
    line[3] = high.val[1];
}

/* ---- Lanes that differ ---- */

typedef uint32x4_t vec_mask;

/* Not a <= b: a > b, or one is NaN. */
static inline vec_mask vec_nle(vec a, vec b)
{
    return vmvnq_u32(vcleq_f32(a, b));
}

static inline vec_mask vec_is_number(vec x)
{
    return vceqq_f32(x, x);
}

static inline vec_mask vec_both(vec_mask a, vec_mask b)
{
    return vandq_u32(a, b);
}

/* x where the mask is set, else +0 */
static inline vec vec_where(vec_mask mask, vec x)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), mask));
}

/* a where the mask is set, else b */
static inline vec vec_select(vec_mask mask, vec a, vec b)
{
    return vbslq_f32(mask, a, b);
}

/* The first `count` lanes of a, all of them from VECTOR on, the others of b. */
static inline vec vec_first(vec a, vec b, int64_t count)
{
    static const int32_t lanes[VECTOR] = {0, 1, 2, 3};
    const int32_t few = (int32_t)CNNI_MIN(count, VECTOR);
    return few == VECTOR ? a : vec_select(vcltq_s32(vld1q_s32(lanes), vdupq_n_s32(few)), a, b);
}

/* a > b ? a : b; so b where one is NaN */
static inline vec vec_max(vec a, vec b)
{
    return vec_select(vcgtq_f32(a, b), a, b);
}

/* x between low and high; NaN stays. */
static inline vec vec_clamp(vec x, float low, float high)
{
    return vminq_f32(vdupq_n_f32(high), vmaxq_f32(vdupq_n_f32(low), x));
}

/* The largest lane; none is NaN. */
static inline float vec_largest(vec x)
{
    return vmaxvq_f32(x);
}

/* ---- Whole numbers ---- */

typedef int32x4_t vec_int;

static inline vec_int vec_int_set(int32_t value)
{
    return vdupq_n_s32(value);
}

static inline vec_mask vec_int_equal(vec_int a, vec_int b)
{
    return vceqq_s32(a, b);
}

static inline vec_int vec_int_select(vec_mask mask, vec_int a, vec_int b)
{
    return vbslq_s32(mask, a, b);
}

/* The first `count` numbers, at least 1, in memory as int32_t, or as uint8_t. */
static inline vec_int vec_int_load(const void *words, int64_t count)
{
    int32_t lanes[VECTOR] = {0};
    memcpy(lanes, words, (size_t)CNNI_MIN(count, VECTOR) * sizeof *lanes);
    return vld1q_s32(lanes);
}

static inline void vec_int_store(void *words, vec_int value, int64_t count)
{
    int32_t lanes[VECTOR];
    vst1q_s32(lanes, value);
    memcpy(words, lanes, (size_t)CNNI_MIN(count, VECTOR) * sizeof *lanes);
}

static inline vec_int vec_int_load_bytes(const void *bytes, int64_t count)
{
    uint8_t lanes[2 * VECTOR] = {0};
    memcpy(lanes, bytes, (size_t)CNNI_MIN(count, VECTOR));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(lanes)))));
}

static inline void vec_int_store_bytes(void *bytes, vec_int value, int64_t count)
{
    uint8_t lanes[2 * VECTOR];
    const uint16x4_t halves = vmovn_u32(vreinterpretq_u32_s32(value));
    vst1_u8(lanes, vmovn_u16(vcombine_u16(halves, halves)));
    memcpy(bytes, lanes, (size_t)CNNI_MIN(count, VECTOR));
}

/* x 2^n in two factors, so that a result below the normal range is rounded once; n is a whole
 * number from -150 to 128. */
static inline vec vec_scale(vec x, vec n)
{
    const int32x4_t whole = vcvtq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    const int32x4_t other = vsubq_s32(whole, half), bias = vdupq_n_s32(127);
    x = vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23)));
    return vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(other, bias), 23)));
}

/* ---- Sums in 16 lanes, LANES / VECTOR vectors ---- */

/* The tree: j + 8, then j + 4, j + 2, j + 1. */
static inline float vec_fold(const vec *lane)
{
    const float32x4_t four = vaddq_f32(vaddq_f32(lane[0], lane[2]), vaddq_f32(lane[1], lane[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* Half a vector, in double precision. */
typedef float64x2_t vec_wide;

static inline vec_wide vec_wide_zero(void)
{
    return vdupq_n_f64(0);
}

/* Adds the squares of x, the low half's to two[0], the high half's to two[1]. */
static inline void vec_add_squares(vec_wide two[2], vec x)
{
    const vec_wide low = vcvt_f64_f32(vget_low_f32(x)), high = vcvt_high_f64_f32(x);
    two[0] = vfmaq_f64(two[0], low, low);
    two[1] = vfmaq_f64(two[1], high, high);
}

/* The same tree. */
static inline double vec_wide_fold(const vec_wide *lane)
{
    const float64x2_t a = vaddq_f64(lane[0], lane[4]), b = vaddq_f64(lane[1], lane[5]);
    const float64x2_t c = vaddq_f64(lane[2], lane[6]), d = vaddq_f64(lane[3], lane[7]);
    const float64x2_t two = vaddq_f64(vaddq_f64(a, c), vaddq_f64(b, d));
    return vgetq_lane_f64(two, 0) + vgetq_lane_f64(two, 1);
}

#endif
