/* SPDX-License-Identifier: MIT
 * Depthwise convolution with AVX-512, forward (and backward-data) and backward-weights.  A tile of
 * 6 pixels walks over the channels, 16 at a time: channels innermost, so that memory is read in
 * order.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx512.h"
#include "kernels/unroll.h"

enum { PIXELS = 6, TAPS = 9 };

/* All channels of `pixels` pixels from number `p` on. */
CNNI_INLINE void depthwise(const struct cnni_conv2d_depthwise *run, int64_t p, const int pixels)
{
    for (int64_t c = 0; c < run->channels; c += VECTOR) {
        const __mmask16 lanes = first_lanes(run->channels - c);
        __m512 sum[PIXELS];
        const float *x[PIXELS];
        CNNI_UNROLL
        for (int i = 0; i < pixels; i++) {
            sum[i] = run->bias == NULL ? _mm512_setzero_ps()
                                       : _mm512_maskz_loadu_ps(lanes, run->bias + c);
            x[i] = run->x + run->x_offsets[p + i] + c;
        }
        for (int64_t t = 0; t < run->tap_count; t++) {
            const __m512 w = _mm512_maskz_loadu_ps(lanes, run->w + t * run->channels + c);
            CNNI_UNROLL
            for (int i = 0; i < pixels; i++)
                sum[i] =
                    _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, x[i] + run->taps[t]), w, sum[i]);
        }
        CNNI_UNROLL
        for (int i = 0; i < pixels; i++)
            _mm512_mask_storeu_ps(run->y + run->y_offsets[p + i] + c, lanes,
                                  run->relu ? relu(sum[i]) : sum[i]);
    }
}

void cnni_conv2d_depthwise_avx512(const struct cnni_conv2d_depthwise *run)
{
    int64_t p = 0;
    for (; p + PIXELS <= run->pixels; p += PIXELS)
        depthwise(run, p, PIXELS);
    for (; p < run->pixels; p++)
        depthwise(run, p, 1);
}

/* ---- Backward-weights ---- */

/* `taps` taps from number `t` on: as many accumulators. */
CNNI_INLINE void filter(const struct cnni_conv2d_depthwise_filter *run, int64_t t, const int taps)
{
    for (int64_t c = 0; c < run->channels; c += VECTOR) {
        const __mmask16 lanes = first_lanes(run->channels - c);
        __m512 sum[TAPS];
        CNNI_UNROLL
        for (int j = 0; j < taps; j++)
            sum[j] = _mm512_setzero_ps();
        for (int64_t p = 0; p < run->pixels; p++) {
            const float *x = run->x + run->x_offsets[p] + c;
            const __m512 dy = _mm512_maskz_loadu_ps(lanes, run->dy + p * run->channels + c);
            CNNI_UNROLL
            for (int j = 0; j < taps; j++)
                sum[j] =
                    _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, x + run->taps[t + j]), dy, sum[j]);
        }
        CNNI_UNROLL
        for (int j = 0; j < taps; j++) {
            float *dw = run->dw + (t + j) * run->channels + c;
            _mm512_mask_storeu_ps(dw, lanes,
                                  _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, dw), sum[j]));
        }
    }
}

void cnni_conv2d_depthwise_filter_avx512(const struct cnni_conv2d_depthwise_filter *run)
{
    int64_t t = 0;
    for (; t + TAPS <= run->tap_count; t += TAPS)
        filter(run, t, TAPS);
    for (; t + 4 <= run->tap_count; t += 4)
        filter(run, t, 4);
    for (; t < run->tap_count; t++)
        filter(run, t, 1);
}
