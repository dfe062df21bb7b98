/* SPDX-License-Identifier: MIT
 * The bodies of the kernels depthwise_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() they are written in, then this.  Contracts: kernels.h.
 *
 * A tile of 4 pixels walks over the channels, 16 at a time: channels innermost, and whole cache
 * lines, so that memory is read in order and each line once.  Where the taps of a row are the next
 * pixels of x, as in 3x3 kernels of stride 1 and 2, a vector of x is loaded once and used for each
 * output that it belongs to.  What bounds these loops is not arithmetic but waiting for memory;
 * so they fetch the next rows, from one end to the other, while they work on this one. */
#ifndef CNNI_DEPTHWISE_BODY_H
#define CNNI_DEPTHWISE_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

/* 4 x 16: with AVX2 8 sums, 6 weights and a vector of x are 15 of the 16 registers. */
enum { PIXELS = 4, LINE = 16, VECTORS = LINE / VECTOR, LINE_BYTES = 64, MOST_COLUMNS = 3 };

/* Fetches `bytes` bytes into the L2 cache. */
CNNI_INLINE void fetch(uintptr_t first, uintptr_t bytes)
{
    for (uintptr_t done = 0; done < bytes; done += LINE_BYTES)
        __builtin_prefetch((const void *)(first + done), 0, 2);
}

/* ---- Forward and backward-data ---- */

CNNI_INLINE vec first_value(const struct cnni_conv2d_depthwise *run, int64_t c, int64_t count)
{
    return run->bias == NULL ? vec_set(0) : vec_load(run->bias + c, count);
}

CNNI_INLINE void store(const struct cnni_conv2d_depthwise *run, float *y, vec sum, int64_t count)
{
    const vec value = run->relu ? vec_relu(sum) : sum;
    if (run->stream)
        vec_stream(y, value);
    else
        vec_store(y, value, count);
}

/* Some pixels from p on, 16 channels from c on.  With each row of taps, `part` bytes are fetched,
 * the first at `ahead`. */
struct tile {
    int64_t p, c;
    bool first_short, last_short; /* as in the contract, of the tile's pixels */
    uintptr_t ahead, part;
};

/* Row i of taps that are pixels of x beside each other, `columns` of them; output p begins with
 * pixel p * step. */
CNNI_INLINE void add_row(vec sum[PIXELS][VECTORS], const struct cnni_conv2d_depthwise *run,
                         const struct tile *tile, int64_t i, const int columns, const int step)
{
    const float *x = run->x + i * run->x_row_step + tile->p * run->x_step + tile->c;
    const float *w = run->w + i * run->w_row_step + tile->c;
    const int last = (PIXELS - 1) * step + columns - 1;
    vec weights[MOST_COLUMNS][VECTORS];
    CNNI_UNROLL
    for (int j = 0; j < columns; j++) {
        CNNI_UNROLL
        for (int v = 0; v < VECTORS; v++)
            weights[j][v] = vec_load(w + j * run->w_tap_step + v * VECTOR, VECTOR);
    }
    CNNI_UNROLL
    for (int q = 0; q <= last; q++) {
        if ((q == 0 && tile->first_short) || (q == last && tile->last_short))
            continue;
        CNNI_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            const vec pixel = vec_load(x + q * run->x_tap_step + v * VECTOR, VECTOR);
            CNNI_UNROLL
            for (int j = 0; j < columns; j++) {
                const int p = (q - j) / step;
                if (q >= j && p < PIXELS && p * step == q - j)
                    sum[p][v] = vec_fma(pixel, weights[j][v], sum[p][v]);
            }
        }
    }
}

/* Row i of any taps. */
CNNI_INLINE void add_taps(vec sum[PIXELS][VECTORS], const struct cnni_conv2d_depthwise *run,
                          const struct tile *tile, int64_t i, const int pixels)
{
    const float *x = run->x + i * run->x_row_step + tile->p * run->x_step + tile->c;
    const float *w = run->w + i * run->w_row_step + tile->c;
    for (int64_t j = 0; j < run->columns; j++, x += run->x_tap_step, w += run->w_tap_step) {
        const bool first_lacks = tile->first_short && j == 0;
        const bool last_lacks = tile->last_short && j == run->columns - 1;
        CNNI_UNROLL
        for (int p = 0; p < pixels; p++) {
            if ((p == 0 && first_lacks) || (p == pixels - 1 && last_lacks))
                continue;
            CNNI_UNROLL
            for (int v = 0; v < VECTORS; v++)
                sum[p][v] = vec_fma(vec_load(x + p * run->x_step + v * VECTOR, VECTOR),
                                    vec_load(w + v * VECTOR, VECTOR), sum[p][v]);
        }
    }
}

/* `columns` is 0 for any taps. */
CNNI_INLINE void run_tile(const struct cnni_conv2d_depthwise *run, const struct tile *tile,
                          const int pixels, const int columns, const int step)
{
    vec sum[PIXELS][VECTORS];
    CNNI_UNROLL
    for (int v = 0; v < VECTORS; v++) {
        const vec start = first_value(run, tile->c + v * VECTOR, VECTOR);
        CNNI_UNROLL
        for (int p = 0; p < pixels; p++)
            sum[p][v] = start;
    }
    for (int64_t i = 0; i < run->rows; i++) {
        fetch(tile->ahead + (uintptr_t)i * tile->part, tile->part);
        if (columns > 0)
            add_row(sum, run, tile, i, columns, step);
        else
            add_taps(sum, run, tile, i, pixels);
    }
    float *y = run->y + tile->p * run->y_step + tile->c;
    CNNI_UNROLL
    for (int p = 0; p < pixels; p++) {
        CNNI_UNROLL
        for (int v = 0; v < VECTORS; v++)
            store(run, y + p * run->y_step + v * VECTOR, sum[p][v], VECTOR);
    }
}

/* The whole lines of channels of all pixels.  Where the last tile would be smaller, it begins
 * earlier, and does some pixels once more. */
CNNI_INLINE void all_tiles(const struct cnni_conv2d_depthwise *run, const int pixels,
                           const int columns, const int step)
{
    const int64_t end = run->channels / LINE * LINE;
    const uintptr_t fetches = (uintptr_t)CNNI_MAX(end / LINE * run->rows, 1);
    struct tile tile = {.part = run->ahead.step * (uintptr_t)pixels / fetches};
    for (int64_t p = 0; p < run->pixels; p += pixels) {
        tile.p = CNNI_MIN(p, run->pixels - pixels);
        tile.first_short = run->first_short && tile.p == 0;
        tile.last_short = run->last_short && tile.p == run->pixels - pixels;
        tile.ahead = run->ahead.first + (uintptr_t)tile.p * run->ahead.step;
        for (tile.c = 0; tile.c < end; tile.c += LINE) {
            run_tile(run, &tile, pixels, columns, step);
            tile.ahead += tile.part * (uintptr_t)run->rows;
        }
    }
}

/* One pixel's last channels, less than a line. */
static inline void last_channels(const struct cnni_conv2d_depthwise *run, int64_t p)
{
    const int64_t first = run->first_short && p == 0 ? 1 : 0;
    const int64_t end = run->columns - (run->last_short && p == run->pixels - 1 ? 1 : 0);
    for (int64_t c = run->channels / LINE * LINE; c < run->channels; c += VECTOR) {
        const int64_t count = CNNI_MIN(run->channels - c, VECTOR);
        const float *x = run->x + p * run->x_step + c, *w = run->w + c;
        vec sum = first_value(run, c, count);
        for (int64_t i = 0; i < run->rows; i++, x += run->x_row_step, w += run->w_row_step)
            for (int64_t j = first; j < end; j++)
                sum = vec_fma(vec_load(x + j * run->x_tap_step, count),
                              vec_load(w + j * run->w_tap_step, count), sum);
        store(run, run->y + p * run->y_step + c, sum, count);
    }
}

static inline void depthwise_run(const struct cnni_conv2d_depthwise *run)
{
    if (run->pixels < PIXELS)
        all_tiles(run, 1, 0, 0);
    else if (run->columns == 3 && run->x_step == run->x_tap_step)
        all_tiles(run, PIXELS, 3, 1);
    else if (run->columns == 3 && run->x_step == 2 * run->x_tap_step)
        all_tiles(run, PIXELS, 3, 2);
    else
        all_tiles(run, PIXELS, 0, 0);
    for (int64_t p = 0; p < run->pixels; p++)
        last_channels(run, p);
}

/* ---- Backward-weights ----
 *
 * 16 channels at a time pass over all pixels, row of taps by row of taps: their sums stay in
 * registers. */

/* What is to be fetched during pass number `pass` of `passes` over the pixels. */
CNNI_INLINE struct cnni_ahead share(const struct cnni_ahead *ahead, int64_t pixels, int64_t pass,
                                    int64_t passes)
{
    const uintptr_t step = ahead->step / (uintptr_t)CNNI_MAX(passes, 1);
    return (struct cnni_ahead){ahead->first + (uintptr_t)(pass * pixels) * step, step};
}

/* Taps (i, j), (i, j + 1) ... of the channels from c on. */
struct taps {
    int64_t i, j, c;
};

/* A pixel's share of the taps from number `first` to before `end`. */
CNNI_INLINE void filter_pixel(vec sum[MOST_COLUMNS][VECTORS], const float *x, ptrdiff_t tap_step,
                              const float *dy, const int first, const int end, const int vectors,
                              const int64_t count)
{
    CNNI_UNROLL
    for (int v = 0; v < vectors; v++) {
        const vec gradient = vec_load(dy + v * VECTOR, count);
        CNNI_UNROLL
        for (int t = first; t < end; t++)
            sum[t][v] =
                vec_fma(vec_load(x + t * tap_step + v * VECTOR, count), gradient, sum[t][v]);
    }
}

CNNI_INLINE void filter_taps(const struct cnni_conv2d_depthwise_filter *run,
                             const struct taps *taps, const int columns, const int vectors,
                             const int64_t count, struct cnni_ahead ahead)
{
    vec sum[MOST_COLUMNS][VECTORS];
    const ptrdiff_t tap_step = run->x_tap_step;
    const float *x = run->x + taps->i * run->x_row_step + taps->j * tap_step + taps->c;
    const float *dy = run->dy + taps->c;
    float *dw = run->dw + taps->i * run->dw_row_step + taps->j * run->dw_tap_step + taps->c;
    CNNI_UNROLL
    for (int t = 0; t < columns; t++) {
        CNNI_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[t][v] = vec_load(dw + t * run->dw_tap_step + v * VECTOR, count);
    }
    const bool first_short = run->first_short && taps->j == 0;
    const bool last_short = run->last_short && taps->j + columns == run->columns;
    if (first_short) {
        filter_pixel(sum, x, tap_step, dy, 1, columns, vectors, count);
        x += run->x_step;
        dy += run->channels;
    }
    for (int64_t p = run->pixels - first_short - last_short; p > 0; p--) {
        fetch(ahead.first, ahead.step);
        filter_pixel(sum, x, tap_step, dy, 0, columns, vectors, count);
        ahead.first += ahead.step;
        x += run->x_step;
        dy += run->channels;
    }
    if (last_short)
        filter_pixel(sum, x, tap_step, dy, 0, columns - 1, vectors, count);
    CNNI_UNROLL
    for (int t = 0; t < columns; t++) {
        CNNI_UNROLL
        for (int v = 0; v < vectors; v++)
            vec_store(dw + t * run->dw_tap_step + v * VECTOR, sum[t][v], count);
    }
}

CNNI_INLINE void filter_bias(const struct cnni_conv2d_depthwise_filter *run, int64_t c,
                             const int vectors, const int64_t count, struct cnni_ahead ahead)
{
    vec sum[VECTORS];
    CNNI_UNROLL
    for (int v = 0; v < vectors; v++)
        sum[v] = vec_load(run->db + c + v * VECTOR, count);
    for (int64_t p = 0; p < run->pixels; p++) {
        fetch(ahead.first + (uintptr_t)p * ahead.step, ahead.step);
        CNNI_UNROLL
        for (int v = 0; v < vectors; v++)
            sum[v] = vec_add(sum[v], vec_load(run->dy + p * run->channels + c + v * VECTOR, count));
    }
    CNNI_UNROLL
    for (int v = 0; v < vectors; v++)
        vec_store(run->db + c + v * VECTOR, sum[v], count);
}

CNNI_INLINE void filter_channels(const struct cnni_conv2d_depthwise_filter *run, int64_t c,
                                 const int vectors, const int64_t count)
{
    const int64_t line = c / LINE, lines = run->channels / LINE;
    filter_bias(run, c, vectors, count, share(&run->dy_ahead, run->pixels, line, lines));
    for (int64_t i = 0; i < run->rows; i++) {
        struct cnni_ahead ahead =
            share(&run->x_ahead, run->pixels, line * run->rows + i, lines * run->rows);
        struct taps taps = {.i = i, .c = c};
        for (; taps.j + MOST_COLUMNS <= run->columns; taps.j += MOST_COLUMNS, ahead.step = 0)
            filter_taps(run, &taps, MOST_COLUMNS, vectors, count, ahead);
        for (; taps.j < run->columns; taps.j++, ahead.step = 0)
            filter_taps(run, &taps, 1, vectors, count, ahead);
    }
}

static inline void depthwise_filter_run(const struct cnni_conv2d_depthwise_filter *run)
{
    int64_t c = 0;
    for (; c + LINE <= run->channels; c += LINE)
        filter_channels(run, c, VECTORS, VECTOR);
    for (; c < run->channels; c += VECTOR)
        filter_channels(run, c, 1, CNNI_MIN(run->channels - c, VECTOR));
}

#endif
