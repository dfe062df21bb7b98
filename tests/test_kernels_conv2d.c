/* SPDX-License-Identifier: MIT
 * Every row-tap, backward-weights, panel and depthwise kernel of the list: the exact bits of the
 * chains of their contracts, and the derived bound against double precision; all tile sizes,
 * buffers that end or begin at an unmapped page, strides larger than widths, and special values. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"
#include "support/value.h"

enum { X, W, Y, BIAS, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], 1 << 20);
    cnni_random_start(&random_numbers, 7, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

/* Ordinary values; and, as `special` says, now and then others. */
enum { ORDINARY, TINY, MIXED, SPECIALS };

static float draw(int special)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 1e-42f, 3e38f, 0};
    const float value = (float)(2 * cnni_random_uniform(&random_numbers) - 1);
    if (special == TINY)
        return value * 0x1p-70f;
    if (special == MIXED && cnni_random_below(&random_numbers, 40) == 0)
        return odd[cnni_random_below(&random_numbers, CNNI_COUNT(odd))];
    return value;
}

static float *filled(int buffer, enum guarded_side side, int64_t count, int special)
{
    float *values = guarded_floats(&buffers[buffer], side, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        values[i] = draw(special);
    return values;
}

/* Reductions of the lengths that the tests are to cover, as taps x depth. */
static const struct {
    int64_t taps, depth;
} lengths[] = {{0, 5}, {3, 0}, {1, 1}, {2, 1}, {1, 3}, {7, 1}, {3, 9}, {1, 64}, {5, 51}, {9, 128}};

/* One value both ways: the chain's bits, and the sums in double precision. */
struct value {
    float chain;
    double exact, magnitude;
};

static void add_link(const struct kernel_row *row, struct value *value, float a, float b)
{
    value->chain = kernel_row_link(row, a, b, value->chain);
    value->exact += (double)a * b;
    value->magnitude += fabs((double)a * b);
}

static struct value start_value(float start)
{
    return (struct value){start, start, fabs((double)start)};
}

static void check_value(const struct kernel_row *row, const char *where, float got,
                        struct value value, int64_t links, bool relu)
{
    const float chain = relu && value.chain <= 0 ? 0 : value.chain;
    assert_value(tolerance_same(got, chain), "%s, %s: got %a, the chain gives %a", row->name, where,
                 (double)got, (double)chain);
    /* Beyond the range of floats the exact sum is no measure. */
    if (!(value.magnitude < 1e38))
        return;
    const double exact = relu && value.exact < 0 ? 0 : value.exact;
    const double bound = tolerance_sum(links, value.magnitude);
    assert_value(tolerance_close(got, exact, bound), "%s, %s: got %.9g, exact %.9g, bound %g",
                 row->name, where, (double)got, exact, bound);
}

/* ---- Row-tap ---- */

enum { MOST_ROWS = 2 * CNNI_TILE_ROWS_MAX + 1 };

/* 1, 2, ... up to a full tile, and then two and one row. */
static int32_t next_rows(const struct kernel_row *row, int32_t rows)
{
    return rows == row->tile.rows ? 2 * row->tile.rows + 1 : rows + 1;
}

/* Pixels and taps in an order that makes neither the first nor the last the farthest. */
static void spread_offsets(ptrdiff_t *offsets, int64_t count, int64_t step)
{
    for (int64_t i = 0; i < count; i++)
        offsets[i] = (count % 2 == 0 ? i ^ 1 : count - 1 - i) * step;
}

static struct value row_tap_value(const struct kernel_row *row, const struct cnni_conv2d_tile *tile,
                                  float start, int32_t i, int32_t j)
{
    struct value value = start_value(start);
    for (int64_t t = 0; t < tile->tap_count; t++)
        for (int64_t d = 0; d < tile->depth; d++)
            add_link(row, &value, tile->x[tile->x_offsets[i] + tile->taps[t].x + d],
                     tile->w[tile->taps[t].w + d * row->tile.columns + j]);
    return value;
}

static void check_row_tap(const struct kernel_row *row, struct cnni_conv2d_tile *tile,
                          enum guarded_side side, int special)
{
    enum { GAP = 3, TAPS = 16 };
    ptrdiff_t x_offsets[MOST_ROWS], y_offsets[MOST_ROWS], x_taps[TAPS], w_taps[TAPS];
    struct cnni_conv2d_tap taps[TAPS];
    const int64_t y_pitch = tile->columns + GAP;
    const int64_t y_count = (tile->rows - 1) * y_pitch + tile->columns;
    const int64_t tap_step = tile->depth + 2, x_step = tile->depth + 1;
    const int64_t last_tap = CNNI_MAX(tile->tap_count - 1, 0) * tap_step;
    spread_offsets(x_offsets, tile->rows, x_step);
    spread_offsets(y_offsets, tile->rows, y_pitch);
    const int64_t w_step = (tile->depth + 1) * row->tile.columns;
    spread_offsets(x_taps, tile->tap_count, tap_step);
    spread_offsets(w_taps, tile->tap_count, w_step);
    for (int64_t t = 0; t < tile->tap_count; t++)
        taps[t] = (struct cnni_conv2d_tap){x_taps[t], w_taps[tile->tap_count - 1 - t]};
    tile->x = filled(X, side, (tile->rows - 1) * x_step + last_tap + tile->depth, special);
    tile->w = filled(W, side, CNNI_MAX(tile->tap_count * w_step - row->tile.columns, 0), special);
    tile->bias = tile->bias == NULL ? NULL : filled(BIAS, side, tile->columns, special);
    tile->y = filled(Y, side, y_count, special);
    tile->x_offsets = x_offsets;
    tile->y_offsets = y_offsets;
    tile->taps = taps;
    static float before[(CNNI_TILE_COLUMNS_MAX + GAP) * MOST_ROWS];
    memcpy(before, tile->y, (size_t)y_count * sizeof *before);
    ((cnni_conv2d_row_tap_fn *)row->function)(tile);

    for (int32_t i = 0; i < (int32_t)tile->rows; i++)
        for (int32_t j = 0; j < tile->columns; j++) {
            const int64_t place = y_offsets[i] + j;
            const float start = tile->resume         ? before[place]
                                : tile->bias == NULL ? 0
                                                     : tile->bias[j];
            char where[128];
            snprintf(where, sizeof where, "tile %dx%d, %d taps of %d, at %d,%d", (int)tile->rows,
                     (int)tile->columns, (int)tile->tap_count, (int)tile->depth, (int)i, (int)j);
            check_value(row, where, tile->y[place], row_tap_value(row, tile, start, i, j),
                        tile->tap_count * tile->depth + 1, tile->relu);
            before[place] = tile->y[place];
        }
    ck_assert_msg(memcmp(before, tile->y, (size_t)y_count * sizeof *before) == 0,
                  "%s wrote between the rows of a tile %dx%d", row->name, (int)tile->rows,
                  (int)tile->columns);
}

START_TEST(row_tap_is_its_chain)
{
    const struct kernel_row *row = kernel_row("conv2d_row_tap", _i);
    static const float some = 0;
    int turn = 0;
    for (int length = 0; length < CNNI_COUNT(lengths); length++)
        for (int32_t rows = 1; rows <= 2 * row->tile.rows + 1; rows = next_rows(row, rows))
            for (int32_t columns = 1; columns <= row->tile.columns; columns++, turn++) {
                struct cnni_conv2d_tile tile = {
                    .tap_count = lengths[length].taps,
                    .depth = lengths[length].depth,
                    .rows = rows,
                    .columns = columns,
                    .bias = turn % 2 ? &some : NULL,
                    .resume = turn % 3 == 0,
                    .relu = turn % 5 < 2,
                    .ahead = 12345,
                    .ahead_step = turn % 4 == 0 ? 100 : 0,
                };
                check_row_tap(row, &tile, turn / 2 % GUARDED_SIDES, turn / 7 % SPECIALS);
            }
}
END_TEST

/* A chain cut in two by `resume` has the bits of the whole. */
START_TEST(row_tap_resumes)
{
    const struct kernel_row *row = kernel_row("conv2d_row_tap", _i);
    cnni_conv2d_row_tap_fn *run = (cnni_conv2d_row_tap_fn *)row->function;
    enum { DEPTH = 77 };
    const int32_t width = row->tile.columns;
    const ptrdiff_t x_offsets[CNNI_TILE_ROWS_MAX] = {0};
    const struct cnni_conv2d_tap tap = {0, 0};
    ptrdiff_t y_offsets[CNNI_TILE_ROWS_MAX];
    static float whole[CNNI_TILE_ROWS_MAX * CNNI_TILE_COLUMNS_MAX], cut[CNNI_COUNT(whole)];
    spread_offsets(y_offsets, row->tile.rows, width);
    struct cnni_conv2d_tile tile = {
        .x = filled(X, GUARDED_END, DEPTH, ORDINARY),
        .x_offsets = x_offsets,
        .taps = &tap,
        .tap_count = 1,
        .depth = DEPTH,
        .w = filled(W, GUARDED_END, DEPTH * width, ORDINARY),
        .y = whole,
        .y_offsets = y_offsets,
        .rows = row->tile.rows,
        .columns = width,
    };
    run(&tile);
    tile.y = cut;
    tile.depth = 30;
    run(&tile);
    tile.x += 30;
    tile.w += 30 * width;
    tile.depth = DEPTH - 30;
    tile.resume = true;
    run(&tile);
    ck_assert_msg(memcmp(whole, cut, sizeof whole) == 0, "%s: pieces differ from the whole",
                  row->name);
}
END_TEST

/* What goes past the caches has the same bits. */
START_TEST(row_tap_streams)
{
    const struct kernel_row *row = kernel_row("conv2d_row_tap", _i);
    cnni_conv2d_row_tap_fn *run = (cnni_conv2d_row_tap_fn *)row->function;
    const int32_t width = row->tile.columns;
    const size_t size = (size_t)(MOST_ROWS * width);
    const struct cnni_conv2d_tap tap = {0, 0};
    ptrdiff_t x_offsets[MOST_ROWS], y_offsets[MOST_ROWS];
    for (int32_t rows = 1; rows <= 2 * row->tile.rows + 1; rows = next_rows(row, rows)) {
        spread_offsets(x_offsets, rows, 9);
        spread_offsets(y_offsets, rows, width);
        struct cnni_conv2d_tile tile = {
            .x = filled(X, GUARDED_END, rows * 9, ORDINARY),
            .x_offsets = x_offsets,
            .taps = &tap,
            .tap_count = 1,
            .depth = 9,
            .w = filled(W, GUARDED_END, 9 * width, ORDINARY),
            .y = filled(Y, GUARDED_END, (int64_t)size, ORDINARY),
            .y_offsets = y_offsets,
            .rows = rows,
            .columns = width,
            .relu = rows % 2 == 0,
        };
        run(&tile);
        float *streamed = guarded_floats(&buffers[Y], GUARDED_BEGIN, size);
        memset(streamed, 0, size * sizeof *streamed);
        const float *stored = tile.y;
        tile.y = streamed;
        tile.stream = true;
        run(&tile);
        ck_assert_msg(memcmp(stored, streamed, (size_t)(rows * width) * sizeof *stored) == 0,
                      "%s: streaming %d rows changes them", row->name, (int)rows);
    }
}
END_TEST

/* ---- Backward-weights ---- */

static void check_filter(const struct kernel_row *row, struct cnni_conv2d_filter_tile *tile,
                         enum guarded_side side, int special)
{
    enum { GAP = 5, MOST = 256 };
    ptrdiff_t x_offsets[MOST];
    const int32_t width = row->tile.columns;
    spread_offsets(x_offsets, tile->pixels, tile->rows + 1);
    const int64_t x_count = CNNI_MAX(tile->pixels - 1, 0) * (tile->rows + 1) + tile->rows;
    const float *x = filled(X, side, x_count, special);
    for (int32_t i = 0; i < tile->rows; i++)
        tile->x[i] = x + (tile->rows - 1 - i);
    tile->x_offsets = x_offsets;
    tile->dy = filled(W, side, tile->pixels * width, special);
    tile->dw_pitch = tile->columns + GAP;
    const int64_t dw_count = (tile->rows - 1) * tile->dw_pitch + tile->columns;
    tile->dw = filled(Y, side, dw_count, ORDINARY);
    static float before[CNNI_TILE_ROWS_MAX * (CNNI_TILE_COLUMNS_MAX + GAP)];
    memcpy(before, tile->dw, (size_t)dw_count * sizeof *before);
    ((cnni_conv2d_filter_fn *)row->function)(tile);

    for (int32_t i = 0; i < tile->rows; i++)
        for (int32_t j = 0; j < tile->columns; j++) {
            struct value value = start_value(0);
            for (int64_t p = 0; p < tile->pixels; p++)
                add_link(row, &value, tile->x[i][x_offsets[p]], tile->dy[p * width + j]);
            float *old = &before[i * tile->dw_pitch + j];
            value.chain += *old;
            value.exact += *old;
            value.magnitude += fabs((double)*old);
            *old = tile->dw[i * tile->dw_pitch + j];
            char where[128];
            snprintf(where, sizeof where, "tile %dx%d, %d pixels, at %d,%d", (int)tile->rows,
                     (int)tile->columns, (int)tile->pixels, (int)i, (int)j);
            check_value(row, where, *old, value, tile->pixels + 1, false);
        }
    ck_assert_msg(memcmp(before, tile->dw, (size_t)dw_count * sizeof *before) == 0,
                  "%s wrote between the rows of a tile %dx%d", row->name, (int)tile->rows,
                  (int)tile->columns);
}

START_TEST(filter_is_its_chain)
{
    const struct kernel_row *row = kernel_row("conv2d_filter", _i);
    static const int64_t pixels[] = {0, 1, 2, 3, 7, 27, 64, 128, 255};
    int turn = 0;
    for (int i = 0; i < CNNI_COUNT(pixels); i++)
        for (int32_t rows = 1; rows <= row->tile.rows; rows++)
            for (int32_t columns = 1; columns <= row->tile.columns; columns++, turn++) {
                struct cnni_conv2d_filter_tile tile = {
                    .pixels = pixels[i], .rows = rows, .columns = columns};
                check_filter(row, &tile, turn % GUARDED_SIDES, turn / 5 % SPECIALS);
            }
}
END_TEST

/* ---- Panels of gradients ---- */

static void check_panel(const struct kernel_row *row, enum guarded_side side, int64_t pixels,
                        int32_t columns, bool sums_only, int special)
{
    const int32_t width = row->tile.columns;
    const int64_t pitch = columns + 3;
    const float *dy = filled(X, side, CNNI_MAX((pixels - 1) * pitch + columns, 0), special);
    float *panel = sums_only ? NULL : filled(Y, side, pixels * width, ORDINARY);
    float *sums = filled(BIAS, side, columns, ORDINARY);
    ((cnni_conv2d_panel_fn *)row->function)(panel, sums, dy, pixels, pitch, columns);
    for (int32_t j = 0; j < columns; j++) {
        float sum = 0;
        for (int64_t p = 0; p < pixels; p++)
            sum += dy[p * pitch + j];
        assert_value(tolerance_same(sums[j], sum), "%s: sum %d of %d pixels", row->name, (int)j,
                     (int)pixels);
    }
    for (int64_t i = 0; i < pixels * width && !sums_only; i++) {
        if (i % width >= (columns + 15) / 16 * 16)
            continue;
        const float value = i % width < columns ? dy[i / width * pitch + i % width] : 0;
        assert_value(tolerance_same(panel[i], value), "%s: place %d of %d pixels, %d columns",
                     row->name, (int)i, (int)pixels, (int)columns);
    }
}

START_TEST(panel_is_a_copy_and_sums)
{
    const struct kernel_row *row = kernel_row("conv2d_panel", _i);
    static const int64_t pixels[] = {0, 1, 2, 7, 128};
    for (int i = 0; i < CNNI_COUNT(pixels); i++)
        for (int32_t columns = 1; columns <= row->tile.columns; columns++)
            for (int turn = 0; turn < 12; turn++)
                check_panel(row, turn % 2, pixels[i], columns, turn / 2 % 2 == 1, turn / 4);
}
END_TEST

/* ---- Depthwise ---- */

static const int64_t channel_counts[] = {1, 3, 7, 8, 9, 15, 16, 17, 33, 64};

/* Taps; pixels of x from output to output, and from tap to tap. */
static const struct {
    int64_t rows, columns, step, dilation;
} depthwise_taps[] = {{0, 0, 1, 1}, {1, 1, 1, 1}, {2, 2, 1, 1}, {3, 3, 1, 1}, {2, 3, 1, 1},
                      {3, 3, 2, 1}, {1, 3, 2, 1}, {3, 3, 1, 2}, {3, 3, 3, 2}, {2, 5, 1, 1},
                      {5, 4, 2, 1}, {3, 0, 1, 1}, {0, 3, 1, 1}, {7, 7, 1, 1}};

/* Addresses that are nobody's. */
static const struct cnni_ahead nowhere = {UINTPTR_MAX - 1000, 300};

/* What the tests choose of a run; the pixels of x lie pitch apart. */
struct depthwise_case {
    int64_t pixels, channels, pitch;
    int taps, shorts; /* 1: the first pixel, 2: the last one */
    enum guarded_side side;
    int special;
};

static bool is_short(const struct depthwise_case *of, int which)
{
    return (of->shorts & which) != 0 && of->pixels > 2 && depthwise_taps[of->taps].columns > 0;
}

/* Whether pixel p of `pixels` lacks column s of `columns`. */
static bool lacks(bool first_short, bool last_short, int64_t p, int64_t pixels, int64_t s,
                  int64_t columns)
{
    return (first_short && p == 0 && s == 0) || (last_short && p == pixels - 1 && s == columns - 1);
}

static int64_t depthwise_reach(const struct depthwise_case *of)
{
    const int64_t columns = depthwise_taps[of->taps].columns;
    return (CNNI_MAX(of->pixels - 1, 0) * depthwise_taps[of->taps].step +
            CNNI_MAX(columns - 1, 0) * depthwise_taps[of->taps].dilation) *
               of->pitch +
           of->channels;
}

/* Weights turned over, as those of backward-data, in every second case. */
static struct cnni_conv2d_depthwise depthwise_run(const struct depthwise_case *of, int turn)
{
    const int64_t rows = depthwise_taps[of->taps].rows, columns = depthwise_taps[of->taps].columns;
    const int64_t reach = depthwise_reach(of), y_step = of->channels + turn % 3;
    const int64_t w_count = CNNI_MAX(rows * columns, 1) * of->channels, y_pixels = of->pixels - 1;
    struct cnni_conv2d_depthwise run = {
        .pixels = of->pixels,
        .channels = of->channels,
        .rows = rows,
        .columns = columns,
        .first_short = is_short(of, 1),
        .last_short = is_short(of, 2),
        .x = filled(X, of->side, CNNI_MAX(rows, 1) * reach, of->special),
        .x_step = depthwise_taps[of->taps].step * of->pitch,
        .x_tap_step = depthwise_taps[of->taps].dilation * of->pitch,
        .x_row_step = reach,
        .w = filled(W, of->side, w_count, of->special),
        .w_tap_step = of->channels,
        .w_row_step = columns * of->channels,
        .bias = turn % 2 ? filled(BIAS, of->side, of->channels, of->special) : NULL,
        .y = filled(Y, of->side, CNNI_MAX(y_pixels * y_step + of->channels, 0), ORDINARY),
        .y_step = y_step,
        .relu = turn % 3 == 0,
        .ahead = nowhere,
    };
    if (turn % 2) {
        run.w += w_count - of->channels;
        run.w_tap_step = -run.w_tap_step;
        run.w_row_step = -run.w_row_step;
    }
    return run;
}

static void check_depthwise(const struct kernel_row *row, const struct cnni_conv2d_depthwise *run)
{
    static float before[32 * 80];
    const int64_t count = CNNI_MAX((run->pixels - 1) * run->y_step + run->channels, 0);
    memcpy(before, run->y, (size_t)count * sizeof *before);
    ((cnni_conv2d_depthwise_fn *)row->function)(run);
    for (int64_t i = 0; i < run->pixels * run->channels; i++) {
        const int64_t p = i / run->channels, c = i % run->channels;
        struct value value = start_value(run->bias == NULL ? 0 : run->bias[c]);
        for (int64_t t = 0; t < run->rows * run->columns; t++) {
            const int64_t r = t / run->columns, s = t % run->columns;
            if (lacks(run->first_short, run->last_short, p, run->pixels, s, run->columns))
                continue;
            add_link(row, &value,
                     run->x[r * run->x_row_step + s * run->x_tap_step + p * run->x_step + c],
                     run->w[r * run->w_row_step + s * run->w_tap_step + c]);
        }
        char where[128];
        snprintf(where, sizeof where, "%dx%d taps, pixel %d of %d, channel %d of %d",
                 (int)run->rows, (int)run->columns, (int)p, (int)run->pixels, (int)c,
                 (int)run->channels);
        check_value(row, where, run->y[p * run->y_step + c], value, run->rows * run->columns + 1,
                    run->relu);
        before[p * run->y_step + c] = run->y[p * run->y_step + c];
    }
    ck_assert_msg(memcmp(before, run->y, (size_t)count * sizeof *before) == 0,
                  "%s wrote between pixels", row->name);
}

START_TEST(depthwise_is_its_chain)
{
    const struct kernel_row *row = kernel_row("conv2d_depthwise", _i);
    int turn = 0;
    for (int taps = 0; taps < CNNI_COUNT(depthwise_taps); taps++)
        for (int size = 0; size < CNNI_COUNT(channel_counts); size++)
            for (int64_t pixels = 0; pixels <= 9; pixels++, turn++) {
                const struct depthwise_case of = {
                    .pixels = pixels,
                    .channels = channel_counts[size],
                    .pitch = channel_counts[size] + turn % 4,
                    .taps = taps,
                    .shorts = turn % 7 % 4,
                    .side = turn / 2 % GUARDED_SIDES,
                    .special = turn / 5 % SPECIALS,
                };
                const struct cnni_conv2d_depthwise run = depthwise_run(&of, turn);
                check_depthwise(row, &run);
            }
}
END_TEST

START_TEST(depthwise_streams)
{
    const struct kernel_row *row = kernel_row("conv2d_depthwise", _i);
    cnni_conv2d_depthwise_fn *function = (cnni_conv2d_depthwise_fn *)row->function;
    enum { CHANNELS = 48 };
    for (int taps = 0; taps < CNNI_COUNT(depthwise_taps); taps++)
        for (int64_t pixels = 1; pixels <= 9; pixels++) {
            const struct depthwise_case of = {.pixels = pixels,
                                              .channels = CHANNELS,
                                              .pitch = CHANNELS,
                                              .taps = taps,
                                              .shorts = (int)(pixels + taps) % 4};
            struct cnni_conv2d_depthwise run = depthwise_run(&of, 3);
            const size_t count = (size_t)(pixels * CHANNELS);
            function(&run);
            const float *stored = run.y;
            run.y = guarded_floats(&buffers[Y], GUARDED_BEGIN, count);
            memset(run.y, 0, count * sizeof *run.y);
            run.stream = true;
            function(&run);
            ck_assert_msg(memcmp(stored, run.y, count * sizeof *stored) == 0,
                          "%s: streaming %d pixels changes them", row->name, (int)pixels);
        }
}
END_TEST

/* The chain of `pixels` that starts with `before`; of dy alone where x is NULL. */
static void check_sum(const struct kernel_row *row, const char *what, float got, float before,
                      const float *x, ptrdiff_t x_step, const float *dy, int64_t dy_step,
                      int64_t pixels)
{
    static const float one = 1;
    struct value value = start_value(before);
    for (int64_t p = 0; p < pixels; p++)
        add_link(row, &value, x == NULL ? one : x[p * x_step], dy[p * dy_step]);
    check_value(row, what, got, value, pixels + 1, false);
}

static void check_depthwise_filter(const struct kernel_row *row, const struct depthwise_case *of)
{
    static float dw[64 * 64], db[64];
    const int64_t c_count = of->channels, reach = depthwise_reach(of);
    const int64_t rows = depthwise_taps[of->taps].rows, columns = depthwise_taps[of->taps].columns;
    const struct cnni_conv2d_depthwise_filter run = {
        .pixels = of->pixels,
        .channels = c_count,
        .rows = rows,
        .columns = columns,
        .first_short = is_short(of, 1),
        .last_short = is_short(of, 2),
        .x = filled(X, of->side, CNNI_MAX(rows, 1) * reach, of->special),
        .x_step = depthwise_taps[of->taps].step * of->pitch,
        .x_tap_step = depthwise_taps[of->taps].dilation * of->pitch,
        .x_row_step = reach,
        .dy = filled(W, of->side, of->pixels * c_count, of->special),
        .dw = filled(Y, of->side, rows * columns * c_count, ORDINARY),
        .dw_tap_step = c_count,
        .dw_row_step = columns * c_count,
        .db = filled(BIAS, of->side, c_count, ORDINARY),
        .x_ahead = nowhere,
        .dy_ahead = nowhere,
    };
    memcpy(dw, run.dw, (size_t)(rows * columns * c_count) * sizeof *dw);
    memcpy(db, run.db, (size_t)c_count * sizeof *db);
    ((cnni_conv2d_depthwise_filter_fn *)row->function)(&run);
    for (int64_t i = 0; i < rows * columns * c_count; i++) {
        const int64_t t = i / c_count, c = i % c_count;
        const float *x = run.x + t / columns * run.x_row_step + t % columns * run.x_tap_step + c;
        const int64_t first = run.first_short && t % columns == 0 ? 1 : 0;
        const int64_t end = of->pixels - (run.last_short && t % columns == columns - 1 ? 1 : 0);
        check_sum(row, "depthwise dw", run.dw[i], dw[i], x + first * run.x_step, run.x_step,
                  run.dy + first * c_count + c, c_count, end - first);
    }
    for (int64_t c = 0; c < c_count; c++)
        check_sum(row, "depthwise db", run.db[c], db[c], NULL, 0, run.dy + c, c_count, of->pixels);
}

START_TEST(depthwise_filter_is_its_chain)
{
    const struct kernel_row *row = kernel_row("conv2d_depthwise_filter", _i);
    static const int64_t pixel_counts[] = {0, 1, 2, 27, 128};
    int turn = 0;
    for (int taps = 0; taps < CNNI_COUNT(depthwise_taps); taps++)
        for (int size = 0; size < CNNI_COUNT(channel_counts); size++)
            for (int length = 0; length < CNNI_COUNT(pixel_counts); length++, turn++)
                check_depthwise_filter(row, &(struct depthwise_case){
                                                .pixels = pixel_counts[length],
                                                .channels = channel_counts[size],
                                                .pitch = channel_counts[size] + turn % 4,
                                                .taps = taps,
                                                .shorts = turn % 7 % 4,
                                                .side = turn % GUARDED_SIDES,
                                                .special = turn / 2 % SPECIALS,
                                            });
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"conv2d_row_tap", "conv2d_filter", "conv2d_panel",
                                        "conv2d_depthwise", "conv2d_depthwise_filter"};
    TCase *tcase = tcase_create("conv2d");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "conv2d_row_tap", row_tap_is_its_chain);
    KERNEL_ROWS_TEST(tcase, "conv2d_row_tap", row_tap_resumes);
    KERNEL_ROWS_TEST(tcase, "conv2d_row_tap", row_tap_streams);
    KERNEL_ROWS_TEST(tcase, "conv2d_filter", filter_is_its_chain);
    KERNEL_ROWS_TEST(tcase, "conv2d_panel", panel_is_a_copy_and_sums);
    KERNEL_ROWS_TEST(tcase, "conv2d_depthwise", depthwise_is_its_chain);
    KERNEL_ROWS_TEST(tcase, "conv2d_depthwise", depthwise_streams);
    KERNEL_ROWS_TEST(tcase, "conv2d_depthwise_filter", depthwise_filter_is_its_chain);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
