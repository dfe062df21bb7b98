/* SPDX-License-Identifier: MIT
 * Asks for each target pixel where it comes from, and interpolates between the four pixels
 * there. */
#include "data/image_warp.h"

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

void cnni_image_warp(const struct cnni_image *target, const struct cnni_image *source,
                     const struct cnni_affine *map)
{
    const double middle_x = (double)(source->w - 1) / 2, middle_y = (double)(source->h - 1) / 2;
    const double from_x = middle_x + map->x, from_y = middle_y + map->y;
    uint8_t *out = target->pixels;
    for (int64_t y = 0; y < target->h; y++)
        for (int64_t x = 0; x < target->w; x++, out += target->c) {
            const double dx = (double)x - middle_x, dy = (double)y - middle_y;
            interpolate(out, source->pixels,
                        find_place(from_x + map->x_dx * dx + map->x_dy * dy, source->w, source->c),
                        find_place(from_y + map->y_dy * dy + map->y_dx * dx, source->h,
                                   source->w * source->c),
                        source->c);
        }
}
