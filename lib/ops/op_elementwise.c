/* SPDX-License-Identifier: MIT
 * Element by element: cuts long arrays into items of fixed size. */
#include "ops/op_elementwise.h"

#include "base/context_internal.h"
#include "base/random.h"
#include "kernels/kernels.h"

enum { ITEM = 16 * 1024 };

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_dropout *dropout;
    int64_t count;
    float *y;
    const float *a, *b;
};

static void run(cnn_context *context, struct work *work, cnni_item_fn *item)
{
    work->kernels = cnni_kernels(context->cpu);
    cnni_parallel(context, cnni_lanes(context), cnni_ceil_div(work->count, ITEM), item, work);
}

static int64_t item_count(const struct work *work, int64_t item)
{
    return CNNI_MIN(work->count - item * ITEM, ITEM);
}

static void relu_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    work->kernels->vector_relu(item_count(work, item), work->y + item * ITEM,
                               work->a + item * ITEM);
}

void cnni_relu_forward(cnn_context *context, int64_t count, float *y, const float *x)
{
    run(context, &(struct work){.count = count, .y = y, .a = x}, relu_item);
}

static void relu_backward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    work->kernels->vector_relu_backward(item_count(work, item), work->y + item * ITEM,
                                        work->a + item * ITEM, work->b + item * ITEM);
}

void cnni_relu_backward(cnn_context *context, int64_t count, float *dx, const float *dy,
                        const float *y)
{
    run(context, &(struct work){.count = count, .y = dx, .a = dy, .b = y}, relu_backward_item);
}

static void add_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    work->kernels->vector_add(item_count(work, item), work->y + item * ITEM, work->a + item * ITEM,
                              work->b + item * ITEM);
}

void cnni_add(cnn_context *context, int64_t count, float *y, const float *a, const float *b)
{
    run(context, &(struct work){.count = count, .y = y, .a = a, .b = b}, add_item);
}

/* A block of random numbers decides four neighbours; an item is a whole number of blocks. */
static void dropout_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const struct cnni_dropout *dropout = work->dropout;
    const float scale = (float)(1 / (1 - dropout->rate));
    const float *x = work->a + item * ITEM;
    float *y = work->y + item * ITEM;
    struct cnni_random random;
    cnni_random_start(&random, dropout->seed, CNNI_RANDOM_DROPOUT, dropout->stream, dropout->step);
    random.counter[0] += (uint32_t)(item * (ITEM / 4));
    for (int64_t i = 0; i < item_count(work, item); i++)
        y[i] = cnni_random_uniform(&random) < dropout->rate ? 0 : x[i] * scale;
}

void cnni_dropout(cnn_context *context, const struct cnni_dropout *dropout, int64_t count, float *y,
                  const float *x)
{
    run(context, &(struct work){.dropout = dropout, .count = count, .y = y, .a = x}, dropout_item);
}
