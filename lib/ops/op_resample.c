/* SPDX-License-Identifier: MIT
 * Resampling: rows of outputs, several to an item of parallel work.  The taps are made in
 * op_resample_axis.c. */
#include "ops/op_resample.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"
#include "ops/op_resample_axis.h"

/* Multiplications of one item of parallel work, about. */
enum { ITEM_PRODUCTS = 32 * 1024 };

struct work {
    const struct cnni_kernels *kernels;
    struct cnni_resample_taps rows, columns;
    int64_t from_rows, to_rows, from_width, to_width, c; /* of pictures read and written */
    const float *from;
    float *to;
};

bool cnni_resample_scratch_bytes(size_t *bytes, const struct cnni_resample2d *map)
{
    *bytes = 0;
    return cnni_resample_add_bytes(bytes, &map->rows) &&
           cnni_resample_add_bytes(bytes, &map->columns);
}

/* Rows are counted over all pictures. */
static void run_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    for (int64_t row = first; row < first + count; row++) {
        const int64_t picture = row / work->to_rows, begin = work->rows.first[row % work->to_rows];
        const struct cnni_resample resample = {
            .pixels = work->to_width,
            .channels = work->c,
            .rows = work->rows.taps + begin,
            .row_count = work->rows.first[row % work->to_rows + 1] - begin,
            .columns = work->columns.taps,
            .first = work->columns.first,
        };
        work->kernels->resample(&resample, work->to + row * work->to_width * work->c,
                                work->from +
                                    picture * work->from_rows * work->from_width * work->c);
    }
}

static void run(cnn_context *context, int32_t lanes, const struct cnni_resample2d *map, int64_t n,
                struct work *work, bool turned, void *scratch)
{
    work->kernels = cnni_kernels(context->cpu);
    work->c = map->c;
    scratch =
        cnni_resample_fill(&work->rows, &map->rows, work->from_width * map->c, turned, scratch);
    cnni_resample_fill(&work->columns, &map->columns, map->c, turned, scratch);
    /* Products of a row, by the mean number of taps. */
    const int64_t row_taps = cnni_ceil_div(work->rows.first[work->to_rows], work->to_rows);
    const int64_t products =
        CNNI_MAX(row_taps, 1) * (work->columns.first[work->to_width] + work->to_width) * map->c;
    cnni_parallel_range(context, lanes, n * work->to_rows, CNNI_MAX(ITEM_PRODUCTS / products, 1),
                        run_rows, work);
}

void cnni_resample_forward(cnn_context *context, int32_t lanes, const struct cnni_resample2d *map,
                           int64_t n, float *y, const float *x, void *scratch)
{
    struct work work = {.from_rows = map->rows.inputs,
                        .from_width = map->columns.inputs,
                        .to_rows = map->rows.outputs,
                        .to_width = map->columns.outputs,
                        .from = x,
                        .to = y};
    run(context, lanes, map, n, &work, false, scratch);
}

void cnni_resample_backward(cnn_context *context, int32_t lanes, const struct cnni_resample2d *map,
                            int64_t n, float *dx, const float *dy, void *scratch)
{
    struct work work = {.from_rows = map->rows.outputs,
                        .from_width = map->columns.outputs,
                        .to_rows = map->rows.inputs,
                        .to_width = map->columns.inputs,
                        .from = dy,
                        .to = dx};
    run(context, lanes, map, n, &work, true, scratch);
}
