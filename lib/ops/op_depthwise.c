/* SPDX-License-Identifier: MIT
 * Depthwise convolution forward and backward-data: rows of the target, one after another.  Geometry
 * is in op_depthwise_rows.c, backward-weights in op_depthwise_grad.c. */
#include "ops/op_depthwise.h"

#include <stdatomic.h>
#include <string.h>

#include "base/context_internal.h"
#include "ops/op_conv2d_pass.h"
#include "ops/op_bias.h"
#include "ops/op_depthwise_rows.h"
#include "ops/op_range.h"

enum {
    ITEM = 32 * 1024, /* floats of the target in an item, at least */
    /* So large a target (16 MB) leaves the caches before it is read again. */
    LARGE_TARGET = 4096 * 1024,
    STREAM_CHANNELS = 16,
    STREAM_ALIGNMENT = 64
};

bool cnni_depthwise_suits(const struct cnni_conv2d *conv)
{
    return conv->groups > 1 && conv->groups == conv->c && conv->groups == conv->k;
}

int64_t cnni_depthwise_packed_size(const struct cnni_conv2d *conv)
{
    return cnni_size_product(cnni_size_product(conv->r, conv->s), conv->c);
}

void cnni_depthwise_pack(const struct cnni_conv2d *conv, float *packed, const float *w)
{
    memcpy(packed, w, (size_t)cnni_depthwise_packed_size(conv) * sizeof *w);
}

int64_t cnni_depthwise_forward_scratch_size(const struct cnni_conv2d *conv)
{
    return cnni_depthwise_rows_size(conv->oh, conv->ow);
}

int64_t cnni_depthwise_backward_scratch_size(const struct cnni_conv2d *conv)
{
    return cnni_depthwise_rows_size(conv->h, conv->w);
}

struct task {
    const struct cnni_kernels *kernels;
    struct cnni_depthwise_rows rows;
    float *target;
    const float *source, *w, *bias;
    const struct cnni_conv2d_tail *tail;
    bool relu, stream;
};

/* Row `number` of all pictures'. */
static void run_row(const struct task *task, int64_t number)
{
    const struct cnni_depthwise_rows *rows = &task->rows;
    const struct cnni_axis *h = &rows->h, *w = &rows->w;
    const struct cnni_depthwise_taps *taps = &rows->rows[number % h->target];
    const int64_t channels = rows->channels;
    const int64_t source_row = number / h->target * h->source + taps->source;
    float *target = task->target + number * w->target * channels;
    if (!rows->whole)
        cnni_bias_fill(task->kernels, w->target, channels, target, task->bias, task->relu);
    for (int64_t i = 0; i < rows->run_count; i++) {
        const struct cnni_depthwise_run *run = &rows->runs[i];
        task->kernels->conv2d_depthwise(&(struct cnni_conv2d_depthwise){
            .pixels = run->pixels,
            .channels = channels,
            .rows = taps->count,
            .columns = run->taps.count,
            .first_short = run->first_short,
            .last_short = run->last_short,
            .x = task->source + (source_row * w->source + run->taps.source) * channels,
            .x_step = w->step * channels,
            .x_tap_step = w->tap_step * channels,
            .x_row_step = h->tap_step * w->source * channels,
            .w = task->w + (taps->kernel * rows->kernel_columns + run->taps.kernel) * channels,
            .w_tap_step = w->kernel_step * channels,
            .w_row_step = h->kernel_step * rows->kernel_columns * channels,
            .bias = task->bias,
            .y = target + run->target * channels,
            .y_step = w->target_step * channels,
            .relu = task->relu,
            .stream = task->stream,
            .ahead = cnni_depthwise_ahead(rows, task->source, number, i),
        });
    }
    if (task->tail != NULL)
        cnni_conv2d_finish(task->kernels, task->tail, task->target, target - task->target,
                           w->target * channels);
}

static void run_rows(void *task, int64_t first, int64_t count)
{
    const struct task *run = task;
    for (int64_t number = first; number < first + count; number++)
        run_row(run, number);
    if (run->stream)
        atomic_thread_fence(memory_order_seq_cst);
}

static void run_all(const struct cnni_conv2d_call *call, struct task *task)
{
    const struct cnni_depthwise_rows *rows = &task->rows;
    const int64_t row = rows->w.target * rows->channels, count = call->n * rows->h.target;
    task->kernels = cnni_kernels(call->context->cpu);
    task->stream = task->tail == NULL && count * row >= LARGE_TARGET &&
                   rows->channels % STREAM_CHANNELS == 0 &&
                   (uintptr_t)task->target % STREAM_ALIGNMENT == 0;
    cnni_parallel_range(call->context, call->lanes, count, cnni_ceil_div(ITEM, row), run_rows,
                        task);
}

void cnni_depthwise_forward(const struct cnni_conv2d_call *call, float *y, const float *x,
                            const float *packed, const float *b, bool relu)
{
    struct task task = {
        .target = y,
        .source = x,
        .w = packed,
        .bias = b,
        .tail = call->tail,
        .relu = relu,
    };
    cnni_depthwise_forward_rows(&task.rows, call->conv, call->scratch);
    run_all(call, &task);
}

void cnni_depthwise_transposed(const struct cnni_conv2d_call *call, float *y, const float *x,
                               const float *packed, const float *b, bool relu)
{
    struct task task = {.target = y, .source = x, .w = packed, .bias = b, .relu = relu};
    cnni_depthwise_backward_rows(&task.rows, call->conv, call->scratch);
    run_all(call, &task);
}
