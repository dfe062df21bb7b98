/* SPDX-License-Identifier: MIT
 * Softmax rows with NEON: 16 lanes in four vectors.  Contracts: kernels.h; the exponential is
 * explained in exp.h. */
#include "kernels/kernels.h"

#include <math.h>

#include "kernels/exp.h"
#include "kernels/lanes_neon.h"

enum { LANES = 16 };

static inline float32x4_t power_of_two(int32x4_t exponent)
{
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(exponent, vdupq_n_s32(127)), 23));
}

/* NaN stays: max and min give NaN when one operand is. */
static inline float32x4_t exponential(float32x4_t x)
{
    x = vminq_f32(vdupq_n_f32(CNNI_EXP_MOST), vmaxq_f32(vdupq_n_f32(CNNI_EXP_LEAST), x));
    const float32x4_t round = vdupq_n_f32(CNNI_EXP_ROUND);
    const float32x4_t n = vsubq_f32(vfmaq_f32(round, x, vdupq_n_f32(CNNI_EXP_LOG2E)), round);
    float32x4_t r = vfmsq_f32(x, n, vdupq_n_f32(CNNI_EXP_LN2_HIGH));
    r = vfmsq_f32(r, n, vdupq_n_f32(CNNI_EXP_LN2_LOW));
    float32x4_t p = vdupq_n_f32(CNNI_EXP_C6);
    p = vfmaq_f32(vdupq_n_f32(CNNI_EXP_C5), p, r);
    p = vfmaq_f32(vdupq_n_f32(CNNI_EXP_C4), p, r);
    p = vfmaq_f32(vdupq_n_f32(CNNI_EXP_C3), p, r);
    p = vfmaq_f32(vdupq_n_f32(CNNI_EXP_C2), p, r);
    p = vfmaq_f32(vdupq_n_f32(1), p, r);
    p = vfmaq_f32(vdupq_n_f32(1), p, r);
    const int32x4_t whole = vcvtq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    return vmulq_f32(vmulq_f32(p, power_of_two(half)), power_of_two(vsubq_s32(whole, half)));
}

/* The order does not matter to the largest; NaN is passed over. */
static float largest(int64_t count, const float *x)
{
    float best = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

void cnni_softmax_exp_neon(int64_t count, float *y, float *max, float *sum, const float *x)
{
    *max = largest(count, x);
    const float32x4_t shift = vdupq_n_f32(*max);
    float32x4_t lane[LANES / VECTOR] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),
                                        vdupq_n_f32(0)};
    for (int64_t i = 0; i < count; i += VECTOR) {
        const float32x4_t value = exponential(vsubq_f32(load_lanes(x + i, count - i), shift));
        store_lanes(y + i, value, count - i);
        float32x4_t *target = &lane[i / VECTOR % (LANES / VECTOR)];
        *target = vaddq_f32(*target, load_lanes(y + i, count - i));
    }
    *sum = fold_lanes(lane);
}

void cnni_softmax_backward_neon(int64_t count, float *dx, const float *dy, const float *y)
{
    float32x4_t lane[LANES / VECTOR] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),
                                        vdupq_n_f32(0)};
    for (int64_t i = 0; i < count; i += VECTOR) {
        float32x4_t *target = &lane[i / VECTOR % (LANES / VECTOR)];
        *target = vfmaq_f32(*target, load_lanes(y + i, count - i), load_lanes(dy + i, count - i));
    }
    const float32x4_t sum = vdupq_n_f32(fold_lanes(lane));
    for (int64_t i = 0; i < count; i += VECTOR) {
        const float32x4_t rest = vsubq_f32(load_lanes(dy + i, count - i), sum);
        store_lanes(dx + i, vmulq_f32(load_lanes(y + i, count - i), rest), count - i);
    }
}
