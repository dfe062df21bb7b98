/* SPDX-License-Identifier: MIT
 * Preparing a sample.  First all random numbers of the sample are drawn, always the same ones in
 * the same order, so that switching one effect on or off leaves the others as they were; then
 * the picture is cut and resized in one step, warped in another, mirrored, tinted, and its bytes
 * become floats through a table that brightness and contrast have been worked into.  Last, a part
 * of the floats is erased. */
#include "data/augment.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/real.h"
#include "data/image_decoder.h"
#include "data/image_resize.h"
#include "data/image_tint.h"
#include "data/image_warp.h"

#include <math.h>
#include <string.h>

const struct cnni_augment cnni_augment_none = {.crop = {1, 1, 1}};

/* ---- What happens to a sample -------------------------------------------------------------- */

struct change {
    struct cnni_box box;
    bool warped;
    struct cnni_affine warp;
    bool flip;
    double saturation, hue;      /* a factor; half turns */
    double brightness, contrast; /* factors */
    bool erased;
    struct cnni_box hole; /* in the sample */
};

static double draw(struct cnni_random *random, double low, double high)
{
    return low + cnni_random_uniform(random) * (high - low);
}

/* A number whose logarithm is even, from 1 / most to most. */
static double draw_ratio(struct cnni_random *random, double most)
{
    const double log_most = cnni_log(most);
    return cnni_exp(draw(random, -log_most, log_most));
}

/* The part of w x h pixels that has `area` of their area and `ratio` times their aspect ratio, as
 * far as that fits into them. */
static struct cnni_box draw_box(struct cnni_random *random, const struct cnni_region *region,
                                double w, double h)
{
    const double area = draw(random, region->min_area, region->max_area);
    const double ratio = draw_ratio(random, region->max_ratio);
    const double box_w = CNNI_MIN(w * sqrt(area * ratio), w);
    const double box_h = CNNI_MIN(h * sqrt(area / ratio), h);
    const double left = draw(random, 0, w - box_w), top = draw(random, 0, h - box_h);
    return (struct cnni_box){left, top, CNNI_MIN(left + box_w, w), CNNI_MIN(top + box_h, h)};
}

/* A whole number of pixels up to a share of `size` either way. */
static double draw_shift(struct cnni_random *random, double share, int64_t size)
{
    const double most = floor(share * (double)size + 0.5);
    return floor(cnni_random_uniform(random) * (2 * most + 1)) - most;
}

/* The way back from a picture that was sheared along its rows, scaled, turned by `angle` and then
 * shifted.  Numbers that do nothing leave the others' bits alone. */
static void draw_warp(struct change *change, struct cnni_random *random,
                      const struct cnni_preparation *preparation, double angle)
{
    const struct cnni_augment *augment = &preparation->augment;
    const double right = draw_shift(random, augment->translation, preparation->w);
    const double down = draw_shift(random, augment->translation, preparation->h);
    const double zoom = draw_ratio(random, 1 + augment->zoom);
    const double slant = draw(random, -augment->shear, augment->shear) / 180;
    const double shear = cnni_sinpi(slant) / cnni_cospi(slant);
    const double cosine = cnni_cospi(angle) / zoom, sine = cnni_sinpi(angle) / zoom;
    struct cnni_affine *warp = &change->warp;
    warp->x_dx = cosine + shear * sine;
    warp->x_dy = sine - shear * cosine;
    warp->y_dx = -sine;
    warp->y_dy = cosine;
    warp->x = -(warp->x_dx * right + warp->x_dy * down);
    warp->y = -(warp->y_dx * right + warp->y_dy * down);
    change->warped = angle != 0 || right != 0 || down != 0 || zoom != 1 || slant != 0;
}

/* Newer effects draw behind older ones, whose numbers thus stay the same. */
static struct change draw_change(const struct cnni_preparation *preparation,
                                 const struct cnni_image *picture, int64_t epoch, int64_t sample)
{
    const struct cnni_augment *augment = &preparation->augment;
    const double w = (double)preparation->w, h = (double)preparation->h;
    struct cnni_random random;
    struct change change;
    cnni_random_start(&random, preparation->seed, CNNI_RANDOM_AUGMENT, (uint64_t)epoch,
                      (uint64_t)sample);
    change.box = draw_box(&random, &augment->crop, (double)picture->w, (double)picture->h);
    const double angle = draw(&random, -augment->degrees, augment->degrees) / 180;
    change.flip = cnni_random_uniform(&random) < augment->flip;
    change.brightness = draw(&random, 1 - augment->brightness, 1 + augment->brightness);
    change.contrast = draw(&random, 1 - augment->contrast, 1 + augment->contrast);
    draw_warp(&change, &random, preparation, angle);
    change.saturation = draw(&random, 1 - augment->saturation, 1 + augment->saturation);
    change.hue = draw(&random, -augment->hue, augment->hue) / 180;
    change.erased = cnni_random_uniform(&random) < augment->erasing;
    if (change.erased)
        change.hole = draw_box(&random, &augment->hole, w, h);
    return change;
}

/* ---- Mirroring and colour ------------------------------------------------------------------ */

static void mirror(const struct cnni_image *image)
{
    const size_t c = (size_t)image->c;
    for (int64_t y = 0; y < image->h; y++) {
        uint8_t *left = image->pixels + y * image->w * image->c;
        uint8_t *right = left + (image->w - 1) * image->c;
        for (; left < right; left += c, right -= c) {
            uint8_t pixel[3];
            memcpy(pixel, left, c);
            memcpy(left, right, c);
            memcpy(right, pixel, c);
        }
    }
}

static double mean_gray(const struct cnni_image *image)
{
    const int64_t pixels = image->h * image->w;
    const uint8_t *pixel = image->pixels;
    uint64_t sum = 0;
    for (int64_t i = 0; i < pixels; i++, pixel += image->c)
        sum += image->c == 3 ? cnni_luma(pixel) : *pixel;
    return (double)sum / (double)pixels;
}

/* Works brightness and contrast into the tables: entry v becomes that of what v turns into. */
static void recolor(struct cnni_normalization *normalization, const struct change *change,
                    const struct cnni_image *image)
{
    const struct cnni_normalization plain = *normalization;
    const double mean = change->brightness * mean_gray(image);
    for (int32_t v = 0; v < 256; v++) {
        double value = mean + change->contrast * (change->brightness * v - mean);
        int32_t byte = (int32_t)(CNNI_MIN(CNNI_MAX(value, 0), 255) + 0.5);
        for (int32_t k = 0; k < plain.channels; k++)
            normalization->table[k][v] = plain.table[k][byte];
    }
}

/* ---- Erasing ------------------------------------------------------------------------------- */

/* Makes 0, which is the mean colour, of the pixels [h][w][c] whose centres are in `hole`. */
static void erase(float *pixels, const struct cnni_box *hole, int64_t w, int64_t c)
{
    const int64_t left = (int64_t)(hole->left + 0.5), right = (int64_t)(hole->right + 0.5);
    const int64_t top = (int64_t)(hole->top + 0.5), bottom = (int64_t)(hole->bottom + 0.5);
    for (int64_t y = top; y < bottom; y++)
        memset(pixels + (y * w + left) * c, 0, (size_t)((right - left) * c) * sizeof *pixels);
}

/* ---- All of it ----------------------------------------------------------------------------- */

/* `spare` has room for a picture of the sample's size, where a warp needs it. */
static void finish(float *target, const struct cnni_preparation *preparation,
                   const struct change *change, struct cnni_image image, struct cnni_image spare)
{
    struct cnni_normalization normalization = preparation->normalization;
    if (change->warped) {
        cnni_image_warp(&spare, &image, &change->warp);
        image = spare;
    }
    if (change->flip)
        mirror(&image);
    if (image.c == 3 && (change->saturation != 1 || change->hue != 0))
        cnni_image_tint(&image, change->saturation, change->hue);
    if (change->brightness != 1 || change->contrast != 1)
        recolor(&normalization, change, &image);
    cnni_normalize(target, &normalization, image.pixels, image.h * image.w);
    if (change->erased)
        erase(target, &change->hole, image.w, image.c);
}

void cnni_prepare_min_size(int64_t *min_h, int64_t *min_w,
                           const struct cnni_preparation *preparation)
{
    const struct cnni_region *crop = &preparation->augment.crop;
    /* The smallest share of a side that draw_box() takes is 1 / scale. */
    const double scale = CNNI_MIN(sqrt(crop->max_ratio / crop->min_area), INT32_MAX);
    *min_h = (int64_t)ceil((double)preparation->h * scale);
    *min_w = (int64_t)ceil((double)preparation->w * scale);
}

cnn_status cnni_prepare(float *target, cnn_context *context,
                        const struct cnni_preparation *preparation,
                        const struct cnni_image *picture, int64_t epoch, int64_t sample,
                        const char *function)
{
    const struct change change = draw_change(preparation, picture, epoch, sample);
    struct cnni_image image = {NULL, preparation->h, preparation->w, picture->c}, spare = image;
    const size_t count = cnni_image_bytes(&image);
    CNNI_ASSERT(picture->c == preparation->normalization.channels);
    CNNI_TRY(cnni_alloc(&image.pixels, context, count, 2, function));
    spare.pixels = image.pixels + count;
    cnn_status status = cnni_image_resize(&image, context, picture, &change.box, function);
    if (status == CNN_OK)
        finish(target, preparation, &change, image, spare);
    cnni_free(context, image.pixels);
    return status;
}
