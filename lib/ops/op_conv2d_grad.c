/* SPDX-License-Identifier: MIT
 * Convolution backward-weights: dw and db.  Each chunk of strips is summed up for itself, in
 * blocks of 128 pixels: the block's dy is packed into panels, and the kernel adds the block's sum
 * to each tile of dw.  The first chunk adds to dw, the others to partial sums, which follow in
 * order; so the order of every sum is fixed by the shape and n alone.  Where chunks are few, the
 * rows of dw, its (r, s, c) triples, are cut as well.  Geometry is in op_conv2d_pass.c. */
#include "ops/op_conv2d.h"

#include <string.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_bias.h"
#include "ops/op_conv2d_pass.h"
#include "ops/op_conv2d_pool.h"
#include "ops/op_depthwise.h"
#include "ops/op_winograd.h"

enum {
    BLOCK = CNNI_BIAS_BLOCK, /* pixels; their dy stays in the caches while dw passes over it */
    MOST_CHUNKS = 16,        /* for threads to share */
    WANTED_ITEMS = 16,       /* chunks x parts */
    PANEL_PARTS = 8,         /* parts of the panels: each reads all of x */
    PARTIALS = 1024 * 1024,  /* floats (4 MB) that the partial sums may take */
    SLICE = 4096,            /* floats of dw to which one item adds the partial sums */
    LEAST_PART = 8           /* tiles of rows */
};

struct filter {
    const struct cnni_kernels *kernels;
    const struct cnni_pass *pass;
    int64_t rows;   /* of dw, in each group */
    int64_t size;   /* of dw */
    int64_t chunks; /* a power of two */
    int64_t parts;  /* of the rows, or of the panels: */
    bool by_panels;
    int64_t panels;  /* of each group's filters */
    int64_t filters; /* of all groups */
    int64_t levels;  /* of the tree of bias sums */

    /* Where the pieces of scratch memory begin, in floats. */
    struct {
        int64_t row_offsets; /* ptrdiff_t [rows] */
        int64_t partials;    /* [chunks - 1][size] */
        int64_t biases;      /* [chunks][filters] */
        int64_t lanes;       /* of each lane a strip and: */
        int64_t block;       /* [groups][panels][BLOCK][width] */
        int64_t expanded;    /* [BLOCK][filters], where the gradient is pooled */
        int64_t tree;        /* [levels + 1][filters] */
        int64_t lane, all;   /* sizes */
    } at;
    float *scratch;

    struct cnni_offsets offsets;
    const ptrdiff_t *row_offsets;
    float *dw, *db;
    struct cnni_source x;
    const float *dy;
    const uint8_t *winners;
};

/* ---- Cutting and memory ---- */

static int64_t power_of_two_up_to(int64_t most)
{
    int64_t power = 1;
    while (power <= most / 2)
        power *= 2;
    return power;
}

/* `strips` are those of the pass, or, when memory is measured, at least as many. */
static void plan(struct filter *filter, cnn_context *context, const struct cnni_pass *pass,
                 int64_t strips)
{
    filter->kernels = cnni_kernels(context->cpu);
    filter->pass = pass;
    const struct cnni_tile tile = filter->kernels->conv2d_filter_tile;
    filter->rows = pass->h.taps * pass->w.taps * pass->source_channels;
    filter->size = filter->rows * pass->groups * pass->target_channels;
    const int64_t affordable = CNNI_MIN(1 + PARTIALS / filter->size, MOST_CHUNKS);
    filter->chunks = power_of_two_up_to(CNNI_MIN(affordable, strips));
    const int64_t most_parts = CNNI_MAX(filter->rows / tile.rows / LEAST_PART, 1);
    filter->panels = cnni_ceil_div(pass->target_channels, tile.columns);
    /* Parts of the rows pack all of dy each, parts of the panels read all of x each. */
    filter->by_panels =
        filter->chunks == 1 && pass->groups == 1 && !pass->copied && filter->panels >= PANEL_PARTS;
    filter->parts = filter->by_panels
                        ? PANEL_PARTS
                        : CNNI_MIN(cnni_ceil_div(WANTED_ITEMS, filter->chunks), most_parts);
    filter->filters = pass->groups * pass->target_channels;
    filter->levels = cnni_bias_levels(pass->n * pass->h.grid * pass->w.grid);
}

static void lay_out(struct filter *filter, int32_t lanes)
{
    int64_t lane = 0, all = 0;
    cnni_size_take(&lane, cnni_pass_strip_size(filter->pass));
    const int64_t panels = filter->pass->groups * filter->panels;
    const int64_t panel = BLOCK * filter->kernels->conv2d_filter_tile.columns;
    filter->at.block = cnni_size_take(&lane, cnni_size_product(panels, panel));
    filter->at.expanded =
        cnni_size_take(&lane, filter->pass->pools ? cnni_size_product(BLOCK, filter->filters) : 0);
    filter->at.tree = cnni_size_take(&lane, cnni_size_product(filter->levels + 1, filter->filters));
    cnni_size_take(&all, cnni_pass_offsets_size(filter->pass));
    filter->at.row_offsets = cnni_size_take(&all, cnni_size_product(filter->rows, 2));
    filter->at.partials = cnni_size_take(&all, cnni_size_product(filter->chunks - 1, filter->size));
    filter->at.biases = cnni_size_take(&all, cnni_size_product(filter->chunks, filter->filters));
    filter->at.lanes = cnni_size_take(&all, cnni_size_product(lane, lanes));
    filter->at.lane = lane;
    filter->at.all = all;
}

int64_t cnni_filter_scratch_size(cnn_context *context, const struct cnni_conv2d *conv, int64_t n,
                                 int32_t lanes)
{
    struct cnni_pass pass;
    cnni_pass_forward(&pass, conv, n);
    struct filter filter;
    plan(&filter, context, &pass, cnni_size_product(n, pass.h.grid));
    lay_out(&filter, lanes);
    return filter.at.all;
}

_Static_assert(sizeof(ptrdiff_t) <= 2 * sizeof(float), "room for the offsets of rows");

/* Where the input of row (r, s, c) of dw lies. */
static void fill_row_offsets(struct filter *filter)
{
    const struct cnni_pass *pass = filter->pass;
    ptrdiff_t *offset = (ptrdiff_t *)(void *)(filter->scratch + filter->at.row_offsets);
    filter->row_offsets = offset;
    for (int64_t r = 0; r < pass->h.taps; r++)
        for (int64_t s = 0; s < pass->w.taps; s++)
            for (int64_t c = 0; c < pass->source_channels; c++)
                *offset++ =
                    r * pass->h.tap_step * pass->row_pitch + s * pass->w.tap_step * pass->pitch + c;
}

/* ---- One item: some rows of dw for one chunk ---- */

struct item {
    int64_t chunk;
    int64_t first_row, end_row;
    int64_t first_panel, end_panel; /* of each group */
    int64_t first_filter;           /* of the sums */
    float *dw;                      /* the chunk's, all rows */
    float *strip, *block, *expanded, *sums;
    struct cnni_bias_tree tree;
    uintptr_t ahead;      /* dy of the next block, fetched while this one is worked on: */
    uintptr_t ahead_step; /* so many bytes in each kernel call */
};

/* Packs the block's panels and sums up its columns. */
static void pack_block(const struct filter *filter, const struct item *item, const float *dy,
                       int64_t pixels)
{
    const struct cnni_pass *pass = filter->pass;
    const int32_t width = filter->kernels->conv2d_filter_tile.columns;
    for (int64_t group = 0; group < pass->groups; group++)
        for (int64_t panel = item->first_panel; panel < item->end_panel; panel++) {
            const int64_t first = panel * width, k = group * pass->target_channels + first;
            filter->kernels->conv2d_panel(
                item->block + (group * filter->panels + panel) * BLOCK * width,
                item->sums + k - item->first_filter, dy + k, pixels, filter->filters,
                (int32_t)CNNI_MIN(pass->target_channels - first, width));
        }
}

/* One block's share of some rows and panels of dw, of one group. */
static void add_group(const struct filter *filter, struct item *item, const float *x,
                      const ptrdiff_t *x_offsets, int64_t pixels, int64_t group)
{
    const struct cnni_pass *pass = filter->pass;
    const struct cnni_tile most = filter->kernels->conv2d_filter_tile;
    struct cnni_conv2d_filter_tile tile = {
        .x_offsets = x_offsets,
        .pixels = pixels,
        .dw_pitch = filter->filters,
        .ahead_step = (uintptr_t)cnni_ceil_div((int64_t)item->ahead_step, pixels),
    };
    for (int64_t row = item->first_row; row < item->end_row; row += most.rows) {
        tile.rows = (int32_t)CNNI_MIN(item->end_row - row, most.rows);
        for (int32_t i = 0; i < tile.rows; i++)
            tile.x[i] = x + group * pass->source_channels + filter->row_offsets[row + i];
        for (int64_t panel = item->first_panel; panel < item->end_panel; panel++) {
            const int64_t first = panel * most.columns;
            tile.dy = item->block + (group * filter->panels + panel) * BLOCK * most.columns;
            tile.dw = item->dw + row * filter->filters + group * pass->target_channels + first;
            tile.columns = (int32_t)CNNI_MIN(pass->target_channels - first, most.columns);
            tile.ahead = item->ahead;
            item->ahead += item->ahead_step;
            filter->kernels->conv2d_filter(&tile);
        }
    }
}

/* Spreads the bytes of a block evenly over the kernel calls of this one. */
static void plan_ahead(const struct filter *filter, struct item *item, const float *next)
{
    const int64_t rows = item->end_row - item->first_row;
    const int64_t tiles = cnni_ceil_div(rows, filter->kernels->conv2d_filter_tile.rows);
    const int64_t panels = item->end_panel - item->first_panel;
    const int64_t bytes = BLOCK * filter->filters * (int64_t)sizeof *next;
    item->ahead = (uintptr_t)next;
    item->ahead_step = (uintptr_t)(bytes / CNNI_MAX(tiles * panels * filter->pass->groups, 1));
}

/* The gradient by `pixels` outputs from number `first` of all pictures on. */
static const float *gradient_of(const struct filter *filter, const struct item *item, int64_t first,
                                int64_t pixels)
{
    const struct cnni_conv2d *conv = filter->pass->conv;
    if (!filter->pass->pools)
        return filter->dy + first * filter->filters;
    struct cnni_area area = {.rows = 1};
    for (int64_t pixel = first; pixel < first + pixels; pixel += area.columns) {
        area.picture = pixel / (conv->oh * conv->ow);
        area.row = pixel / conv->ow % conv->oh;
        area.column = pixel % conv->ow;
        area.columns = CNNI_MIN(conv->ow - area.column, first + pixels - pixel);
        cnni_conv2d_expand(filter->kernels, conv, &area,
                           item->expanded + (pixel - first) * filter->filters, filter->dy,
                           filter->winners);
    }
    return item->expanded;
}

static void add_strip(const struct filter *filter, struct item *item, int64_t index)
{
    const struct cnni_pass *pass = filter->pass;
    const struct cnni_strip strip = cnni_pass_strip(pass, index);
    const float *x = cnni_strip_source(pass, &strip, &filter->x, item->strip);
    const int64_t first = (strip.picture * pass->h.grid + strip.row) * pass->w.grid;
    for (int64_t p = 0; p < strip.pixels; p += BLOCK) {
        const int64_t pixels = CNNI_MIN(strip.pixels - p, BLOCK);
        const ptrdiff_t *x_offsets = filter->offsets.source + p;
        const float *dy = gradient_of(filter, item, first + p, pixels);
        pack_block(filter, item, dy, pixels);
        if (!pass->pools)
            plan_ahead(filter, item, dy + pixels * filter->filters);
        cnni_bias_add(&item->tree, item->sums);
        for (int64_t group = 0; group < pass->groups; group++)
            add_group(filter, item, x, x_offsets, pixels, group);
    }
}

/* Cuts rows where tiles end. */
static int64_t part_row(const struct filter *filter, int64_t part)
{
    const int64_t tile = filter->kernels->conv2d_filter_tile.rows;
    const int64_t row = cnni_ceil_div(filter->rows, tile) * part / filter->parts * tile;
    return CNNI_MIN(row, filter->rows);
}

/* The sums of dy are those of the panels; of parts of the rows, the first one's count. */
static void choose_part(const struct filter *filter, struct item *item, int64_t part)
{
    if (!filter->by_panels) {
        item->first_row = part_row(filter, part);
        item->end_row = part_row(filter, part + 1);
        return;
    }
    const int64_t width = filter->kernels->conv2d_filter_tile.columns;
    item->first_panel = part * filter->panels / filter->parts;
    item->end_panel = (part + 1) * filter->panels / filter->parts;
    item->first_filter = item->first_panel * width;
    item->tree.filters = CNNI_MIN(item->end_panel * width, filter->filters) - item->first_filter;
}

static void run_item(void *task, int64_t number, int32_t lane)
{
    const struct filter *filter = task;
    float *memory = filter->scratch + filter->at.lanes + lane * filter->at.lane;
    float *partials = filter->scratch + filter->at.partials;
    struct item item = {
        .chunk = number / filter->parts,
        .end_row = filter->rows,
        .end_panel = filter->panels,
        .strip = memory,
        .block = memory + filter->at.block,
        .expanded = memory + filter->at.expanded,
        .sums = memory + filter->at.tree + filter->levels * filter->filters,
        .tree = {.kernels = filter->kernels,
                 .filters = filter->filters,
                 .levels = memory + filter->at.tree},
    };
    choose_part(filter, &item, number % filter->parts);
    item.dw = item.chunk == 0 ? filter->dw : partials + (item.chunk - 1) * filter->size;
    if (item.chunk > 0)
        memset(item.dw + item.first_row * filter->filters, 0,
               (size_t)((item.end_row - item.first_row) * filter->filters) * sizeof *item.dw);
    const int64_t strips = filter->pass->strips;
    const int64_t end = (item.chunk + 1) * strips / filter->chunks;
    for (int64_t strip = item.chunk * strips / filter->chunks; strip < end; strip++)
        add_strip(filter, &item, strip);
    if (item.first_row == 0)
        cnni_bias_total(&item.tree, filter->scratch + filter->at.biases +
                                        item.chunk * filter->filters + item.first_filter);
}

/* ---- All chunks ---- */

static void add_partials(void *task, int64_t number, int32_t lane)
{
    (void)lane;
    const struct filter *filter = task;
    const int64_t first = number * SLICE, count = CNNI_MIN(filter->size - first, SLICE);
    const float *partial = filter->scratch + filter->at.partials + first;
    float *dw = filter->dw + first;
    for (int64_t chunk = 1; chunk < filter->chunks; chunk++, partial += filter->size)
        filter->kernels->vector_add(count, dw, dw, partial);
}

void cnni_conv2d_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                 const float *x, const float *dy)
{
    if (call->conv->filter_tile > 0) {
        cnni_winograd_backward_filter(call, dw, db, x, dy);
        return;
    }
    if (cnni_depthwise_suits(call->conv)) {
        cnni_depthwise_backward_filter(call, dw, db, x, dy);
        return;
    }
    struct cnni_conv2d flat;
    int64_t n;
    cnni_conv2d_flatten(&flat, &n, call->conv, call->n);
    struct cnni_pass pass;
    cnni_pass_forward(&pass, &flat, n);
    struct filter filter = {
        .scratch = call->scratch, .dw = dw, .x.values = x, .dy = dy, .winners = call->winners};
    plan(&filter, call->context, &pass, pass.strips);
    lay_out(&filter, call->lanes);
    cnni_pass_offsets(&filter.offsets, &pass, call->scratch);
    fill_row_offsets(&filter);
    cnni_parallel(call->context, call->lanes, filter.chunks * filter.parts, run_item, &filter);
    if (filter.chunks > 1)
        cnni_parallel(call->context, call->lanes, cnni_ceil_div(filter.size, SLICE), add_partials,
                      &filter);
    const float *biases = call->scratch + filter.at.biases;
    for (int64_t chunk = 0; db != NULL && chunk < filter.chunks; chunk++)
        filter.kernels->vector_add(filter.filters, db, db, biases + chunk * filter.filters);
}
