/* SPDX-License-Identifier: MIT
 * A pairwise tree over the sums of blocks, which all kinds of backward-weights have from passing
 * over dy; and the same for layers without. */
#include "ops/op_bias.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "ops/op_activation.h"
#include "ops/op_conv2d_pass.h"

enum { MOST_CHUNKS = 16 /* of blocks, for threads to share */ };

void cnni_bias_fill(const struct cnni_kernels *kernels, int64_t pixels, int64_t channels, float *y,
                    const float *b, bool relu)
{
    if (b == NULL) {
        memset(y, 0, (size_t)(pixels * channels) * sizeof *y);
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        memcpy(y + i * channels, b, (size_t)channels * sizeof *y);
    if (relu)
        cnni_activation_apply(kernels, &(struct cnni_activation){.kind = CNN_RELU},
                              pixels * channels, y, y);
}

int64_t cnni_bias_levels(int64_t pixels)
{
    int64_t levels = 1;
    for (; pixels > 1; pixels /= 2)
        levels++;
    return levels;
}

void cnni_bias_add(struct cnni_bias_tree *tree, float *sums)
{
    float *level = tree->levels;
    for (int64_t bits = tree->blocks; bits & 1; bits >>= 1, level += tree->filters)
        tree->kernels->vector_add(tree->filters, sums, level, sums);
    memcpy(level, sums, (size_t)tree->filters * sizeof *sums);
    tree->blocks++;
}

void cnni_bias_total(const struct cnni_bias_tree *tree, float *sums)
{
    const float *level = tree->levels;
    memset(sums, 0, (size_t)tree->filters * sizeof *sums);
    for (int64_t bits = tree->blocks; bits != 0; bits >>= 1, level += tree->filters)
        if (bits & 1)
            tree->kernels->vector_add(tree->filters, sums, level, sums);
}

/* ---- All of dy ---- */

struct sums {
    const struct cnni_kernels *kernels;
    int64_t pixels, channels, chunks;
    const float *dy;
    float *scratch; /* [chunks][1 + levels][channels]: the sums of a block, or all; the tree */
    int64_t chunk_size;
};

static int64_t block_count(int64_t pixels)
{
    return cnni_ceil_div(pixels, CNNI_BIAS_BLOCK);
}

static int64_t chunk_count(int64_t pixels)
{
    return CNNI_MIN(block_count(pixels), MOST_CHUNKS);
}

int64_t cnni_bias_scratch_size(int64_t pixels, int64_t channels)
{
    return cnni_size_product(chunk_count(pixels) * (1 + cnni_bias_levels(pixels)), channels);
}

/* The sums of `pixels` pixels from `first` on. */
static void sum_block(const struct sums *work, float *sums, int64_t first, int64_t pixels)
{
    const int32_t width = work->kernels->conv2d_panel_tile.columns;
    const float *dy = work->dy + first * work->channels;
    for (int64_t j = 0; j < work->channels; j += width)
        work->kernels->conv2d_panel(NULL, sums + j, dy + j, pixels, work->channels,
                                    (int32_t)CNNI_MIN(work->channels - j, width));
}

static void sum_chunk(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct sums *work = task;
    const int64_t blocks = block_count(work->pixels);
    float *sums = work->scratch + item * work->chunk_size;
    struct cnni_bias_tree tree = {work->kernels, work->channels, sums + work->channels, 0};
    for (int64_t i = item * blocks / work->chunks; i < (item + 1) * blocks / work->chunks; i++) {
        const int64_t first = i * CNNI_BIAS_BLOCK;
        sum_block(work, sums, first, CNNI_MIN(work->pixels - first, CNNI_BIAS_BLOCK));
        cnni_bias_add(&tree, sums);
    }
    cnni_bias_total(&tree, sums);
}

void cnni_bias_gradient(cnn_context *context, int32_t lanes, int64_t pixels, int64_t channels,
                        float *db, const float *dy, float *scratch)
{
    struct sums work = {.kernels = cnni_kernels(context->cpu),
                        .pixels = pixels,
                        .channels = channels,
                        .chunks = chunk_count(pixels),
                        .dy = dy,
                        .scratch = scratch,
                        .chunk_size = (1 + cnni_bias_levels(pixels)) * channels};
    cnni_parallel(context, lanes, work.chunks, sum_chunk, &work);
    for (int64_t i = 0; i < work.chunks; i++)
        work.kernels->vector_add(channels, db, db, scratch + i * work.chunk_size);
}
