/* SPDX-License-Identifier: MIT
 * Depthwise convolution in portable C.  Contracts: kernels.h. */
#include "kernels/kernels.h"

/* The columns of taps that pixel p has. */
static int64_t first_column(bool first_short, int64_t p)
{
    return first_short && p == 0 ? 1 : 0;
}

static int64_t end_column(bool last_short, int64_t p, int64_t pixels, int64_t columns)
{
    return last_short && p == pixels - 1 ? columns - 1 : columns;
}

/* The chain of one output. */
static float chain(const struct cnni_conv2d_depthwise *run, int64_t p, int64_t c)
{
    const int64_t end = end_column(run->last_short, p, run->pixels, run->columns);
    float sum = run->bias != NULL ? run->bias[c] : 0;
    for (int64_t i = 0; i < run->rows; i++)
        for (int64_t j = first_column(run->first_short, p); j < end; j++) {
            const float *x = run->x + i * run->x_row_step + j * run->x_tap_step;
            sum += x[p * run->x_step + c] * run->w[i * run->w_row_step + j * run->w_tap_step + c];
        }
    return sum;
}

void cnni_conv2d_depthwise_generic(const struct cnni_conv2d_depthwise *run)
{
    for (int64_t p = 0; p < run->pixels; p++)
        for (int64_t c = 0; c < run->channels; c++) {
            const float sum = chain(run, p, c);
            run->y[p * run->y_step + c] = run->relu && sum <= 0 ? 0 : sum;
        }
}

/* One pixel's share of one tap. */
static void add_tap(const struct cnni_conv2d_depthwise_filter *run, int64_t p, int64_t i, int64_t j)
{
    const float *x = run->x + i * run->x_row_step + j * run->x_tap_step + p * run->x_step;
    const float *dy = run->dy + p * run->channels;
    float *dw = run->dw + i * run->dw_row_step + j * run->dw_tap_step;
    for (int64_t c = 0; c < run->channels; c++)
        dw[c] += x[c] * dy[c];
}

void cnni_conv2d_depthwise_filter_generic(const struct cnni_conv2d_depthwise_filter *run)
{
    for (int64_t p = 0; p < run->pixels; p++) {
        const int64_t end = end_column(run->last_short, p, run->pixels, run->columns);
        for (int64_t c = 0; c < run->channels; c++)
            run->db[c] += run->dy[p * run->channels + c];
        for (int64_t i = 0; i < run->rows; i++)
            for (int64_t j = first_column(run->first_short, p); j < end; j++)
                add_tap(run, p, i, j);
    }
}
