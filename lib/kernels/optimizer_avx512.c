/* SPDX-License-Identifier: MIT
 * Optimizer steps with AVX-512.  Divisions and square roots are the exact instructions, never the
 * estimates.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx512.h"
#include "kernels/unroll.h"

CNNI_INLINE void sgd(const struct cnni_sgd_step *step, float *w, float *g, float *v,
                     const bool masked, __mmask16 lanes)
{
    const __m512 momentum = _mm512_set1_ps(step->momentum);
    __m512 weight = load_lanes(w, masked, lanes);
    const __m512 h = _mm512_fmadd_ps(
        _mm512_set1_ps(step->weight_decay), weight,
        _mm512_mul_ps(load_lanes(g, masked, lanes), _mm512_set1_ps(step->gradient_scale)));
    __m512 d = h;
    if (v != NULL) {
        const __m512 speed =
            step->first ? h : _mm512_fmadd_ps(momentum, load_lanes(v, masked, lanes), h);
        store_lanes(v, speed, masked, lanes);
        d = step->nesterov ? _mm512_fmadd_ps(momentum, speed, h) : speed;
    }
    weight = _mm512_fnmadd_ps(_mm512_set1_ps(step->learning_rate), d, weight);
    store_lanes(w, weight, masked, lanes);
    store_lanes(g, _mm512_setzero_ps(), masked, lanes);
}

void cnni_optimizer_sgd_avx512(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                               float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, false, 0);
    if (i < count)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, true, first_lanes(count - i));
}

CNNI_INLINE void adam(const struct cnni_adam_step *step, float *w, float *g, float *m, float *v,
                      const bool masked, __mmask16 lanes)
{
    __m512 weight = load_lanes(w, masked, lanes);
    const __m512 h = _mm512_fmadd_ps(
        _mm512_set1_ps(step->weight_decay), weight,
        _mm512_mul_ps(load_lanes(g, masked, lanes), _mm512_set1_ps(step->gradient_scale)));
    const __m512 first = _mm512_fmadd_ps(_mm512_set1_ps(step->beta1), load_lanes(m, masked, lanes),
                                         _mm512_mul_ps(_mm512_set1_ps(step->rest1), h));
    const __m512 square = _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(step->rest2), h), h);
    const __m512 second =
        _mm512_fmadd_ps(_mm512_set1_ps(step->beta2), load_lanes(v, masked, lanes), square);
    const __m512 root =
        _mm512_add_ps(_mm512_div_ps(_mm512_sqrt_ps(second), _mm512_set1_ps(step->root_correction)),
                      _mm512_set1_ps(step->epsilon));
    weight = _mm512_fnmadd_ps(_mm512_set1_ps(step->step_size), _mm512_div_ps(first, root),
                              _mm512_mul_ps(weight, _mm512_set1_ps(step->shrink)));
    store_lanes(m, first, masked, lanes);
    store_lanes(v, second, masked, lanes);
    store_lanes(w, weight, masked, lanes);
    store_lanes(g, _mm512_setzero_ps(), masked, lanes);
}

void cnni_optimizer_adam_avx512(const struct cnni_adam_step *step, int64_t count, float *w,
                                float *g, float *m, float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        adam(step, w + i, g + i, m + i, v + i, false, 0);
    if (i < count)
        adam(step, w + i, g + i, m + i, v + i, true, first_lanes(count - i));
}
