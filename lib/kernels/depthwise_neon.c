/* SPDX-License-Identifier: MIT
 * Depthwise convolution with NEON, forward (and backward-data) and backward-weights.  A tile of 6
 * pixels walks over the channels, 4 at a time: channels innermost, so that memory is read in
 * order.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_neon.h"
#include "kernels/unroll.h"

enum { PIXELS = 6, TAPS = 9 };

/* `count` channels from c on, 4 or, at the end, fewer, of `pixels` pixels from number p on. */
CNNI_INLINE void depthwise(const struct cnni_conv2d_depthwise *run, int64_t p, int64_t c,
                           const int pixels, const int64_t count)
{
    float32x4_t sum[PIXELS];
    const float *x[PIXELS];
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++) {
        sum[i] = run->bias == NULL ? vdupq_n_f32(0) : load_lanes(run->bias + c, count);
        x[i] = run->x + run->x_offsets[p + i] + c;
    }
    for (int64_t t = 0; t < run->tap_count; t++) {
        const float32x4_t w = load_lanes(run->w + t * run->channels + c, count);
        CNNI_UNROLL
        for (int i = 0; i < pixels; i++)
            sum[i] = vfmaq_f32(sum[i], load_lanes(x[i] + run->taps[t], count), w);
    }
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++)
        store_lanes(run->y + run->y_offsets[p + i] + c, run->relu ? relu(sum[i]) : sum[i], count);
}

CNNI_INLINE void all_channels(const struct cnni_conv2d_depthwise *run, int64_t p, const int pixels)
{
    int64_t c = 0;
    for (; c + VECTOR <= run->channels; c += VECTOR)
        depthwise(run, p, c, pixels, VECTOR);
    if (c < run->channels)
        depthwise(run, p, c, pixels, run->channels - c);
}

void cnni_conv2d_depthwise_neon(const struct cnni_conv2d_depthwise *run)
{
    int64_t p = 0;
    for (; p + PIXELS <= run->pixels; p += PIXELS)
        all_channels(run, p, PIXELS);
    for (; p < run->pixels; p++)
        all_channels(run, p, 1);
}

/* ---- Backward-weights ---- */

/* `taps` taps from number t on: as many accumulators. */
CNNI_INLINE void filter(const struct cnni_conv2d_depthwise_filter *run, int64_t t, int64_t c,
                        const int taps, const int64_t count)
{
    float32x4_t sum[TAPS];
    CNNI_UNROLL
    for (int j = 0; j < taps; j++)
        sum[j] = vdupq_n_f32(0);
    for (int64_t p = 0; p < run->pixels; p++) {
        const float *x = run->x + run->x_offsets[p] + c;
        const float32x4_t dy = load_lanes(run->dy + p * run->channels + c, count);
        CNNI_UNROLL
        for (int j = 0; j < taps; j++)
            sum[j] = vfmaq_f32(sum[j], load_lanes(x + run->taps[t + j], count), dy);
    }
    CNNI_UNROLL
    for (int j = 0; j < taps; j++) {
        float *dw = run->dw + (t + j) * run->channels + c;
        store_lanes(dw, vaddq_f32(load_lanes(dw, count), sum[j]), count);
    }
}

CNNI_INLINE void filter_channels(const struct cnni_conv2d_depthwise_filter *run, int64_t t,
                                 const int taps)
{
    int64_t c = 0;
    for (; c + VECTOR <= run->channels; c += VECTOR)
        filter(run, t, c, taps, VECTOR);
    if (c < run->channels)
        filter(run, t, c, taps, run->channels - c);
}

void cnni_conv2d_depthwise_filter_neon(const struct cnni_conv2d_depthwise_filter *run)
{
    int64_t t = 0;
    for (; t + TAPS <= run->tap_count; t += TAPS)
        filter_channels(run, t, TAPS);
    for (; t + 4 <= run->tap_count; t += 4)
        filter_channels(run, t, 4);
    for (; t < run->tap_count; t++)
        filter_channels(run, t, 1);
}
