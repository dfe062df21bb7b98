/* SPDX-License-Identifier: MIT
 * Optimizer updates and the sum of squares: cuts parameter arrays into items of fixed size. */
#include "ops/op_optimizer.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"

enum {
    ITEM = 16 * 1024,
    SQUARES = 4096, /* elements of one block of the sum of squares ... */
    BLOCKS = 256    /* ... of which so many are worked out at a time */
};

struct work {
    const struct cnni_kernels *kernels;
    int64_t count;
    struct cnni_sgd_step sgd;
    struct cnni_adam_step adam;
    float *w, *g, *m, *v;
};

static void run(cnn_context *context, struct work *work, cnni_item_fn *item)
{
    work->kernels = cnni_kernels(context->cpu);
    cnni_parallel(context, cnni_lanes(context), cnni_ceil_div(work->count, ITEM), item, work);
}

static void sgd_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const int64_t first = item * ITEM, count = CNNI_MIN(work->count - first, ITEM);
    work->kernels->optimizer_sgd(&work->sgd, count, work->w + first, work->g + first,
                                 work->v == NULL ? NULL : work->v + first);
}

void cnni_sgd_update(cnn_context *context, const struct cnni_sgd *sgd, int64_t count, float *w,
                     float *g, float *v)
{
    struct work work = {
        .count = count,
        .sgd = {.learning_rate = sgd->learning_rate,
                .momentum = sgd->momentum,
                .weight_decay = sgd->weight_decay,
                .gradient_scale = sgd->gradient_scale,
                .nesterov = sgd->nesterov,
                .first = sgd->first},
        .w = w,
        .g = g,
        .v = v,
    };
    run(context, &work, sgd_item);
}

static void adam_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const int64_t first = item * ITEM, count = CNNI_MIN(work->count - first, ITEM);
    work->kernels->optimizer_adam(&work->adam, count, work->w + first, work->g + first,
                                  work->m + first, work->v + first);
}

void cnni_adam_update(cnn_context *context, const struct cnni_adam *adam, int64_t count, float *w,
                      float *g, float *m, float *v)
{
    struct work work = {
        .count = count,
        .adam = {.step_size = adam->step_size,
                 .root_correction = adam->root_correction,
                 .epsilon = adam->epsilon,
                 .beta1 = (float)adam->beta1,
                 .rest1 = (float)(1 - adam->beta1),
                 .beta2 = (float)adam->beta2,
                 .rest2 = (float)(1 - adam->beta2),
                 .weight_decay = adam->weight_decay,
                 .shrink = adam->shrink,
                 .gradient_scale = adam->gradient_scale},
        .w = w,
        .g = g,
        .m = m,
        .v = v,
    };
    run(context, &work, adam_item);
}

/* ---- Sum of squares ---- */

struct squares {
    const struct cnni_kernels *kernels;
    int64_t count;
    const float *x;
    double sums[BLOCKS];
};

static void squares_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    struct squares *work = task;
    const int64_t first = item * SQUARES;
    work->sums[item] =
        work->kernels->vector_sum_squares(CNNI_MIN(work->count - first, SQUARES), work->x + first);
}

double cnni_sum_squares(cnn_context *context, int64_t count, const float *x)
{
    struct squares work = {.kernels = cnni_kernels(context->cpu)};
    double sum = 0;
    for (int64_t first = 0; first < count; first += (int64_t)BLOCKS * SQUARES) {
        work.count = CNNI_MIN(count - first, (int64_t)BLOCKS * SQUARES);
        work.x = x + first;
        const int64_t blocks = cnni_ceil_div(work.count, SQUARES);
        cnni_parallel(context, cnni_lanes(context), blocks, squares_item, &work);
        for (int64_t i = 0; i < blocks; i++)
            sum += work.sums[i];
    }
    return sum;
}
