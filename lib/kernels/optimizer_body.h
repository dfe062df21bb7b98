/* SPDX-License-Identifier: MIT
 * The bodies of the kernels optimizer_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Contracts: kernels.h. */
#ifndef CNNI_OPTIMIZER_BODY_H
#define CNNI_OPTIMIZER_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* The gradient with weight decay: h in the contracts. */
CNNI_INLINE vec decayed_gradient(vec g, vec w, float gradient_scale, float weight_decay)
{
    return vec_fma(vec_set(weight_decay), w, vec_mul(g, vec_set(gradient_scale)));
}

/* `count` elements: a vector or, at the end, fewer. */
CNNI_INLINE void sgd_lanes(const struct cnni_sgd_step *step, float *w, float *g, float *v,
                           const int64_t count)
{
    const vec momentum = vec_set(step->momentum), weight = vec_load(w, count);
    const vec h =
        decayed_gradient(vec_load(g, count), weight, step->gradient_scale, step->weight_decay);
    vec d = h;
    if (v != NULL) {
        const vec speed = step->first ? h : vec_fma(momentum, vec_load(v, count), h);
        vec_store(v, speed, count);
        d = step->nesterov ? vec_fma(momentum, speed, h) : speed;
    }
    vec_store(w, vec_fnma(vec_set(step->learning_rate), d, weight), count);
    vec_store(g, vec_set(0), count);
}

static inline void sgd_run(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                           float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        sgd_lanes(step, w + i, g + i, v == NULL ? NULL : v + i, VECTOR);
    if (i < count)
        sgd_lanes(step, w + i, g + i, v == NULL ? NULL : v + i, count - i);
}

/* Divisions and square roots are the exact instructions, never the estimates. */
CNNI_INLINE void adam_lanes(const struct cnni_adam_step *step, float *w, float *g, float *m,
                            float *v, const int64_t count)
{
    const vec weight = vec_load(w, count);
    const vec h =
        decayed_gradient(vec_load(g, count), weight, step->gradient_scale, step->weight_decay);
    const vec first =
        vec_fma(vec_set(step->beta1), vec_load(m, count), vec_mul(vec_set(step->rest1), h));
    const vec square = vec_mul(vec_mul(vec_set(step->rest2), h), h);
    const vec second = vec_fma(vec_set(step->beta2), vec_load(v, count), square);
    const vec root =
        vec_add(vec_div(vec_sqrt(second), vec_set(step->root_correction)), vec_set(step->epsilon));
    vec_store(m, first, count);
    vec_store(v, second, count);
    vec_store(w,
              vec_fnma(vec_set(step->step_size), vec_div(first, root),
                       vec_mul(weight, vec_set(step->shrink))),
              count);
    vec_store(g, vec_set(0), count);
}

static inline void adam_run(const struct cnni_adam_step *step, int64_t count, float *w, float *g,
                            float *m, float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        adam_lanes(step, w + i, g + i, m + i, v + i, VECTOR);
    if (i < count)
        adam_lanes(step, w + i, g + i, m + i, v + i, count - i);
}

#endif
