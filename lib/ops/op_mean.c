/* SPDX-License-Identifier: MIT
 * Means: an item is some channels of one picture, whose sums a kernel of backward-weights makes in
 * passing. */
#include "ops/op_mean.h"

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_bias.h"

struct work {
    const struct cnni_kernels *kernels;
    int64_t pixels, c, levels;
    int64_t width, parts; /* channels of an item; items of a picture */
    const float *x;
    float *y;
    float *scratch; /* [lanes][levels + 1][CNNI_TILE_COLUMNS_MAX] */
};

bool cnni_mean_scratch_bytes(size_t *bytes, int64_t pixels, int32_t lanes)
{
    return cnni_mul_size(bytes, (size_t)(cnni_bias_levels(pixels) + 1) * CNNI_TILE_COLUMNS_MAX,
                         (size_t)lanes * sizeof(float));
}

static void run_item(void *task, int64_t item, int32_t lane)
{
    const struct work *work = task;
    const int64_t first = item % work->parts * work->width, picture = item / work->parts;
    const int64_t columns = CNNI_MIN(work->width, work->c - first);
    const float *x = work->x + picture * work->pixels * work->c + first;
    float *y = work->y + picture * work->c + first;
    float *sums = work->scratch + lane * (work->levels + 1) * CNNI_TILE_COLUMNS_MAX;
    struct cnni_bias_tree tree = {
        .kernels = work->kernels, .filters = columns, .levels = sums + CNNI_TILE_COLUMNS_MAX};
    for (int64_t p = 0; p < work->pixels; p += CNNI_BIAS_BLOCK) {
        work->kernels->conv2d_panel(NULL, sums, x + p * work->c,
                                    CNNI_MIN(CNNI_BIAS_BLOCK, work->pixels - p), work->c,
                                    (int32_t)columns);
        cnni_bias_add(&tree, sums);
    }
    cnni_bias_total(&tree, sums);
    for (int64_t k = 0; k < columns; k++)
        y[k] = sums[k] / (float)work->pixels;
}

void cnni_mean_forward(cnn_context *context, int32_t lanes, int64_t n, int64_t pixels, int64_t c,
                       float *y, const float *x, float *scratch)
{
    const struct cnni_kernels *kernels = cnni_kernels(context->cpu);
    struct work work = {.kernels = kernels,
                        .pixels = pixels,
                        .c = c,
                        .levels = cnni_bias_levels(pixels),
                        .width = kernels->conv2d_panel_tile.columns,
                        .x = x,
                        .y = y,
                        .scratch = scratch};
    work.parts = cnni_ceil_div(c, work.width);
    cnni_parallel(context, lanes, n * work.parts, run_item, &work);
}
