/* SPDX-License-Identifier: MIT
 * Loops over arrays with NEON; memory is what bounds them.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_neon.h"
#include "kernels/unroll.h"

enum { LANES = 16 };

void cnni_vector_relu_neon(int64_t count, float *y, const float *x)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        vst1q_f32(y + i, relu(vld1q_f32(x + i)));
    if (i < count)
        store_lanes(y + i, relu(load_lanes(x + i, count - i)), count - i);
}

/* dy where y is not <= 0. */
static inline float32x4_t open_gate(float32x4_t dy, float32x4_t y)
{
    return clear(dy, vcleq_f32(y, vdupq_n_f32(0)));
}

void cnni_vector_relu_backward_neon(int64_t count, float *dx, const float *dy, const float *y)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        vst1q_f32(dx + i, open_gate(vld1q_f32(dy + i), vld1q_f32(y + i)));
    if (i < count)
        store_lanes(dx + i, open_gate(load_lanes(dy + i, count - i), load_lanes(y + i, count - i)),
                    count - i);
}

void cnni_vector_add_neon(int64_t count, float *y, const float *a, const float *b)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        vst1q_f32(y + i, vaddq_f32(vld1q_f32(a + i), vld1q_f32(b + i)));
    if (i < count)
        store_lanes(y + i, vaddq_f32(load_lanes(a + i, count - i), load_lanes(b + i, count - i)),
                    count - i);
}

double cnni_vector_sum_squares_neon(int64_t count, const float *x)
{
    float64x2_t lane[LANES / 2];
    CNNI_UNROLL
    for (int j = 0; j < LANES / 2; j++)
        lane[j] = vdupq_n_f64(0);
    for (int64_t i = 0; i < count; i += LANES) {
        CNNI_UNROLL
        for (int j = 0; j < LANES / 2; j += 2) {
            const float32x4_t value = load_lanes(x + i + 2 * j, count - i - 2 * j);
            const float64x2_t low = vcvt_f64_f32(vget_low_f32(value));
            const float64x2_t high = vcvt_high_f64_f32(value);
            lane[j] = vfmaq_f64(lane[j], low, low);
            lane[j + 1] = vfmaq_f64(lane[j + 1], high, high);
        }
    }
    CNNI_UNROLL
    for (int half = LANES / 4; half > 0; half /= 2)
        CNNI_UNROLL
    for (int j = 0; j < half; j++)
        lane[j] = vaddq_f64(lane[j], lane[j + half]);
    return vgetq_lane_f64(lane[0], 0) + vgetq_lane_f64(lane[0], 1);
}
