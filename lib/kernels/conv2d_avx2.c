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
    AHEAD = 16 * WIDTH /* weights are fetched 16 links (about 100 cycles) before they are used */
};

/* One link of the chains of a tile: value(i) * vector(j), value(i) at x[i][offset]. */
CNNI_INLINE void add_link(__m256 sum[ROWS][2], const float *const x[ROWS], ptrdiff_t offset,
                          const float *vector, const int rows)
{
    const __m256 low = _mm256_loadu_ps(vector), high = _mm256_loadu_ps(vector + VECTOR);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        const __m256 value = _mm256_broadcast_ss(x[i] + offset);
        sum[i][0] = _mm256_fmadd_ps(value, low, sum[i][0]);
        sum[i][1] = _mm256_fmadd_ps(value, high, sum[i][1]);
    }
}

/* ---- Row-tap ---- */

/* The values that the chains of one row start with. */
CNNI_INLINE void start_row(__m256 sum[2], const float *start, int32_t columns)
{
    const bool masked = columns < WIDTH;
    sum[0] = sum[1] = _mm256_setzero_ps();
    if (start != NULL) {
        sum[0] = load_lanes(start, masked, first_lanes(columns));
        sum[1] = load_lanes(start + VECTOR, masked, first_lanes(columns - VECTOR));
    }
}

CNNI_INLINE void store_row(const struct cnni_conv2d_tile *tile, float *y, __m256 low, __m256 high)
{
    if (tile->relu) {
        low = relu(low);
        high = relu(high);
    }
    if (tile->stream) {
        _mm256_stream_ps(y, low);
        _mm256_stream_ps(y + VECTOR, high);
    } else {
        const bool masked = tile->columns < WIDTH;
        store_lanes(y, low, masked, first_lanes(tile->columns));
        store_lanes(y + VECTOR, high, masked, first_lanes(tile->columns - VECTOR));
    }
}

/* One tile of `rows` rows, a constant at each call. */
CNNI_INLINE void row_tap(const struct cnni_conv2d_tile *tile, const int rows)
{
    __m256 sum[ROWS][2];
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        start_row(sum[i], tile->resume ? tile->y + tile->y_offsets[i] : tile->bias, tile->columns);

    const float *w = tile->w;
    const int64_t depth = tile->depth;
    for (int64_t t = 0; t < tile->tap_count; t++) {
        const float *x[ROWS];
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            x[i] = tile->x + tile->x_offsets[i] + tile->taps[t];
        int64_t d = 0;
        for (; d + 2 <= depth; d += 2, w += 2 * WIDTH) {
            const uintptr_t ahead = (uintptr_t)w + AHEAD * sizeof *w;
            _mm_prefetch((const char *)ahead, _MM_HINT_T0);
            _mm_prefetch((const char *)(ahead + WIDTH * sizeof *w), _MM_HINT_T0);
            add_link(sum, x, d, w, rows);
            add_link(sum, x, d + 1, w + WIDTH, rows);
        }
        if (d < depth) {
            add_link(sum, x, d, w, rows);
            w += WIDTH;
        }
    }
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        store_row(tile, tile->y + tile->y_offsets[i], sum[i][0], sum[i][1]);
}

void cnni_conv2d_row_tap_avx2(const struct cnni_conv2d_tile *tile)
{
    switch (tile->rows) {
    case 1: row_tap(tile, 1); break;
    case 2: row_tap(tile, 2); break;
    case 3: row_tap(tile, 3); break;
    case 4: row_tap(tile, 4); break;
    case 5: row_tap(tile, 5); break;
    default: row_tap(tile, 6); break;
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
