/* SPDX-License-Identifier: MIT
 * Max-pooling windows with AVX-512: 16 channels of a window at a time, the winners' numbers beside
 * the values.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx512.h"
#include "kernels/unroll.h"

/* ---- Winners' numbers, in memory as bytes or as words ---- */

static inline void store_winners(void *winners, int64_t place, int32_t size, __mmask16 lanes,
                                 __m512i number)
{
    if (size == 1)
        _mm512_mask_cvtepi32_storeu_epi8((uint8_t *)winners + place, lanes, number);
    else if (size == 4)
        _mm512_mask_storeu_epi32((int32_t *)winners + place, lanes, number);
}

static inline __m512i load_winners(const void *winners, int64_t place, int32_t size,
                                   __mmask16 lanes)
{
    if (size == 4)
        return _mm512_maskz_loadu_epi32(lanes, (const int32_t *)winners + place);
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, (const uint8_t *)winners + place));
}

/* ---- Forward ---- */

/* Some channels at x of one window of rows x columns pixels; the results' place in y and
 * winners. */
CNNI_INLINE void largest(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x,
                         int64_t place, __mmask16 lanes)
{
    __m512 best = _mm512_maskz_loadu_ps(lanes, x);
    __m512i winner = _mm512_set1_epi32(shape->first);
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = i == 0; j < columns; j++) {
            const __m512 value =
                _mm512_maskz_loadu_ps(lanes, x + i * shape->row_pitch + j * shape->channels);
            const __mmask16 wins = _mm512_cmp_ps_mask(value, best, _CMP_NLE_UQ) &
                                   _mm512_cmp_ps_mask(best, best, _CMP_ORD_Q);
            best = _mm512_mask_mov_ps(best, wins, value);
            winner = _mm512_mask_set1_epi32(winner, wins, number + (int32_t)j);
        }
    }
    if (shape->gate)
        winner = _mm512_mask_set1_epi32(
            winner, _mm512_cmp_ps_mask(best, _mm512_setzero_ps(), _CMP_LE_OQ),
            shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD);
    _mm512_mask_storeu_ps(y + place, lanes, best);
    store_winners(winners, place, shape->winner_size, lanes, winner);
}

CNNI_INLINE void forward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                         const int64_t columns, float *y, void *winners, const float *x)
{
    for (int64_t window = 0; window < shape->windows; window++, x += shape->x_step)
        for (int64_t c = 0; c < shape->channels; c += VECTOR)
            largest(shape, rows, columns, y, winners, x + c, window * shape->channels + c,
                    first_lanes(shape->channels - c));
}

/* The usual window gets its loops unrolled. */
void cnni_maxpool2d_forward_avx512(const struct cnni_maxpool2d_windows *shape, float *y,
                                   void *winners, const float *x)
{
    if (shape->rows == 2 && shape->columns == 2)
        forward(shape, 2, 2, y, winners, x);
    else
        forward(shape, shape->rows, shape->columns, y, winners, x);
}

/* ---- Backward ---- */

/* Adds dy to the winners among some channels of a window at dx, or overwrites the window. */
CNNI_INLINE void spread(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                        const int64_t columns, float *dx, __m512 dy, __m512i winner, bool overwrite,
                        __mmask16 lanes)
{
    CNNI_UNROLL_BY_2
    for (int64_t i = 0; i < rows; i++) {
        const int32_t number = shape->first + (int32_t)i * shape->number_pitch;
        CNNI_UNROLL_BY_2
        for (int64_t j = 0; j < columns; j++) {
            float *target = dx + i * shape->row_pitch + j * shape->channels;
            const __mmask16 won =
                _mm512_cmpeq_epi32_mask(winner, _mm512_set1_epi32(number + (int32_t)j));
            const __m512 part = _mm512_maskz_mov_ps(won, dy);
            if (shape->stream)
                _mm512_stream_ps(target, part);
            else if (overwrite)
                _mm512_mask_storeu_ps(target, lanes, part);
            else
                _mm512_mask_storeu_ps(target, lanes,
                                      _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, target), part));
        }
    }
}

CNNI_INLINE void backward(const struct cnni_maxpool2d_windows *shape, const int64_t rows,
                          const int64_t columns, float *dx, const float *dy, const void *winners,
                          bool overwrite)
{
    for (int64_t window = 0; window < shape->windows; window++, dx += shape->x_step)
        for (int64_t c = 0; c < shape->channels; c += VECTOR) {
            const __mmask16 lanes = first_lanes(shape->channels - c);
            const int64_t place = window * shape->channels + c;
            spread(shape, rows, columns, dx + c, _mm512_maskz_loadu_ps(lanes, dy + place),
                   load_winners(winners, place, shape->winner_size, lanes), overwrite, lanes);
        }
}

void cnni_maxpool2d_backward_avx512(const struct cnni_maxpool2d_windows *shape, float *dx,
                                    const float *dy, const void *winners, bool overwrite)
{
    if (shape->rows == 2 && shape->columns == 2 && overwrite)
        backward(shape, 2, 2, dx, dy, winners, true);
    else
        backward(shape, shape->rows, shape->columns, dx, dy, winners, overwrite);
}
