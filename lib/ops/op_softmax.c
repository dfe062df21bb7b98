/* SPDX-License-Identifier: MIT
 * Softmax: rows, several to an item of parallel work. */
#include "ops/op_softmax.h"

#include "base/context_internal.h"
#include "base/real.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum { ITEM_FLOATS = 4096 };

struct work {
    const struct cnni_kernels *kernels;
    int64_t columns;
    float *y, *log_sums, *dx;
    const float *x, *dy;
};

static void run(cnn_context *context, int32_t lanes, int64_t rows, struct work *work,
                cnni_range_fn *range)
{
    work->kernels = cnni_kernels(context->cpu);
    cnni_parallel_range(context, lanes, rows, CNNI_MAX(ITEM_FLOATS / work->columns, 1), range,
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

static void forward_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    for (int64_t row = first; row < first + count; row++)
        forward_row(work, row);
}

void cnni_softmax_forward(cnn_context *context, int32_t lanes, int64_t rows, int64_t columns,
                          float *y, float *log_sums, const float *x)
{
    struct work work = {.columns = columns, .y = y, .log_sums = log_sums, .x = x};
    run(context, lanes, rows, &work, forward_rows);
}

static void backward_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    for (int64_t row = first; row < first + count; row++) {
        const int64_t place = row * work->columns;
        work->kernels->softmax_backward(work->columns, work->dx + place, work->dy + place,
                                        work->x + place);
    }
}

void cnni_softmax_backward(cnn_context *context, int32_t lanes, int64_t rows, int64_t columns,
                           float *dx, const float *dy, const float *y)
{
    struct work work = {.columns = columns, .dx = dx, .dy = dy, .x = y};
    run(context, lanes, rows, &work, backward_rows);
}
