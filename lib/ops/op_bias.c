/* SPDX-License-Identifier: MIT
 * Sums over pixels.  The tree is used by op_conv2d_grad.c and op_depthwise_grad.c as well, which
 * have sums of blocks of their own. */
#include "ops/op_bias.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"

enum { MOST_CHUNKS = 16 /* for threads to share */ };

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

/* ---- A whole gradient ---- */

struct sums {
    const struct cnni_kernels *kernels;
    const float *dy;
    int64_t pixels, filters, levels, chunks;
    float *totals; /* [chunks][filters] */
    float *memory; /* [lanes][levels + 1][filters] */
};

static int64_t chunk_count(int64_t pixels)
{
    return CNNI_MIN(cnni_ceil_div(pixels, CNNI_BIAS_BLOCK), MOST_CHUNKS);
}

static void add_block(const struct sums *sums, struct cnni_bias_tree *tree, float *block,
                      int64_t first, int64_t pixels)
{
    const int64_t filters = sums->filters, width = sums->kernels->conv2d_panel_tile.columns;
    for (int64_t k = 0; k < filters; k += width)
        sums->kernels->conv2d_panel(NULL, block + k, sums->dy + first * filters + k, pixels,
                                    filters, (int32_t)CNNI_MIN(filters - k, width));
    cnni_bias_add(tree, block);
}

/* An item is a chunk of blocks. */
static void sum_chunk(void *task, int64_t chunk, int32_t lane)
{
    const struct sums *sums = task;
    float *block = sums->memory + lane * (sums->levels + 1) * sums->filters;
    struct cnni_bias_tree tree = {
        .kernels = sums->kernels, .filters = sums->filters, .levels = block + sums->filters};
    const int64_t blocks = cnni_ceil_div(sums->pixels, CNNI_BIAS_BLOCK);
    const int64_t end = (chunk + 1) * blocks / sums->chunks;
    for (int64_t number = chunk * blocks / sums->chunks; number < end; number++) {
        const int64_t first = number * CNNI_BIAS_BLOCK;
        add_block(sums, &tree, block, first, CNNI_MIN(sums->pixels - first, CNNI_BIAS_BLOCK));
    }
    cnni_bias_total(&tree, sums->totals + chunk * sums->filters);
}

int64_t cnni_bias_scratch_size(int64_t pixels, int64_t filters, int32_t lanes)
{
    return filters * (chunk_count(pixels) + lanes * (cnni_bias_levels(pixels) + 1));
}

void cnni_bias_gradient(cnn_context *context, int32_t lanes, float *db, const float *dy,
                        int64_t pixels, int64_t filters, float *scratch)
{
    struct sums sums = {
        .kernels = cnni_kernels(context->cpu),
        .dy = dy,
        .pixels = pixels,
        .filters = filters,
        .levels = cnni_bias_levels(pixels),
        .chunks = chunk_count(pixels),
        .totals = scratch,
    };
    sums.memory = scratch + sums.chunks * filters;
    cnni_parallel(context, lanes, sums.chunks, sum_chunk, &sums);
    for (int64_t chunk = 0; chunk < sums.chunks; chunk++)
        sums.kernels->vector_add(filters, db, db, sums.totals + chunk * filters);
}
