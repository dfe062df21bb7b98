/* SPDX-License-Identifier: MIT
 * Element by element: cuts long arrays into items of fixed size. */
#include "ops/op_elementwise.h"

#include "base/context_internal.h"
#include "base/random.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum { ITEM = 16 * 1024 };

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_dropout *dropout;
    float *y;
    const float *a, *b;
};

static void run(cnn_context *context, int32_t lanes, int64_t count, struct work *work,
                cnni_range_fn *range)
{
    work->kernels = cnni_kernels(context->cpu);
    cnni_parallel_range(context, lanes, count, ITEM, range, work);
}

static void add_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    work->kernels->vector_add(count, work->y + first, work->a + first, work->b + first);
}

void cnni_add(cnn_context *context, int32_t lanes, int64_t count, float *y, const float *a,
              const float *b)
{
    run(context, lanes, count, &(struct work){.y = y, .a = a, .b = b}, add_range);
}

/* A block of random numbers decides four neighbours; an item is a whole number of blocks. */
static void dropout_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const struct cnni_dropout *dropout = work->dropout;
    const float scale = (float)(1 / (1 - dropout->rate));
    const float *x = work->a + first;
    float *y = work->y + first;
    struct cnni_random random;
    cnni_random_start(&random, dropout->seed, CNNI_RANDOM_DROPOUT, dropout->stream, dropout->step);
    random.counter[0] += (uint32_t)(first / 4);
    for (int64_t i = 0; i < count; i++)
        y[i] = cnni_random_uniform(&random) < dropout->rate ? 0 : x[i] * scale;
}

void cnni_dropout(cnn_context *context, int32_t lanes, const struct cnni_dropout *dropout,
                  int64_t count, float *y, const float *x)
{
    run(context, lanes, count, &(struct work){.dropout = dropout, .y = y, .a = x}, dropout_range);
}
