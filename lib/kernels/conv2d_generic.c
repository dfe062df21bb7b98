/* SPDX-License-Identifier: MIT
 * Convolution tiles in portable C: the specification in plain loops, and what runs where there is
 * no other kernel.  Contracts: kernels.h. */
#include "kernels/kernels.h"

enum { WIDTH = 16 };

static void row_tap_row(const struct cnni_conv2d_tile *tile, const float *x, float *y)
{
    float sum[WIDTH] = {0};
    const float *start = tile->resume ? y : tile->bias;
    for (int32_t j = 0; start != NULL && j < tile->columns; j++)
        sum[j] = start[j];
    for (int64_t t = 0; t < tile->tap_count; t++)
        for (int64_t d = 0; d < tile->depth; d++) {
            const float value = x[tile->taps[t].x + d];
            const float *w = tile->w + tile->taps[t].w + d * WIDTH;
            for (int32_t j = 0; j < WIDTH; j++)
                sum[j] += value * w[j];
        }
    for (int32_t j = 0; j < tile->columns; j++)
        y[j] = tile->relu && sum[j] <= 0 ? 0 : sum[j];
}

void cnni_conv2d_row_tap_generic(const struct cnni_conv2d_tile *tile)
{
    for (int64_t i = 0; i < tile->rows; i++)
        row_tap_row(tile, tile->x + tile->x_offsets[i], tile->y + tile->y_offsets[i]);
}

void cnni_conv2d_filter_generic(const struct cnni_conv2d_filter_tile *tile)
{
    for (int32_t i = 0; i < tile->rows; i++) {
        float sum[WIDTH] = {0};
        for (int64_t p = 0; p < tile->pixels; p++) {
            const float value = tile->x[i][tile->x_offsets[p]];
            for (int32_t j = 0; j < WIDTH; j++)
                sum[j] += value * tile->dy[p * WIDTH + j];
        }
        for (int32_t j = 0; j < tile->columns; j++)
            tile->dw[i * tile->dw_pitch + j] += sum[j];
    }
}

void cnni_conv2d_panel_generic(float *panel, float *sums, const float *dy, int64_t pixels,
                               int64_t pitch, int32_t columns)
{
    for (int32_t j = 0; j < columns; j++) {
        sums[j] = 0;
        for (int64_t p = 0; p < pixels; p++)
            sums[j] += dy[p * pitch + j];
    }
    for (int64_t p = 0; p < pixels && panel != NULL; p++)
        for (int32_t j = 0; j < WIDTH; j++)
            panel[p * WIDTH + j] = j < columns ? dy[p * pitch + j] : 0;
}
