/* SPDX-License-Identifier: MIT
 * Softmax rows with AVX-512: 16 lanes in one vector.  Contracts: kernels.h; the exponential is
 * explained in exp.h. */
#include "kernels/kernels.h"

#include <math.h>

#include "kernels/exp.h"
#include "kernels/lanes_avx512.h"

static inline __m512 power_of_two(__m512i exponent)
{
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_add_epi32(exponent, _mm512_set1_epi32(127)), 23));
}

/* NaN stays: max and min return their second operand when one is NaN. */
static inline __m512 exponential(__m512 x)
{
    x = _mm512_min_ps(_mm512_set1_ps(CNNI_EXP_MOST),
                      _mm512_max_ps(_mm512_set1_ps(CNNI_EXP_LEAST), x));
    const __m512 shifted =
        _mm512_fmadd_ps(x, _mm512_set1_ps(CNNI_EXP_LOG2E), _mm512_set1_ps(CNNI_EXP_ROUND));
    const __m512 n = _mm512_sub_ps(shifted, _mm512_set1_ps(CNNI_EXP_ROUND));
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(CNNI_EXP_LN2_HIGH), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(CNNI_EXP_LN2_LOW), r);
    __m512 p = _mm512_set1_ps(CNNI_EXP_C6);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CNNI_EXP_C5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CNNI_EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CNNI_EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(CNNI_EXP_C2));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    const __m512i whole = _mm512_cvttps_epi32(n), half = _mm512_srai_epi32(whole, 1);
    return _mm512_mul_ps(_mm512_mul_ps(p, power_of_two(half)),
                         power_of_two(_mm512_sub_epi32(whole, half)));
}

/* The order does not matter to the largest; NaN is passed over. */
static float largest(int64_t count, const float *x)
{
    __m512 best = _mm512_set1_ps(-INFINITY);
    for (int64_t i = 0; i < count; i += VECTOR)
        best = _mm512_max_ps(_mm512_mask_loadu_ps(best, first_lanes(count - i), x + i), best);
    return _mm512_reduce_max_ps(best);
}

void cnni_softmax_exp_avx512(int64_t count, float *y, float *max, float *sum, const float *x)
{
    *max = largest(count, x);
    const __m512 shift = _mm512_set1_ps(*max);
    __m512 total = _mm512_setzero_ps();
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __mmask16 lanes = first_lanes(count - i);
        const __m512 value = exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), shift));
        _mm512_mask_storeu_ps(y + i, lanes, value);
        total = _mm512_add_ps(total, _mm512_maskz_mov_ps(lanes, value));
    }
    *sum = fold_lanes(total);
}

void cnni_softmax_backward_avx512(int64_t count, float *dx, const float *dy, const float *y)
{
    __m512 total = _mm512_setzero_ps();
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __mmask16 lanes = first_lanes(count - i);
        total = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, y + i),
                                _mm512_maskz_loadu_ps(lanes, dy + i), total);
    }
    const __m512 sum = _mm512_set1_ps(fold_lanes(total));
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __mmask16 lanes = first_lanes(count - i);
        const __m512 rest = _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, dy + i), sum);
        _mm512_mask_storeu_ps(dx + i, lanes,
                              _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, y + i), rest));
    }
}
