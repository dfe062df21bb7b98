/* SPDX-License-Identifier: MIT
 * Convolution forward and backward-data: the row-tap kernel over strips and panels.  An item of
 * parallel work is a strip, or, where there are few strips, some panels of one.  Geometry is in
 * op_conv2d_pass.c, packing in op_conv2d_pack.c, backward-weights in op_conv2d_grad.c. */
#include "ops/op_conv2d.h"

#include <stdatomic.h>
#include <string.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"
#include "ops/op_depthwise.h"
#include "ops/op_winograd.h"

enum {
    /* For threads to share. */
    WANTED_ITEMS = 16,
    /* Links of a chain done in one go: 512 x 16 weights are 32 KB of the L1 cache. */
    PIECE = 512,
    /* So few weights (128 KB) pass over 96 pixels after another: see choose_block(). */
    SMALL_WEIGHTS = 32 * 1024,
    SMALL_BLOCK = 96,
    /* So large a target (32 MB) leaves the caches before it is read again. */
    LARGE_TARGET = 8192 * 1024,
    STREAM_COLUMNS = 16,
    STREAM_ALIGNMENT = 64
};

/* A pass being run. */
struct run {
    const struct cnni_kernels *kernels;
    const struct cnni_pass *pass;
    struct cnni_offsets offsets;
    int64_t panels; /* of all groups */
    int64_t parts;  /* into which they are cut */
    float *scratch; /* one strip per lane */
    int64_t strip_size;
    int64_t block; /* pixels that all panels pass over before the next */
    bool stream;   /* the target past the caches */
    float *target;
    const float *source;
    const float *packed;
    const float *bias;
    bool relu;
};

/* Some pixels of a strip. */
struct block {
    const float *source;
    float *target;
    int64_t first, end;
};

/* The block's pixels, one tile after another. */
static void run_tiles(const struct run *run, struct cnni_conv2d_tile *tile,
                      const struct block *block)
{
    const int32_t most = run->kernels->conv2d_row_tap_tile.rows;
    for (int64_t pixel = block->first; pixel < block->end; pixel += most) {
        tile->rows = (int32_t)CNNI_MIN(block->end - pixel, most);
        tile->x_offsets = run->offsets.source + pixel;
        tile->y_offsets = run->offsets.target + pixel;
        run->kernels->conv2d_row_tap(tile);
    }
}

/* One panel, the chains cut into pieces: some whole taps, or a part of one. */
static void run_panel(const struct run *run, const struct block *block, int64_t panel)
{
    const struct cnni_pass *pass = run->pass;
    const int32_t width = run->kernels->conv2d_row_tap_tile.columns;
    const int64_t group_panels = cnni_ceil_div(pass->target_channels, width);
    const int64_t group = panel / group_panels, first = panel % group_panels * width;
    const int64_t channel = group * pass->target_channels + first;
    const float *x = block->source + group * pass->source_channels;
    const int64_t taps = CNNI_MAX(PIECE / CNNI_MAX(pass->depth, 1), 1);
    const int64_t depth = CNNI_MIN(pass->depth, taps > 1 ? pass->depth : PIECE);
    struct cnni_conv2d_tile tile = {
        .w = run->packed + panel * cnni_packed_panel_size(pass, width),
        .bias = run->bias == NULL ? NULL : run->bias + channel,
        .y = block->target + channel,
        .columns = (int32_t)CNNI_MIN(pass->target_channels - first, width),
    };
    int64_t tap = 0, done = 0; /* of the tap's depth */
    do {
        tile.x = x + done;
        tile.taps = run->offsets.taps + tap;
        tile.tap_count = CNNI_MIN(pass->tap_count - tap, taps);
        tile.depth = CNNI_MIN(pass->depth - done, depth);
        done += tile.depth;
        if (done == pass->depth) {
            done = 0;
            tap += tile.tap_count;
        }
        const bool last = tap == pass->tap_count;
        tile.relu = run->relu && last;
        tile.stream = run->stream && last;
        run_tiles(run, &tile, block);
        tile.w += tile.tap_count * tile.depth * width;
        tile.resume = true;
    } while (tap < pass->tap_count);
}

static void run_item(void *task, int64_t item, int32_t lane)
{
    const struct run *run = task;
    const struct cnni_strip strip = cnni_pass_strip(run->pass, item / run->parts);
    struct block block = {
        .source = cnni_strip_source(run->pass, &strip, run->source,
                                    run->scratch + lane * run->strip_size),
        .target = cnni_strip_target(run->pass, &strip, run->target),
    };
    const int64_t part = item % run->parts;
    const int64_t first = part * run->panels / run->parts;
    const int64_t end = (part + 1) * run->panels / run->parts;
    for (; block.first < strip.pixels; block.first = block.end) {
        block.end = CNNI_MIN(block.first + run->block, strip.pixels);
        for (int64_t panel = first; panel < end; panel++)
            run_panel(run, &block, panel);
    }
    if (run->stream)
        atomic_thread_fence(memory_order_seq_cst);
}

/* What is read in place comes from memory while the first panel passes over it; small blocks spread
 * that out. */
static int64_t choose_block(const struct run *run)
{
    const int32_t width = run->kernels->conv2d_row_tap_tile.columns;
    const bool small =
        !run->pass->copied && cnni_packed_pass_size(run->pass, width) <= SMALL_WEIGHTS;
    return small ? SMALL_BLOCK : INT64_MAX / 2;
}

static bool choose_stream(const struct run *run)
{
    const struct cnni_pass *pass = run->pass;
    const int64_t channels = pass->groups * pass->target_channels;
    const int64_t size = pass->n * pass->h.target * pass->w.target * channels;
    const bool whole = pass->target_channels % STREAM_COLUMNS == 0;
    return size >= LARGE_TARGET && whole &&
           channels * (int64_t)sizeof(float) % STREAM_ALIGNMENT == 0 &&
           (uintptr_t)run->target % STREAM_ALIGNMENT == 0;
}

static void run_pass(const struct cnni_conv2d_call *call, const struct cnni_pass *pass,
                     struct run *run)
{
    if (pass->strips == 0)
        return;
    run->kernels = cnni_kernels(call->context->cpu);
    run->pass = pass;
    run->panels = pass->groups *
                  cnni_ceil_div(pass->target_channels, run->kernels->conv2d_row_tap_tile.columns);
    run->parts = CNNI_MIN(cnni_ceil_div(WANTED_ITEMS, pass->strips), run->panels);
    run->block = choose_block(run);
    run->stream = choose_stream(run);
    run->scratch = call->scratch + cnni_pass_offsets_size(pass);
    run->strip_size = cnni_pass_strip_size(pass);
    cnni_pass_offsets(&run->offsets, pass, call->scratch);
    cnni_parallel(call->context, call->lanes, pass->strips * run->parts, run_item, run);
}

void cnni_conv2d_forward(const struct cnni_conv2d_call *call, float *y, const float *x,
                         const float *packed, const float *b, bool relu)
{
    if (call->conv->tile > 0) {
        struct cnni_winograd_pass tiles;
        cnni_winograd_forward_pass(&tiles, call->conv, call->n);
        cnni_winograd_run(call, &tiles, y, x, packed, b, relu);
        return;
    }
    if (cnni_depthwise_suits(call->conv)) {
        cnni_depthwise_forward(call, y, x, packed, b, relu);
        return;
    }
    struct cnni_conv2d flat;
    int64_t n;
    cnni_conv2d_flatten(&flat, &n, call->conv, call->n);
    struct cnni_pass pass;
    cnni_pass_forward(&pass, &flat, n);
    struct run run = {.target = y, .source = x, .packed = packed, .bias = b, .relu = relu};
    run_pass(call, &pass, &run);
}

/* A picture of dx whose phases do not reach every pixel. */
struct clearing {
    float *dx;
    int64_t picture; /* floats */
};

static void clear_picture(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct clearing *clearing = task;
    memset(clearing->dx + item * clearing->picture, 0,
           (size_t)clearing->picture * sizeof *clearing->dx);
}

void cnni_conv2d_backward_data(const struct cnni_conv2d_call *call, float *dx, const float *dy,
                               const float *packed)
{
    if (call->conv->tile > 0) {
        struct cnni_winograd_pass tiles;
        cnni_winograd_backward_pass(&tiles, call->conv, call->n);
        cnni_winograd_run(call, &tiles, dx, dy, packed, NULL, false);
        return;
    }
    if (cnni_depthwise_suits(call->conv)) {
        cnni_depthwise_backward_data(call, dx, dy, packed);
        return;
    }
    struct cnni_conv2d flat;
    int64_t n;
    cnni_conv2d_flatten(&flat, &n, call->conv, call->n);
    const int32_t width = cnni_kernels(call->context->cpu)->conv2d_row_tap_tile.columns;
    if (!cnni_pass_backward_is_whole(&flat))
        cnni_parallel(call->context, call->lanes, n, clear_picture,
                      &(struct clearing){.dx = dx, .picture = flat.h * flat.w * flat.c});
    for (int64_t i = 0; i < cnni_pass_backward_count(&flat); i++) {
        struct cnni_pass pass;
        cnni_pass_backward(&pass, &flat, n, i);
        struct run run = {.target = dx, .source = dy, .packed = packed};
        run_pass(call, &pass, &run);
        packed += cnni_packed_pass_size(&pass, width);
    }
}
