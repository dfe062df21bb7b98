/* SPDX-License-Identifier: MIT
 * Convolution forward and backward-data: the row-tap kernel over strips and panels.  An item of
 * parallel work is a strip, or, where there are few strips, some panels of one.  Geometry is in
 * op_conv2d_pass.c, packing in op_conv2d_pack.c, backward-weights in op_conv2d_grad.c. */
#include "ops/op_conv2d.h"

#include <stdatomic.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_activation.h"
#include "ops/op_bias.h"
#include "ops/op_conv2d_pass.h"
#include "ops/op_conv2d_pool.h"
#include "ops/op_conv2d_region.h"
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
    struct cnni_bands bands;
    struct cnni_offsets offsets;
    int64_t pixels; /* of a strip */
    int64_t panels; /* of all groups */
    int64_t parts;  /* into which they are cut */
    float *scratch; /* of each lane a strip, and outputs that are to be pooled */
    int64_t strip_size, outputs_size;
    int64_t block; /* pixels that all panels pass over before the next */
    bool stream;   /* the target past the caches */
    float *target;
    uint8_t *winners;
    struct cnni_source source;
    const float *packed;
    const float *bias;
    const struct cnni_conv2d_tail *tail;
    bool relu;
};

/* Some pixels of a strip, all panels over which they pass before the next. */
struct block {
    const float *source;
    float *target;        /* of the strip's pixel number `target_first` */
    int64_t target_first; /* 0, or that of the block where the target is outputs to be pooled */
    struct cnni_span pixels;
    const struct cnni_region *regions;
    int32_t region_count;
};

void cnni_conv2d_finish(const struct cnni_kernels *kernels, const struct cnni_conv2d_tail *tail,
                        float *y, int64_t place, int64_t count)
{
    if (tail->addend != NULL)
        kernels->vector_add(count, y + place, y + place, tail->addend + place);
    if (tail->activation.kind != 0)
        cnni_activation_apply(kernels, &tail->activation, count, y + place, y + place);
}

/* ---- Pieces of chains: some whole taps, or a part of one ---- */

static struct cnni_span next_span(int64_t first, int64_t length, int64_t end)
{
    return (struct cnni_span){first, CNNI_MIN(first + length, end)};
}

static int64_t piece_taps(const struct cnni_pass *pass)
{
    return CNNI_MAX(PIECE / CNNI_MAX(pass->depth, 1), 1);
}

static struct cnni_piece first_piece(const struct run *run)
{
    const struct cnni_pass *pass = run->pass;
    return (struct cnni_piece){
        .pass = pass,
        .offsets = &run->offsets,
        .width = run->kernels->conv2d_row_tap_tile.columns,
        .taps = next_span(0, piece_taps(pass), pass->tap_count),
        .run = next_span(0, PIECE, pass->depth),
    };
}

static bool next_piece(struct cnni_piece *piece)
{
    const struct cnni_pass *pass = piece->pass;
    piece->run = next_span(piece->run.end, PIECE, pass->depth);
    if (piece->run.first < pass->depth)
        return true;
    piece->run = next_span(0, PIECE, pass->depth);
    piece->taps = next_span(piece->taps.end, piece_taps(pass), pass->tap_count);
    return piece->taps.first < pass->tap_count;
}

/* ---- Items ---- */

/* A piece of the chains of a region's pixels, as far as they are in the block. */
static void run_region(const struct run *run, const struct block *block,
                       const struct cnni_region *region, const struct cnni_piece *piece,
                       struct cnni_conv2d_tile *tile)
{
    struct cnni_conv2d_tap taps[PIECE];
    struct cnni_share share;
    const int64_t first = CNNI_MAX(block->pixels.first, region->pixels.first);
    const int64_t end = CNNI_MIN(block->pixels.end, region->pixels.end);
    if (first >= end || !cnni_region_share(&share, taps, region, piece))
        return;
    tile->x_offsets = run->offsets.source + first;
    tile->y_offsets = run->offsets.target + first - block->target_first;
    tile->rows = end - first;
    tile->taps = taps;
    tile->tap_count = share.tap_count;
    tile->depth = share.depth;
    tile->resume = !share.begins;
    tile->relu = run->relu && share.ends;
    tile->stream = run->stream && share.ends;
    run->kernels->conv2d_row_tap(tile);
}

/* What is read in place comes from memory: while the panels pass over a block, each fetches its
 * share of the pixels behind it. */
static void plan_ahead(const struct run *run, const struct block *block, int64_t panel,
                       struct cnni_conv2d_tile *tile)
{
    if (run->pass->copied || run->parts > 1)
        return;
    const int64_t bytes = run->pass->pitch * (int64_t)sizeof *block->source;
    const int64_t pixels = block->pixels.end - block->pixels.first;
    const float *last = block->source + run->offsets.source[block->pixels.end - 1];
    tile->ahead_step = (uintptr_t)cnni_ceil_div(bytes, run->panels);
    tile->ahead =
        (uintptr_t)last + (uintptr_t)bytes + (uintptr_t)(panel * pixels) * tile->ahead_step;
}

static void run_panel(const struct run *run, const struct block *block, int64_t panel)
{
    const struct cnni_pass *pass = run->pass;
    const int32_t width = run->kernels->conv2d_row_tap_tile.columns;
    const int64_t group_panels = cnni_ceil_div(pass->target_channels, width);
    const int64_t group = panel / group_panels, first = panel % group_panels * width;
    const int64_t channel = group * pass->target_channels + first;
    struct cnni_conv2d_tile tile = {
        .x = block->source + group * pass->source_channels,
        .w = run->packed + panel * cnni_packed_panel_size(pass, width),
        .bias = run->bias == NULL ? NULL : run->bias + channel,
        .y = block->target + channel,
        .columns = (int32_t)CNNI_MIN(pass->target_channels - first, width),
    };
    plan_ahead(run, block, panel, &tile);
    struct cnni_piece piece = first_piece(run);
    do
        for (int32_t i = 0; i < block->region_count; i++)
            run_region(run, block, &block->regions[i], &piece, &tile);
    while (next_piece(&piece));
}

/* Pools the rows of the block, picture by picture. */
static void pool_block(const struct run *run, const struct cnni_strip *strip,
                       const struct block *block)
{
    const struct cnni_conv2d *conv = run->pass->conv;
    const int64_t end = CNNI_MIN(block->pixels.end, strip->pixels) / conv->ow;
    const float *outputs = block->target;
    struct cnni_area area = {.columns = conv->ow};
    for (int64_t row = block->pixels.first / conv->ow; row < end; row += area.rows) {
        area.picture = strip->picture + row / strip->rows;
        area.row = strip->row + row % strip->rows;
        area.rows = CNNI_MIN(end - row, strip->rows - row % strip->rows);
        cnni_conv2d_pool(run->kernels, conv, &area, run->target, run->winners, outputs, run->relu);
        outputs += area.rows * conv->ow * conv->k;
    }
}

/* Panels `first` .. `end` - 1 of the block's pixels have just been made. */
static void finish_block(const struct run *run, const struct cnni_strip *strip,
                         const struct block *block, int64_t first, int64_t end)
{
    const int64_t k = run->pass->groups * run->pass->target_channels;
    const int64_t width = run->kernels->conv2d_row_tap_tile.columns;
    const int64_t channel = first * width;
    const int64_t channels = run->parts == 1 ? k : CNNI_MIN(end * width, k) - channel;
    const int64_t pixels = CNNI_MIN(block->pixels.end, strip->pixels) - block->pixels.first;
    const bool whole = channels == k;
    int64_t place = block->target - run->target + block->pixels.first * k + channel;
    for (int64_t i = 0; i < (whole ? 1 : pixels); i++, place += k)
        cnni_conv2d_finish(run->kernels, run->tail, run->target, place,
                           whole ? pixels * k : channels);
}

static void run_item(void *task, int64_t item, int32_t lane)
{
    const struct run *run = task;
    float *memory = run->scratch + lane * (run->strip_size + run->outputs_size);
    const struct cnni_strip strip = cnni_pass_strip(run->pass, item / run->parts);
    const bool pools = run->pass->pools;
    struct cnni_region regions[CNNI_REGIONS_MOST];
    struct block block = {
        .source = cnni_strip_source(run->pass, &strip, &run->source, memory),
        .target =
            pools ? memory + run->strip_size : cnni_strip_target(run->pass, &strip, run->target),
        .regions = regions,
        .region_count = cnni_strip_regions(regions, run->pass, &run->bands, &strip),
    };
    const int64_t part = item % run->parts;
    const int64_t first = part * run->panels / run->parts;
    const int64_t end = (part + 1) * run->panels / run->parts;
    for (int64_t pixel = 0; pixel < run->pixels; pixel += run->block) {
        block.pixels = next_span(pixel, run->block, run->pixels);
        block.target_first = pools ? pixel : 0;
        for (int64_t panel = first; panel < end; panel++)
            run_panel(run, &block, panel);
        if (pools)
            pool_block(run, &strip, &block);
        if (run->tail != NULL && block.pixels.first < strip.pixels)
            finish_block(run, &strip, &block, first, end);
    }
    if (run->stream)
        atomic_thread_fence(memory_order_seq_cst);
}

/* What is pooled is pooled some rows at a time.  What is read in place comes from memory while the
 * first panel passes over it; small blocks spread that out. */
static int64_t choose_block(const struct run *run)
{
    const int32_t width = run->kernels->conv2d_row_tap_tile.columns;
    if (run->pass->pools)
        return run->pass->pooled_rows * run->pass->w.grid;
    const bool small =
        !run->pass->copied && cnni_packed_pass_size(run->pass, width) <= SMALL_WEIGHTS;
    return small ? SMALL_BLOCK : run->pixels;
}

static bool choose_stream(const struct run *run)
{
    const struct cnni_pass *pass = run->pass;
    const int64_t channels = pass->groups * pass->target_channels;
    const int64_t size = pass->n * pass->h.target * pass->w.target * channels;
    const bool whole = pass->target_channels % STREAM_COLUMNS == 0;
    return size >= LARGE_TARGET && whole && !pass->pools && run->tail == NULL &&
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
    /* Pooling wants all channels of its pixels, a tail those of whole groups. */
    const bool whole = pass->pools || (run->tail != NULL && pass->groups > 1);
    run->parts = whole ? 1 : CNNI_MIN(cnni_ceil_div(WANTED_ITEMS, pass->strips), run->panels);
    run->pixels = pass->pictures * pass->rows * pass->w.grid;
    run->block = choose_block(run);
    run->stream = choose_stream(run);
    run->scratch = call->scratch + cnni_pass_offsets_size(pass);
    run->strip_size = cnni_pass_strip_size(pass);
    run->outputs_size = cnni_pass_outputs_size(pass);
    run->winners = call->winners;
    run->source.kernels = run->kernels;
    run->source.winners = call->winners;
    cnni_bands_find(&run->bands, pass);
    cnni_bands_offsets(&run->offsets, pass, &run->bands, call->scratch);
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
    struct run run = {
        .target = y,
        .source.values = x,
        .packed = packed,
        .bias = b,
        .tail = call->tail,
        .relu = relu,
    };
    run_pass(call, &pass, &run);
}

/* Pictures whose phases do not reach every pixel. */
struct filling {
    const struct cnni_kernels *kernels;
    float *y;
    const float *bias; /* or NULL */
    int64_t pixels, channels;
    bool relu;
};

static void fill_picture(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct filling *filling = task;
    float *picture = filling->y + item * filling->pixels * filling->channels;
    cnni_bias_fill(filling->kernels, filling->pixels, filling->channels, picture, filling->bias,
                   filling->relu);
}

void cnni_conv2d_transposed(const struct cnni_conv2d_call *call, float *y, const float *x,
                            const float *packed, const float *b, bool relu)
{
    if (call->conv->tile > 0) {
        struct cnni_winograd_pass tiles;
        cnni_winograd_backward_pass(&tiles, call->conv, call->n);
        cnni_winograd_run(call, &tiles, y, x, packed, b, relu);
        return;
    }
    if (cnni_depthwise_suits(call->conv)) {
        cnni_depthwise_transposed(call, y, x, packed, b, relu);
        return;
    }
    struct cnni_conv2d flat;
    int64_t n;
    cnni_conv2d_flatten(&flat, &n, call->conv, call->n);
    const struct cnni_kernels *kernels = cnni_kernels(call->context->cpu);
    struct filling filling = {kernels, y, b, flat.h * flat.w, flat.c, relu};
    if (!cnni_pass_backward_is_whole(&flat))
        cnni_parallel(call->context, call->lanes, n, fill_picture, &filling);
    for (int64_t i = 0; i < cnni_pass_backward_count(&flat); i++) {
        struct cnni_pass pass;
        cnni_pass_backward(&pass, &flat, n, i);
        struct run run = {
            .target = y, .source.values = x, .packed = packed, .bias = b, .relu = relu};
        run_pass(call, &pass, &run);
        packed += cnni_packed_pass_size(&pass, kernels->conv2d_row_tap_tile.columns);
    }
}

void cnni_conv2d_backward_data(const struct cnni_conv2d_call *call, float *dx, const float *dy,
                               const float *packed)
{
    cnni_conv2d_transposed(call, dx, dy, packed, NULL, false);
}
