/* SPDX-License-Identifier: MIT
 * Max-pooling: cuts pictures into rows of windows, and rows into spans: the windows that lie
 * wholly inside the picture, which one kernel call does, and those that reach over a border, one
 * call each. */
#include "ops/op_maxpool2d.h"

#include <stdatomic.h>
#include <string.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum {
    /* Outputs of one item of parallel work, about. */
    ITEM_FLOATS = 16 * 1024,
    /* So large a gradient (32 MB) leaves the caches before it is read again. */
    LARGE_INPUT = 8192 * 1024,
    STREAM_ALIGNMENT = 64,
    STREAM_CHANNELS = 16
};

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_maxpool2d *pool;
    const float *x, *dy;
    float *y, *dx;
    uint8_t *winners; /* or NULL */
    bool gate;        /* nobody wins where the largest is <= 0 */
    bool stream;      /* dx past the caches */
};

static int32_t winner_size(const struct cnni_maxpool2d *pool)
{
    return pool->r * pool->s > CNNI_NO_WINNER_BYTE ? 4 : 1;
}

size_t cnni_maxpool2d_winner_bytes(const struct cnni_maxpool2d *pool)
{
    return (size_t)(pool->oh * pool->ow * pool->c * winner_size(pool));
}

/* ---- Spans ---- */

/* Neighbouring windows that are clipped alike, and where their pixels and results lie. */
struct span {
    struct cnni_maxpool2d_windows windows;
    int64_t input, output; /* of the first window, in floats */
};

/* The span that begins at column `column` of row `row` of windows, counted over all pictures. */
static struct span span_at(const struct work *work, int64_t row, int64_t column)
{
    const struct cnni_maxpool2d *pool = work->pool;
    const int64_t top = row % pool->oh * pool->stride_h - pool->pad_top;
    const int64_t left = column * pool->stride_w - pool->pad_left;
    const int64_t above = CNNI_MAX(-top, 0), before = CNNI_MAX(-left, 0);
    const int64_t bottom = CNNI_MIN(pool->r, pool->h - top),
                  right = CNNI_MIN(pool->s, pool->w - left);
    const int64_t inside = (pool->w + pool->pad_left - pool->s) / pool->stride_w + 1;
    const bool clipped = before > 0 || right < pool->s;
    const int64_t place = (row / pool->oh * pool->h + top + above) * pool->w + left + before;
    return (struct span){
        .windows = {.windows = clipped ? 1 : CNNI_MIN(inside, pool->ow) - column,
                    .channels = pool->c,
                    .rows = bottom - above,
                    .columns = right - before,
                    .x_step = pool->stride_w * pool->c,
                    .row_pitch = pool->w * pool->c,
                    .first = (int32_t)(above * pool->s + before),
                    .number_pitch = (int32_t)pool->s,
                    .winner_size = work->winners == NULL ? 0 : winner_size(pool),
                    .gate = work->gate,
                    .stream = work->stream},
        .input = place * pool->c,
        .output = (row * pool->ow + column) * pool->c,
    };
}

static void forward_row(const struct work *work, int64_t row)
{
    for (int64_t column = 0; column < work->pool->ow;) {
        const struct span span = span_at(work, row, column);
        uint8_t *winners = work->winners;
        if (winners != NULL)
            winners += span.output * span.windows.winner_size;
        work->kernels->maxpool2d_forward(&span.windows, work->y + span.output, winners,
                                         work->x + span.input);
        column += span.windows.windows;
    }
}

static void backward_row(const struct work *work, int64_t row, bool overwrite)
{
    for (int64_t column = 0; column < work->pool->ow;) {
        const struct span span = span_at(work, row, column);
        work->kernels->maxpool2d_backward(
            &span.windows, work->dx + span.input, work->dy + span.output,
            work->winners + span.output * span.windows.winner_size, overwrite);
        column += span.windows.windows;
    }
}

/* ---- Items: rows of windows, counted over all pictures, or whole pictures ---- */

static void forward_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    for (int64_t row = first; row < first + count; row++)
        forward_row(work, row);
}

/* Windows side by side without gaps: each pixel is in at most one. */
static bool is_tiled(const struct cnni_maxpool2d *pool)
{
    return pool->stride_h == pool->r && pool->stride_w == pool->s && pool->pad_top == 0 &&
           pool->pad_left == 0 && pool->oh * pool->r <= pool->h && pool->ow * pool->s <= pool->w;
}

/* Clears the pixels of dx beside and below tiled windows. */
static void clear_rest(const struct work *work, int64_t row)
{
    const struct cnni_maxpool2d *pool = work->pool;
    const int64_t pixel = pool->c * (int64_t)sizeof *work->dx, used = pool->ow * pool->s;
    float *picture = work->dx + row / pool->oh * pool->h * pool->w * pool->c;
    const int64_t top = row % pool->oh * pool->r, bottom = top + pool->r;
    for (int64_t i = top; i < bottom && used < pool->w; i++)
        memset(picture + (i * pool->w + used) * pool->c, 0, (size_t)((pool->w - used) * pixel));
    if (row % pool->oh == pool->oh - 1)
        memset(picture + bottom * pool->w * pool->c, 0,
               (size_t)((pool->h - bottom) * pool->w * pixel));
}

static void backward_tiled_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    for (int64_t row = first; row < first + count; row++) {
        backward_row(work, row, true);
        clear_rest(work, row);
    }
    if (work->stream)
        atomic_thread_fence(memory_order_seq_cst);
}

static void backward_pictures(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const struct cnni_maxpool2d *pool = work->pool;
    const int64_t size = pool->h * pool->w * pool->c;
    memset(work->dx + first * size, 0, (size_t)(count * size) * sizeof *work->dx);
    for (int64_t row = first * pool->oh; row < (first + count) * pool->oh; row++)
        backward_row(work, row, false);
}

static int64_t rows_per_item(const struct cnni_maxpool2d *pool)
{
    return CNNI_MAX(ITEM_FLOATS / (pool->ow * pool->c), 1);
}

void cnni_maxpool2d_forward(cnn_context *context, int32_t lanes, const struct cnni_maxpool2d *pool,
                            int64_t n, float *y, void *winners, const float *x, bool gate)
{
    struct work work = {.kernels = cnni_kernels(context->cpu),
                        .pool = pool,
                        .x = x,
                        .y = y,
                        .winners = winners,
                        .gate = gate};
    cnni_parallel_range(context, lanes, n * pool->oh, rows_per_item(pool), forward_rows, &work);
}

void cnni_maxpool2d_backward(cnn_context *context, int32_t lanes, const struct cnni_maxpool2d *pool,
                             int64_t n, float *dx, const float *dy, const void *winners)
{
    struct work work = {.kernels = cnni_kernels(context->cpu),
                        .pool = pool,
                        .dx = dx,
                        .dy = dy,
                        .winners = (uint8_t *)(uintptr_t)winners};
    work.stream = is_tiled(pool) && n * pool->h * pool->w * pool->c >= LARGE_INPUT &&
                  pool->c % STREAM_CHANNELS == 0 && (uintptr_t)dx % STREAM_ALIGNMENT == 0;
    if (is_tiled(pool))
        cnni_parallel_range(context, lanes, n * pool->oh, rows_per_item(pool), backward_tiled_rows,
                            &work);
    else
        cnni_parallel_range(context, lanes, n, 1, backward_pictures, &work);
}
