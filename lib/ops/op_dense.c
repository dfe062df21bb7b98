/* SPDX-License-Identifier: MIT
 * A dense layer on one sample.  An item is some columns of all rows of the weights.  One thread
 * takes all columns at once, since whole rows are read faster than pieces; no sum crosses columns,
 * so that the bits are the same. */
#include "ops/op_dense.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum { ITEM = 128 /* columns */ };

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
    const int64_t item = lanes == 1 ? dense->k : ITEM;
    cnni_parallel_range(context, lanes, dense->k, item, run_columns, &work);
}
