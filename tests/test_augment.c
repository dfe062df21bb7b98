/* SPDX-License-Identifier: MIT
 * Preparing samples: without augmentation a plain resize and the formula of normalisation; with
 * it, what was done to a sample is measured on pictures that show it (their colours are their
 * coordinates, or two levels of gray) and compared with the settings.  Affine maps, tint and
 * erasing are in test_augment_more.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "cnn.h"
#include "data/image_resize.h"
#include "support/preparing.h"
#include "support/suite.h"

enum { SAMPLES = 2000 };

/* ---- Without augmentation ---- */

START_TEST(tables_hold_the_formula)
{
    static const float mean[] = {0.485f, 0.456f, 0}, deviation[] = {0.229f, 0.224f, 1e-3f};
    struct cnni_normalization normalization;
    uint8_t x[256 * 3];
    float y[256 * 3];
    for (int32_t i = 0; i < 256 * 3; i++)
        x[i] = (uint8_t)(i / 3);
    cnni_normalization_set(&normalization, mean, deviation, 3);
    cnni_normalize(y, &normalization, x, 256);
    for (int32_t i = 0; i < 256 * 3; i++) {
        double wanted = (x[i] / 255.0 - (double)mean[i % 3]) / (double)deviation[i % 3];
        ck_assert(y[i] == (float)wanted);
    }
    cnni_normalization_set(&normalization, mean, deviation, 1);
    cnni_normalize(y, &normalization, x, 256 * 3);
    for (int32_t i = 0; i < 256 * 3; i++)
        ck_assert(y[i] == (float)((x[i] / 255.0 - (double)mean[0]) / (double)deviation[0]));
}
END_TEST

START_TEST(without_augmentation_a_sample_is_resized_and_normalised)
{
    for (int32_t channels = 1; channels <= 3; channels += 2) {
        struct cnni_preparation preparation = make_preparation(13, 9, channels);
        struct cnni_image picture = make_noise(31, 40, channels);
        struct cnni_image resized = make_image(13, 9, channels);
        float got[13 * 9 * 3], wanted[13 * 9 * 3];
        ck_assert_int_eq(cnni_image_resize(&resized, preparing_context, &picture, NULL, "cnn_test"),
                         CNN_OK);
        cnni_normalize(wanted, &preparation.normalization, resized.pixels, 13 * 9);
        prepare(got, &preparation, &picture, 3, 14);
        ck_assert_mem_eq(got, wanted, sizeof(float) * 13 * 9 * (size_t)channels);
        free(picture.pixels);
        free(resized.pixels);
    }
}
END_TEST

START_TEST(pictures_may_be_decoded_as_small_as_the_crop_allows)
{
    struct cnni_preparation preparation = make_preparation(100, 64, 3);
    int64_t h, w;
    cnni_prepare_min_size(&h, &w, &preparation);
    ck_assert_int_eq(h, 100);
    ck_assert_int_eq(w, 64);
    preparation.augment.crop.min_area = 0.25;
    cnni_prepare_min_size(&h, &w, &preparation);
    ck_assert_int_eq(h, 200);
    ck_assert_int_eq(w, 128);
    preparation.augment.crop.max_ratio = 2.25;
    cnni_prepare_min_size(&h, &w, &preparation);
    ck_assert_int_eq(h, 300);
    ck_assert_int_eq(w, 192);
    preparation.augment.crop.min_area = 1e-300; /* must not overflow */
    cnni_prepare_min_size(&h, &w, &preparation);
    ck_assert_int_ge(h, INT32_MAX);
}
END_TEST

/* ---- Same numbers, same sample ---- */

static struct cnni_preparation make_everything(void)
{
    struct cnni_preparation preparation = make_preparation(16, 16, 3);
    preparation.augment = (struct cnni_augment){
        .crop = {0.3, 0.9, 1.4}, .degrees = 20, .flip = 0.5, .brightness = 0.3, .contrast = 0.4};
    return preparation;
}

START_TEST(a_sample_is_a_function_of_seed_epoch_and_number)
{
    static const struct {
        uint64_t seed;
        int64_t epoch, sample;
    } others[] = {{8, 2, 5}, {7, 3, 5}, {7, 2, 6}, {7, ((int64_t)1 << 32) + 2, 5}};
    struct cnni_preparation preparation = make_everything();
    struct cnni_image picture = make_noise(30, 50, 3);
    float first[16 * 16 * 3], second[16 * 16 * 3];
    prepare(first, &preparation, &picture, 2, 5);
    prepare(second, &preparation, &picture, 2, 5);
    ck_assert_mem_eq(first, second, sizeof first);
    for (int32_t i = 0; i < CNNI_COUNT(others); i++) {
        preparation.seed = others[i].seed;
        prepare(second, &preparation, &picture, others[i].epoch, others[i].sample);
        ck_assert_mem_ne(first, second, sizeof first);
    }
    free(picture.pixels);
}
END_TEST

/* Switching one effect on leaves what the others do as it was. */
START_TEST(effects_do_not_disturb_each_other)
{
    struct cnni_image picture = make_halves(8, 8, 50, 150);
    struct cnni_preparation alone = make_preparation(8, 8, 1), together = alone;
    alone.augment.flip = 0.5;
    together.augment = (struct cnni_augment){
        .crop = {0.9, 1, 1.1}, .degrees = 5, .flip = 0.5, .brightness = 0.2, .contrast = 0.2};
    for (int64_t i = 0; i < 200; i++) {
        float a[64], b[64];
        prepare(a, &alone, &picture, 0, i);
        prepare(b, &together, &picture, 0, i);
        ck_assert_int_eq(a[32] > a[39], b[32] > b[39]);
    }
    /* Nothing but brightness shows on a plain picture. */
    memset(picture.pixels, 100, 64);
    alone.augment = cnni_augment_none;
    alone.augment.brightness = together.augment.brightness;
    for (int64_t i = 0; i < 200; i++) {
        float a[64], b[64];
        prepare(a, &alone, &picture, 0, i);
        prepare(b, &together, &picture, 0, i);
        ck_assert(a[0] == b[0]);
    }
    free(picture.pixels);
}
END_TEST

/* What these settings have made of a picture since 0.1 they make for ever. */
START_TEST(the_bits_of_older_settings_are_pinned)
{
    struct cnni_preparation preparation = make_everything();
    struct cnni_image picture = make_noise(30, 50, 3);
    float sample[16 * 16 * 3];
    uint32_t crc = 0;
    for (int64_t i = 0; i < 50; i++) {
        prepare(sample, &preparation, &picture, 3, i);
        crc = cnni_crc32c(crc, sample, sizeof sample);
    }
    ck_assert_uint_eq(crc, 0xa414092b);
    free(picture.pixels);
}
END_TEST

/* ---- Each effect by itself ---- */

START_TEST(flips_come_as_often_as_asked)
{
    struct cnni_image picture = make_noise(3, 5, 3), mirrored = make_image(3, 5, 3);
    struct cnni_preparation preparation = make_preparation(3, 5, 3);
    float got[45], plain[45], flipped[45];
    int64_t flips = 0;
    for (int64_t i = 0; i < 15; i++)
        memcpy(mirrored.pixels + 3 * i, picture.pixels + 3 * (i / 5 * 5 + 4 - i % 5), 3);
    prepare(plain, &preparation, &picture, 0, 0);
    prepare(flipped, &preparation, &mirrored, 0, 0);
    preparation.augment.flip = 0.3;
    for (int64_t i = 0; i < SAMPLES; i++) {
        prepare(got, &preparation, &picture, 1, i);
        bool is_flipped = memcmp(got, flipped, sizeof got) == 0;
        ck_assert(is_flipped || memcmp(got, plain, sizeof got) == 0);
        flips += is_flipped;
    }
    /* Five standard deviations. */
    ck_assert(fabs((double)flips - 0.3 * SAMPLES) < 5 * sqrt(0.3 * 0.7 * SAMPLES));
    preparation.augment.flip = 1;
    prepare(got, &preparation, &picture, 1, 0);
    ck_assert_mem_eq(got, flipped, sizeof got);
    free(picture.pixels);
    free(mirrored.pixels);
}
END_TEST

/* The box that a sample of make_coordinates() was cut from, from the outermost of SIZE x SIZE
 * pixels.  Colours are of pixel centres, and rounded. */
enum { SIZE = 8 };

static struct cnni_box find_box(const float *sample)
{
    const double across = (double)(sample[3 * (SIZE - 1)] - sample[0]) / (SIZE - 1);
    const double down = (double)(sample[3 * SIZE * (SIZE - 1) + 1] - sample[1]) / (SIZE - 1);
    const double left = (double)sample[0] + 0.5 - across / 2;
    const double top = (double)sample[1] + 0.5 - down / 2;
    return (struct cnni_box){left, top, left + SIZE * across, top + SIZE * down};
}

START_TEST(crops_have_the_area_and_ratio_asked_for)
{
    const double w = 240, h = 200, min_area = 0.2, max_area = 0.6, max_ratio = 1.5;
    struct cnni_image picture = make_coordinates(200, 240);
    struct cnni_preparation preparation = make_preparation(SIZE, SIZE, 3);
    double areas = 0, log_ratios = 0, log_squares = 0, lefts = 0;
    preparation.augment.crop.min_area = min_area;
    preparation.augment.crop.max_area = max_area;
    preparation.augment.crop.max_ratio = max_ratio;
    for (int64_t i = 0; i < SAMPLES; i++) {
        float sample[SIZE * SIZE * 3];
        prepare(sample, &preparation, &picture, 0, i);
        struct cnni_box box = find_box(sample);
        double box_w = box.right - box.left, box_h = box.bottom - box.top;
        double area = box_w * box_h / (w * h), ratio = box_w / box_h * h / w;
        ck_assert(box.left > -1 && box.top > -1 && box.right < w + 1 && box.bottom < h + 1);
        ck_assert(area > min_area * 0.97 && area < max_area * 1.03);
        ck_assert(ratio > 1 / max_ratio * 0.97 && ratio < max_ratio * 1.03);
        areas += area / SAMPLES;
        log_ratios += log(ratio) / SAMPLES;
        log_squares += log(ratio) * log(ratio) / SAMPLES;
        lefts += box.left / (w - box_w) / SAMPLES;
    }
    /* All are evenly distributed: their means, and the variance (b - a)^2 / 12. */
    ck_assert(fabs(areas - (min_area + max_area) / 2) < 0.02);
    ck_assert(fabs(log_ratios) < 0.03);
    ck_assert(fabs(log_squares - log(max_ratio) * log(max_ratio) / 3) < 0.01);
    ck_assert(fabs(lefts - 0.5) < 0.04);
    free(picture.pixels);
}
END_TEST

/* What would stick out is cut to the picture: with all of the area, one side is always whole. */
START_TEST(crops_fit_into_the_picture)
{
    enum { LAST = SIZE * SIZE - 1 };
    struct cnni_image picture = make_coordinates(200, 240);
    struct cnni_preparation preparation = make_preparation(SIZE, SIZE, 3);
    float whole[SIZE * SIZE * 3], sample[SIZE * SIZE * 3];
    int64_t whole_widths = 0;
    prepare(whole, &preparation, &picture, 0, 0);
    preparation.augment.crop.max_ratio = 3;
    for (int64_t i = 0; i < 200; i++) {
        bool same[2];
        prepare(sample, &preparation, &picture, 0, i);
        for (int32_t k = 0; k < 2; k++)
            same[k] = fabsf(sample[k] - whole[k]) < 0.5f &&
                      fabsf(sample[3 * LAST + k] - whole[3 * LAST + k]) < 0.5f;
        ck_assert(same[0] || same[1]);
        whole_widths += same[0];
    }
    ck_assert_int_gt(whole_widths, 60);
    ck_assert_int_lt(whole_widths, 140);
    free(picture.pixels);
}
END_TEST

START_TEST(turns_stay_within_the_angle)
{
    enum { SIDE = 65, MIDDLE = SIDE / 2 };
    struct cnni_image picture = make_coordinates(SIDE, SIDE);
    struct cnni_preparation preparation = make_preparation(SIDE, SIDE, 3);
    static float sample[SIDE * SIDE * 3];
    double sum = 0, squares = 0, largest = 0;
    preparation.augment.degrees = 30;
    for (int64_t i = 0; i < 300; i++) {
        prepare(sample, &preparation, &picture, 0, i);
        /* Where the point 20 to the right of the centre comes from. */
        const float *point = sample + 3 * (MIDDLE * SIDE + MIDDLE + 20);
        double dx = (double)point[0] - MIDDLE, dy = (double)point[1] - MIDDLE;
        double angle = atan2(dy, dx) * 180 / acos(-1);
        ck_assert(fabs(sqrt(dx * dx + dy * dy) - 20) < 1);
        ck_assert(fabs(angle) < 31.5);
        /* The point 20 below comes from a right angle to that, and the centre stays. */
        point = sample + 3 * ((MIDDLE + 20) * SIDE + MIDDLE);
        ck_assert(fabs((double)point[0] - MIDDLE + dy) < 1.1);
        ck_assert(fabs((double)point[1] - MIDDLE - dx) < 1.1);
        point = sample + 3 * (MIDDLE * SIDE + MIDDLE);
        ck_assert_float_eq_tol(point[0], MIDDLE, 0.01f);
        sum += angle / 300;
        squares += angle * angle / 300;
        largest = fmax(largest, fabs(angle));
    }
    ck_assert(fabs(sum) < 5);
    ck_assert(fabs(squares - 300) < 60); /* 30^2 / 3 */
    ck_assert(largest > 27);
    free(picture.pixels);
}
END_TEST

/* Corners that come from outside repeat the border: nothing dark comes in. */
START_TEST(turning_repeats_the_border)
{
    struct cnni_image picture = make_halves(10, 20, 40, 40);
    struct cnni_preparation preparation = make_preparation(10, 20, 1);
    float sample[200];
    preparation.augment.degrees = 180;
    for (int64_t i = 0; i < 50; i++) {
        prepare(sample, &preparation, &picture, 0, i);
        for (int32_t k = 0; k < 200; k++)
            ck_assert_float_eq_tol(sample[k], 40, 0.01f);
    }
    free(picture.pixels);
}
END_TEST

START_TEST(brightness_multiplies)
{
    struct cnni_image picture = make_halves(4, 4, 100, 100);
    struct cnni_preparation preparation = make_preparation(4, 4, 1);
    double sum = 0, lowest = 1, highest = 1;
    preparation.augment.brightness = 0.4;
    for (int64_t i = 0; i < SAMPLES; i++) {
        float sample[16];
        prepare(sample, &preparation, &picture, 0, i);
        double factor = (double)sample[0] / 100;
        for (int32_t k = 1; k < 16; k++)
            ck_assert(sample[k] == sample[0]);
        sum += factor / SAMPLES;
        lowest = fmin(lowest, factor);
        highest = fmax(highest, factor);
    }
    ck_assert(fabs(sum - 1) < 0.03);
    ck_assert(lowest >= 0.599 && lowest < 0.61);
    ck_assert(highest <= 1.401 && highest > 1.39);
    free(picture.pixels);
}
END_TEST

START_TEST(contrast_draws_to_and_from_the_mean)
{
    struct cnni_image picture = make_halves(4, 4, 60, 160); /* mean 110 */
    struct cnni_preparation preparation = make_preparation(4, 4, 1);
    double sum = 0, lowest = 1, highest = 1;
    preparation.augment.contrast = 0.5;
    for (int64_t i = 0; i < SAMPLES; i++) {
        float sample[16];
        prepare(sample, &preparation, &picture, 0, i);
        double factor = (double)(sample[3] - sample[0]) / 100;
        ck_assert(fabs((double)(sample[3] + sample[0]) - 220) < 1.01);
        sum += factor / SAMPLES;
        lowest = fmin(lowest, factor);
        highest = fmax(highest, factor);
    }
    ck_assert(fabs(sum - 1) < 0.04);
    ck_assert(lowest >= 0.49 && lowest < 0.52);
    ck_assert(highest <= 1.51 && highest > 1.48);
    free(picture.pixels);
}
END_TEST

/* The mean is that of the gray levels, 0.299 red + 0.587 green + 0.114 blue, and bytes are cut. */
START_TEST(contrast_of_colours_is_about_their_gray)
{
    struct cnni_image picture = make_image(1, 1, 3);
    struct cnni_preparation preparation = make_preparation(1, 1, 3);
    memcpy(picture.pixels, "\xFF\x64\x00", 3); /* gray 135 */
    preparation.augment.contrast = 1;
    for (int64_t i = 0; i < 200; i++) {
        float sample[3];
        prepare(sample, &preparation, &picture, 0, i);
        double factor = ((double)sample[1] - 135) / (100 - 135);
        ck_assert(fabs((double)sample[0] - fmin(135 + factor * 120, 255)) < 3);
        ck_assert(fabs((double)sample[2] - fmax(135 - factor * 135, 0)) < 3);
    }
    free(picture.pixels);
}
END_TEST

/* ---- Memory ---- */

START_TEST(refused_memory_is_reported_and_nothing_leaks)
{
    struct cnni_preparation preparation = make_everything();
    struct cnni_image picture = make_noise(30, 50, 3);
    float sample[16 * 16 * 3];
    cnn_status status = CNN_ERROR_MEMORY;
    int64_t failures = 0;
    for (; status != CNN_OK; failures++) {
        preparing_accounts.calls = 0;
        preparing_accounts.refuse_at = failures + 1;
        status = cnni_prepare(sample, preparing_context, &preparation, &picture, 0, 0, "cnn_test");
        ck_assert(status == CNN_OK || status == CNN_ERROR_MEMORY);
        ck_assert_int_eq(preparing_accounts.blocks, 0);
    }
    ck_assert_int_gt(failures, 4);
    free(picture.pixels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augment");
    TCase *tcase = tcase_create("augment");
    tcase_add_checked_fixture(tcase, preparing_set_up, preparing_tear_down);
    tcase_add_test(tcase, tables_hold_the_formula);
    tcase_add_test(tcase, without_augmentation_a_sample_is_resized_and_normalised);
    tcase_add_test(tcase, pictures_may_be_decoded_as_small_as_the_crop_allows);
    tcase_add_test(tcase, a_sample_is_a_function_of_seed_epoch_and_number);
    tcase_add_test(tcase, effects_do_not_disturb_each_other);
    tcase_add_test(tcase, the_bits_of_older_settings_are_pinned);
    tcase_add_test(tcase, flips_come_as_often_as_asked);
    tcase_add_test(tcase, crops_have_the_area_and_ratio_asked_for);
    tcase_add_test(tcase, crops_fit_into_the_picture);
    tcase_add_test(tcase, turns_stay_within_the_angle);
    tcase_add_test(tcase, turning_repeats_the_border);
    tcase_add_test(tcase, brightness_multiplies);
    tcase_add_test(tcase, contrast_draws_to_and_from_the_mean);
    tcase_add_test(tcase, contrast_of_colours_is_about_their_gray);
    tcase_add_test(tcase, refused_memory_is_reported_and_nothing_leaks);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
