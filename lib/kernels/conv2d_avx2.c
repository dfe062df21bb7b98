/* SPDX-License-Identifier: MIT
 * Convolution tiles with AVX2 and FMA: row-tap (forward, backward-data, dense) and
 * backward-weights.  Both keep 6 x 16 outputs in 12 accumulators; a link of their chains loads 2
 * vectors and broadcasts 6 values: 15 of the 16 registers, 12 multiply-adds for 8 loads.
 * Contracts: kernels.h.
 *
 * Every loop over an array of registers carries an unroll pragma: without it gcc 12 keeps the
 * array in memory, which costs a third of the speed. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx2.h"
#include "kernels/unroll.h"

enum {
    WIDTH = 16,
    ROWS = 6,
    LINKS = 4, /* one after another, before the loop asks for more */
    CACHE_LINE = 64,
    AHEAD = 96 /* rows of links that the weights are fetched before they are used: 100 cycles with
                  whole tiles; 400 with one row, whose weights come from far away */
};

/* *sum += a * b.  Of the intrinsic gcc 12 makes forms that leave the sum in another register, and
 * moves it back. */
CNNI_INLINE void multiply_add(__m256 *sum, __m256 a, __m256 b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b));
}

/* One link of the chains of a tile: value(i) * vector(j), value(i) at x[i][offset]. */
CNNI_INLINE void add_link(__m256 sum[ROWS][2], const float *const x[ROWS], ptrdiff_t offset,
                          const float *vector, const int rows)
{
    const __m256 low = _mm256_loadu_ps(vector), high = _mm256_loadu_ps(vector + VECTOR);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        const __m256 value = _mm256_broadcast_ss(x[i] + offset);
        multiply_add(&sum[i][0], value, low);
        multiply_add(&sum[i][1], value, high);
    }
}

/* ---- Row-tap ---- */

CNNI_INLINE void load_row(__m256 sum[2], const float *from, int32_t columns)
{
    const bool masked = columns < WIDTH;
    sum[0] = load_lanes(from, masked, first_lanes(columns));
    sum[1] = load_lanes(from + VECTOR, masked, first_lanes(columns - VECTOR));
}

/* The values that the chains of a tile start with. */
CNNI_INLINE void start_rows(__m256 sum[ROWS][2], const struct cnni_conv2d_tile *tile,
                            const ptrdiff_t *y_offsets, const int rows)
{
    if (tile->resume) {
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            load_row(sum[i], tile->y + y_offsets[i], tile->columns);
        return;
    }
    sum[0][0] = sum[0][1] = _mm256_setzero_ps();
    if (tile->bias != NULL)
        load_row(sum[0], tile->bias, tile->columns);
    CNNI_UNROLL
    for (int i = 1; i < rows; i++) {
        sum[i][0] = sum[0][0];
        sum[i][1] = sum[0][1];
    }
}

/* Which of the three ways is asked once for all rows: the next tile's multiply-adds wait behind
 * these instructions. */
CNNI_INLINE void store_rows(const struct cnni_conv2d_tile *tile, const ptrdiff_t *y_offsets,
                            __m256 sum[ROWS][2], const int rows)
{
    float *const y = tile->y;
    if (tile->relu) {
        CNNI_UNROLL
        for (int i = 0; i < 2 * rows; i++)
            sum[i / 2][i % 2] = relu(sum[i / 2][i % 2]);
    }
    if (tile->stream) {
        CNNI_UNROLL
        for (int i = 0; i < 2 * rows; i++)
            _mm256_stream_ps(y + y_offsets[i / 2] + i % 2 * VECTOR, sum[i / 2][i % 2]);
    } else if (tile->columns == WIDTH) {
        CNNI_UNROLL
        for (int i = 0; i < 2 * rows; i++)
            _mm256_storeu_ps(y + y_offsets[i / 2] + i % 2 * VECTOR, sum[i / 2][i % 2]);
    } else {
        const __m256i masks[] = {first_lanes(tile->columns), first_lanes(tile->columns - VECTOR)};
        CNNI_UNROLL
        for (int i = 0; i < 2 * rows; i++)
            _mm256_maskstore_ps(y + y_offsets[i / 2] + i % 2 * VECTOR, masks[i % 2],
                                sum[i / 2][i % 2]);
    }
}

/* Fetches what is wanted next, this tile's share of it. */
CNNI_INLINE void fetch_ahead(const struct cnni_conv2d_tile *tile, int64_t first, const int rows)
{
    uintptr_t line = tile->ahead + (uintptr_t)first * tile->ahead_step;
    const uintptr_t end = line + (uintptr_t)rows * tile->ahead_step;
    for (; line < end; line += CACHE_LINE)
        _mm_prefetch((const char *)line, _MM_HINT_T1);
}

/* Rows first ... first + rows - 1; `rows` is a constant at each call. */
CNNI_INLINE void row_tap(const struct cnni_conv2d_tile *tile, int64_t first, const int rows)
{
    __m256 sum[ROWS][2];
    const ptrdiff_t *x_offsets = tile->x_offsets + first, *y_offsets = tile->y_offsets + first;
    start_rows(sum, tile, y_offsets, rows);
    fetch_ahead(tile, first, rows);
    const int64_t depth = tile->depth;
    for (int64_t t = 0; t < tile->tap_count; t++) {
        const float *x[ROWS], *w = tile->w + tile->taps[t].w;
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            x[i] = tile->x + x_offsets[i] + tile->taps[t].x;
        int64_t d = 0;
        for (; d + LINKS <= depth; d += LINKS, w += LINKS * WIDTH) {
            const uintptr_t ahead = (uintptr_t)w + AHEAD / (size_t)rows * WIDTH * sizeof *w;
            CNNI_UNROLL
            for (int i = 0; i < LINKS; i++) {
                _mm_prefetch((const char *)(ahead + (size_t)i * WIDTH * sizeof *w), _MM_HINT_T0);
                add_link(sum, x, d + i, w + i * WIDTH, rows);
            }
        }
        for (; d < depth; d++, w += WIDTH)
            add_link(sum, x, d, w, rows);
    }
    store_rows(tile, y_offsets, sum, rows);
}

/* A function of its own: gcc 12 would keep some of what all tiles have in common in registers,
 * where there is none left. */
CNNI_NOINLINE void row_tap_whole(const struct cnni_conv2d_tile *tile, int64_t first)
{
    row_tap(tile, first, ROWS);
}

void cnni_conv2d_row_tap_avx2(const struct cnni_conv2d_tile *tile)
{
    int64_t first = 0;
    for (; first + ROWS <= tile->rows; first += ROWS)
        row_tap_whole(tile, first);
    switch (tile->rows - first) {
    case 1: row_tap(tile, first, 1); break;
    case 2: row_tap(tile, first, 2); break;
    case 3: row_tap(tile, first, 3); break;
    case 4: row_tap(tile, first, 4); break;
    case 5: row_tap(tile, first, 5); break;
    default: break;
    }
}

/* ---- Backward-weights ---- */

CNNI_INLINE void add_row(float *dw, int32_t columns, __m256 low, __m256 high)
{
    const bool masked = columns < WIDTH;
    const __m256i mask0 = first_lanes(columns), mask1 = first_lanes(columns - VECTOR);
    store_lanes(dw, _mm256_add_ps(load_lanes(dw, masked, mask0), low), masked, mask0);
    store_lanes(dw + VECTOR, _mm256_add_ps(load_lanes(dw + VECTOR, masked, mask1), high), masked,
                mask1);
}

CNNI_INLINE void filter(const struct cnni_conv2d_filter_tile *tile, const int rows)
{
    __m256 sum[ROWS][2];
    const float *x[ROWS];
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        sum[i][0] = sum[i][1] = _mm256_setzero_ps();
        x[i] = tile->x[i];
        _mm_prefetch((const char *)(tile->dw + i * tile->dw_pitch), _MM_HINT_T0);
    }
    const ptrdiff_t *x_offsets = tile->x_offsets;
    const float *dy = tile->dy;
    uintptr_t ahead = tile->ahead;
    const uintptr_t ahead_step = 4 * tile->ahead_step; /* the loop below takes 4 pixels */
    const int64_t pixels = tile->pixels;
    int64_t p = 0;
    for (; p + 4 <= pixels; p += 4) {
        _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        ahead += ahead_step;
        CNNI_UNROLL
        for (int i = 0; i < 4; i++)
            add_link(sum, x, x_offsets[p + i], dy + (p + i) * WIDTH, rows);
    }
    for (; p < pixels; p++)
        add_link(sum, x, x_offsets[p], dy + p * WIDTH, rows);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        add_row(tile->dw + i * tile->dw_pitch, tile->columns, sum[i][0], sum[i][1]);
}

void cnni_conv2d_filter_avx2(const struct cnni_conv2d_filter_tile *tile)
{
    switch (tile->rows) {
    case 1: filter(tile, 1); break;
    case 2: filter(tile, 2); break;
    case 3: filter(tile, 3); break;
    case 4: filter(tile, 4); break;
    case 5: filter(tile, 5); break;
    default: filter(tile, 6); break;
    }
}

/* ---- Panels of gradients ---- */

CNNI_INLINE void pack_panel(float *panel, float *sums, const float *dy, int64_t pixels,
                            int64_t pitch, __m256i mask0, __m256i mask1, const bool masked)
{
    __m256 sum0 = _mm256_setzero_ps(), sum1 = _mm256_setzero_ps();
    for (int64_t p = 0; p < pixels; p++) {
        const __m256 dy0 = load_lanes(dy + p * pitch, masked, mask0);
        const __m256 dy1 = load_lanes(dy + p * pitch + VECTOR, masked, mask1);
        if (panel != NULL) {
            _mm256_storeu_ps(panel + p * WIDTH, dy0);
            _mm256_storeu_ps(panel + p * WIDTH + VECTOR, dy1);
        }
        sum0 = _mm256_add_ps(sum0, dy0);
        sum1 = _mm256_add_ps(sum1, dy1);
    }
    store_lanes(sums, sum0, masked, mask0);
    store_lanes(sums + VECTOR, sum1, masked, mask1);
}

void cnni_conv2d_panel_avx2(float *panel, float *sums, const float *dy, int64_t pixels,
                            int64_t pitch, int32_t columns)
{
    const __m256i mask0 = first_lanes(columns), mask1 = first_lanes(columns - VECTOR);
    if (columns == WIDTH)
        pack_panel(panel, sums, dy, pixels, pitch, mask0, mask1, false);
    else
        pack_panel(panel, sums, dy, pixels, pitch, mask0, mask1, true);
}
