/* SPDX-License-Identifier: MIT
 * Products: what a vector of factors does to pixels is a depthwise convolution of 1x1 kernels with
 * weights of each picture's own. */
#include "ops/op_multiply.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_bias.h"
#include "ops/op_range.h"

enum { ITEM_FLOATS = 16 * 1024 };

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_multiply *shape;
    const float *x, *dy, *factor;
    float *y;
    float *scratch; /* [lanes][levels + 2][c] */
};

/* ---- Products ---- */

static void multiply(const struct work *work, int64_t pixels, int64_t channels, int64_t x,
                     int64_t factor)
{
    const struct cnni_conv2d_depthwise run = {
        .pixels = pixels,
        .channels = channels,
        .rows = 1,
        .columns = 1,
        .x = work->x + x,
        .x_step = channels,
        .w = work->factor + factor,
        .y = work->y + x,
        .y_step = channels,
    };
    work->kernels->conv2d_depthwise(&run);
}

/* Pixels, counted over all pictures, up to the end of each. */
static void multiply_pixels(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const int64_t c = work->shape->c, end = first + count;
    while (first < end) {
        const int64_t picture = first / work->shape->pixels;
        const int64_t pixels = CNNI_MIN(end, (picture + 1) * work->shape->pixels) - first;
        multiply(work, pixels, c, first * c, picture * c);
        first += pixels;
    }
}

/* Elements, each with a factor of its own. */
static void multiply_elements(void *task, int64_t first, int64_t count)
{
    multiply(task, 1, count, first, first);
}

void cnni_multiply(cnn_context *context, int32_t lanes, const struct cnni_multiply *shape, float *y,
                   const float *x, const float *factor)
{
    struct work work = {
        .kernels = cnni_kernels(context->cpu), .shape = shape, .x = x, .y = y, .factor = factor};
    if (shape->pixels == 1)
        cnni_parallel_range(context, lanes, shape->n * shape->c, ITEM_FLOATS, multiply_elements,
                            &work);
    else
        cnni_parallel_range(context, lanes, shape->n * shape->pixels,
                            CNNI_MAX(ITEM_FLOATS / shape->c, 1), multiply_pixels, &work);
}

/* ---- Gradients by the factors ---- */

bool cnni_multiply_scratch_bytes(size_t *bytes, const struct cnni_multiply *shape, int32_t lanes)
{
    return cnni_mul_size(bytes, (size_t)shape->c,
                         (size_t)(cnni_bias_levels(shape->pixels) + 2) * (size_t)lanes) &&
           cnni_mul_size(bytes, *bytes, sizeof(float));
}

/* Products of a block of pixels; the kernel also adds up dy, which nobody wants. */
static void add_block(const struct work *work, float *sums, float *unused, int64_t pixel,
                      int64_t pixels)
{
    const int64_t c = work->shape->c;
    const struct cnni_conv2d_depthwise_filter run = {
        .pixels = pixels,
        .channels = c,
        .rows = 1,
        .columns = 1,
        .x = work->x + pixel * c,
        .x_step = c,
        .dy = work->dy + pixel * c,
        .dw = sums,
        .db = unused,
    };
    memset(sums, 0, (size_t)c * sizeof *sums);
    memset(unused, 0, (size_t)c * sizeof *unused);
    work->kernels->conv2d_depthwise_filter(&run);
}

static void sum_picture(void *task, int64_t picture, int32_t lane)
{
    const struct work *work = task;
    const int64_t c = work->shape->c, pixels = work->shape->pixels;
    float *sums = work->scratch + lane * (cnni_bias_levels(pixels) + 2) * c;
    struct cnni_bias_tree tree = {.kernels = work->kernels, .filters = c, .levels = sums + 2 * c};
    for (int64_t p = 0; p < pixels; p += CNNI_BIAS_BLOCK) {
        add_block(work, sums, sums + c, picture * pixels + p,
                  CNNI_MIN(CNNI_BIAS_BLOCK, pixels - p));
        cnni_bias_add(&tree, sums);
    }
    cnni_bias_total(&tree, work->y + picture * c);
}

void cnni_multiply_factors(cnn_context *context, int32_t lanes, const struct cnni_multiply *shape,
                           float *dfactor, const float *dy, const float *x, float *scratch)
{
    struct work work = {.kernels = cnni_kernels(context->cpu),
                        .shape = shape,
                        .x = x,
                        .dy = dy,
                        .y = dfactor,
                        .scratch = scratch};
    cnni_parallel(context, lanes, shape->n, sum_picture, &work);
}
