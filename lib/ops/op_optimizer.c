/* SPDX-License-Identifier: MIT
 * Optimizer updates and the sum of squares: cuts parameter arrays into items of fixed size. */
#include "ops/op_optimizer.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum {
    ITEM = 16 * 1024,
    SQUARES = 4096, /* elements of one block of the sum of squares ... */
    BLOCKS = 256    /* ... of which so many are worked out at a time */
};

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_sgd_step *sgd;
    const struct cnni_adam_step *adam;
    float *w, *g, *m, *v;
    float rest;
};

static void run(cnn_context *context, int32_t lanes, int64_t count, struct work *work,
                cnni_range_fn *range)
{
    work->kernels = cnni_kernels(context->cpu);
    cnni_parallel_range(context, lanes, count, ITEM, range, work);
}

static void sgd_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    work->kernels->optimizer_sgd(work->sgd, count, work->w + first, work->g + first,
                                 work->v == NULL ? NULL : work->v + first);
}

void cnni_sgd_update(cnn_context *context, int32_t lanes, const struct cnni_sgd_step *step,
                     int64_t count, float *w, float *g, float *v)
{
    run(context, lanes, count, &(struct work){.sgd = step, .w = w, .g = g, .v = v}, sgd_range);
}

static void adam_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    work->kernels->optimizer_adam(work->adam, count, work->w + first, work->g + first,
                                  work->m + first, work->v + first);
}

void cnni_adam_update(cnn_context *context, int32_t lanes, const struct cnni_adam_step *step,
                      int64_t count, float *w, float *g, float *m, float *v)
{
    struct work work = {.adam = step, .w = w, .g = g, .m = m, .v = v};
    run(context, lanes, count, &work, adam_range);
}

static void average_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    work->kernels->vector_average(count, work->m + first, work->w + first, work->rest);
}

void cnni_average_update(cnn_context *context, int32_t lanes, int64_t count, float *a,
                         const float *w, float rest)
{
    struct work work = {.m = a, .w = (float *)w, .rest = rest};
    run(context, lanes, count, &work, average_range);
}

/* ---- Sum of squares ---- */

struct squares {
    const struct cnni_kernels *kernels;
    const float *x;
    double sums[BLOCKS];
};

static void squares_range(void *task, int64_t first, int64_t count)
{
    struct squares *work = task;
    work->sums[first / SQUARES] = work->kernels->vector_sum_squares(count, work->x + first);
}

double cnni_sum_squares(cnn_context *context, int32_t lanes, int64_t count, const float *x)
{
    struct squares work = {.kernels = cnni_kernels(context->cpu)};
    double sum = 0;
    for (int64_t first = 0; first < count; first += (int64_t)BLOCKS * SQUARES) {
        const int64_t some = CNNI_MIN(count - first, (int64_t)BLOCKS * SQUARES);
        work.x = x + first;
        cnni_parallel_range(context, lanes, some, SQUARES, squares_range, &work);
        for (int64_t i = 0; i < cnni_ceil_div(some, SQUARES); i++)
            sum += work.sums[i];
    }
    return sum;
}
