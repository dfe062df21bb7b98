/* SPDX-License-Identifier: MIT
 * Sixteen lanes and parts of them: helpers of the kernel files *_avx512.c, and of no other file. */
#ifndef CNNI_LANES_AVX512_H
#define CNNI_LANES_AVX512_H

#include <immintrin.h>

#include "base/base.h"
#include "kernels/unroll.h"

/* The first `count` of 16 lanes; none for less than 0, all for more than 16. */
static inline __mmask16 first_lanes(int64_t count)
{
    return (__mmask16)((1u << CNNI_MIN(CNNI_MAX(count, 0), 16)) - 1);
}

/* 16 values; where `masked`, those of `lanes`, and 0. */
static inline __m512 load_lanes(const float *x, bool masked, __mmask16 lanes)
{
    return masked ? _mm512_maskz_loadu_ps(lanes, x) : _mm512_loadu_ps(x);
}

static inline void store_lanes(float *y, __m512 value, bool masked, __mmask16 lanes)
{
    if (masked)
        _mm512_mask_storeu_ps(y, lanes, value);
    else
        _mm512_storeu_ps(y, value);
}

/* x, values <= 0 become +0; NaN stays. */
static inline __m512 relu(__m512 x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NLE_UQ), x);
}

/* ---- The vocabulary of bodies that all levels share ---- */

typedef __m512 vec;
enum { VECTOR = 16 };

static inline vec vec_set(float value)
{
    return _mm512_set1_ps(value);
}

/* The first `count` values, none below 0, all of them from VECTOR on; the rest 0. */
static inline vec vec_load(const float *x, int64_t count)
{
    return count >= VECTOR ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(first_lanes(count), x);
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    if (count >= VECTOR)
        _mm512_storeu_ps(y, value);
    else
        _mm512_mask_storeu_ps(y, first_lanes(count), value);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

/* a b + c, rounded once */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a b, rounded once */
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

static inline vec vec_sqrt(vec x)
{
    return _mm512_sqrt_ps(x);
}

static inline vec vec_relu(vec x)
{
    return relu(x);
}

/* Makes column j of sixteen vectors the vector j: pairs, then fours, then quarters. */
static inline void vec_transpose(vec line[VECTOR])
{
    vec four[VECTOR];
    CNNI_UNROLL
    for (int i = 0; i < VECTOR; i += 4) {
        const __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(line[i], line[i + 1]));
        const __m512d high = _mm512_castps_pd(_mm512_unpackhi_ps(line[i], line[i + 1]));
        const __m512d low2 = _mm512_castps_pd(_mm512_unpacklo_ps(line[i + 2], line[i + 3]));
        const __m512d high2 = _mm512_castps_pd(_mm512_unpackhi_ps(line[i + 2], line[i + 3]));
        four[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
        four[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
        four[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
        four[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
    }
    CNNI_UNROLL
    for (int i = 0; i < 4; i++) { /* quarters 0 and 2, 1 and 3 of two vectors */
        const vec even = _mm512_shuffle_f32x4(four[i], four[i + 4], 0x88);
        const vec odd = _mm512_shuffle_f32x4(four[i], four[i + 4], 0xdd);
        const vec even2 = _mm512_shuffle_f32x4(four[i + 8], four[i + 12], 0x88);
        const vec odd2 = _mm512_shuffle_f32x4(four[i + 8], four[i + 12], 0xdd);
        line[i] = _mm512_shuffle_f32x4(even, even2, 0x88);
        line[i + 4] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
        line[i + 8] = _mm512_shuffle_f32x4(even, even2, 0xdd);
        line[i + 12] = _mm512_shuffle_f32x4(odd, odd2, 0xdd);
    }
}

/* The tree over 16 lanes: j + 8, then j + 4, j + 2, j + 1. */
static inline float fold_lanes(__m512 sixteen)
{
    const __m256 eight =
        _mm256_add_ps(_mm512_castps512_ps256(sixteen), _mm512_extractf32x8_ps(sixteen, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

#endif
