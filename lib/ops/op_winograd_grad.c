/* SPDX-License-Identifier: MIT
 * Winograd backward-weights, the transpose of forward: both the inputs and dy of some tiles are
 * transformed to points, at each of which the backward-weights kernel adds up the products over
 * tiles; at the end the sums of the points are transformed back to weights.  Blocks of tiles
 * follow each other, and within a block the points are shared out, so that the order of every sum
 * is that of the tiles. */
#include "ops/op_winograd.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_bias.h"
#include "ops/op_conv2d_pass.h"

enum {
    BLOCK = 128,     /* tiles: the kernel's sums are added to the points' once for so many */
    STAGE_TILES = 4, /* of an item of the transforms */
    PARTS = 2        /* of the input channels, to make more items of the products */
};

struct filter {
    const struct cnni_kernels *kernels;
    struct cnni_winograd_pass pass;
    int64_t width, panels;
    const float *x, *dy;
    const uint8_t *winners;

    /* Pieces of the scratch memory. */
    float *zeros;         /* [max(c, k)] */
    ptrdiff_t *x_offsets; /* [BLOCK] */
    float *v;             /* [points][BLOCK][c] */
    float *z;             /* [points][panels][BLOCK][width] */
    float *sums;          /* [points][c][k] */
    float *tiles;         /* [lanes][outputs^2][k], expanded */
    float *bias;          /* [k], of the block */
    struct cnni_bias_tree tree;

    int64_t first, count; /* the tiles of the block */
};

/* ---- Memory ---- */

struct layout {
    int64_t x_offsets, v, z, sums, tiles, bias, tree, all; /* where they begin, in floats */
};

static struct layout lay_out(const struct filter *filter, int32_t lanes)
{
    const struct cnni_winograd_pass *pass = &filter->pass;
    const int64_t c = pass->source_channels, k = pass->target_channels;
    const int64_t pixels = pass->pools ? pass->outputs * pass->outputs : 0;
    struct layout at;
    int64_t used = 0;
    cnni_size_take(&used, CNNI_MAX(c, k));
    at.x_offsets = cnni_size_take(&used, BLOCK * (int64_t)(sizeof(ptrdiff_t) / sizeof(float)));
    at.v = cnni_size_take(&used, cnni_size_product(pass->points * BLOCK, c));
    at.z = cnni_size_take(&used,
                          cnni_size_product(pass->points * BLOCK, filter->panels * filter->width));
    at.sums = cnni_size_take(&used, cnni_size_product(pass->points, cnni_size_product(c, k)));
    at.tiles = cnni_size_take(&used, cnni_size_product(pixels * lanes, k));
    at.bias = cnni_size_take(&used, k);
    at.tree = cnni_size_take(&used, cnni_size_product(cnni_bias_levels(pass->tiles), k));
    at.all = used;
    return at;
}

static void plan(struct filter *filter, cnn_context *context, const struct cnni_conv2d *conv,
                 int64_t n)
{
    struct cnni_conv2d tiled = *conv;
    tiled.tile = conv->filter_tile;
    cnni_winograd_forward_pass(&filter->pass, &tiled, n);
    filter->pass.conv = conv;
    filter->kernels = cnni_kernels(context->cpu);
    filter->width = filter->kernels->conv2d_filter_tile.columns;
    filter->panels = cnni_ceil_div(conv->k, filter->width);
}

int64_t cnni_winograd_filter_scratch_size(cnn_context *context, const struct cnni_conv2d *conv,
                                          int64_t n, int32_t lanes)
{
    struct filter filter;
    plan(&filter, context, conv, n);
    return lay_out(&filter, lanes).all;
}

static void place(struct filter *filter, float *scratch, int32_t lanes)
{
    const struct layout at = lay_out(filter, lanes);
    const struct cnni_winograd_pass *pass = &filter->pass;
    filter->zeros = scratch;
    filter->x_offsets = (ptrdiff_t *)(void *)(scratch + at.x_offsets);
    filter->v = scratch + at.v;
    filter->z = scratch + at.z;
    filter->sums = scratch + at.sums;
    filter->tiles = scratch + at.tiles;
    filter->bias = scratch + at.bias;
    filter->tree = (struct cnni_bias_tree){
        .kernels = filter->kernels, .filters = pass->target_channels, .levels = scratch + at.tree};
    memset(filter->zeros, 0,
           (size_t)CNNI_MAX(pass->source_channels, pass->target_channels) * sizeof *scratch);
    for (int64_t t = 0; t < BLOCK; t++)
        filter->x_offsets[t] = t * pass->source_channels;
}

/* ---- Items ---- */

static void transform_input(const struct filter *filter, int64_t t)
{
    const struct cnni_winograd_pass *pass = &filter->pass;
    const struct cnni_winograd_source source = {.rows = filter->x, .zeros = filter->zeros};
    const float *pixels[CNNI_WINOGRAD_POINTS_MOST];
    cnni_winograd_source_pixels(pass, filter->first + t, &source, pixels);
    const struct cnni_winograd_input input = {
        .x = pixels,
        .v = filter->v + t * pass->source_channels,
        .point_pitch = BLOCK * pass->source_channels,
        .channels = pass->source_channels,
        .outputs = pass->outputs,
    };
    filter->kernels->winograd_input(&input);
}

/* Where the gradient by a tile's outputs lies: in dy, or expanded into `memory`. */
static void point_at_gradient(const struct filter *filter, int64_t tile, float *memory,
                              const float **pixels)
{
    const struct cnni_winograd_pass *pass = &filter->pass;
    if (!pass->pools) {
        cnni_winograd_target_pixels(pass, tile, filter->dy, filter->zeros, pixels);
        return;
    }
    const struct cnni_area area = cnni_winograd_target_area(pass, tile);
    cnni_conv2d_expand(filter->kernels, pass->conv, &area, memory, filter->dy, filter->winners);
    for (int32_t i = 0; i < pass->outputs * pass->outputs; i++)
        pixels[i] = memory + i * pass->target_channels;
}

static void transform_gradient(const struct filter *filter, int64_t t, int32_t lane)
{
    const struct cnni_winograd_pass *pass = &filter->pass;
    const int64_t size = pass->outputs * pass->outputs * pass->target_channels;
    const float *pixels[CNNI_WINOGRAD_PIXELS_MOST];
    point_at_gradient(filter, filter->first + t, filter->tiles + lane * size, pixels);
    const struct cnni_winograd_gradient gradient = {
        .dy = pixels,
        .z = filter->z + t * filter->width,
        .point_pitch = filter->panels * BLOCK * filter->width,
        .panel_pitch = BLOCK * filter->width,
        .width = filter->width,
        .channels = pass->target_channels,
        .outputs = pass->outputs,
    };
    filter->kernels->winograd_gradient(&gradient);
}

static void transform_tiles(void *task, int64_t item, int32_t lane)
{
    const struct filter *filter = task;
    const int64_t end = CNNI_MIN((item + 1) * STAGE_TILES, filter->count);
    for (int64_t t = item * STAGE_TILES; t < end; t++) {
        transform_input(filter, t);
        transform_gradient(filter, t, lane);
    }
}

/* Adds the block's products at one point, for some input channels. */
static void add_products(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct filter *filter = task;
    const struct cnni_winograd_pass *pass = &filter->pass;
    const struct cnni_tile most = filter->kernels->conv2d_filter_tile;
    const int64_t c = pass->source_channels, k = pass->target_channels;
    const int64_t point = item / PARTS, tiles = cnni_ceil_div(c, most.rows);
    const int64_t end = CNNI_MIN((item % PARTS + 1) * tiles / PARTS * most.rows, c);
    float *sums = filter->sums + point * c * k;
    struct cnni_conv2d_filter_tile tile = {
        .x_offsets = filter->x_offsets, .pixels = filter->count, .dw_pitch = k};
    for (int64_t row = item % PARTS * tiles / PARTS * most.rows; row < end; row += most.rows) {
        tile.rows = (int32_t)CNNI_MIN(end - row, most.rows);
        for (int32_t i = 0; i < tile.rows; i++)
            tile.x[i] = filter->v + point * BLOCK * c + row + i;
        for (int64_t panel = 0; panel < filter->panels; panel++) {
            tile.dy = filter->z + (point * filter->panels + panel) * BLOCK * filter->width;
            tile.dw = sums + row * k + panel * filter->width;
            tile.columns = (int32_t)CNNI_MIN(k - panel * filter->width, most.columns);
            filter->kernels->conv2d_filter(&tile);
        }
    }
}

static void clear_point(void *task, int64_t point, int32_t lane)
{
    (void)lane;
    const struct filter *filter = task;
    const int64_t count = filter->pass.source_channels * filter->pass.target_channels;
    memset(filter->sums + point * count, 0, (size_t)count * sizeof *filter->sums);
}

/* The second row of A is all ones, so that point (1, 1) of a transformed gradient is the sum of its
 * tile: the gradient of the bias needs no pass over dy. */
static void add_bias(struct filter *filter)
{
    const int64_t point = filter->pass.outputs + 2 + 1, k = filter->pass.target_channels;
    const float *z = filter->z + point * filter->panels * BLOCK * filter->width;
    for (int64_t panel = 0; panel < filter->panels; panel++) {
        const int64_t first = panel * filter->width;
        filter->kernels->conv2d_panel(NULL, filter->bias + first, z + panel * BLOCK * filter->width,
                                      filter->count, filter->width,
                                      (int32_t)CNNI_MIN(k - first, filter->width));
    }
    cnni_bias_add(&filter->tree, filter->bias);
}

/* ---- The whole ---- */

void cnni_winograd_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                   const float *x, const float *dy)
{
    const struct cnni_conv2d *conv = call->conv;
    cnn_context *context = call->context;
    struct filter filter = {.x = x, .dy = dy, .winners = call->winners};
    plan(&filter, context, conv, call->n);
    place(&filter, call->scratch, call->lanes);
    const int64_t points = filter.pass.points;
    cnni_parallel(context, call->lanes, points, clear_point, &filter);
    for (; filter.first < filter.pass.tiles; filter.first += BLOCK) {
        filter.count = CNNI_MIN(filter.pass.tiles - filter.first, BLOCK);
        cnni_parallel(context, call->lanes, cnni_ceil_div(filter.count, STAGE_TILES),
                      transform_tiles, &filter);
        cnni_parallel(context, call->lanes, points * PARTS, add_products, &filter);
        add_bias(&filter);
    }
    cnni_winograd_unpack(context, call->lanes, conv, dw, filter.sums);
    cnni_bias_total(&filter.tree, filter.bias);
    if (db != NULL)
        filter.kernels->vector_add(conv->k, db, db, filter.bias);
}
