/* SPDX-License-Identifier: MIT
 * Sixteen lanes and parts of them: helpers of the kernel files *_avx512.c, and of no other file. */
#ifndef CNNI_LANES_AVX512_H
#define CNNI_LANES_AVX512_H

#include <immintrin.h>

#include "base/base.h"

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

/* Past the caches; y is aligned. */
static inline void vec_stream(float *y, vec value)
{
    _mm512_stream_ps(y, value);
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
