/* SPDX-License-Identifier: MIT
 * Loops over arrays with AVX-512; memory is what bounds them.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx512.h"

void cnni_vector_relu_avx512(int64_t count, float *y, const float *x)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm512_storeu_ps(y + i, relu(_mm512_loadu_ps(x + i)));
    if (i < count) {
        const __mmask16 lanes = first_lanes(count - i);
        _mm512_mask_storeu_ps(y + i, lanes, relu(_mm512_maskz_loadu_ps(lanes, x + i)));
    }
}

/* dy where y is not <= 0. */
static inline __m512 open_gate(__m512 dy, __m512 y)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_NLE_UQ), dy);
}

void cnni_vector_relu_backward_avx512(int64_t count, float *dx, const float *dy, const float *y)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm512_storeu_ps(dx + i, open_gate(_mm512_loadu_ps(dy + i), _mm512_loadu_ps(y + i)));
    if (i < count) {
        const __mmask16 lanes = first_lanes(count - i);
        _mm512_mask_storeu_ps(
            dx + i, lanes,
            open_gate(_mm512_maskz_loadu_ps(lanes, dy + i), _mm512_maskz_loadu_ps(lanes, y + i)));
    }
}

void cnni_vector_add_avx512(int64_t count, float *y, const float *a, const float *b)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm512_storeu_ps(y + i, _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
    if (i < count) {
        const __mmask16 lanes = first_lanes(count - i);
        _mm512_mask_storeu_ps(y + i, lanes,
                              _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, a + i),
                                            _mm512_maskz_loadu_ps(lanes, b + i)));
    }
}

/* Adds the squares of 16 values to 16 lanes. */
static inline void add_squares(__m512d lane[2], __m512 x)
{
    const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
    const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    lane[0] = _mm512_fmadd_pd(low, low, lane[0]);
    lane[1] = _mm512_fmadd_pd(high, high, lane[1]);
}

double cnni_vector_sum_squares_avx512(int64_t count, const float *x)
{
    __m512d lane[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        add_squares(lane, _mm512_loadu_ps(x + i));
    if (i < count)
        add_squares(lane, _mm512_maskz_loadu_ps(first_lanes(count - i), x + i));
    const __m512d eight = _mm512_add_pd(lane[0], lane[1]);
    const __m256d four =
        _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}
