/* SPDX-License-Identifier: MIT
 * Activations: cuts long arrays into items of fixed size. */
#include "ops/op_activation.h"

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum { ITEM = 16 * 1024 };

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_activation *activation;
    float *to;
    const float *from, *value;
};

void cnni_activation_apply(const struct cnni_kernels *kernels,
                           const struct cnni_activation *activation, int64_t count, float *y,
                           const float *x)
{
    kernels->activation_forward(activation, count, y, x);
}

static void forward_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    cnni_activation_apply(work->kernels, work->activation, count, work->to + first,
                          work->from + first);
}

void cnni_activation_forward(cnn_context *context, int32_t lanes,
                             const struct cnni_activation *activation, int64_t count, float *y,
                             const float *x)
{
    struct work work = {cnni_kernels(context->cpu), activation, y, x, NULL};
    cnni_parallel_range(context, lanes, count, ITEM, forward_range, &work);
}

static void backward_range(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    work->kernels->activation_backward(work->activation, count, work->to + first,
                                       work->from + first, work->value + first);
}

void cnni_activation_backward(cnn_context *context, int32_t lanes,
                              const struct cnni_activation *activation, int64_t count, float *dx,
                              const float *dy, const float *value)
{
    struct work work = {cnni_kernels(context->cpu), activation, dx, dy, value};
    cnni_parallel_range(context, lanes, count, ITEM, backward_range, &work);
}
