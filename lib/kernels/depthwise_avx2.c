/* SPDX-License-Identifier: MIT
 * Depthwise convolution with AVX2 and FMA, forward (and backward-data) and backward-weights.  A
 * tile of 6 pixels walks over the channels, 8 at a time: channels innermost, so that memory is
 * read in order.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx2.h"
#include "kernels/unroll.h"

enum { PIXELS = 6 };

/* 8 channels, or those of `mask`, of `pixels` pixels from number `p` on. */
CNNI_INLINE void depthwise(const struct cnni_conv2d_depthwise *run, int64_t p, int64_t c,
                           const int pixels, const bool masked, __m256i mask)
{
    __m256 sum[PIXELS];
    const float *x[PIXELS];
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++) {
        sum[i] = run->bias == NULL ? _mm256_setzero_ps() : load_lanes(run->bias + c, masked, mask);
        x[i] = run->x + run->x_offsets[p + i] + c;
    }
    for (int64_t t = 0; t < run->tap_count; t++) {
        const __m256 w = load_lanes(run->w + t * run->channels + c, masked, mask);
        CNNI_UNROLL
        for (int i = 0; i < pixels; i++)
            sum[i] = _mm256_fmadd_ps(load_lanes(x[i] + run->taps[t], masked, mask), w, sum[i]);
    }
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++)
        store_lanes(run->y + run->y_offsets[p + i] + c, run->relu ? relu(sum[i]) : sum[i], masked,
                    mask);
}

CNNI_INLINE void all_channels(const struct cnni_conv2d_depthwise *run, int64_t p, const int pixels)
{
    int64_t c = 0;
    for (; c + VECTOR <= run->channels; c += VECTOR)
        depthwise(run, p, c, pixels, false, _mm256_setzero_si256());
    if (c < run->channels)
        depthwise(run, p, c, pixels, true, first_lanes(run->channels - c));
}

void cnni_conv2d_depthwise_avx2(const struct cnni_conv2d_depthwise *run)
{
    int64_t p = 0;
    for (; p + PIXELS <= run->pixels; p += PIXELS)
        all_channels(run, p, PIXELS);
    for (; p < run->pixels; p++)
        all_channels(run, p, 1);
}

/* ---- Backward-weights ---- */

/* `taps` taps from number `t` on: as many accumulators, of 8 channels. */
CNNI_INLINE void filter(const struct cnni_conv2d_depthwise_filter *run, int64_t t, int64_t c,
                        const int taps, const bool masked, __m256i mask)
{
    __m256 sum[9];
    CNNI_UNROLL
    for (int j = 0; j < taps; j++)
        sum[j] = _mm256_setzero_ps();
    for (int64_t p = 0; p < run->pixels; p++) {
        const float *x = run->x + run->x_offsets[p] + c;
        const __m256 dy = load_lanes(run->dy + p * run->channels + c, masked, mask);
        CNNI_UNROLL
        for (int j = 0; j < taps; j++)
            sum[j] = _mm256_fmadd_ps(load_lanes(x + run->taps[t + j], masked, mask), dy, sum[j]);
    }
    CNNI_UNROLL
    for (int j = 0; j < taps; j++) {
        float *dw = run->dw + (t + j) * run->channels + c;
        store_lanes(dw, _mm256_add_ps(load_lanes(dw, masked, mask), sum[j]), masked, mask);
    }
}

CNNI_INLINE void filter_channels(const struct cnni_conv2d_depthwise_filter *run, int64_t t,
                                 const int taps)
{
    int64_t c = 0;
    for (; c + VECTOR <= run->channels; c += VECTOR)
        filter(run, t, c, taps, false, _mm256_setzero_si256());
    if (c < run->channels)
        filter(run, t, c, taps, true, first_lanes(run->channels - c));
}

void cnni_conv2d_depthwise_filter_avx2(const struct cnni_conv2d_depthwise_filter *run)
{
    int64_t t = 0;
    for (; t + 9 <= run->tap_count; t += 9)
        filter_channels(run, t, 9);
    for (; t + 4 <= run->tap_count; t += 4)
        filter_channels(run, t, 4);
    for (; t < run->tap_count; t++)
        filter_channels(run, t, 1);
}
