/* SPDX-License-Identifier: MIT
 * Depthwise backward-weights: dw and db.  The rows of dy are cut into chunks, for threads to share,
 * and these into blocks: rows of together at most 128 pixels, or one row.  A block's sums of dw and
 * db lie side by side, (taps + 1) x channels floats, which the kernel adds to; a pairwise tree adds
 * up the blocks of a chunk, and chunks follow in order.  So the order of every sum is fixed by the
 * shape and n alone. */
#include "ops/op_depthwise.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "ops/op_bias.h"
#include "ops/op_depthwise_rows.h"

enum { MOST_CHUNKS = 16 };

struct filter {
    const struct cnni_kernels *kernels;
    struct cnni_depthwise_rows rows;
    int64_t count;       /* of rows, over all pictures */
    int64_t block, size; /* rows in a block; floats of its sums */
    int64_t chunks;
    int64_t levels; /* of a tree */
    float *totals;  /* [chunks][size] */
    float *lanes;   /* [lanes][1 + levels][size] */
    const float *x, *dy;
};

static void plan(struct filter *filter, const struct cnni_conv2d *conv, int64_t n)
{
    filter->count = cnni_size_product(n, conv->oh);
    filter->block = CNNI_MAX(CNNI_BIAS_BLOCK / CNNI_MAX(conv->ow, 1), 1);
    const int64_t taps = cnni_size_product(conv->r, conv->s);
    const int64_t size = cnni_size_product(cnni_size_sum(taps, 1), conv->c);
    filter->size = cnni_size_sum(size, 15) / 16 * 16;
    filter->chunks = CNNI_MIN(cnni_ceil_div(filter->count, filter->block), MOST_CHUNKS);
    filter->levels = cnni_bias_levels(filter->count);
}

int64_t cnni_depthwise_filter_scratch_size(const struct cnni_conv2d *conv, int64_t n, int32_t lanes)
{
    struct filter filter;
    plan(&filter, conv, n);
    const int64_t sums = cnni_size_sum(cnni_size_product(filter.levels + 1, lanes), MOST_CHUNKS);
    return cnni_size_sum(cnni_depthwise_rows_size(conv->oh, conv->ow),
                         cnni_size_product(sums, filter.size));
}

/* Adds row `number` of dy to the sums of dw and db. */
static void add_row(const struct filter *filter, int64_t number, float *dw, float *db)
{
    const struct cnni_depthwise_rows *rows = &filter->rows;
    const struct cnni_axis *h = &rows->h, *w = &rows->w;
    const struct cnni_depthwise_taps *taps = &rows->rows[number % h->target];
    const int64_t channels = rows->channels, row = w->target * channels;
    const int64_t source_row = number / h->target * h->source + taps->source;
    for (int64_t i = 0; i < rows->run_count; i++) {
        const struct cnni_depthwise_run *run = &rows->runs[i];
        const float *dy = filter->dy + number * row + run->target * channels;
        filter->kernels->conv2d_depthwise_filter(&(struct cnni_conv2d_depthwise_filter){
            .pixels = run->pixels,
            .channels = channels,
            .rows = taps->count,
            .columns = run->taps.count,
            .first_short = run->first_short,
            .last_short = run->last_short,
            .x = filter->x + (source_row * w->source + run->taps.source) * channels,
            .x_step = w->step * channels,
            .x_tap_step = w->tap_step * channels,
            .x_row_step = h->tap_step * w->source * channels,
            .dy = dy,
            .dw = dw + (taps->kernel * rows->kernel_columns + run->taps.kernel) * channels,
            .dw_tap_step = channels,
            .dw_row_step = rows->kernel_columns * channels,
            .db = db,
            .x_ahead = cnni_depthwise_ahead(rows, filter->x, number, i),
            .dy_ahead = {(uintptr_t)(dy + row), (uintptr_t)channels * sizeof *dy},
        });
    }
}

/* A chunk of blocks. */
static void run_item(void *task, int64_t chunk, int32_t lane)
{
    const struct filter *filter = task;
    float *sums = filter->lanes + lane * (filter->levels + 1) * filter->size;
    float *db = sums + filter->size - filter->rows.channels;
    struct cnni_bias_tree tree = {
        .kernels = filter->kernels, .filters = filter->size, .levels = sums + filter->size};
    const int64_t blocks = cnni_ceil_div(filter->count, filter->block);
    const int64_t end = (chunk + 1) * blocks / filter->chunks;
    for (int64_t block = chunk * blocks / filter->chunks; block < end; block++) {
        const int64_t first = block * filter->block;
        memset(sums, 0, (size_t)filter->size * sizeof *sums);
        for (int64_t i = first; i < CNNI_MIN(first + filter->block, filter->count); i++)
            add_row(filter, i, sums, db);
        cnni_bias_add(&tree, sums);
    }
    cnni_bias_total(&tree, filter->totals + chunk * filter->size);
}

void cnni_depthwise_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                    const float *x, const float *dy)
{
    const struct cnni_conv2d *conv = call->conv;
    struct filter filter = {.kernels = cnni_kernels(call->context->cpu), .x = x, .dy = dy};
    plan(&filter, conv, call->n);
    cnni_depthwise_forward_rows(&filter.rows, conv, call->scratch);
    filter.totals = call->scratch + cnni_depthwise_rows_size(conv->oh, conv->ow);
    filter.lanes = filter.totals + filter.chunks * filter.size;
    cnni_parallel(call->context, call->lanes, filter.chunks, run_item, &filter);
    const float *total = filter.totals;
    for (int64_t chunk = 0; chunk < filter.chunks; chunk++, total += filter.size) {
        filter.kernels->vector_add(conv->r * conv->s * conv->c, dw, dw, total);
        if (db != NULL)
            filter.kernels->vector_add(conv->c, db, db, total + filter.size - conv->c);
    }
}
