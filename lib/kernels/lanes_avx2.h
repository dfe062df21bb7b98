/* SPDX-License-Identifier: MIT
 * Eight lanes and parts of them: helpers of the kernel files *_avx2.c, and of no other file. */
#ifndef CNNI_LANES_AVX2_H
#define CNNI_LANES_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "base/base.h"
#include "kernels/unroll.h"

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
enum { VECTOR = 8, LANES = 16 }; /* LANES: of a sum, on every level */

static inline vec vec_set(float value)
{
    return _mm256_set1_ps(value);
}

/* The first `count` values, all of them from VECTOR on, none for less than 1; the rest 0. */
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

/* May send a whole vector past the caches; y is aligned to 64 bytes. */
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

/* Makes column j of eight vectors the vector j: pairs, then fours, then halves. */
static inline void vec_transpose(vec line[VECTOR])
{
    vec four[VECTOR];
    CNNI_UNROLL
    for (int i = 0; i < VECTOR; i += 4) {
        const __m256d low = _mm256_castps_pd(_mm256_unpacklo_ps(line[i], line[i + 1]));
        const __m256d high = _mm256_castps_pd(_mm256_unpackhi_ps(line[i], line[i + 1]));
        const __m256d low2 = _mm256_castps_pd(_mm256_unpacklo_ps(line[i + 2], line[i + 3]));
        const __m256d high2 = _mm256_castps_pd(_mm256_unpackhi_ps(line[i + 2], line[i + 3]));
        four[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, low2));
        four[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, low2));
        four[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high, high2));
        four[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high, high2));
    }
    CNNI_UNROLL
    for (int i = 0; i < 4; i++) {
        line[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
        line[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
    }
}

/* ---- Lanes that differ ---- */

typedef __m256 vec_mask;

/* Not a <= b: a > b, or one is NaN. */
static inline vec_mask vec_nle(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_NLE_UQ);
}

static inline vec_mask vec_is_number(vec x)
{
    return _mm256_cmp_ps(x, x, _CMP_ORD_Q);
}

static inline vec_mask vec_both(vec_mask a, vec_mask b)
{
    return _mm256_and_ps(a, b);
}

/* x where the mask is set, else +0 */
static inline vec vec_where(vec_mask mask, vec x)
{
    return _mm256_and_ps(x, mask);
}

/* a where the mask is set, else b */
static inline vec vec_select(vec_mask mask, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, mask);
}

/* The first `count` lanes of a, all of them from VECTOR on, the others of b. */
static inline vec vec_first(vec a, vec b, int64_t count)
{
    return count >= VECTOR ? a : vec_select(_mm256_castsi256_ps(first_lanes(count)), a, b);
}

/* a > b ? a : b; so b where one is NaN */
static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

/* x between low and high; NaN stays. */
static inline vec vec_clamp(vec x, float low, float high)
{
    x = _mm256_max_ps(_mm256_set1_ps(low), x); /* these give the second where one is NaN */
    return _mm256_min_ps(_mm256_set1_ps(high), x);
}

/* The largest lane; none is NaN. */
static inline float vec_largest(vec x)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

/* ---- Whole numbers ---- */

typedef __m256i vec_int;

static inline vec_int vec_int_set(int32_t value)
{
    return _mm256_set1_epi32(value);
}

static inline vec_mask vec_int_equal(vec_int a, vec_int b)
{
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b));
}

static inline vec_int vec_int_select(vec_mask mask, vec_int a, vec_int b)
{
    return _mm256_blendv_epi8(b, a, _mm256_castps_si256(mask));
}

/* The first `count` numbers, at least 1, in memory as int32_t, or as uint8_t. */
static inline vec_int vec_int_load(const void *words, int64_t count)
{
    return _mm256_maskload_epi32(words, first_lanes(count));
}

static inline void vec_int_store(void *words, vec_int value, int64_t count)
{
    _mm256_maskstore_epi32(words, first_lanes(count), value);
}

static inline vec_int vec_int_load_bytes(const void *bytes, int64_t count)
{
    int64_t packed = 0;
    memcpy(&packed, bytes, (size_t)CNNI_MIN(count, VECTOR));
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(packed));
}

static inline void vec_int_store_bytes(void *bytes, vec_int value, int64_t count)
{
    const __m256i halves = _mm256_packs_epi32(value, value);
    const __m256i quarters = _mm256_packus_epi16(halves, halves);
    const int64_t packed = _mm_cvtsi128_si64(_mm_unpacklo_epi32(
        _mm256_castsi256_si128(quarters), _mm256_extracti128_si256(quarters, 1)));
    memcpy(bytes, &packed, (size_t)CNNI_MIN(count, VECTOR));
}

/* x 2^n in two factors, so that a result below the normal range is rounded once; n is a whole
 * number from -150 to 128. */
static inline vec vec_scale(vec x, vec n)
{
    const __m256i whole = _mm256_cvttps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const __m256i other = _mm256_sub_epi32(whole, half), bias = _mm256_set1_epi32(127);
    x = _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
    return _mm256_mul_ps(x,
                         _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(other, bias), 23)));
}

/* ---- Sums in 16 lanes, LANES / VECTOR vectors ---- */

/* The tree: j + 8, then j + 4, j + 2, j + 1. */
static inline float vec_fold(const vec *lane)
{
    const __m256 eight = _mm256_add_ps(lane[0], lane[1]);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

/* Half a vector, in double precision. */
typedef __m256d vec_wide;

static inline vec_wide vec_wide_zero(void)
{
    return _mm256_setzero_pd();
}

/* Adds the squares of x, the low half's to two[0], the high half's to two[1]. */
static inline void vec_add_squares(vec_wide two[2], vec x)
{
    const vec_wide low = _mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                   high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
    two[0] = _mm256_fmadd_pd(low, low, two[0]);
    two[1] = _mm256_fmadd_pd(high, high, two[1]);
}

/* The same tree. */
static inline double vec_wide_fold(const vec_wide *lane)
{
    const __m256d four =
        _mm256_add_pd(_mm256_add_pd(lane[0], lane[2]), _mm256_add_pd(lane[1], lane[3]));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

#endif
