/* SPDX-License-Identifier: MIT
 * Eight lanes and parts of them: helpers of the kernel files *_avx2.c, and of no other file. */
#ifndef CNNI_LANES_AVX2_H
#define CNNI_LANES_AVX2_H

#include <immintrin.h>

#include "base/base.h"

/* The first `count` of 8 lanes; 0 for less than 0, 8 for more than 8. */
static inline __m256i first_lanes(int64_t count)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)CNNI_MIN(count, 8)), lanes);
}

/* 8 values; where `masked`, those of the mask's lanes, and 0. */
static inline __m256 load_lanes(const float *x, bool masked, __m256i mask)
{
    return masked ? _mm256_maskload_ps(x, mask) : _mm256_loadu_ps(x);
}

static inline void store_lanes(float *y, __m256 value, bool masked, __m256i mask)
{
    if (masked)
        _mm256_maskstore_ps(y, mask, value);
    else
        _mm256_storeu_ps(y, value);
}

/* x, values <= 0 become +0; NaN stays. */
static inline __m256 relu(__m256 x)
{
    return _mm256_and_ps(x, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NLE_UQ));
}

/* ---- The vocabulary of bodies that all levels share ---- */

typedef __m256 vec;
enum { VECTOR = 8 };

static inline vec vec_set(float value)
{
    return _mm256_set1_ps(value);
}

/* The first `count` values, none below 0, all of them from VECTOR on; the rest 0. */
static inline vec vec_load(const float *x, int64_t count)
{
    return count >= VECTOR ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, first_lanes(count));
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    if (count >= VECTOR)
        _mm256_storeu_ps(y, value);
    else
        _mm256_maskstore_ps(y, first_lanes(count), value);
}

/* Past the caches; y is aligned. */
static inline void vec_stream(float *y, vec value)
{
    _mm256_stream_ps(y, value);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

/* a b + c, rounded once */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* c - a b, rounded once */
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

static inline vec vec_sqrt(vec x)
{
    return _mm256_sqrt_ps(x);
}

static inline vec vec_relu(vec x)
{
    return relu(x);
}

/* The tree over 16 lanes: j + 8, then j + 4, j + 2, j + 1. */
static inline float fold_lanes(__m256 low, __m256 high)
{
    const __m256 eight = _mm256_add_ps(low, high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

#endif
