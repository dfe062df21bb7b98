/* SPDX-License-Identifier: MIT
 * Convolution tiles with AVX-512: row-tap (forward, backward-data, dense) and backward-weights.
 * Panels are 64 wide.  6 rows of 4 vectors are 24 accumulators; with 4 vectors of weights and 1
 * broadcast value 29 of the 32 registers, 24 multiply-adds for 10 loads.  Where 1 or 2 vectors
 * hold all columns, 12 rows keep the multipliers as busy.  What is left of the rows is done by 4, 2
 * and 1, with 2 or 4 vectors, which keeps the code small.  Contracts: kernels.h.
 *
 * Every loop over an array of registers carries an unroll pragma: without it gcc 12 keeps the
 * array in memory, which costs a third of the speed. */
#include "kernels/kernels.h"

#include "kernels/lanes_avx512.h"
#include "kernels/unroll.h"

enum {
    WIDTH = 64,
    VECTORS = WIDTH / VECTOR,
    ROWS = 6,
    NARROW_VECTORS = 2,
    NARROW_ROWS = 12,
    CACHE_LINE = 64,
    AHEAD = 8 * WIDTH /* weights are fetched 8 links (about 100 cycles) before they are used */
};

/* One link of the chains of a tile: value(i) * vector(j), value(i) at x[i][offset]. */
CNNI_INLINE void add_link(__m512 sum[][VECTORS], const float *const *x, ptrdiff_t offset,
                          const float *vector, const int rows, const int vectors)
{
    __m512 factor[VECTORS];
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        factor[j] = _mm512_loadu_ps(vector + j * VECTOR);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        const __m512 value = _mm512_set1_ps(x[i][offset]);
        CNNI_UNROLL
        for (int j = 0; j < vectors; j++)
            sum[i][j] = _mm512_fmadd_ps(value, factor[j], sum[i][j]);
    }
}

/* The lanes of vector j that columns fill. */
CNNI_INLINE __mmask16 lanes_of(int32_t columns, int j)
{
    return first_lanes(columns - j * VECTOR);
}

/* ---- Row-tap ---- */

CNNI_INLINE void load_row(__m512 sum[VECTORS], const float *from, int32_t columns,
                          const int vectors)
{
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        sum[j] = _mm512_maskz_loadu_ps(lanes_of(columns, j), from + j * VECTOR);
}

/* The values that the chains of a tile start with. */
CNNI_INLINE void start_rows(__m512 sum[][VECTORS], const struct cnni_conv2d_tile *tile,
                            const ptrdiff_t *y_offsets, const int rows, const int vectors)
{
    if (tile->resume) {
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            load_row(sum[i], tile->y + y_offsets[i], tile->columns, vectors);
        return;
    }
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        sum[0][j] = _mm512_setzero_ps();
    if (tile->bias != NULL)
        load_row(sum[0], tile->bias, tile->columns, vectors);
    CNNI_UNROLL
    for (int i = 1; i < rows; i++)
        CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        sum[i][j] = sum[0][j];
}

CNNI_INLINE void store_row(float *y, const __m512 sum[VECTORS], int32_t columns, const int vectors)
{
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        _mm512_mask_storeu_ps(y + j * VECTOR, lanes_of(columns, j), sum[j]);
}

CNNI_INLINE void stream_row(float *y, const __m512 sum[VECTORS], int32_t columns, const int vectors)
{
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        if (j * VECTOR < columns)
            _mm512_stream_ps(y + j * VECTOR, sum[j]);
}

CNNI_INLINE void store_rows(const struct cnni_conv2d_tile *tile, const ptrdiff_t *y_offsets,
                            __m512 sum[][VECTORS], const int rows, const int vectors)
{
    if (tile->relu) {
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            CNNI_UNROLL
        for (int j = 0; j < vectors; j++)
            sum[i][j] = relu(sum[i][j]);
    }
    if (tile->stream) {
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            stream_row(tile->y + y_offsets[i], sum[i], tile->columns, vectors);
    } else {
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            store_row(tile->y + y_offsets[i], sum[i], tile->columns, vectors);
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

/* Rows first ... first + rows - 1; `rows` and `vectors` are constants at each call. */
CNNI_INLINE void row_tap(const struct cnni_conv2d_tile *tile, int64_t first, const int rows,
                         const int vectors)
{
    __m512 sum[NARROW_ROWS][VECTORS];
    const ptrdiff_t *x_offsets = tile->x_offsets + first, *y_offsets = tile->y_offsets + first;
    start_rows(sum, tile, y_offsets, rows, vectors);
    fetch_ahead(tile, first, rows);
    const int64_t depth = tile->depth;
    for (int64_t t = 0; t < tile->tap_count; t++) {
        const float *x[NARROW_ROWS], *w = tile->w + tile->taps[t].w;
        CNNI_UNROLL
        for (int i = 0; i < rows; i++)
            x[i] = tile->x + x_offsets[i] + tile->taps[t].x;
        for (int64_t d = 0; d < depth; d++, w += WIDTH) {
            CNNI_UNROLL
            for (int j = 0; j < vectors; j++)
                _mm_prefetch((const char *)((uintptr_t)w + (AHEAD + j * VECTOR) * sizeof *w),
                             _MM_HINT_T0);
            add_link(sum, x, d, w, rows, vectors);
        }
    }
    store_rows(tile, y_offsets, sum, rows, vectors);
}

/* The rows that are left from `first` on. */
CNNI_INLINE void row_tap_rest(const struct cnni_conv2d_tile *tile, int64_t first, const int vectors)
{
    if (tile->rows - first >= 4) {
        row_tap(tile, first, 4, vectors);
        first += 4;
    }
    if (tile->rows - first >= 2) {
        row_tap(tile, first, 2, vectors);
        first += 2;
    }
    if (tile->rows > first)
        row_tap(tile, first, 1, vectors);
}

static void row_tap_rest_narrow(const struct cnni_conv2d_tile *tile, int64_t first)
{
    row_tap_rest(tile, first, NARROW_VECTORS);
}

static void row_tap_rest_wide(const struct cnni_conv2d_tile *tile, int64_t first)
{
    row_tap_rest(tile, first, VECTORS);
}

CNNI_INLINE void row_tap_rows(const struct cnni_conv2d_tile *tile, const int vectors)
{
    const bool narrow = vectors <= NARROW_VECTORS;
    int64_t first = 0;
    for (; narrow && first + NARROW_ROWS <= tile->rows; first += NARROW_ROWS)
        row_tap(tile, first, NARROW_ROWS, vectors);
    for (; first + ROWS <= tile->rows; first += ROWS)
        row_tap(tile, first, ROWS, vectors);
    narrow ? row_tap_rest_narrow(tile, first) : row_tap_rest_wide(tile, first);
}

void cnni_conv2d_row_tap_avx512(const struct cnni_conv2d_tile *tile)
{
    switch ((tile->columns + VECTOR - 1) / VECTOR) {
    case 1: row_tap_rows(tile, 1); break;
    case 2: row_tap_rows(tile, 2); break;
    case 3: row_tap_rows(tile, 3); break;
    default: row_tap_rows(tile, 4); break;
    }
}

/* ---- Backward-weights ---- */

CNNI_INLINE void filter(const struct cnni_conv2d_filter_tile *tile, int32_t first, const int rows,
                        const int vectors)
{
    __m512 sum[NARROW_ROWS][VECTORS];
    const float *x[NARROW_ROWS];
    float *dw = tile->dw + first * tile->dw_pitch;
    CNNI_UNROLL
    for (int i = 0; i < rows; i++) {
        x[i] = tile->x[first + i];
        CNNI_UNROLL
        for (int j = 0; j < vectors; j++) {
            sum[i][j] = _mm512_setzero_ps();
            _mm_prefetch((const char *)(dw + i * tile->dw_pitch + j * VECTOR), _MM_HINT_T0);
        }
    }
    const ptrdiff_t *x_offsets = tile->x_offsets;
    const float *dy = tile->dy;
    uintptr_t ahead = tile->ahead;
    const int64_t pixels = tile->pixels;
    int64_t p = 0;
    for (; p + 2 <= pixels; p += 2) {
        CNNI_UNROLL
        for (int i = 0; i < 2; i++) {
            _mm_prefetch((const char *)ahead, _MM_HINT_T1);
            ahead += tile->ahead_step;
            add_link(sum, x, x_offsets[p + i], dy + (p + i) * WIDTH, rows, vectors);
        }
    }
    for (; p < pixels; p++)
        add_link(sum, x, x_offsets[p], dy + p * WIDTH, rows, vectors);
    CNNI_UNROLL
    for (int i = 0; i < rows; i++)
        CNNI_UNROLL
    for (int j = 0; j < vectors; j++) {
        float *target = dw + i * tile->dw_pitch + j * VECTOR;
        const __mmask16 lanes = lanes_of(tile->columns, j);
        const __m512 total = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, target), sum[i][j]);
        _mm512_mask_storeu_ps(target, lanes, total);
    }
}

/* The rows that are left from `first` on. */
CNNI_INLINE void filter_rest(const struct cnni_conv2d_filter_tile *tile, int32_t first,
                             const int vectors)
{
    if (tile->rows - first >= 4) {
        filter(tile, first, 4, vectors);
        first += 4;
    }
    if (tile->rows - first >= 2) {
        filter(tile, first, 2, vectors);
        first += 2;
    }
    if (tile->rows > first)
        filter(tile, first, 1, vectors);
}

static void filter_rest_narrow(const struct cnni_conv2d_filter_tile *tile, int32_t first)
{
    filter_rest(tile, first, NARROW_VECTORS);
}

static void filter_rest_wide(const struct cnni_conv2d_filter_tile *tile, int32_t first)
{
    filter_rest(tile, first, VECTORS);
}

CNNI_INLINE void filter_rows(const struct cnni_conv2d_filter_tile *tile, const int vectors)
{
    const bool narrow = vectors <= NARROW_VECTORS;
    int32_t first = 0;
    if (narrow && tile->rows == NARROW_ROWS) {
        filter(tile, 0, NARROW_ROWS, vectors);
        return;
    }
    for (; first + ROWS <= tile->rows; first += ROWS)
        filter(tile, first, ROWS, vectors);
    narrow ? filter_rest_narrow(tile, first) : filter_rest_wide(tile, first);
}

void cnni_conv2d_filter_avx512(const struct cnni_conv2d_filter_tile *tile)
{
    switch ((tile->columns + VECTOR - 1) / VECTOR) {
    case 1: filter_rows(tile, 1); break;
    case 2: filter_rows(tile, 2); break;
    default: filter_rows(tile, 4); break;
    }
}

/* ---- Panels of gradients ---- */

CNNI_INLINE void pack_panel(float *panel, float *sums, const float *dy, int64_t pixels,
                            int64_t pitch, int32_t columns, const int vectors)
{
    __m512 sum[VECTORS];
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        sum[j] = _mm512_setzero_ps();
    for (int64_t p = 0; p < pixels; p++) {
        CNNI_UNROLL
        for (int j = 0; j < vectors; j++) {
            const __m512 value =
                _mm512_maskz_loadu_ps(lanes_of(columns, j), dy + p * pitch + j * VECTOR);
            if (panel != NULL)
                _mm512_storeu_ps(panel + p * WIDTH + j * VECTOR, value);
            sum[j] = _mm512_add_ps(sum[j], value);
        }
    }
    CNNI_UNROLL
    for (int j = 0; j < vectors; j++)
        _mm512_mask_storeu_ps(sums + j * VECTOR, lanes_of(columns, j), sum[j]);
}

void cnni_conv2d_panel_avx512(float *panel, float *sums, const float *dy, int64_t pixels,
                              int64_t pitch, int32_t columns)
{
    switch ((columns + VECTOR - 1) / VECTOR) {
    case 1: pack_panel(panel, sums, dy, pixels, pitch, columns, 1); break;
    case 2: pack_panel(panel, sums, dy, pixels, pitch, columns, 2); break;
    case 3: pack_panel(panel, sums, dy, pixels, pitch, columns, 3); break;
    default: pack_panel(panel, sums, dy, pixels, pitch, columns, 4); break;
    }
}
