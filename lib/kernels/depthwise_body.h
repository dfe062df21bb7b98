/* SPDX-License-Identifier: MIT
 * The bodies of the kernels depthwise_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Contracts: kernels.h.
 *
 * A tile of 6 pixels walks over the channels, a vector at a time: channels innermost, so that
 * memory is read in order.  Backward-weights keeps 9 taps, a 3x3 kernel, in as many sums. */
#ifndef CNNI_DEPTHWISE_BODY_H
#define CNNI_DEPTHWISE_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

enum { PIXELS = 6, TAPS = 9 };

/* `count` channels from c on, a vector or, at the end, fewer, of `pixels` pixels from p on. */
CNNI_INLINE void depthwise(const struct cnni_conv2d_depthwise *run, int64_t p, int64_t c,
                           const int pixels, const int64_t count)
{
    vec sum[PIXELS];
    const float *x[PIXELS];
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++) {
        sum[i] = run->bias == NULL ? vec_set(0) : vec_load(run->bias + c, count);
        x[i] = run->x + run->x_offsets[p + i] + c;
    }
    for (int64_t t = 0; t < run->tap_count; t++) {
        const vec w = vec_load(run->w + t * run->channels + c, count);
        CNNI_UNROLL
        for (int i = 0; i < pixels; i++)
            sum[i] = vec_fma(vec_load(x[i] + run->taps[t], count), w, sum[i]);
    }
    CNNI_UNROLL
    for (int i = 0; i < pixels; i++)
        vec_store(run->y + run->y_offsets[p + i] + c, run->relu ? vec_relu(sum[i]) : sum[i], count);
}

CNNI_INLINE void all_channels(const struct cnni_conv2d_depthwise *run, int64_t p, const int pixels)
{
    int64_t c = 0;
    for (; c + VECTOR <= run->channels; c += VECTOR)
        depthwise(run, p, c, pixels, VECTOR);
    if (c < run->channels)
        depthwise(run, p, c, pixels, run->channels - c);
}

static inline void depthwise_run(const struct cnni_conv2d_depthwise *run)
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
    vec sum[TAPS];
    CNNI_UNROLL
    for (int j = 0; j < taps; j++)
        sum[j] = vec_set(0);
    for (int64_t p = 0; p < run->pixels; p++) {
        const float *x = run->x + run->x_offsets[p] + c;
        const vec dy = vec_load(run->dy + p * run->channels + c, count);
        CNNI_UNROLL
        for (int j = 0; j < taps; j++)
            sum[j] = vec_fma(vec_load(x + run->taps[t + j], count), dy, sum[j]);
    }
    CNNI_UNROLL
    for (int j = 0; j < taps; j++) {
        float *dw = run->dw + (t + j) * run->channels + c;
        vec_store(dw, vec_add(vec_load(dw, count), sum[j]), count);
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

static inline void depthwise_filter_run(const struct cnni_conv2d_depthwise_filter *run)
{
    int64_t t = 0;
    for (; t + TAPS <= run->tap_count; t += TAPS)
        filter_channels(run, t, TAPS);
    for (; t + 4 <= run->tap_count; t += 4)
        filter_channels(run, t, 4);
    for (; t < run->tap_count; t++)
        filter_channels(run, t, 1);
}

#endif
