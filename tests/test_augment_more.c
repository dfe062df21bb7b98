/* SPDX-License-Identifier: MIT
 * Affine maps, tint and erasing: what was done to a sample is measured on pictures that show it, as
 * in test_augment.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "data/image_resize.h"
#include "data/image_tint.h"
#include "data/image_warp.h"
#include "support/preparing.h"
#include "support/suite.h"

/* ---- Warping -------------------------------------------------------------------------------- */

enum { SIDE = 65, MIDDLE = SIDE / 2 };

static const struct cnni_affine identity = {.x_dx = 1, .y_dy = 1};

START_TEST(a_map_of_whole_pixels_copies)
{
    struct cnni_image picture = make_noise(7, 9, 3), got = make_image(7, 9, 3);
    struct cnni_affine map = identity;
    cnni_image_warp(&got, &picture, &map);
    ck_assert_mem_eq(got.pixels, picture.pixels, 7 * 9 * 3);
    map.x = 2;
    map.y = -1;
    cnni_image_warp(&got, &picture, &map);
    for (int64_t y = 0; y < 7; y++)
        for (int64_t x = 0; x < 9; x++) {
            int64_t from_x = CNNI_MIN(x + 2, 8), from_y = CNNI_MAX(y - 1, 0);
            ck_assert_mem_eq(got.pixels + 3 * (y * 9 + x),
                             picture.pixels + 3 * (from_y * 9 + from_x), 3);
        }
    free(picture.pixels);
    free(got.pixels);
}
END_TEST

/* Each coefficient has its own place: on coordinates the map can be read off. */
START_TEST(pixels_come_from_where_the_map_says)
{
    const struct cnni_affine map = {3.25, 0.5, 0.25, -2.5, -0.125, 0.75};
    struct cnni_image picture = make_coordinates(SIDE, SIDE), got = make_image(SIDE, SIDE, 3);
    cnni_image_warp(&got, &picture, &map);
    for (int64_t y = 0; y < SIDE; y++)
        for (int64_t x = 0; x < SIDE; x++) {
            const double dx = (double)(x - MIDDLE), dy = (double)(y - MIDDLE);
            const uint8_t *pixel = got.pixels + 3 * (y * SIDE + x);
            ck_assert(fabs(pixel[0] - (MIDDLE + 3.25 + 0.5 * dx + 0.25 * dy)) <= 0.5);
            ck_assert(fabs(pixel[1] - (MIDDLE - 2.5 - 0.125 * dx + 0.75 * dy)) <= 0.5);
        }
    free(picture.pixels);
    free(got.pixels);
}
END_TEST

/* ---- Affine maps of samples ----------------------------------------------------------------- */

/* What a sample of make_coordinates() was made by, from the colours at the middle and 16 pixels
 * right of and below it. */
static struct cnni_affine find_map(const float *sample)
{
    const float *middle = sample + 3 * (MIDDLE * SIDE + MIDDLE);
    const float *right = middle + 3 * 16, *below = middle + 3 * 16 * SIDE;
    return (struct cnni_affine){
        .x = (double)middle[0] - MIDDLE,
        .x_dx = (double)(right[0] - middle[0]) / 16,
        .x_dy = (double)(below[0] - middle[0]) / 16,
        .y = (double)middle[1] - MIDDLE,
        .y_dx = (double)(right[1] - middle[1]) / 16,
        .y_dy = (double)(below[1] - middle[1]) / 16,
    };
}

static struct cnni_affine draw_map(const struct cnni_preparation *preparation, int64_t index)
{
    static float sample[SIDE * SIDE * 3];
    struct cnni_image picture = make_coordinates(SIDE, SIDE);
    prepare(sample, preparation, &picture, 0, index);
    free(picture.pixels);
    return find_map(sample);
}

/* Whole pixels, all from -6 to 6 (0.09 of 65, rounded) equally often, across and down apart. */
START_TEST(moves_are_even_and_whole)
{
    enum { COUNT = 1300 };
    struct cnni_preparation preparation = make_preparation(SIDE, SIDE, 3);
    int32_t across[SIDE] = {0}, down[SIDE] = {0}, same = 0;
    preparation.augment.translation = 0.09;
    for (int64_t i = 0; i < COUNT; i++) {
        struct cnni_affine map = draw_map(&preparation, i);
        ck_assert(fabs(map.x_dx - 1) < 1e-5 && fabs(map.y_dy - 1) < 1e-5);
        ck_assert(fabs(map.x_dy) < 1e-5 && fabs(map.y_dx) < 1e-5);
        ck_assert(fabs(map.x - round(map.x)) < 1e-4 && fabs(map.y - round(map.y)) < 1e-4);
        across[MIDDLE + (int32_t)round(map.x)]++;
        down[MIDDLE + (int32_t)round(map.y)]++;
        same += round(map.x) == round(map.y);
    }
    for (int32_t i = 0; i < SIDE; i++) {
        const double wanted = abs(i - MIDDLE) <= 6 ? COUNT / 13.0 : 0;
        ck_assert_double_le(fabs(across[i] - wanted), 5 * sqrt(wanted));
        ck_assert_double_le(fabs(down[i] - wanted), 5 * sqrt(wanted));
    }
    ck_assert_double_eq_tol(same, COUNT / 13.0, 5 * sqrt(COUNT / 13.0));
}
END_TEST

START_TEST(zooms_are_even_in_the_logarithm)
{
    struct cnni_preparation preparation = make_preparation(SIDE, SIDE, 3);
    double sum = 0, squares = 0, largest = 0;
    preparation.augment.zoom = 0.5;
    for (int64_t i = 0; i < 500; i++) {
        struct cnni_affine map = draw_map(&preparation, i);
        double zoom = -log(map.x_dx);
        ck_assert(fabs(map.y_dy - map.x_dx) < 0.07 && fabs(map.x) < 0.01 && fabs(map.y) < 0.01);
        ck_assert(fabs(map.x_dy) < 0.04 && fabs(map.y_dx) < 0.04);
        sum += zoom / 500;
        squares += zoom * zoom / 500;
        largest = fmax(largest, fabs(zoom));
    }
    ck_assert(fabs(sum) < 0.06);
    ck_assert(fabs(squares - log(1.5) * log(1.5) / 3) < 0.011);
    ck_assert(largest > log(1.5) * 0.95 && largest < log(1.5) + 0.05);
}
END_TEST

START_TEST(shears_stay_within_the_angle)
{
    struct cnni_preparation preparation = make_preparation(SIDE, SIDE, 3);
    double sum = 0, squares = 0, largest = 0;
    preparation.augment.shear = 30;
    for (int64_t i = 0; i < 500; i++) {
        struct cnni_affine map = draw_map(&preparation, i);
        double angle = atan(-map.x_dy) * 180 / acos(-1);
        ck_assert(fabs(map.x_dx - 1) < 0.01 && fabs(map.y_dy - 1) < 0.01);
        ck_assert(fabs(map.y_dx) < 0.01);
        sum += angle / 500;
        squares += angle * angle / 500;
        largest = fmax(largest, fabs(angle));
    }
    ck_assert(fabs(sum) < 4);
    ck_assert(fabs(squares - 300) < 60); /* 30^2 / 3 */
    ck_assert(largest > 28 && largest < 32);
}
END_TEST

/* All at once: sheared, scaled, turned, and last moved by the same whole pixels as alone. */
START_TEST(affine_maps_are_one_after_the_other)
{
    struct cnni_preparation all = make_preparation(SIDE, SIDE, 3), turn = all, zoom = all;
    struct cnni_preparation shear = all, move = all;
    all.augment.degrees = turn.augment.degrees = 20;
    all.augment.zoom = zoom.augment.zoom = 0.3;
    all.augment.shear = shear.augment.shear = 20;
    all.augment.translation = move.augment.translation = 0.1;
    for (int64_t i = 0; i < 100; i++) {
        const struct cnni_affine a = draw_map(&all, i), r = draw_map(&turn, i);
        const double size = draw_map(&zoom, i).x_dx, k = draw_map(&shear, i).x_dy;
        const struct cnni_affine m = draw_map(&move, i);
        /* Back: unturn, unscale, unshear. */
        ck_assert_double_eq_tol(a.x_dx, size * (r.x_dx + k * r.y_dx), 0.15);
        ck_assert_double_eq_tol(a.x_dy, size * (r.x_dy + k * r.y_dy), 0.15);
        ck_assert_double_eq_tol(a.y_dx, size * r.y_dx, 0.12);
        ck_assert_double_eq_tol(a.y_dy, size * r.y_dy, 0.12);
        ck_assert_double_eq_tol(a.x, a.x_dx * m.x + a.x_dy * m.y, 1.5);
        ck_assert_double_eq_tol(a.y, a.y_dx * m.x + a.y_dy * m.y, 1.5);
    }
}
END_TEST

START_TEST(affine_maps_repeat_the_border)
{
    struct cnni_image picture = make_halves(10, 20, 40, 40);
    struct cnni_preparation preparation = make_preparation(10, 20, 1);
    float sample[200];
    preparation.augment.translation = 1;
    preparation.augment.zoom = 1;
    preparation.augment.shear = 60;
    for (int64_t i = 0; i < 50; i++) {
        prepare(sample, &preparation, &picture, 0, i);
        for (int32_t k = 0; k < 200; k++)
            ck_assert_float_eq_tol(sample[k], 40, 0.01f);
    }
    free(picture.pixels);
}
END_TEST

/* ---- Tint ------------------------------------------------------------------------------------ */

static double gray_of(const uint8_t *rgb)
{
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

static double cb_of(const uint8_t *rgb)
{
    return (rgb[2] - gray_of(rgb)) / 1.772;
}

static double cr_of(const uint8_t *rgb)
{
    return (rgb[0] - gray_of(rgb)) / 1.402;
}

/* Colours whose turned and saturated ones stay within 0 .. 255. */
static struct cnni_image make_pastels(void)
{
    struct cnni_image image = make_image(8, 8, 3);
    for (int64_t i = 0; i < 64; i++)
        for (int64_t k = 0; k < 3; k++)
            image.pixels[3 * i + k] = (uint8_t)(128 + (i * (17 + 13 * k) + 7 * k) % 41 - 20);
    return image;
}

START_TEST(tint_scales_and_turns_colour_differences)
{
    static const struct {
        double saturation, hue;
    } rows[] = {{1, 0}, {0, 0}, {2, 0}, {0.5, 0}, {1, 0.5}, {1, -0.5}, {1, 1}, {1.5, 0.2}};
    struct cnni_image picture = make_pastels(), got = make_image(8, 8, 3);
    const double s = rows[_i].saturation, angle = rows[_i].hue * acos(-1);
    memcpy(got.pixels, picture.pixels, 8 * 8 * 3);
    cnni_image_tint(&got, s, rows[_i].hue);
    for (const uint8_t *old = picture.pixels, *new = got.pixels; old < picture.pixels + 192;
         old += 3, new += 3) {
        const double cb = cb_of(old), cr = cr_of(old);
        ck_assert_double_eq_tol(gray_of(new), gray_of(old), 0.51);
        ck_assert_double_eq_tol(cb_of(new), s * (cos(angle) * cb - sin(angle) * cr), 0.6);
        ck_assert_double_eq_tol(cr_of(new), s * (sin(angle) * cb + cos(angle) * cr), 0.75);
    }
    free(picture.pixels);
    free(got.pixels);
}
END_TEST

START_TEST(tint_leaves_gray_alone_and_cuts)
{
    struct cnni_image grays = make_image(1, 256, 3), got = make_image(1, 256, 3);
    for (int32_t i = 0; i < 256 * 3; i++)
        grays.pixels[i] = (uint8_t)(i / 3);
    for (int32_t i = 0; i <= 20; i++) {
        memcpy(got.pixels, grays.pixels, 256 * 3);
        cnni_image_tint(&got, 0.1 * i, 0.1 * (i - 10));
        ck_assert_mem_eq(got.pixels, grays.pixels, 256 * 3);
    }
    memcpy(got.pixels, "\xFF\x00\x00\x00\xFF\x00\x00\x00\xFF", 9);
    got.w = 3;
    cnni_image_tint(&got, 2, 0);
    ck_assert_mem_eq(got.pixels, "\xFF\x00\x00\x00\xFF\x00\x00\x00\xFF", 9);
    cnni_image_tint(&got, 1, 1); /* the opposite of pure red is cyan, as far as there is any */
    ck_assert_mem_eq(got.pixels, "\x00\x98\x98\xFF\x2C\xFF\x3A\x3A\x00", 9);
    free(grays.pixels);
    free(got.pixels);
}
END_TEST

/* Saturation 0.4 and hue 30, measured at one colour. */
START_TEST(tints_of_samples_are_even)
{
    enum { COUNT = 1000 };
    struct cnni_image picture = make_image(1, 1, 3);
    struct cnni_preparation preparation = make_preparation(1, 1, 3);
    double factors = 0, squares = 0, turns = 0, turn_squares = 0, products = 0;
    memcpy(picture.pixels, "\xA0\x80\x40", 3);
    const double cb = cb_of(picture.pixels), cr = cr_of(picture.pixels);
    preparation.augment.saturation = 0.4;
    preparation.augment.hue = 30;
    for (int64_t i = 0; i < COUNT; i++) {
        float sample[3];
        uint8_t rgb[3];
        prepare(sample, &preparation, &picture, 0, i);
        for (int32_t k = 0; k < 3; k++)
            rgb[k] = (uint8_t)(sample[k] + 0.5f);
        const double new_cb = cb_of(rgb), new_cr = cr_of(rgb);
        const double factor = hypot(new_cb, new_cr) / hypot(cb, cr) - 1;
        const double turned = atan2(new_cr, new_cb) - atan2(cr, cb);
        const double turn = remainder(turned * 180 / acos(-1), 360);
        ck_assert(fabs(factor) < 0.43 && fabs(turn) < 33);
        factors += factor / COUNT;
        squares += factor * factor / COUNT;
        turns += turn / COUNT;
        turn_squares += turn * turn / COUNT;
        products += factor * turn / COUNT;
    }
    ck_assert(fabs(factors) < 0.04 && fabs(squares - 0.16 / 3) < 0.008);
    ck_assert(fabs(turns) < 3 && fabs(turn_squares - 300) < 45);
    ck_assert(fabs(products) < 0.7);
    free(picture.pixels);
}
END_TEST

/* ---- Erasing --------------------------------------------------------------------------------- */

enum { HOLE_H = 40, HOLE_W = 60, HOLE_SAMPLES = 1500 };

/* The rectangle of zeros in a sample whose other numbers are not; all its pixels are checked, with
 * few assertions, which take their time. */
static bool find_hole(struct cnni_box *hole, const float *sample)
{
    int64_t zeros = 0;
    bool whole = true;
    *hole = (struct cnni_box){HOLE_W, HOLE_H, 0, 0};
    for (int64_t i = 0; i < HOLE_H * HOLE_W; i++) {
        const double x = (double)(i % HOLE_W), y = (double)(i / HOLE_W);
        for (int32_t k = 1; k < 3; k++)
            whole = whole && (sample[3 * i + k] == 0) == (sample[3 * i] == 0);
        if (sample[3 * i] != 0)
            continue;
        zeros++;
        hole->left = fmin(hole->left, x);
        hole->top = fmin(hole->top, y);
        hole->right = fmax(hole->right, x + 1);
        hole->bottom = fmax(hole->bottom, y + 1);
    }
    ck_assert(whole);
    if (zeros > 0)
        ck_assert((double)zeros == (hole->right - hole->left) * (hole->bottom - hole->top));
    return zeros > 0;
}

START_TEST(holes_come_as_often_and_large_as_asked)
{
    static float sample[HOLE_H * HOLE_W * 3];
    struct cnni_image picture = make_image(HOLE_H, HOLE_W, 3);
    struct cnni_preparation preparation = make_preparation(HOLE_H, HOLE_W, 3);
    double areas = 0, log_ratios = 0, log_squares = 0, lefts = 0, tops = 0;
    int32_t count = 0;
    memset(picture.pixels, 200, HOLE_H * HOLE_W * 3);
    preparation.augment.erasing = 0.4;
    preparation.augment.hole = (struct cnni_region){0.1, 0.3, 2};
    for (int64_t i = 0; i < HOLE_SAMPLES; i++) {
        struct cnni_box hole;
        prepare(sample, &preparation, &picture, 0, i);
        if (!find_hole(&hole, sample))
            continue;
        const double w = hole.right - hole.left, h = hole.bottom - hole.top;
        const double area = w * h / (HOLE_H * HOLE_W), ratio = log(w / h * HOLE_H / HOLE_W);
        ck_assert(area > 0.085 && area < 0.325 && fabs(ratio) < log(2) + 0.11);
        count++;
        areas += area;
        log_ratios += ratio;
        log_squares += ratio * ratio;
        lefts += hole.left / (HOLE_W - w);
        tops += hole.top / (HOLE_H - h);
    }
    ck_assert(fabs(count - 0.4 * HOLE_SAMPLES) < 5 * sqrt(0.24 * HOLE_SAMPLES));
    ck_assert(fabs(areas / count - 0.2) < 0.012);
    ck_assert(fabs(log_ratios / count) < 0.08);
    ck_assert(fabs(log_squares / count - log(2) * log(2) / 3) < 0.03);
    ck_assert(fabs(lefts / count - 0.5) < 0.06 && fabs(tops / count - 0.5) < 0.06);
    free(picture.pixels);
}
END_TEST

/* What would stick out is cut to the sample, up to all of it. */
START_TEST(holes_fit_into_the_sample)
{
    static float sample[HOLE_H * HOLE_W * 3];
    struct cnni_image picture = make_image(HOLE_H, HOLE_W, 3);
    struct cnni_preparation preparation = make_preparation(HOLE_H, HOLE_W, 3);
    preparation.augment.erasing = 1;
    preparation.augment.hole = (struct cnni_region){1, 1, 3};
    memset(picture.pixels, 200, HOLE_H * HOLE_W * 3);
    for (int64_t i = 0; i < 100; i++) {
        struct cnni_box hole;
        prepare(sample, &preparation, &picture, 0, i);
        ck_assert(find_hole(&hole, sample));
        ck_assert((hole.left == 0 && hole.right == HOLE_W) ||
                  (hole.top == 0 && hole.bottom == HOLE_H));
    }
    preparation.augment.hole = (struct cnni_region){1, 1, 1};
    prepare(sample, &preparation, &picture, 0, 0);
    for (int32_t i = 0; i < HOLE_H * HOLE_W * 3; i++)
        ck_assert(sample[i] == 0);
    free(picture.pixels);
}
END_TEST

/* Behind the normalisation, whatever the mean is; gray pictures too. */
START_TEST(holes_have_the_mean_colour)
{
    static const float mean[] = {0.5f}, deviation[] = {0.25f};
    struct cnni_image picture = make_noise(12, 12, 1);
    struct cnni_preparation preparation = make_preparation(12, 12, 1);
    float whole[144], sample[144];
    int32_t zeros = 0;
    cnni_normalization_set(&preparation.normalization, mean, deviation, 1);
    prepare(whole, &preparation, &picture, 0, 0);
    preparation.augment.erasing = 1;
    preparation.augment.hole = (struct cnni_region){0.25, 0.25, 1};
    prepare(sample, &preparation, &picture, 0, 0);
    for (int32_t i = 0; i < 144; i++) {
        ck_assert(sample[i] == whole[i] || sample[i] == 0);
        zeros += sample[i] != whole[i];
    }
    ck_assert_int_eq(zeros, 36);
    free(picture.pixels);
}
END_TEST

/* ---- Together -------------------------------------------------------------------------------- */

static struct cnni_preparation make_everything(void)
{
    struct cnni_preparation preparation = make_preparation(16, 16, 3);
    preparation.augment = (struct cnni_augment){
        .crop = {0.3, 0.9, 1.4},
        .degrees = 20,
        .flip = 0.5,
        .brightness = 0.3,
        .contrast = 0.4,
        .translation = 0.1,
        .zoom = 0.2,
        .shear = 10,
        .saturation = 0.3,
        .hue = 20,
        .erasing = 0.5,
        .hole = {0.02, 0.4, 3.3},
    };
    return preparation;
}

/* Nothing of what is older sees that newer effects are on: brightness on a plain gray picture, and
 * flips, on one that is dark to the left. */
START_TEST(newer_effects_do_not_disturb_older_ones)
{
    struct cnni_preparation all = make_everything(), old = make_preparation(16, 16, 3);
    struct cnni_image picture = make_image(16, 16, 3);
    float a[16 * 16 * 3], b[16 * 16 * 3];
    memset(picture.pixels, 100, 16 * 16 * 3);
    old.augment.brightness = all.augment.brightness;
    all.augment.erasing = 0;
    for (int64_t i = 0; i < 100; i++) {
        prepare(a, &all, &picture, 0, i);
        prepare(b, &old, &picture, 0, i);
        ck_assert_mem_eq(a, b, sizeof a);
    }
    for (int32_t i = 0; i < 16 * 16; i++)
        memset(picture.pixels + 3 * i, i % 16 < 8 ? 60 : 120, 3);
    all.augment.degrees = 0;
    all.augment.shear = 0;
    old.augment = cnni_augment_none;
    old.augment.flip = 0.5;
    for (int64_t i = 0; i < 100; i++) {
        prepare(a, &all, &picture, 0, i);
        prepare(b, &old, &picture, 0, i);
        ck_assert_int_eq(a[3 * 128] < a[3 * 143], b[3 * 128] < b[3 * 143]);
    }
    free(picture.pixels);
}
END_TEST

/* On every machine and for ever. */
START_TEST(the_bits_of_all_effects_are_pinned)
{
    struct cnni_preparation preparation = make_everything();
    struct cnni_image picture = make_noise(30, 50, 3);
    float sample[16 * 16 * 3];
    uint32_t crc = 0;
    for (int64_t i = 0; i < 50; i++) {
        prepare(sample, &preparation, &picture, 3, i);
        crc = cnni_crc32c(crc, sample, sizeof sample);
    }
    ck_assert_uint_eq(crc, 0x8a25ac24);
    free(picture.pixels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augment_more");
    TCase *tcase = tcase_create("augment_more");
    tcase_add_checked_fixture(tcase, preparing_set_up, preparing_tear_down);
    tcase_add_test(tcase, a_map_of_whole_pixels_copies);
    tcase_add_test(tcase, pixels_come_from_where_the_map_says);
    tcase_add_test(tcase, moves_are_even_and_whole);
    tcase_add_test(tcase, zooms_are_even_in_the_logarithm);
    tcase_add_test(tcase, shears_stay_within_the_angle);
    tcase_add_test(tcase, affine_maps_are_one_after_the_other);
    tcase_add_test(tcase, affine_maps_repeat_the_border);
    tcase_add_loop_test(tcase, tint_scales_and_turns_colour_differences, 0, 8);
    tcase_add_test(tcase, tint_leaves_gray_alone_and_cuts);
    tcase_add_test(tcase, tints_of_samples_are_even);
    tcase_add_test(tcase, holes_come_as_often_and_large_as_asked);
    tcase_add_test(tcase, holes_fit_into_the_sample);
    tcase_add_test(tcase, holes_have_the_mean_colour);
    tcase_add_test(tcase, newer_effects_do_not_disturb_older_ones);
    tcase_add_test(tcase, the_bits_of_all_effects_are_pinned);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
