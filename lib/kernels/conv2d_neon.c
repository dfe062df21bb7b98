/* SPDX-License-Identifier: MIT
 * Convolution tiles with NEON: row-tap (forward, backward-data, dense) and backward-weights.  Both
 * keep 6 x 16 outputs in 24 accumulators; with 4 vectors of weights and up to 4 scalars they are
 * the 32 registers, and 24 multiply-adds for 10 loads.  The scalar is a lane of the multiply-add:
 * to broadcast it first would take the pipes that multiply.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include "kernels/lanes_neon.h"
#include "kernels/unroll.h"

enum { WIDTH = 16, VECTORS = WIDTH / VECTOR, ROWS = 6 };

/* One link of the chains of a tile: value(i) * vector(j), value(i) at x[i][offset]. */
CNNI_INLINE void add_link(float32x4_t sum[ROWS][VECTORS], const float *const x[ROWS],
                          ptrdiff_t offset, const float *vector, const int rows)
{
    float32x4_t factor[VECTORS];
    CNNI_UNROLL
    for (int j = 0; j < VECTORS; j++)
        factor[j] = vld1q_f32(vector + j * VECTOR);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        const float value = x[i][offset];
        CNNI_UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[i][j] = vfmaq_n_f32(sum[i][j], factor[j], value);
    }
}

/* ---- Row-tap ---- */

/* The values that the chains of one row start with. */
CNNI_INLINE void start_row(float32x4_t sum[VECTORS], const float *start, int32_t columns)
{
    CNNI_UNROLL
    for (int j = 0; j < VECTORS; j++)
        sum[j] =
            start == NULL ? vdupq_n_f32(0) : load_lanes(start + j * VECTOR, columns - j * VECTOR);
}

CNNI_INLINE void store_row(const struct cnni_conv2d_tile *tile, float *y,
                           const float32x4_t sum[VECTORS])
{
    CNNI_UNROLL
    for (int j = 0; j < VECTORS; j++)
        store_lanes(y + j * VECTOR, tile->relu ? relu(sum[j]) : sum[j], tile->columns - j * VECTOR);
}

/* Rows first ... first + rows - 1; `rows` is a constant at each call. */
CNNI_INLINE void row_tap(const struct cnni_conv2d_tile *tile, int64_t first, const int rows)
{
    float32x4_t sum[ROWS][VECTORS];
    const ptrdiff_t *x_offsets = tile->x_offsets + first, *y_offsets = tile->y_offsets + first;
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        start_row(sum[i], tile->resume ? tile->y + y_offsets[i] : tile->bias, tile->columns);

    const int64_t depth = tile->depth;
    for (int64_t t = 0; t < tile->tap_count; t++) {
        const float *x[ROWS];
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            x[i] = tile->x + x_offsets[i] + tile->taps[t].x;
        const float *w = tile->w + tile->taps[t].w;
        for (int64_t d = 0; d < depth; d++, w += WIDTH)
            add_link(sum, x, d, w, rows);
    }
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        store_row(tile, tile->y + y_offsets[i], sum[i]);
}

void cnni_conv2d_row_tap_neon(const struct cnni_conv2d_tile *tile)
{
    int64_t first = 0;
    for (; first + ROWS <= tile->rows; first += ROWS)
        row_tap(tile, first, ROWS);
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

CNNI_INLINE void add_row(float *dw, int32_t columns, const float32x4_t sum[VECTORS])
{
    CNNI_UNROLL
    for (int j = 0; j < VECTORS; j++) {
        const int64_t count = columns - j * VECTOR;
        const float32x4_t before = load_lanes(dw + j * VECTOR, count);
        store_lanes(dw + j * VECTOR, vaddq_f32(before, sum[j]), count);
    }
}

CNNI_INLINE void filter(const struct cnni_conv2d_filter_tile *tile, const int rows)
{
    float32x4_t sum[ROWS][VECTORS];
    const float *x[ROWS];
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        x[i] = tile->x[i];
        CNNI_UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[i][j] = vdupq_n_f32(0);
    }
    const ptrdiff_t *x_offsets = tile->x_offsets;
    const float *dy = tile->dy;
    const int64_t pixels = tile->pixels;
    for (int64_t p = 0; p < pixels; p++)
        add_link(sum, x, x_offsets[p], dy + p * WIDTH, rows);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        add_row(tile->dw + i * tile->dw_pitch, tile->columns, sum[i]);
}

void cnni_conv2d_filter_neon(const struct cnni_conv2d_filter_tile *tile)
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

void cnni_conv2d_panel_neon(float *panel, float *sums, const float *dy, int64_t pixels,
                            int64_t pitch, int32_t columns)
{
    for (int32_t first = 0; first < WIDTH; first += VECTOR) {
        const int64_t count = columns - first;
        float32x4_t sum = vdupq_n_f32(0);
        for (int64_t p = 0; p < pixels; p++) {
            const float32x4_t value =
                count > 0 ? load_lanes(dy + p * pitch + first, count) : vdupq_n_f32(0);
            if (panel != NULL)
                vst1q_f32(panel + p * WIDTH + first, value);
            sum = vaddq_f32(sum, value);
        }
        if (count > 0)
            store_lanes(sums + first, sum, count);
    }
}
