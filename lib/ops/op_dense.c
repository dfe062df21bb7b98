/* SPDX-License-Identifier: MIT
 * A dense layer on one sample.  An item is some columns of the weights: of all their rows. */
#include "ops/op_dense.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum { ITEM = 1024 /* columns: of fewer, rows are too short to be read quickly */ };

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_dense *dense;
    float *y;
    const float *x;
    bool relu;
};

static void run_columns(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const struct cnni_dense *dense = work->dense;
    const struct cnni_dense_row row = {
        .x = work->x,
        .w = dense->w + first,
        .w_pitch = dense->k,
        .bias = dense->b == NULL ? NULL : dense->b + first,
        .y = work->y + first,
        .channels = dense->c,
        .columns = count,
        .relu = work->relu,
    };
    work->kernels->dense_row(&row);
}

void cnni_dense_forward(cnn_context *context, int32_t lanes, const struct cnni_dense *dense,
                        float *y, const float *x, bool relu)
{
    struct work work = {cnni_kernels(context->cpu), dense, y, x, relu};
    cnni_parallel_range(context, lanes, dense->k, ITEM, run_columns, &work);
}
