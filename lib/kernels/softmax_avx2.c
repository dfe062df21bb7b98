/* SPDX-License-Identifier: MIT
 * Softmax rows with AVX2 and FMA: 16 lanes in two vectors.  Contracts: kernels.h; the exponential
 * is explained in exp.h. */
#include "kernels/kernels.h"

#include <math.h>

#include "kernels/lanes_avx2.h"
#include "kernels/exp.h"

enum { LANES = 16 };

static inline __m256 power_of_two(__m256i exponent)
{
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23));
}

/* NaN stays: max and min return their second operand when one is NaN. */
static inline __m256 exponential(__m256 x)
{
    x = _mm256_min_ps(_mm256_set1_ps(CNNI_EXP_MOST),
                      _mm256_max_ps(_mm256_set1_ps(CNNI_EXP_LEAST), x));
    const __m256 shifted =
        _mm256_fmadd_ps(x, _mm256_set1_ps(CNNI_EXP_LOG2E), _mm256_set1_ps(CNNI_EXP_ROUND));
    const __m256 n = _mm256_sub_ps(shifted, _mm256_set1_ps(CNNI_EXP_ROUND));
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(CNNI_EXP_LN2_HIGH), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(CNNI_EXP_LN2_LOW), r);
    __m256 p = _mm256_set1_ps(CNNI_EXP_C6);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CNNI_EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CNNI_EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CNNI_EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(CNNI_EXP_C2));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    const __m256i whole = _mm256_cvttps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return _mm256_mul_ps(_mm256_mul_ps(p, power_of_two(half)),
                         power_of_two(_mm256_sub_epi32(whole, half)));
}

/* The order does not matter to the largest; NaN is passed over. */
static float largest(int64_t count, const float *x)
{
    __m256 best = _mm256_set1_ps(-INFINITY);
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __m256i mask = first_lanes(count - i);
        const __m256 rest = _mm256_andnot_ps(_mm256_castsi256_ps(mask), best);
        best = _mm256_max_ps(_mm256_or_ps(_mm256_maskload_ps(x + i, mask), rest), best);
    }
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(best), _mm256_extractf128_ps(best, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

void cnni_softmax_exp_avx2(int64_t count, float *y, float *max, float *sum, const float *x)
{
    *max = largest(count, x);
    const __m256 shift = _mm256_set1_ps(*max);
    __m256 lane[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __m256i mask = first_lanes(count - i);
        const __m256 value = exponential(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), shift));
        const __m256 kept = _mm256_and_ps(value, _mm256_castsi256_ps(mask));
        _mm256_maskstore_ps(y + i, mask, value);
        lane[i / VECTOR % 2] = _mm256_add_ps(lane[i / VECTOR % 2], kept);
    }
    *sum = fold_lanes(lane[0], lane[1]);
}

void cnni_softmax_backward_avx2(int64_t count, float *dx, const float *dy, const float *y)
{
    __m256 lane[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __m256i mask = first_lanes(count - i);
        lane[i / VECTOR % 2] =
            _mm256_fmadd_ps(_mm256_maskload_ps(y + i, mask), _mm256_maskload_ps(dy + i, mask),
                            lane[i / VECTOR % 2]);
    }
    const __m256 sum = _mm256_set1_ps(fold_lanes(lane[0], lane[1]));
    for (int64_t i = 0; i < count; i += VECTOR) {
        const __m256i mask = first_lanes(count - i);
        const __m256 rest = _mm256_sub_ps(_mm256_maskload_ps(dy + i, mask), sum);
        _mm256_maskstore_ps(dx + i, mask, _mm256_mul_ps(_mm256_maskload_ps(y + i, mask), rest));
    }
}
