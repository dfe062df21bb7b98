/* SPDX-License-Identifier: MIT
 * Winograd forward and backward-data: transform the inputs of some tiles, multiply at each point,
 * transform the products to outputs.  With many blocks of tiles an item of parallel work is a
 * block, whose numbers stay in the L2 cache through all three stages; with few, blocks follow each
 * other and the items are parts of a stage.  The weights are packed in op_winograd_pack.c. */
#include "ops/op_winograd.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

enum {
    WANTED_ITEMS = 16, /* for threads to share */
    STAGE_ROWS = 4,    /* of an item of expanding */
    STAGE_TILES = 4,   /* of an item of the first and last stage */
    PIECE = 512        /* links of a chain done in one go, as in op_conv2d.c */
};

/* ---- A pass being run ---- */

struct run {
    const struct cnni_kernels *kernels;
    const struct cnni_winograd_pass *pass;
    int64_t panels;
    float *target;
    uint8_t *winners;
    const float *source, *packed, *bias;
    const struct cnni_conv2d_tail *tail;
    bool relu;

    const float *zeros;                     /* [source_channels] */
    const ptrdiff_t *x_offsets, *y_offsets; /* [block] of the matrix products */
    float *memory; /* of each lane; a block that all share is in the first */
    struct layout {
        int64_t m, expanded, outputs, all; /* where they begin in it, in floats */
    } at;
};

/* The block that is worked on: v [points][block][source channels] and m [points][block][target
 * channels]; and rows of the source, in place or expanded into its memory. */
struct block {
    int64_t first, count;
    float *v, *m, *expanded;
    struct cnni_winograd_source source;
    int64_t end_row;
};

static struct block block_at(const struct run *run, int64_t number, float *memory)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const int64_t first = number * pass->block;
    struct block block = {
        .first = first,
        .count = CNNI_MIN(pass->tiles - first, pass->block),
        .v = memory,
        .m = memory + run->at.m,
        .source = {.rows = run->source, .zeros = run->zeros},
    };
    if (pass->expands) {
        block.expanded = memory + run->at.expanded;
        block.source.rows = block.expanded;
        cnni_winograd_source_rows(pass, first, block.count, &block.source.first_row,
                                  &block.end_row);
    }
    return block;
}

/* Rows number `first` to `end` of those that the block reads. */
static void expand_rows(const struct run *run, const struct block *block, int64_t first,
                        int64_t end)
{
    const struct cnni_winograd_pass *pass = run->pass;
    struct cnni_area area = {.columns = pass->source_w};
    for (int64_t row = first; row < end; row += area.rows) {
        area.picture = row / pass->source_h;
        area.row = row % pass->source_h;
        area.rows = CNNI_MIN(end - row, pass->source_h - area.row);
        cnni_conv2d_expand(run->kernels, pass->conv, &area,
                           block->expanded + (row - block->source.first_row) * pass->source_w *
                                                 pass->source_channels,
                           run->source, run->winners);
    }
}

static void transform_inputs(const struct run *run, const struct block *block, int64_t first,
                             int64_t end)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const float *pixels[CNNI_WINOGRAD_POINTS_MOST];
    for (int64_t t = first; t < end; t++) {
        cnni_winograd_source_pixels(pass, block->first + t, &block->source, pixels);
        const struct cnni_winograd_input tile = {
            .x = pixels,
            .v = block->v + t * pass->source_channels,
            .point_pitch = pass->block * pass->source_channels,
            .channels = pass->source_channels,
            .outputs = pass->outputs,
        };
        run->kernels->winograd_input(&tile);
    }
}

/* m = v * weights at one point, for one panel of target channels. */
static void multiply(const struct run *run, const struct block *block, int64_t point, int64_t panel)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const struct cnni_tile most = run->kernels->conv2d_row_tap_tile;
    const int64_t depth = pass->source_channels, channel = panel * most.columns;
    const struct cnni_conv2d_tap tap = {0, 0};
    struct cnni_conv2d_tile tile = {
        .x_offsets = run->x_offsets,
        .taps = &tap,
        .tap_count = 1,
        .y = block->m + point * pass->block * pass->target_channels + channel,
        .y_offsets = run->y_offsets,
        .rows = block->count,
        .columns = (int32_t)CNNI_MIN(pass->target_channels - channel, most.columns),
    };
    for (int64_t done = 0; done < depth; done += tile.depth) {
        tile.x = block->v + point * pass->block * depth + done;
        tile.w = run->packed + ((point * run->panels + panel) * depth + done) * most.columns;
        tile.depth = CNNI_MIN(depth - done, PIECE);
        tile.resume = done > 0;
        run->kernels->conv2d_row_tap(&tile);
    }
}

/* Where the outputs of a tile go: into the target, or side by side, to be pooled. */
static void point_at_outputs(const struct run *run, int64_t tile, float *outputs,
                             const float **pixels)
{
    const struct cnni_winograd_pass *pass = run->pass;
    if (!pass->pools)
        cnni_winograd_target_pixels(pass, tile, run->target, NULL, pixels);
    for (int32_t i = 0; pass->pools && i < pass->outputs * pass->outputs; i++)
        pixels[i] = outputs + i * pass->target_channels;
}

static void transform_outputs(const struct run *run, const struct block *block, int64_t first,
                              int64_t end, int32_t lane)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const float *pixels[CNNI_WINOGRAD_PIXELS_MOST];
    float *outputs = run->memory + lane * run->at.all + run->at.outputs;
    for (int64_t t = first; t < end; t++) {
        point_at_outputs(run, block->first + t, outputs, pixels);
        const struct cnni_winograd_output tile = {
            .m = block->m + t * pass->target_channels,
            .y = (float *const *)pixels, /* they point into the target, which is ours to write */
            .bias = run->bias,
            .point_pitch = pass->block * pass->target_channels,
            .channels = pass->target_channels,
            .outputs = pass->outputs,
            .relu = run->relu,
        };
        run->kernels->winograd_output(&tile);
        const struct cnni_area area = cnni_winograd_target_area(pass, block->first + t);
        if (pass->pools)
            cnni_conv2d_pool(run->kernels, pass->conv, &area, run->target, run->winners, outputs,
                             run->relu);
        for (int32_t i = 0; run->tail != NULL && i < pass->outputs * pass->outputs; i++)
            if (pixels[i] != NULL)
                cnni_conv2d_finish(run->kernels, run->tail, run->target, pixels[i] - run->target,
                                   pass->target_channels);
    }
}

/* ---- An item is a block ---- */

static void run_block(void *task, int64_t item, int32_t lane)
{
    const struct run *run = task;
    const struct block block = block_at(run, item, run->memory + lane * run->at.all);
    expand_rows(run, &block, block.source.first_row, block.end_row);
    transform_inputs(run, &block, 0, block.count);
    for (int64_t point = 0; point < run->pass->points; point++)
        for (int64_t panel = 0; panel < run->panels; panel++)
            multiply(run, &block, point, panel);
    transform_outputs(run, &block, 0, block.count, lane);
}

/* ---- An item is a part of a stage ---- */

struct stage {
    const struct run *run;
    struct block block;
};

static int64_t stage_end(const struct stage *stage, int64_t item)
{
    return CNNI_MIN((item + 1) * STAGE_TILES, stage->block.count);
}

static void run_expansion(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct stage *stage = task;
    const struct block *block = &stage->block;
    const int64_t first = block->source.first_row + item * STAGE_ROWS;
    expand_rows(stage->run, block, first, CNNI_MIN(first + STAGE_ROWS, block->end_row));
}

static void run_inputs(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct stage *stage = task;
    transform_inputs(stage->run, &stage->block, item * STAGE_TILES, stage_end(stage, item));
}

static void run_product(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct stage *stage = task;
    multiply(stage->run, &stage->block, item / stage->run->panels, item % stage->run->panels);
}

static void run_outputs(void *task, int64_t item, int32_t lane)
{
    const struct stage *stage = task;
    transform_outputs(stage->run, &stage->block, item * STAGE_TILES, stage_end(stage, item), lane);
}

static void run_stages(const struct cnni_conv2d_call *call, const struct run *run, int64_t blocks)
{
    for (int64_t number = 0; number < blocks; number++) {
        struct stage stage = {run, block_at(run, number, run->memory)};
        const int64_t rows = stage.block.end_row - stage.block.source.first_row;
        const int64_t groups = cnni_ceil_div(stage.block.count, STAGE_TILES);
        cnni_parallel(call->context, call->lanes, cnni_ceil_div(rows, STAGE_ROWS), run_expansion,
                      &stage);
        cnni_parallel(call->context, call->lanes, groups, run_inputs, &stage);
        cnni_parallel(call->context, call->lanes, run->pass->points * run->panels, run_product,
                      &stage);
        cnni_parallel(call->context, call->lanes, groups, run_outputs, &stage);
    }
}

/* ---- The pass ---- */

/* zeros and offsets, before the memory of the lanes; in floats, each in whole cache lines. */
static int64_t head_size(const struct cnni_winograd_pass *pass)
{
    const int64_t offsets = 2 * pass->block * (int64_t)(sizeof(ptrdiff_t) / sizeof(float));
    return cnni_ceil_div(pass->source_channels, 16) * 16 + cnni_ceil_div(offsets, 16) * 16;
}

/* Of one lane: v, m, expanded rows, outputs to be pooled. */
static struct layout lay_out(const struct cnni_winograd_pass *pass)
{
    const int64_t tiles = pass->points * pass->block;
    const int64_t rows = (pass->block / pass->across) * pass->outputs + 2;
    const int64_t row = cnni_size_product(pass->source_w, pass->source_channels);
    const int64_t outputs = pass->outputs * pass->outputs * pass->target_channels;
    struct layout at = {.all = 0};
    cnni_size_take(&at.all, cnni_size_product(tiles, pass->source_channels));
    at.m = cnni_size_take(&at.all, cnni_size_product(tiles, pass->target_channels));
    at.expanded = cnni_size_take(&at.all, pass->expands ? cnni_size_product(rows, row) : 0);
    at.outputs = cnni_size_take(&at.all, pass->pools ? outputs : 0);
    return at;
}

int64_t cnni_winograd_scratch_size(const struct cnni_winograd_pass *pass, int32_t lanes)
{
    return cnni_size_sum(head_size(pass), cnni_size_product(lay_out(pass).all, lanes));
}

static void fill_head(struct run *run, float *scratch)
{
    const struct cnni_winograd_pass *pass = run->pass;
    ptrdiff_t *x_offsets =
        (ptrdiff_t *)(void *)(scratch + cnni_ceil_div(pass->source_channels, 16) * 16);
    ptrdiff_t *y_offsets = x_offsets + pass->block;
    memset(scratch, 0, (size_t)pass->source_channels * sizeof *scratch);
    for (int64_t t = 0; t < pass->block; t++) {
        x_offsets[t] = t * pass->source_channels;
        y_offsets[t] = t * pass->target_channels;
    }
    run->zeros = scratch;
    run->x_offsets = x_offsets;
    run->y_offsets = y_offsets;
    run->memory = scratch + head_size(pass);
    run->at = lay_out(pass);
}

void cnni_winograd_run(const struct cnni_conv2d_call *call, const struct cnni_winograd_pass *pass,
                       float *target, const float *source, const float *packed, const float *bias,
                       bool relu)
{
    const struct cnni_kernels *kernels = cnni_kernels(call->context->cpu);
    struct run run = {
        .kernels = kernels,
        .pass = pass,
        .panels = cnni_ceil_div(pass->target_channels, kernels->conv2d_row_tap_tile.columns),
        .target = target,
        .winners = call->winners,
        .source = source,
        .packed = packed,
        .bias = bias,
        .tail = call->tail,
        .relu = relu,
    };
    const int64_t blocks = cnni_ceil_div(pass->tiles, pass->block);
    fill_head(&run, call->scratch);
    if (blocks >= WANTED_ITEMS)
        cnni_parallel(call->context, call->lanes, blocks, run_block, &run);
    else
        run_stages(call, &run, blocks);
}
