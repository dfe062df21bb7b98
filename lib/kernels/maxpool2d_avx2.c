/* SPDX-License-Identifier: MIT
 * Max-pooling windows with AVX2: 8 channels of a window at a time, the winners' numbers beside
 * the values.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include <string.h>

#include "kernels/lanes_avx2.h"
#include "kernels/unroll.h"

/* ---- Winners' numbers, 8 of them, in memory as bytes or as words ---- */

static inline void store_winners(void *winners, int64_t place, int32_t size, int64_t count,
                                 __m256i number)
{
    if (size == 1) {
        const __m256i halves = _mm256_packs_epi32(number, number);
        const __m256i bytes = _mm256_packus_epi16(halves, halves);
        const int64_t packed = _mm_cvtsi128_si64(
            _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)));
        memcpy((uint8_t *)winners + place, &packed, (size_t)CNNI_MIN(count, VECTOR));
    } else if (size == 4) {
        _mm256_maskstore_epi32((int32_t *)winners + place, first_lanes(count), number);
    }
}

static inline __m256i load_winners(const void *winners, int64_t place, int32_t size, int64_t count)
{
    if (size == 4)
        return _mm256_maskload_epi32((const int32_t *)winners + place, first_lanes(count));
    int64_t packed = 0;
    memcpy(&packed, (const uint8_t *)winners + place, (size_t)CNNI_MIN(count, VECTOR));
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(packed));
}

/* ---- Forward ---- */

/* The first `count` channels at x of one window of rows x columns pixels; the results' place in y
 * and winners.  Numbers rise, so that the larger one of two candidates is the later. */
CNNI_INLINE void largest(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x,
                         int64_t place, int64_t count, const bool masked)
{
    const __m256i mask = first_lanes(count);
    __m256 best = load_lanes(x, masked, mask);
    __m256i winner = _mm256_set1_epi32(shape->first);
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = i == 0; j < columns; j++) {
            const __m256 value =
                load_lanes(x + i * shape->row_pitch + j * shape->channels, masked, mask);
            const __m256 wins = _mm256_and_ps(_mm256_cmp_ps(value, best, _CMP_NLE_UQ),
                                              _mm256_cmp_ps(best, best, _CMP_ORD_Q));
            const __m256i numbers = _mm256_set1_epi32(number + (int32_t)j);
            best = _mm256_or_ps(_mm256_and_ps(wins, value), _mm256_andnot_ps(wins, best));
            winner = _mm256_max_epi32(winner, _mm256_and_si256(_mm256_castps_si256(wins), numbers));
        }
    }
    if (shape->gate) {
        const __m256i none =
            _mm256_set1_epi32(shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD);
        const __m256 closed = _mm256_cmp_ps(best, _mm256_setzero_ps(), _CMP_LE_OQ);
        winner = _mm256_blendv_epi8(winner, none, _mm256_castps_si256(closed));
    }
    store_lanes(y + place, best, masked, mask);
    store_winners(winners, place, shape->winner_size, count, winner);
}

CNNI_INLINE void forward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x)
{
    for (int64_t window = 0; window < shape->windows; window++, x += shape->x_step) {
        const int64_t place = window * shape->channels;
        int64_t c = 0;
        for (; c + VECTOR <= shape->channels; c += VECTOR)
            largest(shape, rows, columns, y, winners, x + c, place + c, VECTOR, false);
        if (c < shape->channels)
            largest(shape, rows, columns, y, winners, x + c, place + c, shape->channels - c, true);
    }
}

/* The usual window gets its loops unrolled. */
void cnni_maxpool2d_forward_avx2(const struct cnni_maxpool2d_windows *shape, float *y,
                                 void *winners, const float *x)
{
    if (shape->rows == 2 && shape->columns == 2)
        forward(shape, 2, 2, y, winners, x);
    else
        forward(shape, shape->rows, shape->columns, y, winners, x);
}

/* ---- Backward ---- */

/* Adds dy to the winners among 8 channels of a window at dx, or overwrites the window. */
CNNI_INLINE void spread(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                        const int64_t columns, float *dx, __m256 dy, __m256i winner, bool overwrite,
                        __m256i mask, const bool masked)
{
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = 0; j < columns; j++) {
            float *target = dx + i * shape->row_pitch + j * shape->channels;
            const __m256i won = _mm256_cmpeq_epi32(winner, _mm256_set1_epi32(number + (int32_t)j));
            const __m256 part = _mm256_and_ps(_mm256_castsi256_ps(won), dy);
            if (shape->stream)
                _mm256_stream_ps(target, part);
            else if (overwrite)
                store_lanes(target, part, masked, mask);
            else
                store_lanes(target, _mm256_add_ps(load_lanes(target, masked, mask), part), masked,
                            mask);
        }
    }
}

CNNI_INLINE void backward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                          const int64_t columns, float *dx, const float *dy, const void *winners,
                          bool overwrite)
{
    const int64_t channels = shape->channels;
    const int32_t size = shape->winner_size;
    for (int64_t window = 0; window < shape->windows; window++, dx += shape->x_step) {
        const int64_t place = window * channels;
        int64_t c = 0;
        for (; c + VECTOR <= channels; c += VECTOR)
            spread(shape, rows, columns, dx + c, _mm256_loadu_ps(dy + place + c),
                   load_winners(winners, place + c, size, VECTOR), overwrite,
                   _mm256_setzero_si256(), false);
        if (c < channels) {
            const __m256i mask = first_lanes(channels - c);
            spread(shape, rows, columns, dx + c, _mm256_maskload_ps(dy + place + c, mask),
                   load_winners(winners, place + c, size, channels - c), overwrite, mask, true);
        }
    }
}

void cnni_maxpool2d_backward_avx2(const struct cnni_maxpool2d_windows *shape, float *dx,
                                  const float *dy, const void *winners, bool overwrite)
{
    if (shape->rows == 2 && shape->columns == 2 && overwrite)
        backward(shape, 2, 2, dx, dy, winners, true);
    else
        backward(shape, shape->rows, shape->columns, dx, dy, winners, overwrite);
}
