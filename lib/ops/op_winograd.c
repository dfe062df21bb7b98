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
    WANTED_ITEMS = 16,         /* for threads to share */
    BLOCK_FLOATS = 192 * 1024, /* 768 KB of transformed inputs and products: most of an L2 cache */
    BLOCK_LEAST = 24,
    BLOCK_MOST = 192,
    LARGE_WEIGHTS = 512 * 1024, /* so many (2 MB) are worth to be read by large blocks alone */
    BLOCK_MULTIPLE = 12,        /* whole tiles of row-tap */
    STAGE_TILES = 8,            /* of an item of the first and last stage */
    PIECE = 512                 /* links of a chain done in one go, as in op_conv2d.c */
};

/* ---- Geometry ---- */

static int64_t choose_block(const struct cnni_winograd_pass *pass)
{
    const int64_t channels = pass->source_channels + pass->target_channels;
    const int64_t weights = pass->points * pass->source_channels * pass->target_channels;
    int64_t block = BLOCK_FLOATS / (pass->points * channels);
    if (weights >= LARGE_WEIGHTS)
        block = BLOCK_MOST;
    block = CNNI_MIN(CNNI_MAX(block, BLOCK_LEAST), BLOCK_MOST);
    return block / BLOCK_MULTIPLE * BLOCK_MULTIPLE;
}

static void plan(struct cnni_winograd_pass *pass)
{
    pass->points = (pass->outputs + 2) * (pass->outputs + 2);
    pass->down = cnni_ceil_div(pass->target_h, pass->outputs);
    pass->across = cnni_ceil_div(pass->target_w, pass->outputs);
    pass->tiles = pass->n * pass->down * pass->across;
    pass->block = choose_block(pass);
}

void cnni_winograd_forward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                int64_t n)
{
    *pass = (struct cnni_winograd_pass){
        .outputs = conv->tile,
        .n = n,
        .source_h = conv->h,
        .source_w = conv->w,
        .source_channels = conv->c,
        .target_h = conv->oh,
        .target_w = conv->ow,
        .target_channels = conv->k,
        .pad_top = conv->pad_top,
        .pad_left = conv->pad_left,
    };
    plan(pass);
}

void cnni_winograd_backward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                 int64_t n)
{
    *pass = (struct cnni_winograd_pass){
        .outputs = conv->tile,
        .n = n,
        .source_h = conv->oh,
        .source_w = conv->ow,
        .source_channels = conv->k,
        .target_h = conv->h,
        .target_w = conv->w,
        .target_channels = conv->c,
        .pad_top = 2 - conv->pad_top,
        .pad_left = 2 - conv->pad_left,
    };
    plan(pass);
}

/* Tile number `tile`: its picture and its first output. */
struct place {
    int64_t picture, row, column;
};

static struct place place_of(const struct cnni_winograd_pass *pass, int64_t tile)
{
    const int64_t per_picture = pass->down * pass->across, within = tile % per_picture;
    return (struct place){tile / per_picture, within / pass->across * pass->outputs,
                          within % pass->across * pass->outputs};
}

/* `side` x `side` pixels of [n][h][w][channels] from (row, column) on. */
static void point_at_pixels(const float **pixels, int32_t side, const float *all, int64_t h,
                            int64_t w, int64_t channels, struct place from, const float *outside)
{
    for (int32_t i = 0; i < side; i++)
        for (int32_t j = 0; j < side; j++) {
            const int64_t row = from.row + i, column = from.column + j;
            const bool inside = row >= 0 && row < h && column >= 0 && column < w;
            *pixels++ = inside ? all + ((from.picture * h + row) * w + column) * channels : outside;
        }
}

void cnni_winograd_source_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const float *source, const float *zeros, const float **pixels)
{
    struct place from = place_of(pass, tile);
    from.row -= pass->pad_top;
    from.column -= pass->pad_left;
    point_at_pixels(pixels, pass->outputs + 2, source, pass->source_h, pass->source_w,
                    pass->source_channels, from, zeros);
}

void cnni_winograd_target_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const float *target, const float *outside, const float **pixels)
{
    point_at_pixels(pixels, pass->outputs, target, pass->target_h, pass->target_w,
                    pass->target_channels, place_of(pass, tile), outside);
}

/* ---- A pass being run ---- */

struct run {
    const struct cnni_kernels *kernels;
    const struct cnni_winograd_pass *pass;
    int64_t panels;
    float *target;
    const float *source, *packed, *bias;
    bool relu;

    const float *zeros;                     /* [source_channels] */
    const ptrdiff_t *x_offsets, *y_offsets; /* [block] of the matrix products */
    float *memory;                          /* of each lane, or of all: */
    int64_t memory_size;
};

/* The block that is worked on: v [points][block][source channels] and m [points][block][target
 * channels]. */
struct block {
    int64_t first, count;
    float *v, *m;
};

static struct block block_at(const struct run *run, int64_t number, float *memory)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const int64_t first = number * pass->block;
    return (struct block){first, CNNI_MIN(pass->tiles - first, pass->block), memory,
                          memory + pass->points * pass->block * pass->source_channels};
}

static void transform_inputs(const struct run *run, const struct block *block, int64_t first,
                             int64_t end)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const float *pixels[CNNI_WINOGRAD_POINTS_MOST];
    for (int64_t t = first; t < end; t++) {
        cnni_winograd_source_pixels(pass, block->first + t, run->source, run->zeros, pixels);
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

static void transform_outputs(const struct run *run, const struct block *block, int64_t first,
                              int64_t end)
{
    const struct cnni_winograd_pass *pass = run->pass;
    const float *pixels[CNNI_WINOGRAD_PIXELS_MOST];
    for (int64_t t = first; t < end; t++) {
        cnni_winograd_target_pixels(pass, block->first + t, run->target, NULL, pixels);
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
    }
}

/* ---- An item is a block ---- */

static void run_block(void *task, int64_t item, int32_t lane)
{
    const struct run *run = task;
    const struct block block = block_at(run, item, run->memory + lane * run->memory_size);
    transform_inputs(run, &block, 0, block.count);
    for (int64_t point = 0; point < run->pass->points; point++)
        for (int64_t panel = 0; panel < run->panels; panel++)
            multiply(run, &block, point, panel);
    transform_outputs(run, &block, 0, block.count);
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
    (void)lane;
    const struct stage *stage = task;
    transform_outputs(stage->run, &stage->block, item * STAGE_TILES, stage_end(stage, item));
}

static void run_stages(const struct cnni_conv2d_call *call, const struct run *run, int64_t blocks)
{
    for (int64_t number = 0; number < blocks; number++) {
        struct stage stage = {run, block_at(run, number, run->memory)};
        const int64_t groups = cnni_ceil_div(stage.block.count, STAGE_TILES);
        cnni_parallel(call->context, call->lanes, groups, run_inputs, &stage);
        cnni_parallel(call->context, call->lanes, run->pass->points * run->panels, run_product,
                      &stage);
        cnni_parallel(call->context, call->lanes, groups, run_outputs, &stage);
    }
}

/* ---- The pass ---- */

/* zeros, offsets, then the memory of each lane; in floats, each in whole cache lines. */
static int64_t head_size(const struct cnni_winograd_pass *pass)
{
    const int64_t offsets = 2 * pass->block * (int64_t)(sizeof(ptrdiff_t) / sizeof(float));
    return cnni_ceil_div(pass->source_channels, 16) * 16 + cnni_ceil_div(offsets, 16) * 16;
}

static int64_t lane_size(const struct cnni_winograd_pass *pass)
{
    const int64_t channels = pass->source_channels + pass->target_channels;
    return cnni_size_product(pass->points * pass->block, cnni_ceil_div(channels, 16) * 16);
}

int64_t cnni_winograd_scratch_size(const struct cnni_winograd_pass *pass, int32_t lanes)
{
    return cnni_size_sum(head_size(pass), cnni_size_product(lane_size(pass), lanes));
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
    run->memory_size = lane_size(pass);
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
        .source = source,
        .packed = packed,
        .bias = bias,
        .relu = relu,
    };
    const int64_t blocks = cnni_ceil_div(pass->tiles, pass->block);
    fill_head(&run, call->scratch);
    if (blocks >= WANTED_ITEMS)
        cnni_parallel(call->context, call->lanes, blocks, run_block, &run);
    else
        run_stages(call, &run, blocks);
}
