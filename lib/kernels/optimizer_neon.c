/* SPDX-License-Identifier: MIT
 * Optimizer steps with NEON.  Divisions and square roots are the exact instructions, never the
 * estimates.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_neon.h"
#include "kernels/unroll.h"

CNNI_INLINE void sgd(const struct cnni_sgd_step *step, float *w, float *g, float *v,
                     const int64_t count)
{
    const float32x4_t momentum = vdupq_n_f32(step->momentum);
    const float32x4_t weight = load_lanes(w, count);
    const float32x4_t scaled = vmulq_f32(load_lanes(g, count), vdupq_n_f32(step->gradient_scale));
    const float32x4_t h = vfmaq_f32(scaled, vdupq_n_f32(step->weight_decay), weight);
    float32x4_t d = h;
    if (v != NULL) {
        const float32x4_t speed = step->first ? h : vfmaq_f32(h, momentum, load_lanes(v, count));
        store_lanes(v, speed, count);
        d = step->nesterov ? vfmaq_f32(h, momentum, speed) : speed;
    }
    store_lanes(w, vfmsq_f32(weight, vdupq_n_f32(step->learning_rate), d), count);
    store_lanes(g, vdupq_n_f32(0), count);
}

void cnni_optimizer_sgd_neon(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                             float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, VECTOR);
    if (i < count)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, count - i);
}

CNNI_INLINE void adam(const struct cnni_adam_step *step, float *w, float *g, float *m, float *v,
                      const int64_t count)
{
    const float32x4_t weight = load_lanes(w, count);
    const float32x4_t scaled = vmulq_f32(load_lanes(g, count), vdupq_n_f32(step->gradient_scale));
    const float32x4_t h = vfmaq_f32(scaled, vdupq_n_f32(step->weight_decay), weight);
    const float32x4_t first = vfmaq_f32(vmulq_f32(vdupq_n_f32(step->rest1), h),
                                        vdupq_n_f32(step->beta1), load_lanes(m, count));
    const float32x4_t square = vmulq_f32(vmulq_f32(vdupq_n_f32(step->rest2), h), h);
    const float32x4_t second = vfmaq_f32(square, vdupq_n_f32(step->beta2), load_lanes(v, count));
    const float32x4_t root =
        vaddq_f32(vdivq_f32(vsqrtq_f32(second), vdupq_n_f32(step->root_correction)),
                  vdupq_n_f32(step->epsilon));
    const float32x4_t moved = vfmsq_f32(vmulq_f32(weight, vdupq_n_f32(step->shrink)),
                                        vdupq_n_f32(step->step_size), vdivq_f32(first, root));
    store_lanes(m, first, count);
    store_lanes(v, second, count);
    store_lanes(w, moved, count);
    store_lanes(g, vdupq_n_f32(0), count);
}

void cnni_optimizer_adam_neon(const struct cnni_adam_step *step, int64_t count, float *w, float *g,
                              float *m, float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        adam(step, w + i, g + i, m + i, v + i, VECTOR);
    if (i < count)
        adam(step, w + i, g + i, m + i, v + i, count - i);
}
