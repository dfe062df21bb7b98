/* SPDX-License-Identifier: MIT
 * Preparing a sample.  First all random numbers of the sample are drawn, always the same ones in
 * the same order, so that switching one effect on or off leaves the others as they were; then
 * the picture is cut and resized in one step, turned, mirrored, and its bytes become floats
 * through a table that brightness and contrast have been worked into. */
#include "data/augment.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/real.h"
#include "data/image_decoder.h"
#include "data/image_resize.h"

#include <math.h>
#include <string.h>

const struct cnni_augment cnni_augment_none = {.min_area = 1, .max_area = 1, .max_ratio = 1};

/* ---- What happens to a sample -------------------------------------------------------------- */

struct change {
    struct cnni_box box;
    double angle; /* in half turns */
    bool flip;
    double brightness, contrast; /* factors */
};

static double draw(struct cnni_random *random, double low, double high)
{
    return low + cnni_random_uniform(random) * (high - low);
}

/* The part of a picture that has `area` of its area and `ratio` times its aspect ratio, as far
 * as that fits into it. */
static struct cnni_box draw_box(struct cnni_random *random, const struct cnni_augment *augment,
                                const struct cnni_image *picture)
{
    const double w = (double)picture->w, h = (double)picture->h;
    const double most = cnni_log(augment->max_ratio);
    const double area = draw(random, augment->min_area, augment->max_area);
    const double ratio = cnni_exp(draw(random, -most, most));
    const double box_w = CNNI_MIN(w * sqrt(area * ratio), w);
    const double box_h = CNNI_MIN(h * sqrt(area / ratio), h);
    const double left = draw(random, 0, w - box_w), top = draw(random, 0, h - box_h);
    return (struct cnni_box){left, top, CNNI_MIN(left + box_w, w), CNNI_MIN(top + box_h, h)};
}

static struct change draw_change(const struct cnni_preparation *preparation,
                                 const struct cnni_image *picture, int64_t epoch, int64_t sample)
{
    const struct cnni_augment *augment = &preparation->augment;
    struct cnni_random random;
    struct change change;
    cnni_random_start(&random, preparation->seed, CNNI_RANDOM_AUGMENT, (uint64_t)epoch,
                      (uint64_t)sample);
    change.box = draw_box(&random, augment, picture);
    change.angle = draw(&random, -augment->degrees, augment->degrees) / 180;
    change.flip = cnni_random_uniform(&random) < augment->flip;
    change.brightness = draw(&random, 1 - augment->brightness, 1 + augment->brightness);
    change.contrast = draw(&random, 1 - augment->contrast, 1 + augment->contrast);
    return change;
}

/* ---- Rotation ------------------------------------------------------------------------------ */

/* A place between the centres of two neighbouring pixels of an axis, as bytes apart. */
struct place {
    int64_t low, high; /* offsets of the two */
    float share;       /* of the higher one */
};

/* Places outside are moved to the border pixel. */
static struct place find_place(double position, int64_t size, int64_t step)
{
    const double inside = CNNI_MIN(CNNI_MAX(position, 0), (double)(size - 1));
    const int64_t low = (int64_t)inside;
    return (struct place){low * step, CNNI_MIN(low + 1, size - 1) * step,
                          (float)(inside - (double)low)};
}

static void interpolate(uint8_t *target, const uint8_t *source, struct place x, struct place y,
                        int64_t c)
{
    for (int64_t k = 0; k < c; k++, source++) {
        float left = source[y.low + x.low], right = source[y.low + x.high];
        float upper = left + x.share * (right - left);
        left = source[y.high + x.low], right = source[y.high + x.high];
        float lower = left + x.share * (right - left);
        target[k] = (uint8_t)(int32_t)(upper + y.share * (lower - upper) + 0.5f);
    }
}

/* Turns about the centre, asking for each target pixel where it comes from. */
static void rotate(const struct cnni_image *target, const struct cnni_image *source, double angle)
{
    const double cosine = cnni_cospi(angle), sine = cnni_sinpi(angle);
    const double middle_x = (double)(source->w - 1) / 2, middle_y = (double)(source->h - 1) / 2;
    uint8_t *out = target->pixels;
    for (int64_t y = 0; y < target->h; y++)
        for (int64_t x = 0; x < target->w; x++, out += target->c) {
            const double dx = (double)x - middle_x, dy = (double)y - middle_y;
            interpolate(
                out, source->pixels,
                find_place(middle_x + cosine * dx + sine * dy, source->w, source->c),
                find_place(middle_y + cosine * dy - sine * dx, source->h, source->w * source->c),
                source->c);
        }
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

/* ---- All of it ----------------------------------------------------------------------------- */

/* `spare` has room for a picture of the sample's size, where rotation needs it. */
static void finish(float *target, const struct cnni_preparation *preparation,
                   const struct change *change, struct cnni_image image, struct cnni_image spare)
{
    struct cnni_normalization normalization = preparation->normalization;
    if (change->angle != 0) {
        rotate(&spare, &image, change->angle);
        image = spare;
    }
    if (change->flip)
        mirror(&image);
    if (change->brightness != 1 || change->contrast != 1)
        recolor(&normalization, change, &image);
    cnni_normalize(target, &normalization, image.pixels, image.h * image.w);
}

void cnni_prepare_min_size(int64_t *min_h, int64_t *min_w,
                           const struct cnni_preparation *preparation)
{
    const struct cnni_augment *augment = &preparation->augment;
    /* The smallest share of a side that draw_box() takes is 1 / scale. */
    const double scale = CNNI_MIN(sqrt(augment->max_ratio / augment->min_area), INT32_MAX);
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
