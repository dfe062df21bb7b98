/* SPDX-License-Identifier: MIT
 * Passes and strips: geometry and copying.  What is computed on a strip is in op_conv2d.c and
 * op_conv2d_grad.c. */
#include "ops/op_conv2d_pass.h"

#include <string.h>

#include "ops/op_conv2d_pool.h"

enum {
    /* 512 KB: a strip stays in the L2 cache while all filters pass over it. */
    STRIP_FLOATS = 128 * 1024,
    /* Keeps the offsets small. */
    STRIP_PIXELS = 4096,
    /* To feed threads, pictures are cut into at least so many strips, but not into strips of less
     * than eight full tiles. */
    WANTED_STRIPS = 16,
    LEAST_PIXELS = 48,
    TILE_ROWS = 6,
    /* Forward's strips have even numbers of rows, which 2x2 windows fill. */
    EVEN = 2,
    /* So few weights (128 KB) pass over few rows (128 KB) after another, which are then pooled in
     * the nearest caches. */
    SMALL_WEIGHTS = 32 * 1024,
    POOLED_FLOATS = 8 * 1024,
    /* From so many channels on, copies get 16 floats more from pixel to pixel: at powers of two,
     * the pixels of a tile would compete for the same few lines of the L1 cache. */
    ODD_PITCH = 128
};

int64_t cnni_size_product(int64_t a, int64_t b)
{
    int64_t product;
    return cnni_mul_int64(&product, a, b) ? product : INT64_MAX;
}

int64_t cnni_size_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return cnni_add_int64(&sum, a, b) ? sum : INT64_MAX;
}

static int64_t round_up_16(int64_t size)
{
    return size > INT64_MAX - 15 ? INT64_MAX : (size + 15) / 16 * 16;
}

int64_t cnni_size_take(int64_t *used, int64_t count)
{
    const int64_t begin = *used;
    *used = cnni_size_sum(begin, round_up_16(count));
    return begin;
}

/* Source rows (columns) that `grid` outputs in a row read. */
static int64_t reach(const struct cnni_axis *axis, int64_t grid)
{
    return (grid - 1) * axis->step + CNNI_MAX(axis->taps - 1, 0) * axis->tap_step + 1;
}

/* ---- What a pass reads ---- */

static bool reaches_over(const struct cnni_axis *axis)
{
    return axis->tap_first < 0 || axis->tap_first + reach(axis, axis->grid) > axis->source;
}

/* Chooses between reading in place and copying, and joins the taps of a row into one run where the
 * channels of neighbouring pixels lie side by side. */
static void plan_reading(struct cnni_pass *pass)
{
    const int64_t channels = pass->groups * pass->source_channels;
    const bool reads = pass->h.taps > 0 && pass->w.taps > 0;
    pass->copied = reads && (pass->expands || reaches_over(&pass->h) || reaches_over(&pass->w));
    pass->pitch = channels + (pass->copied && channels >= ODD_PITCH ? 16 : 0);
    pass->row_pitch = cnni_size_product(pass->pitch, pass->copied ? reach(&pass->w, pass->w.grid)
                                                                  : pass->w.source);
    const bool joined = pass->groups == 1 && pass->pitch == channels && pass->w.tap_step == 1;
    pass->tap_count = joined ? pass->h.taps : pass->h.taps * pass->w.taps;
    pass->depth = joined ? pass->w.taps * channels : pass->source_channels;
    if (!reads)
        pass->tap_count = 0;
}

/* ---- Cutting ---- */

/* The next even number of rows, but no more than there are. */
static int64_t even_rows(const struct cnni_pass *pass, int64_t rows)
{
    return CNNI_MIN(cnni_ceil_div(rows, EVEN) * EVEN, pass->h.grid);
}

/* The largest strips, whatever the number of pictures. */
static void plan_largest(struct cnni_pass *pass)
{
    const int64_t reach_of_one = reach(&pass->h, 1);
    const int64_t fitting =
        CNNI_MAX(STRIP_FLOATS / pass->row_pitch - reach_of_one, 0) / pass->h.step + 1;
    const int64_t rows = CNNI_MIN(fitting, CNNI_MAX(STRIP_PIXELS / pass->w.grid, 1));
    pass->most_rows = even_rows(pass, rows);
    pass->most_pictures = 1;
    const int64_t pixels = cnni_size_product(pass->h.grid, pass->w.grid);
    const int64_t height = pass->copied ? reach(&pass->h, pass->h.grid) : pass->h.source;
    pass->picture_pitch = cnni_size_product(pass->row_pitch, height);
    if (pass->most_rows == pass->h.grid) {
        const int64_t pictures =
            CNNI_MIN(STRIP_FLOATS / pass->picture_pitch, STRIP_PIXELS / pixels);
        pass->most_pictures = CNNI_MAX(pictures, cnni_ceil_div(LEAST_PIXELS, pixels));
    }
}

/* Strips small enough to feed threads, but not so small that borders and last tiles cost much. */
static void plan_strips(struct cnni_pass *pass)
{
    const int64_t pixels = cnni_size_product(pass->h.grid, pass->w.grid);
    if (pass->most_pictures > 1) {
        const int64_t wanted =
            CNNI_MAX(cnni_ceil_div(pass->n, WANTED_STRIPS), cnni_ceil_div(LEAST_PIXELS, pixels));
        pass->pictures = CNNI_MIN(CNNI_MIN(wanted, pass->most_pictures), pass->n);
        if (pixels == 1 && pass->pictures > TILE_ROWS)
            pass->pictures -= pass->pictures % TILE_ROWS;
        pass->rows = pass->h.grid;
        pass->strips = cnni_ceil_div(pass->n, pass->pictures);
        return;
    }
    const int64_t overlap = CNNI_MAX(reach(&pass->h, 1) - pass->h.step, 0);
    const int64_t least = CNNI_MAX(cnni_ceil_div(LEAST_PIXELS, pass->w.grid),
                                   2 * cnni_ceil_div(overlap, pass->h.step));
    const int64_t per_picture = cnni_ceil_div(WANTED_STRIPS, pass->n);
    const int64_t wanted = CNNI_MAX(cnni_ceil_div(pass->h.grid, per_picture), least);
    const int64_t most = CNNI_MIN(wanted, pass->most_rows);
    pass->pictures = 1;
    pass->rows = even_rows(pass, cnni_ceil_div(pass->h.grid, cnni_ceil_div(pass->h.grid, most)));
    pass->strips = pass->n * cnni_ceil_div(pass->h.grid, pass->rows);
}

static void plan_pooling(struct cnni_pass *pass)
{
    const int64_t channels = pass->groups * pass->target_channels;
    const int64_t row = cnni_size_product(pass->w.grid, channels);
    const int64_t weights = cnni_size_product(pass->tap_count * pass->depth, channels);
    const bool few = weights <= SMALL_WEIGHTS && pass->most_pictures == 1;
    const int64_t rows = few ? CNNI_MAX(POOLED_FLOATS / row, 1) : pass->most_rows;
    pass->pooled_rows = pass->most_pictures * CNNI_MIN(even_rows(pass, rows), pass->most_rows);
}

static void plan(struct cnni_pass *pass)
{
    plan_reading(pass);
    pass->strips = 0;
    if (pass->h.grid > 0 && pass->w.grid > 0) {
        plan_largest(pass);
        plan_strips(pass);
        plan_pooling(pass);
    }
}

/* ---- The passes of a convolution ---- */

void cnni_conv2d_flatten(struct cnni_conv2d *flat, int64_t *flat_n, const struct cnni_conv2d *conv,
                         int64_t n)
{
    *flat = *conv;
    *flat_n = n;
    const bool single = conv->r == 1 && conv->s == 1 && conv->stride_h == 1 && conv->stride_w == 1;
    if (!single || conv->pooled || conv->pad_top != 0 || conv->pad_left != 0 ||
        conv->oh != conv->h || conv->ow != conv->w)
        return;
    *flat_n = cnni_size_product(n, cnni_size_product(conv->h, conv->w));
    flat->h = flat->w = flat->oh = flat->ow = 1;
}

void cnni_pass_forward(struct cnni_pass *pass, const struct cnni_conv2d *conv, int64_t n)
{
    *pass = (struct cnni_pass){
        .h = {.grid = conv->oh,
              .step = conv->stride_h,
              .source = conv->h,
              .taps = conv->r,
              .tap_first = -conv->pad_top,
              .tap_step = conv->dilation_h,
              .kernel_step = 1,
              .target = conv->oh,
              .target_step = 1},
        .w = {.grid = conv->ow,
              .step = conv->stride_w,
              .source = conv->w,
              .taps = conv->s,
              .tap_first = -conv->pad_left,
              .tap_step = conv->dilation_w,
              .kernel_step = 1,
              .target = conv->ow,
              .target_step = 1},
        .n = n,
        .groups = conv->groups,
        .source_channels = conv->c / conv->groups,
        .target_channels = conv->k / conv->groups,
        .conv = conv,
        .pools = conv->pooled,
    };
    plan(pass);
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Kernel row r brings input i the output (i + padding - r * dilation) / stride, where that is a
 * whole number.  So each of the rows below stride / divisor has a phase of inputs of its own, which
 * it shares with every (stride / divisor)-th row from there. */
static int64_t phase_period(int64_t stride, int64_t dilation)
{
    return stride / greatest_divisor(stride, dilation);
}

/* One axis of backward-data: the inputs phase, phase + stride, ... that kernel row `first` reaches.
 * The last of its rows is the first tap, so that taps go upwards. */
static struct cnni_axis backward_axis(int64_t input, int64_t output, int64_t kernel, int64_t stride,
                                      int64_t dilation, int64_t padding, int64_t first)
{
    const int64_t period = phase_period(stride, dilation);
    const int64_t remainder = (first * dilation - padding) % stride;
    const int64_t phase = remainder < 0 ? remainder + stride : remainder;
    struct cnni_axis axis = {.step = 1,
                             .source = output,
                             .tap_step = dilation * period / stride,
                             .kernel_step = -period,
                             .target = input,
                             .target_first = phase,
                             .target_step = stride};
    if (phase >= input)
        return axis;
    axis.grid = cnni_ceil_div(input - phase, stride);
    axis.taps = cnni_ceil_div(kernel - first, period);
    axis.kernel_first = first + (axis.taps - 1) * period;
    axis.tap_first = (phase + padding - axis.kernel_first * dilation) / stride;
    return axis;
}

static int64_t phases_down(const struct cnni_conv2d *conv)
{
    return CNNI_MIN(phase_period(conv->stride_h, conv->dilation_h), conv->r);
}

static int64_t phases_across(const struct cnni_conv2d *conv)
{
    return CNNI_MIN(phase_period(conv->stride_w, conv->dilation_w), conv->s);
}

int64_t cnni_pass_backward_count(const struct cnni_conv2d *conv)
{
    return phases_down(conv) * phases_across(conv);
}

bool cnni_pass_backward_is_whole(const struct cnni_conv2d *conv)
{
    return phases_down(conv) == conv->stride_h && phases_across(conv) == conv->stride_w;
}

void cnni_pass_backward(struct cnni_pass *pass, const struct cnni_conv2d *conv, int64_t n,
                        int64_t index)
{
    const int64_t across = phases_across(conv);
    *pass = (struct cnni_pass){
        .h = backward_axis(conv->h, conv->oh, conv->r, conv->stride_h, conv->dilation_h,
                           conv->pad_top, index / across),
        .w = backward_axis(conv->w, conv->ow, conv->s, conv->stride_w, conv->dilation_w,
                           conv->pad_left, index % across),
        .n = n,
        .groups = conv->groups,
        .source_channels = conv->k / conv->groups,
        .target_channels = conv->c / conv->groups,
        .conv = conv,
        .expands = conv->pooled,
    };
    plan(pass);
}

/* ---- Memory ---- */

static int64_t most_pixels(const struct cnni_pass *pass)
{
    const int64_t pictures = CNNI_MIN(pass->most_pictures, pass->n);
    return cnni_size_product(pictures, cnni_size_product(pass->most_rows, pass->w.grid));
}

int64_t cnni_pass_offsets_size(const struct cnni_pass *pass)
{
    const int64_t count = cnni_size_sum(cnni_size_product(2, most_pixels(pass)), pass->tap_count);
    return round_up_16(cnni_size_product(count, (int64_t)(sizeof(ptrdiff_t) / sizeof(float))));
}

/* A row of the source behind the strip, where it is expanded first. */
static int64_t expanded_size(const struct cnni_pass *pass)
{
    return pass->expands ? cnni_size_product(pass->w.source, pass->source_channels) : 0;
}

int64_t cnni_pass_strip_size(const struct cnni_pass *pass)
{
    if (!pass->copied)
        return 0;
    const int64_t pictures = CNNI_MIN(pass->most_pictures, pass->n);
    const int64_t strip = cnni_size_product(
        cnni_size_product(pictures, reach(&pass->h, pass->most_rows)), pass->row_pitch);
    return cnni_size_sum(round_up_16(strip), round_up_16(expanded_size(pass)));
}

int64_t cnni_pass_outputs_size(const struct cnni_pass *pass)
{
    if (!pass->pools)
        return 0;
    const int64_t pixels = cnni_size_product(pass->pooled_rows, pass->w.grid);
    return round_up_16(cnni_size_product(CNNI_MIN(pixels, most_pixels(pass)),
                                         pass->groups * pass->target_channels));
}

/* ---- Strips ---- */

struct cnni_strip cnni_pass_strip(const struct cnni_pass *pass, int64_t index)
{
    struct cnni_strip strip = {.pictures = 1, .rows = pass->h.grid};
    if (pass->pictures > 1) {
        strip.picture = index * pass->pictures;
        strip.pictures = CNNI_MIN(pass->pictures, pass->n - strip.picture);
    } else {
        const int64_t per_picture = cnni_ceil_div(pass->h.grid, pass->rows);
        strip.picture = index / per_picture;
        strip.row = index % per_picture * pass->rows;
        strip.rows = CNNI_MIN(pass->rows, pass->h.grid - strip.row);
    }
    strip.pixels = strip.pictures * strip.rows * pass->w.grid;
    return strip;
}

int64_t cnni_pass_fill_pixels(struct cnni_offsets *offsets, int64_t pixel,
                              const struct cnni_pass *pass, struct cnni_span rows,
                              struct cnni_span columns)
{
    const struct cnni_axis *h = &pass->h, *w = &pass->w;
    const int64_t channels = pass->groups * pass->target_channels;
    for (int64_t picture = 0; picture < pass->pictures; picture++)
        for (int64_t row = rows.first; row < rows.end; row++)
            for (int64_t column = columns.first; column < columns.end; column++, pixel++) {
                offsets->source[pixel] = picture * pass->picture_pitch +
                                         row * h->step * pass->row_pitch +
                                         column * w->step * pass->pitch;
                offsets->target[pixel] = ((picture * h->target + row * h->target_step) * w->target +
                                          column * w->target_step) *
                                         channels;
            }
    return pixel;
}

void cnni_pass_place_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass,
                             float *memory)
{
    const int64_t pixels = pass->pictures * pass->rows * pass->w.grid;
    offsets->source = (ptrdiff_t *)(void *)memory;
    offsets->target = offsets->source + pixels;
    offsets->taps = offsets->target + pixels;
    const int64_t per_row = pass->tap_count == pass->h.taps ? 1 : pass->w.taps;
    for (int64_t t = 0; t < pass->tap_count; t++)
        offsets->taps[t] = t / per_row * pass->h.tap_step * pass->row_pitch +
                           t % per_row * pass->w.tap_step * pass->pitch;
}

void cnni_pass_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass, float *memory)
{
    const struct cnni_span rows = {0, pass->rows}, columns = {0, pass->w.grid};
    cnni_pass_place_offsets(offsets, pass, memory);
    cnni_pass_fill_pixels(offsets, 0, pass, rows, columns);
}

/* Copies one row, `pixels` pixels long, whose first is column `first` of the source; what is
 * outside the source is 0. */
static void copy_row(const struct cnni_pass *pass, float *target, const float *row, int64_t first,
                     int64_t pixels)
{
    const int64_t channels = pass->groups * pass->source_channels, pitch = pass->pitch;
    const int64_t begin = CNNI_MIN(CNNI_MAX(-first, 0), pixels);
    const int64_t end = CNNI_MAX(CNNI_MIN(pass->w.source - first, pixels), begin);
    const size_t bytes = (size_t)channels * sizeof *target;
    memset(target, 0, (size_t)(begin * pitch) * sizeof *target);
    if (pitch == channels && begin < end)
        memcpy(target + begin * pitch, row + (first + begin) * channels,
               (size_t)(end - begin) * bytes);
    else
        for (int64_t i = begin; i < end; i++)
            memcpy(target + i * pitch, row + (first + i) * channels, bytes);
    memset(target + end * pitch, 0, (size_t)((pixels - end) * pitch) * sizeof *target);
}

/* Row `row` of a picture: where it is, or expanded into `memory`. */
static const float *source_row(const struct cnni_pass *pass, const struct cnni_source *source,
                               int64_t picture, int64_t row, float *memory)
{
    const int64_t row_size = pass->w.source * pass->groups * pass->source_channels;
    if (!pass->expands)
        return source->values + (picture * pass->h.source + row) * row_size;
    const struct cnni_area area = {
        .picture = picture, .row = row, .rows = 1, .columns = pass->w.source};
    cnni_conv2d_expand(source->kernels, pass->conv, &area, memory, source->values, source->winners);
    return memory;
}

static void copy_strip(const struct cnni_pass *pass, const struct cnni_strip *strip,
                       const struct cnni_source *source, float *memory)
{
    const struct cnni_axis *h = &pass->h;
    float *expanded = memory + cnni_pass_strip_size(pass) - round_up_16(expanded_size(pass));
    const int64_t rows = reach(h, strip->rows), columns = reach(&pass->w, pass->w.grid);
    for (int64_t picture = 0; picture < strip->pictures; picture++)
        for (int64_t i = 0; i < rows; i++) {
            const int64_t row = strip->row * h->step + h->tap_first + i;
            float *target = memory + (picture * rows + i) * pass->row_pitch;
            if (row < 0 || row >= h->source)
                memset(target, 0, (size_t)pass->row_pitch * sizeof *target);
            else
                copy_row(pass, target,
                         source_row(pass, source, strip->picture + picture, row, expanded),
                         pass->w.tap_first, columns);
        }
}

const float *cnni_strip_source(const struct cnni_pass *pass, const struct cnni_strip *strip,
                               const struct cnni_source *source, float *memory)
{
    if (pass->copied) {
        copy_strip(pass, strip, source, memory);
        return memory;
    }
    if (pass->tap_count == 0)
        return source->values;
    const int64_t row =
        strip->picture * pass->h.source + strip->row * pass->h.step + pass->h.tap_first;
    return source->values + row * pass->row_pitch + pass->w.tap_first * pass->pitch;
}

float *cnni_strip_target(const struct cnni_pass *pass, const struct cnni_strip *strip,
                         float *target)
{
    const struct cnni_axis *h = &pass->h, *w = &pass->w;
    const int64_t row = strip->picture * h->target + h->target_first + strip->row * h->target_step;
    return target + (row * w->target + w->target_first) * pass->groups * pass->target_channels;
}
