/* SPDX-License-Identifier: MIT
 * Pooling and expanding a convolution's outputs, by the kernels of max-pooling. */
#include "ops/op_conv2d_pool.h"

#include <string.h>

enum { SIDE = 2 /* of a window, and its stride */ };

/* Where the results of the window at (row, column) begin. */
static int64_t window_place(const struct cnni_conv2d *conv, int64_t picture, int64_t row,
                            int64_t column)
{
    const int64_t line = picture * (conv->oh / SIDE) + row / SIDE;
    return (line * (conv->ow / SIDE) + column / SIDE) * conv->k;
}

void cnni_conv2d_pool(const struct cnni_kernels *kernels, const struct cnni_conv2d *conv,
                      const struct cnni_area *area, float *y, uint8_t *winners,
                      const float *outputs, bool gate)
{
    const int64_t down = CNNI_MIN(area->rows, conv->oh - area->row) / SIDE;
    const int64_t pitch = area->columns * conv->k;
    const struct cnni_maxpool2d_windows windows = {
        .windows = CNNI_MIN(area->columns, conv->ow - area->column) / SIDE,
        .channels = conv->k,
        .rows = SIDE,
        .columns = SIDE,
        .x_step = SIDE * conv->k,
        .row_pitch = pitch,
        .number_pitch = SIDE,
        .winner_size = winners == NULL ? 0 : 1,
        .gate = gate,
    };
    for (int64_t i = 0; i < down; i++, outputs += SIDE * pitch) {
        const int64_t place = window_place(conv, area->picture, area->row + SIDE * i, area->column);
        kernels->maxpool2d_forward(&windows, y + place, winners == NULL ? NULL : winners + place,
                                   outputs);
    }
}

/* ---- Expanding: rows of pixels, one alone or the two of a row of windows ---- */

struct expansion {
    const struct cnni_kernels *kernels;
    const struct cnni_conv2d *conv;
    const struct cnni_area *area;
    const float *dy;
    const uint8_t *winners;
};

/* `count` neighbouring windows' pixels from (row, column) on: `rows` of their rows, and both
 * columns, or, with one window, `columns` of them. */
static void expand_windows(const struct expansion *expansion, float *gradient, int64_t row,
                           int64_t rows, int64_t column, int64_t columns, int64_t count)
{
    const struct cnni_conv2d *conv = expansion->conv;
    const struct cnni_maxpool2d_windows windows = {
        .windows = count,
        .channels = conv->k,
        .rows = rows,
        .columns = columns,
        .x_step = SIDE * conv->k,
        .row_pitch = expansion->area->columns * conv->k,
        .first = (int32_t)(row % SIDE * SIDE + column % SIDE),
        .number_pitch = SIDE,
        .winner_size = 1,
    };
    const int64_t place = window_place(conv, expansion->area->picture, row, column);
    expansion->kernels->maxpool2d_backward(&windows, gradient, expansion->dy + place,
                                           expansion->winners + place, true);
}

static void clear(const struct expansion *expansion, float *gradient, int64_t rows, int64_t count)
{
    const int64_t k = expansion->conv->k, pitch = expansion->area->columns * k;
    for (int64_t i = 0; i < rows && count > 0; i++)
        memset(gradient + i * pitch, 0, (size_t)(count * k) * sizeof *gradient);
}

/* The area's columns, half a window at either end where they begin or end in one, and zeros where
 * there is no window. */
static void expand_rows(const struct expansion *expansion, float *gradient, int64_t row,
                        int64_t rows)
{
    const struct cnni_conv2d *conv = expansion->conv;
    const int64_t k = conv->k, first = expansion->area->column;
    const int64_t all = first + expansion->area->columns;
    const int64_t windowed = row < conv->oh / SIDE * SIDE ? conv->ow / SIDE * SIDE : 0;
    const int64_t end = CNNI_MAX(CNNI_MIN(all, windowed), first);
    int64_t column = first;
    if (column % SIDE != 0 && column < end) {
        expand_windows(expansion, gradient, row, rows, column, 1, 1);
        column++;
    }
    const int64_t whole = (end - column) / SIDE;
    if (whole > 0)
        expand_windows(expansion, gradient + (column - first) * k, row, rows, column, SIDE, whole);
    column += SIDE * whole;
    if (column < end)
        expand_windows(expansion, gradient + (column - first) * k, row, rows, column, 1, 1);
    clear(expansion, gradient + (end - first) * k, rows, all - end);
}

void cnni_conv2d_expand(const struct cnni_kernels *kernels, const struct cnni_conv2d *conv,
                        const struct cnni_area *area, float *gradient, const float *dy,
                        const uint8_t *winners)
{
    const struct expansion expansion = {kernels, conv, area, dy, winners};
    const int64_t pitch = area->columns * conv->k;
    for (int64_t i = 0, rows; i < area->rows; i += rows, gradient += rows * pitch) {
        const int64_t row = area->row + i;
        rows = row % SIDE == 0 && i + SIDE <= area->rows ? SIDE : 1;
        expand_rows(&expansion, gradient, row, rows);
    }
}
