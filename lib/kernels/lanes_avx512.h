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

/* x, values <= 0 become +0; NaN stays. */
static inline __m512 relu(__m512 x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NLE_UQ), x);
}

/* ---- The vocabulary of bodies that all levels share ---- */

typedef __m512 vec;
enum { VECTOR = 16, LANES = 16 }; /* LANES: of a sum, on every level */

static inline vec vec_set(float value)
{
    return _mm512_set1_ps(value);
}

/* The first `count` values, all of them from VECTOR on, none for less than 1; the rest 0. */
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

/* May send a whole vector past the caches; y is aligned to 64 bytes. */
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

/* ---- Lanes that differ ---- */

typedef __mmask16 vec_mask;

/* Not a <= b: a > b, or one is NaN. */
static inline vec_mask vec_nle(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ);
}

static inline vec_mask vec_is_number(vec x)
{
    return _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
}

static inline vec_mask vec_both(vec_mask a, vec_mask b)
{
    return a & b;
}

/* x where the mask is set, else +0 */
static inline vec vec_where(vec_mask mask, vec x)
{
    return _mm512_maskz_mov_ps(mask, x);
}

/* a where the mask is set, else b */
static inline vec vec_select(vec_mask mask, vec a, vec b)
{
    return _mm512_mask_mov_ps(b, mask, a);
}

/* The first `count` lanes of a, all of them from VECTOR on, the others of b. */
static inline vec vec_first(vec a, vec b, int64_t count)
{
    return count >= VECTOR ? a : vec_select(first_lanes(count), a, b);
}

/* a > b ? a : b; so b where one is NaN */
static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

/* x between low and high; NaN stays. */
static inline vec vec_clamp(vec x, float low, float high)
{
    x = _mm512_max_ps(_mm512_set1_ps(low), x); /* these give the second where one is NaN */
    return _mm512_min_ps(_mm512_set1_ps(high), x);
}

/* The largest lane; none is NaN. */
static inline float vec_largest(vec x)
{
    return _mm512_reduce_max_ps(x);
}

/* ---- Whole numbers ---- */

typedef __m512i vec_int;

static inline vec_int vec_int_set(int32_t value)
{
    return _mm512_set1_epi32(value);
}

static inline vec_mask vec_int_equal(vec_int a, vec_int b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}

static inline vec_int vec_int_select(vec_mask mask, vec_int a, vec_int b)
{
    return _mm512_mask_mov_epi32(b, mask, a);
}

/* The first `count` numbers, at least 1, in memory as int32_t, or as uint8_t. */
static inline vec_int vec_int_load(const void *words, int64_t count)
{
    return _mm512_maskz_loadu_epi32(first_lanes(count), words);
}

static inline void vec_int_store(void *words, vec_int value, int64_t count)
{
    _mm512_mask_storeu_epi32(words, first_lanes(count), value);
}

static inline vec_int vec_int_load_bytes(const void *bytes, int64_t count)
{
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(count), bytes));
}

static inline void vec_int_store_bytes(void *bytes, vec_int value, int64_t count)
{
    _mm512_mask_cvtepi32_storeu_epi8(bytes, first_lanes(count), value);
}

/* x 2^n, rounded once; n is a whole number from -150 to 128. */
static inline vec vec_scale(vec x, vec n)
{
    return _mm512_scalef_ps(x, n);
}

/* ---- Sums in 16 lanes, LANES / VECTOR vectors ---- */

/* The tree: j + 8, then j + 4, j + 2, j + 1. */
static inline float vec_fold(const vec *lane)
{
    const __m256 eight =
        _mm256_add_ps(_mm512_castps512_ps256(*lane), _mm512_extractf32x8_ps(*lane, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

/* Half a vector, in double precision. */
typedef __m512d vec_wide;

static inline vec_wide vec_wide_zero(void)
{
    return _mm512_setzero_pd();
}

/* Adds the squares of x, the low half's to two[0], the high half's to two[1]. */
static inline void vec_add_squares(vec_wide two[2], vec x)
{
    const vec_wide low = _mm512_cvtps_pd(_mm512_castps512_ps256(x)),
                   high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    two[0] = _mm512_fmadd_pd(low, low, two[0]);
    two[1] = _mm512_fmadd_pd(high, high, two[1]);
}

/* The same tree. */
static inline double vec_wide_fold(const vec_wide *lane)
{
    const __m512d eight = _mm512_add_pd(lane[0], lane[1]);
    const __m256d four =
        _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

#endif
