/* SPDX-License-Identifier: MIT
 * Optimizer steps with AVX2 and FMA.  Divisions and square roots are the exact instructions,
 * never the estimates.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx2.h"
#include "kernels/unroll.h"

CNNI_INLINE void sgd(const struct cnni_sgd_step *step, float *w, float *g, float *v,
                     const bool masked, __m256i mask)
{
    const __m256 momentum = _mm256_set1_ps(step->momentum);
    __m256 weight = load_lanes(w, masked, mask);
    const __m256 h = _mm256_fmadd_ps(
        _mm256_set1_ps(step->weight_decay), weight,
        _mm256_mul_ps(load_lanes(g, masked, mask), _mm256_set1_ps(step->gradient_scale)));
    __m256 d = h;
    if (v != NULL) {
        const __m256 speed =
            step->first ? h : _mm256_fmadd_ps(momentum, load_lanes(v, masked, mask), h);
        store_lanes(v, speed, masked, mask);
        d = step->nesterov ? _mm256_fmadd_ps(momentum, speed, h) : speed;
    }
    weight = _mm256_fnmadd_ps(_mm256_set1_ps(step->learning_rate), d, weight);
    store_lanes(w, weight, masked, mask);
    store_lanes(g, _mm256_setzero_ps(), masked, mask);
}

void cnni_optimizer_sgd_avx2(const struct cnni_sgd_step *step, int64_t count, float *w, float *g,
                             float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, false, _mm256_setzero_si256());
    if (i < count)
        sgd(step, w + i, g + i, v == NULL ? NULL : v + i, true, first_lanes(count - i));
}

CNNI_INLINE void adam(const struct cnni_adam_step *step, float *w, float *g, float *m, float *v,
                      const bool masked, __m256i mask)
{
    __m256 weight = load_lanes(w, masked, mask);
    const __m256 h = _mm256_fmadd_ps(
        _mm256_set1_ps(step->weight_decay), weight,
        _mm256_mul_ps(load_lanes(g, masked, mask), _mm256_set1_ps(step->gradient_scale)));
    const __m256 first = _mm256_fmadd_ps(_mm256_set1_ps(step->beta1), load_lanes(m, masked, mask),
                                         _mm256_mul_ps(_mm256_set1_ps(step->rest1), h));
    const __m256 square = _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(step->rest2), h), h);
    const __m256 second =
        _mm256_fmadd_ps(_mm256_set1_ps(step->beta2), load_lanes(v, masked, mask), square);
    const __m256 root =
        _mm256_add_ps(_mm256_div_ps(_mm256_sqrt_ps(second), _mm256_set1_ps(step->root_correction)),
                      _mm256_set1_ps(step->epsilon));
    weight = _mm256_fnmadd_ps(_mm256_set1_ps(step->step_size), _mm256_div_ps(first, root),
                              _mm256_mul_ps(weight, _mm256_set1_ps(step->shrink)));
    store_lanes(m, first, masked, mask);
    store_lanes(v, second, masked, mask);
    store_lanes(w, weight, masked, mask);
    store_lanes(g, _mm256_setzero_ps(), masked, mask);
}

void cnni_optimizer_adam_avx2(const struct cnni_adam_step *step, int64_t count, float *w, float *g,
                              float *m, float *v)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        adam(step, w + i, g + i, m + i, v + i, false, _mm256_setzero_si256());
    if (i < count)
        adam(step, w + i, g + i, m + i, v + i, true, first_lanes(count - i));
}
