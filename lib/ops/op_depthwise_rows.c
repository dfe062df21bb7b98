/* SPDX-License-Identifier: MIT
 * The geometry of depthwise convolutions: op_depthwise_rows.h. */
#include "ops/op_depthwise_rows.h"

int64_t cnni_depthwise_rows_size(int64_t target_h, int64_t target_w)
{
    const int64_t rows = cnni_size_product(target_h, (int64_t)sizeof(struct cnni_depthwise_taps));
    const int64_t runs = cnni_size_product(target_w, (int64_t)sizeof(struct cnni_depthwise_run));
    return cnni_size_sum(cnni_size_sum(rows, runs), 63) / 64 * 16;
}

/* The taps of output `g` that lie inside of the source. */
static struct cnni_depthwise_taps taps_at(const struct cnni_axis *axis, int64_t g)
{
    const int64_t source = g * axis->step + axis->tap_first;
    const int64_t begin = source < 0 ? cnni_ceil_div(-source, axis->tap_step) : 0;
    const int64_t inside =
        source < axis->source ? cnni_ceil_div(axis->source - source, axis->tap_step) : 0;
    const int64_t count = CNNI_MIN(inside, axis->taps) - begin;
    if (count <= 0)
        return (struct cnni_depthwise_taps){0, 0, 0};
    return (struct cnni_depthwise_taps){source + begin * axis->tap_step,
                                        axis->kernel_first + begin * axis->kernel_step, count};
}

/* A phase's rows. */
static void add_rows(struct cnni_depthwise_rows *rows, const struct cnni_axis *axis)
{
    for (int64_t g = 0; g < axis->grid; g++)
        rows->rows[axis->target_first + g * axis->target_step] = taps_at(axis, g);
}

static bool are_same(const struct cnni_depthwise_taps *a, const struct cnni_depthwise_taps *b)
{
    return a->kernel == b->kernel && a->count == b->count;
}

/* Whether the run's only pixel has the taps of the next one, except the first. */
static bool begins_short(const struct cnni_depthwise_run *run, const struct cnni_axis *axis,
                         const struct cnni_depthwise_taps *next)
{
    return run->pixels == 1 && run->taps.count > 0 && run->taps.count == next->count - 1 &&
           run->taps.kernel == next->kernel + axis->kernel_step;
}

/* Adds a pixel with the taps `next`.  False where it must begin another run. */
static bool add_pixel(struct cnni_depthwise_run *run, const struct cnni_axis *axis,
                      const struct cnni_depthwise_taps *next)
{
    const struct cnni_depthwise_taps shorter = {0, run->taps.kernel, run->taps.count - 1};
    if (run->last_short)
        return false;
    if (begins_short(run, axis, next)) {
        run->first_short = true;
        run->taps.source -= axis->tap_step;
        run->taps.kernel = next->kernel;
        run->taps.count++;
    } else if (are_same(next, &shorter)) {
        run->last_short = true;
    } else if (!are_same(next, &run->taps)) {
        return false;
    }
    run->pixels++;
    return true;
}

/* A phase's columns. */
static void add_runs(struct cnni_depthwise_rows *rows, const struct cnni_axis *axis)
{
    struct cnni_depthwise_run *run = NULL;
    for (int64_t g = 0; g < axis->grid; g++) {
        const struct cnni_depthwise_taps taps = taps_at(axis, g);
        if (run == NULL || !add_pixel(run, axis, &taps)) {
            run = &rows->runs[rows->run_count++];
            *run = (struct cnni_depthwise_run){
                .taps = taps,
                .target = axis->target_first + g * axis->target_step,
                .pixels = 1,
            };
        }
        if (run->pixels > rows->runs[rows->longest].pixels)
            rows->longest = rows->run_count - 1;
    }
}

/* For `pass`, which has no phases added yet. */
static void start(struct cnni_depthwise_rows *rows, const struct cnni_conv2d *conv,
                  const struct cnni_pass *pass, float *memory)
{
    *rows = (struct cnni_depthwise_rows){
        .h = pass->h,
        .w = pass->w,
        .channels = conv->groups,
        .kernel_columns = conv->s,
        .rows = (struct cnni_depthwise_taps *)(void *)memory,
    };
    rows->runs = (struct cnni_depthwise_run *)(void *)(rows->rows + pass->h.target);
    for (int64_t i = 0; i < pass->h.target; i++)
        rows->rows[i] = (struct cnni_depthwise_taps){0, 0, 0};
}

void cnni_depthwise_forward_rows(struct cnni_depthwise_rows *rows, const struct cnni_conv2d *conv,
                                 float *memory)
{
    struct cnni_pass pass;
    cnni_pass_forward(&pass, conv, 1);
    start(rows, conv, &pass, memory);
    add_rows(rows, &pass.h);
    add_runs(rows, &pass.w);
    rows->whole = true;
}

/* The phases of the columns are those of the first passes, which share their row phase. */
void cnni_depthwise_backward_rows(struct cnni_depthwise_rows *rows, const struct cnni_conv2d *conv,
                                  float *memory)
{
    struct cnni_pass pass;
    cnni_pass_backward(&pass, conv, 1, 0);
    start(rows, conv, &pass, memory);
    const int64_t first_row = pass.h.target_first;
    int64_t last_row = -1;
    for (int64_t i = 0; i < cnni_pass_backward_count(conv); i++) {
        cnni_pass_backward(&pass, conv, 1, i);
        if (pass.h.target_first == first_row)
            add_runs(rows, &pass.w);
        if (pass.h.target_first != last_row)
            add_rows(rows, &pass.h);
        last_row = pass.h.target_first;
    }
    rows->whole = cnni_pass_backward_is_whole(conv);
}

/* The row of the source, counted over all pictures, behind the last that row `number` reads. */
static int64_t end_of_reading(const struct cnni_depthwise_rows *rows, int64_t number)
{
    const struct cnni_depthwise_taps *taps = &rows->rows[number % rows->h.target];
    return number / rows->h.target * rows->h.source + taps->source +
           CNNI_MAX(taps->count - 1, 0) * rows->h.tap_step + 1;
}

struct cnni_ahead cnni_depthwise_ahead(const struct cnni_depthwise_rows *rows, const float *source,
                                       int64_t number, int64_t run)
{
    const int64_t end = end_of_reading(rows, number);
    const int64_t bytes = rows->w.source * rows->channels * (int64_t)sizeof *source;
    const int64_t wanted = (end_of_reading(rows, number + 1) - end) * bytes;
    if (run != rows->longest || wanted <= 0)
        return (struct cnni_ahead){0, 0};
    return (struct cnni_ahead){
        (uintptr_t)source + (uintptr_t)(end * bytes),
        (uintptr_t)cnni_ceil_div(wanted, rows->runs[run].pixels),
    };
}
