/* SPDX-License-Identifier: MIT
 * Softmax: rows, several to an item of parallel work. */
#include "ops/op_softmax.h"

#include "base/context_internal.h"
#include "base/real.h"
#include "kernels/kernels.h"

enum { ITEM_FLOATS = 4096 };

struct work {
    const struct cnni_kernels *kernels;
    int64_t rows, columns;
    int64_t item_rows;
    float *y, *log_sums, *dx;
    const float *x, *dy;
};

static void run(cnn_context *context, struct work *work, cnni_item_fn *item)
{
    work->kernels = cnni_kernels(context->cpu);
    work->item_rows = CNNI_MAX(ITEM_FLOATS / work->columns, 1);
    cnni_parallel(context, cnni_lanes(context), cnni_ceil_div(work->rows, work->item_rows), item,
                  work);
}

static void forward_row(const struct work *work, int64_t row)
{
    float *y = work->y + row * work->columns;
    float max, sum;
    work->kernels->softmax_exp(work->columns, y, &max, &sum, work->x + row * work->columns);
    for (int64_t i = 0; i < work->columns; i++)
        y[i] /= sum;
    if (work->log_sums != NULL)
        work->log_sums[row] = (float)((double)max + cnni_log((double)sum));
}

static void forward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const int64_t end = CNNI_MIN((item + 1) * work->item_rows, work->rows);
    for (int64_t row = item * work->item_rows; row < end; row++)
        forward_row(work, row);
}

void cnni_softmax_forward(cnn_context *context, int64_t rows, int64_t columns, float *y,
                          float *log_sums, const float *x)
{
    struct work work = {.rows = rows, .columns = columns, .y = y, .log_sums = log_sums, .x = x};
    run(context, &work, forward_item);
}

static void backward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const int64_t end = CNNI_MIN((item + 1) * work->item_rows, work->rows);
    for (int64_t place = item * work->item_rows * work->columns; place < end * work->columns;
         place += work->columns)
        work->kernels->softmax_backward(work->columns, work->dx + place, work->dy + place,
                                        work->x + place);
}

void cnni_softmax_backward(cnn_context *context, int64_t rows, int64_t columns, float *dx,
                           const float *dy, const float *y)
{
    struct work work = {.rows = rows, .columns = columns, .dx = dx, .dy = dy, .x = y};
    run(context, &work, backward_item);
}
