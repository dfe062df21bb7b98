/* SPDX-License-Identifier: MIT
 * Loops over arrays with AVX2; memory is what bounds them.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx2.h"

enum { LANES = 16 };

void cnni_vector_relu_avx2(int64_t count, float *y, const float *x)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm256_storeu_ps(y + i, relu(_mm256_loadu_ps(x + i)));
    if (i < count) {
        const __m256i mask = first_lanes(count - i);
        _mm256_maskstore_ps(y + i, mask, relu(_mm256_maskload_ps(x + i, mask)));
    }
}

/* dy where y is not <= 0. */
static inline __m256 open_gate(__m256 dy, __m256 y)
{
    return _mm256_and_ps(dy, _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_NLE_UQ));
}

void cnni_vector_relu_backward_avx2(int64_t count, float *dx, const float *dy, const float *y)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm256_storeu_ps(dx + i, open_gate(_mm256_loadu_ps(dy + i), _mm256_loadu_ps(y + i)));
    if (i < count) {
        const __m256i mask = first_lanes(count - i);
        _mm256_maskstore_ps(
            dx + i, mask,
            open_gate(_mm256_maskload_ps(dy + i, mask), _mm256_maskload_ps(y + i, mask)));
    }
}

void cnni_vector_add_avx2(int64_t count, float *y, const float *a, const float *b)
{
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR)
        _mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    if (i < count) {
        const __m256i mask = first_lanes(count - i);
        _mm256_maskstore_ps(
            y + i, mask,
            _mm256_add_ps(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask)));
    }
}

/* Adds the squares of 8 values to 8 lanes. */
static inline void add_squares(__m256d lane[2], __m256 x)
{
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
    const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
    lane[0] = _mm256_fmadd_pd(low, low, lane[0]);
    lane[1] = _mm256_fmadd_pd(high, high, lane[1]);
}

double cnni_vector_sum_squares_avx2(int64_t count, const float *x)
{
    __m256d low[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
    __m256d high[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        add_squares(low, _mm256_loadu_ps(x + i));
        add_squares(high, _mm256_loadu_ps(x + i + VECTOR));
    }
    if (i < count) {
        add_squares(low, _mm256_maskload_ps(x + i, first_lanes(count - i)));
        if (i + VECTOR < count)
            add_squares(high, _mm256_maskload_ps(x + i + VECTOR, first_lanes(count - i - VECTOR)));
    }
    const __m256d four =
        _mm256_add_pd(_mm256_add_pd(low[0], high[0]), _mm256_add_pd(low[1], high[1]));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}
