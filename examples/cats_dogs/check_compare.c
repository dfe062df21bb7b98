/* SPDX-License-Identifier: MIT
 * Pictures are vectors x of pixels.  Taken from each is its mean and its part along m, the mean of
 * all pictures, which is made symmetric so that mirror images have the same part.  With m of mean 0
 * and length 1, the product of what is left of two is
 *     sum(x y) - sum(x) sum(y) / n - (x m) (y m)
 * so that the integers which are kept of each picture will do.
 *
 * The hash is the usual perceptual one: the signs of the lowest 8 x 8 frequencies (a discrete
 * cosine transform), without the mean.  They hardly change when a picture is compressed again,
 * resized, brightened or cropped a little.  In a mirror image the odd horizontal frequencies change
 * their signs, and nothing else. */
#include "check_compare.h"

#include <math.h>

/* Of fewer pictures the mean is too much like each of them. */
enum { FEWEST_IN_COMMON = 50 };

/* A standard deviation of gray, of 127.5 at most, below which a correlation is one of noise. */
static const double least_contrast = 4;

const uint64_t mirrored_bits = UINT64_C(0xAAAAAAAAAAAAAAAA);

/* ---- What is common ------------------------------------------------------------------------ */

void common_add(struct common *common, const struct picture *picture)
{
    common->count++;
    for (int i = 0; i < SMALL_PIXELS; i++)
        common->pixels[i] += picture->small[i];
}

/* Makes a picture the same as its mirror image. */
static void make_symmetric(double *pixels)
{
    for (int y = 0; y < SMALL_PIXELS; y += SMALL_SIDE) {
        for (int left = 0, right = SMALL_SIDE - 1; left < right; left++, right--)
            pixels[y + left] = pixels[y + right] = (pixels[y + left] + pixels[y + right]) / 2;
    }
}

/* Takes the mean away and makes the length 1, or 0 where nothing is left. */
static void normalize(double *pixels)
{
    double mean = 0;
    double squares = 0;

    for (int i = 0; i < SMALL_PIXELS; i++)
        mean += pixels[i] / SMALL_PIXELS;
    for (int i = 0; i < SMALL_PIXELS; i++) {
        pixels[i] -= mean;
        squares += pixels[i] * pixels[i];
    }
    for (int i = 0; i < SMALL_PIXELS; i++)
        pixels[i] = squares > 1e-6 ? pixels[i] / sqrt(squares) : 0;
}

void common_finish(struct common *common)
{
    const double half_turn = 3.14159265358979323846;

    for (int i = 0; i < SMALL_PIXELS; i++)
        common->pixels[i] =
            common->count < FEWEST_IN_COMMON ? 0 : common->pixels[i] / (double)common->count;
    make_symmetric(common->pixels);
    normalize(common->pixels);
    for (int u = 0; u < FREQUENCIES; u++) {
        for (int x = 0; x < SMALL_SIDE; x++)
            common->waves[u][x] = cos(half_turn * (x + 0.5) * u / SMALL_SIDE);
    }
}

/* ---- One picture --------------------------------------------------------------------------- */

static uint64_t hash_of(const struct common *common, const double *pixels)
{
    double rows[SMALL_SIDE][FREQUENCIES] = {{0}};
    uint64_t hash = 0;

    for (int y = 0; y < SMALL_SIDE; y++) {
        for (int u = 0; u < FREQUENCIES; u++) {
            for (int x = 0; x < SMALL_SIDE; x++)
                rows[y][u] += pixels[y * SMALL_SIDE + x] * common->waves[u][x];
        }
    }
    for (int v = 0; v < FREQUENCIES; v++) {
        for (int u = 0; u < FREQUENCIES; u++) {
            double strength = 0;
            for (int y = 0; y < SMALL_SIDE; y++)
                strength += rows[y][u] * common->waves[v][y];
            hash |= (uint64_t)(strength > 0 && u + v > 0) << (v * FREQUENCIES + u);
        }
    }
    return hash;
}

bool view_create(struct view *view, const struct common *common, const struct picture *picture)
{
    double rest[SMALL_PIXELS];
    double squares =
        (double)(SMALL_PIXELS * picture->squares - picture->sum * picture->sum) / SMALL_PIXELS;
    double share = 0;

    for (int i = 0; i < SMALL_PIXELS; i++)
        share += picture->small[i] * common->pixels[i];
    for (int i = 0; i < SMALL_PIXELS; i++)
        rest[i] = picture->small[i] - share * common->pixels[i];
    squares -= share * share;
    *view = (struct view){picture, share, sqrt(fmax(squares, 0)), hash_of(common, rest)};
    return squares >= SMALL_PIXELS * least_contrast * least_contrast;
}

/* ---- Two pictures -------------------------------------------------------------------------- */

static int64_t product(const uint8_t *a, const uint8_t *b)
{
    int32_t sum = 0; /* at most 1024 * 255 * 255, below 2^27 */

    for (int i = 0; i < SMALL_PIXELS; i++)
        sum += a[i] * b[i];
    return sum;
}

static int64_t mirrored_product(const uint8_t *a, const uint8_t *b)
{
    int32_t sum = 0;

    for (int y = 0; y < SMALL_PIXELS; y += SMALL_SIDE) {
        for (int x = 0; x < SMALL_SIDE; x++)
            sum += a[y + x] * b[y + SMALL_SIDE - 1 - x];
    }
    return sum;
}

double view_likeness(const struct view *a, const struct view *b, bool mirrored)
{
    const uint8_t *x = a->picture->small;
    const uint8_t *y = b->picture->small;
    const int64_t sum = mirrored ? mirrored_product(x, y) : product(x, y);
    const double centered =
        (double)(SMALL_PIXELS * sum - a->picture->sum * b->picture->sum) / SMALL_PIXELS;

    return (centered - a->share * b->share) / (a->length * b->length);
}
