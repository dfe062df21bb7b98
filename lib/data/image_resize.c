/* SPDX-License-Identifier: MIT
 * Resizing row by row: the source rows under the filter of one target row are summed up into a
 * row of floats, and that row is filtered along its length.  There is no picture in between.
 *
 * Every sum is one chain over the filter's taps in their order, multiplied and added in single
 * precision without contraction, so that the bytes are the same on every machine; the rounding
 * of the chains is far below one level.  The plain loops over LANES and over the four lanes of a
 * pixel are what compilers turn into vector instructions. */
#include "data/image_resize.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

/* The pixels that one target position takes along one axis: `count` from `first` on. */
struct taps {
    int64_t first;
    int64_t count;
    const float *weights; /* [count], their sum is 1 */
};

/* The taps of all target positions of one axis. */
struct filter {
    struct taps *taps; /* [size] */
    float *weights;    /* [size][the most taps of a position] */
};

static double triangle(double x)
{
    return CNNI_MAX(1 - fabs(x), 0);
}

/* Weights pixels by their centres' distance from `center`; at `reach` the weight is 0. */
static struct taps weigh(float *weights, int64_t source_size, double center, double reach)
{
    int64_t first = CNNI_MAX((int64_t)(center - reach + 0.5), 0);
    int64_t end = CNNI_MIN((int64_t)(center + reach + 0.5), source_size);
    double sum = 0;
    for (int64_t i = first; i < end; i++)
        sum += triangle(((double)i + 0.5 - center) / reach);
    for (int64_t i = first; i < end; i++)
        weights[i - first] = (float)(triangle(((double)i + 0.5 - center) / reach) / sum);
    return (struct taps){first, end - first, weights};
}

/* For `size` target positions that share the part from `begin` to `end` of `source_size` pixels. */
static cnn_status make_filter(struct filter *filter, cnn_context *context, int64_t size,
                              int64_t source_size, double begin, double end, const char *function)
{
    const double scale = (end - begin) / (double)size;
    const double reach = CNNI_MAX(scale, 1); /* enlarging interpolates between neighbours */
    const size_t most_taps = 2 * (size_t)ceil(reach) + 1;
    CNNI_TRY(cnni_alloc(&filter->taps, context, (size_t)size, sizeof *filter->taps, function));
    CNNI_TRY(
        cnni_alloc(&filter->weights, context, (size_t)size, most_taps * sizeof(float), function));
    for (int64_t i = 0; i < size; i++)
        filter->taps[i] = weigh(filter->weights + (size_t)i * most_taps, source_size,
                                begin + ((double)i + 0.5) * scale, reach);
    return CNN_OK;
}

static void free_filter(cnn_context *context, struct filter *filter)
{
    cnni_free(context, filter->taps);
    cnni_free(context, filter->weights);
}

/* row[i] = sum over the taps of weight * pixels[tap * pitch + i], i < count <= LANES. */
static inline void sum_lanes(float *row, const uint8_t *pixels, size_t pitch,
                             const struct taps *taps, size_t count)
{
    float sum[LANES] = {0};
    for (int64_t t = 0; t < taps->count; t++, pixels += pitch) {
        const float weight = taps->weights[t];
        for (size_t i = 0; i < count; i++)
            sum[i] += weight * (float)pixels[i];
    }
    memcpy(row, sum, count * sizeof *row);
}

/* The same for `count` columns of bytes. */
static void sum_rows(float *row, const uint8_t *pixels, size_t pitch, const struct taps *taps,
                     size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        sum_lanes(row + i, pixels + i, pitch, taps, LANES);
    sum_lanes(row + i, pixels + i, pitch, taps, count - i);
}

/* One target row from a row of floats that begins with source column `left`.  `lanes` >= c is how
 * many floats are summed up per pixel: four go into one vector, so that colour pixels take one more
 * than they need. */
static inline void filter_row(uint8_t *target, const float *row, int64_t left,
                              const struct taps *taps, int64_t w, int64_t c, int32_t lanes)
{
    for (int64_t x = 0; x < w; x++, target += c) {
        const float *pixel = row + (taps[x].first - left) * c;
        float sum[4] = {0};
        for (int64_t t = 0; t < taps[x].count; t++, pixel += c)
            for (int32_t k = 0; k < lanes; k++)
                sum[k] += taps[x].weights[t] * pixel[k];
        /* Rounded weights may add up to a little more than 1. */
        for (int64_t k = 0; k < c; k++)
            target[k] = (uint8_t)(int32_t)(CNNI_MIN(sum[k], 255.0f) + 0.5f);
    }
}

static void resize_rows(const struct cnni_image *target, const struct cnni_image *source,
                        const struct filter *vertical, const struct filter *horizontal, float *row,
                        int64_t left, int64_t right)
{
    const size_t pitch = (size_t)(source->w * source->c);
    const size_t columns = (size_t)((right - left) * source->c);
    for (int64_t y = 0; y < target->h; y++) {
        const struct taps *taps = &vertical->taps[y];
        const uint8_t *pixels = source->pixels + (size_t)taps->first * pitch + left * source->c;
        uint8_t *bytes = target->pixels + y * target->w * target->c;
        sum_rows(row, pixels, pitch, taps, columns);
        if (target->c == 3)
            filter_row(bytes, row, left, horizontal->taps, target->w, 3, 4);
        else
            filter_row(bytes, row, left, horizontal->taps, target->w, 1, 1);
    }
}

static cnn_status resize(const struct cnni_image *target, cnn_context *context,
                         const struct cnni_image *source, const struct filter *vertical,
                         const struct filter *horizontal, const char *function)
{
    const struct taps *last = &horizontal->taps[target->w - 1];
    const int64_t left = horizontal->taps[0].first, right = last->first + last->count;
    float *row;
    /* One float more, for the fourth lane of the last pixel. */
    const size_t floats = (size_t)((right - left) * source->c) + 1;
    CNNI_TRY(cnni_alloc_zero(&row, context, floats, sizeof *row, function));
    resize_rows(target, source, vertical, horizontal, row, left, right);
    cnni_free(context, row);
    return CNN_OK;
}

/* Where every pixel is wanted as it is, the filter has the weight 1 for it and 0 for its
 * neighbour.  A loader's pictures are like that when they come from its cache. */
static bool is_copy(const struct cnni_image *target, const struct cnni_image *source,
                    const struct cnni_box *box)
{
    return target->w == source->w && target->h == source->h && box->left == 0 && box->top == 0 &&
           box->right == (double)source->w && box->bottom == (double)source->h;
}

cnn_status cnni_image_resize(const struct cnni_image *target, cnn_context *context,
                             const struct cnni_image *source, const struct cnni_box *box,
                             const char *function)
{
    const struct cnni_box whole = {0, 0, (double)source->w, (double)source->h};
    struct filter vertical = {0}, horizontal = {0};
    if (box == NULL)
        box = &whole;
    CNNI_ASSERT(target->c == source->c && (source->c == 3 || source->c == 1));
    if (is_copy(target, source, box)) {
        memcpy(target->pixels, source->pixels, cnni_image_bytes(source));
        return CNN_OK;
    }
    cnn_status status =
        make_filter(&vertical, context, target->h, source->h, box->top, box->bottom, function);
    if (status == CNN_OK)
        status = make_filter(&horizontal, context, target->w, source->w, box->left, box->right,
                             function);
    if (status == CNN_OK)
        status = resize(target, context, source, &vertical, &horizontal, function);
    free_filter(context, &vertical);
    free_filter(context, &horizontal);
    return status;
}
