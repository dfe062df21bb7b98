/* SPDX-License-Identifier: MIT
 * Resizing: against Pillow's results (fixtures/images/resize.bin), against a reference in double
 * precision written from the formula, and the documented errors of cnn_image_resize(). */
#include <check.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "data/image_resize.h"
#include "support/accounts.h"
#include "support/fixtures.h"
#include "support/suite.h"

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

static void check_failure(cnn_status got, cnn_status wanted, const char *part)
{
    ck_assert_str_eq(cnn_status_name(got), cnn_status_name(wanted));
    ck_assert_msg(strstr(cnn_error_message(), part) != NULL, "\"%s\" does not have \"%s\"",
                  cnn_error_message(), part);
}

/* ---- Pictures ---- */

static struct cnni_image make_image(int64_t h, int64_t w, int64_t c)
{
    return (struct cnni_image){calloc((size_t)(h * w * c), 1), h, w, c};
}

/* The same as in make_image_fixtures.py. */
static struct cnni_image make_pattern(int64_t h, int64_t w, int64_t c)
{
    struct cnni_image image = make_image(h, w, c);
    uint8_t *byte = image.pixels;
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            for (int64_t k = 0; k < c; k++) {
                int64_t smooth = 5 * x + 3 * y + 60 * k;
                int64_t wild = (x * x * 31 + y * y * 17 + x * y * 13 + k * 101) >> 3;
                *byte++ = (uint8_t)((x / 8 + y / 8) % 2 == 0 ? smooth : wild);
            }
    return image;
}

/* The weight of source pixel i for target position t of an axis, not yet divided by their sum. */
static double weight(int64_t i, int64_t t, double begin, double scale)
{
    double distance = fabs((double)i + 0.5 - (begin + ((double)t + 0.5) * scale));
    double reach = scale > 1 ? scale : 1;
    return distance < reach ? 1 - distance / reach : 0;
}

/* One byte of the target in double precision, all in one go. */
static double reference(const struct cnni_image *source, const struct cnni_box *box, int64_t h,
                        int64_t w, int64_t y, int64_t x, int64_t k)
{
    double scale_y = (box->bottom - box->top) / (double)h;
    double scale_x = (box->right - box->left) / (double)w;
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < source->h; i++)
        for (int64_t j = 0; j < source->w; j++) {
            double both = weight(i, y, box->top, scale_y) * weight(j, x, box->left, scale_x);
            sum += both * source->pixels[(i * source->w + j) * source->c + k];
            weights += both;
        }
    return sum / weights;
}

/* ---- Against Pillow ---- */

struct resize_case {
    int32_t width, height, channels, target_width, target_height;
    struct cnni_box box;
    const uint8_t *wanted;
};

static int32_t read_number(const uint8_t **bytes)
{
    const uint8_t *b = *bytes;
    *bytes += 4;
    return (int32_t)(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
}

static struct resize_case read_case(const uint8_t **bytes)
{
    struct resize_case row;
    row.width = read_number(bytes);
    row.height = read_number(bytes);
    row.channels = read_number(bytes);
    row.target_width = read_number(bytes);
    row.target_height = read_number(bytes);
    row.box.left = read_number(bytes) / 16.0;
    row.box.top = read_number(bytes) / 16.0;
    row.box.right = read_number(bytes) / 16.0;
    row.box.bottom = read_number(bytes) / 16.0;
    row.wanted = *bytes;
    *bytes += row.target_width * row.target_height * row.channels;
    return row;
}

static void check_case(const struct resize_case *row)
{
    struct cnni_image source = make_pattern(row->height, row->width, row->channels);
    struct cnni_image target = make_image(row->target_height, row->target_width, row->channels);
    ck_assert_int_eq(cnni_image_resize(&target, context, &source, &row->box, "test"), CNN_OK);
    for (size_t i = 0; i < cnni_image_bytes(&target); i++)
        ck_assert_msg(abs(target.pixels[i] - row->wanted[i]) <= 1,
                      "%d x %d x %d to %d x %d, byte %zu: got %d, Pillow has %d", row->width,
                      row->height, row->channels, row->target_width, row->target_height, i,
                      target.pixels[i], row->wanted[i]);
    free(source.pixels);
    free(target.pixels);
}

START_TEST(results_are_within_one_level_of_pillow)
{
    struct file_bytes file = fixture_read("images/resize.bin");
    const uint8_t *next = file.bytes;
    int32_t count = 0;
    for (; next < file.bytes + file.size; count++) {
        struct resize_case row = read_case(&next);
        check_case(&row);
    }
    ck_assert_ptr_eq(next, file.bytes + file.size);
    ck_assert_int_ge(count, 28);
    free(file.bytes);
}
END_TEST

/* ---- Against the formula ---- */

static const struct {
    int64_t h, w, c, target_h, target_w;
    struct cnni_box box; /* all zero: the whole picture */
} rows[] = {
    {23, 31, 3, 7, 9, {0, 0, 0, 0}},           {23, 31, 3, 40, 50, {0, 0, 0, 0}},
    {23, 31, 1, 12, 70, {0, 0, 0, 0}},         {3, 200, 3, 2, 3, {0, 0, 0, 0}},
    {200, 3, 1, 3, 2, {0, 0, 0, 0}},           {23, 31, 3, 11, 13, {1.75, 0.3, 29.9, 21.001}},
    {23, 31, 3, 11, 13, {30.2, 22.9, 31, 23}}, {1, 1, 3, 16, 17, {0, 0, 0, 0}},
};

/* The rounding of the sums moves a result by far less than 1/500 of a level. */
START_TEST(results_are_the_rounded_formula)
{
    struct cnni_image source = make_pattern(rows[_i].h, rows[_i].w, rows[_i].c);
    struct cnni_image target = make_image(rows[_i].target_h, rows[_i].target_w, rows[_i].c);
    struct cnni_box box = rows[_i].box;
    if (box.right == 0)
        box = (struct cnni_box){0, 0, (double)source.w, (double)source.h};
    ck_assert_int_eq(cnni_image_resize(&target, context, &source, &box, "test"), CNN_OK);
    const uint8_t *got = target.pixels;
    for (int64_t y = 0; y < target.h; y++)
        for (int64_t x = 0; x < target.w; x++)
            for (int64_t k = 0; k < target.c; k++, got++) {
                double wanted = reference(&source, &box, target.h, target.w, y, x, k);
                ck_assert_msg(fabs(*got - wanted) <= 0.502, "row %d, (%d, %d, %d): %d is not %.4f",
                              _i, (int)y, (int)x, (int)k, *got, wanted);
            }
    free(source.pixels);
    free(target.pixels);
}
END_TEST

/* A whole picture of the same size is copied; cutting out pixels at their size goes through the
 * filter and gives the same. */
START_TEST(the_same_size_is_a_copy)
{
    struct cnni_image source = make_pattern(37, 41, 3), target = make_image(37, 41, 3);
    struct cnni_image part = make_image(36, 41, 3);
    const struct cnni_box lower = {0, 1, 41, 37};
    ck_assert_int_eq(cnni_image_resize(&target, context, &source, NULL, "test"), CNN_OK);
    ck_assert_mem_eq(target.pixels, source.pixels, cnni_image_bytes(&source));
    ck_assert_int_eq(cnni_image_resize(&part, context, &source, &lower, "test"), CNN_OK);
    ck_assert_mem_eq(part.pixels, source.pixels + 41 * 3, cnni_image_bytes(&part));
    free(source.pixels);
    free(target.pixels);
    free(part.pixels);
}
END_TEST

/* White stays white however many weights are added up. */
START_TEST(a_plain_picture_stays_plain)
{
    static const struct {
        int64_t h, w, target_h, target_w;
    } sizes[] = {{1, 100000, 1, 1}, {100000, 1, 1, 1}, {300, 300, 7, 11}, {3, 5, 200, 100}};
    for (int32_t i = 0; i < CNNI_COUNT(sizes); i++)
        for (int64_t c = 1; c <= 3; c += 2)
            for (int32_t value = 0; value <= 255; value += 51) {
                struct cnni_image source = make_image(sizes[i].h, sizes[i].w, c);
                struct cnni_image target = make_image(sizes[i].target_h, sizes[i].target_w, c);
                memset(source.pixels, value, cnni_image_bytes(&source));
                ck_assert_int_eq(cnni_image_resize(&target, context, &source, NULL, "test"),
                                 CNN_OK);
                for (size_t b = 0; b < cnni_image_bytes(&target); b++)
                    ck_assert_int_eq(target.pixels[b], value);
                free(source.pixels);
                free(target.pixels);
            }
}
END_TEST

/* ---- The public function ---- */

static cnn_tensor *make_tensor(cnn_dtype dtype, int64_t h, int64_t w, int64_t c)
{
    const int64_t shape[] = {h, w, c};
    cnn_tensor *tensor;
    ck_assert_int_eq(cnn_tensor_create(&tensor, context, dtype, shape, 3), CNN_OK);
    return tensor;
}

/* The weights of a sixth of the size are multiples of 1/72, not exact in binary, and some of 30,000
 * results are halfway between two bytes, where another rounding of sums would show. */
START_TEST(tensors_are_resized_whatever_the_rounding_mode)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    struct cnni_image source = make_pattern(600, 600, 3), wanted = make_image(100, 100, 3);
    cnn_tensor *image = make_tensor(CNN_UINT8, 600, 600, 3);
    cnn_tensor *resized = make_tensor(CNN_UINT8, 100, 100, 3);
    memcpy(cnn_tensor_data(image), source.pixels, cnni_image_bytes(&source));
    ck_assert_int_eq(cnni_image_resize(&wanted, context, &source, NULL, "test"), CNN_OK);
    for (int32_t i = 0; i < CNNI_COUNT(modes); i++) {
        fesetround(modes[i]);
        cnn_status status = cnn_image_resize(resized, image);
        int mode = fegetround();
        fesetround(FE_TONEAREST);
        ck_assert_int_eq(status, CNN_OK);
        ck_assert_int_eq(mode, modes[i]);
        ck_assert_mem_eq(cnn_tensor_data(resized), wanted.pixels, cnni_image_bytes(&wanted));
        ck_assert_int_eq(cnn_tensor_fill(resized, 0), CNN_OK);
    }
    cnn_tensor_free(image);
    cnn_tensor_free(resized);
    free(source.pixels);
    free(wanted.pixels);
}
END_TEST

START_TEST(what_is_no_picture_is_refused)
{
    cnn_tensor *color = make_tensor(CNN_UINT8, 4, 5, 3), *gray = make_tensor(CNN_UINT8, 4, 5, 1);
    cnn_tensor *floats = make_tensor(CNN_FLOAT32, 4, 5, 3), *two = make_tensor(CNN_UINT8, 4, 5, 2);
    cnn_tensor *other = make_tensor(CNN_UINT8, 2, 2, 3);
    check_failure(cnn_image_resize(NULL, color), CNN_ERROR_INVALID, "resized is NULL");
    check_failure(cnn_image_resize(color, NULL), CNN_ERROR_INVALID, "image is NULL");
    check_failure(cnn_image_resize(color, gray), CNN_ERROR_SHAPE, "uint8 [4][5][1]");
    check_failure(cnn_image_resize(floats, color), CNN_ERROR_SHAPE, "float32 [4][5][3]");
    check_failure(cnn_image_resize(two, two), CNN_ERROR_SHAPE, "same c, 3 or 1");
    check_failure(cnn_image_resize(color, color), CNN_ERROR_INVALID, "the same memory");
    const int64_t flat[] = {12};
    ck_assert_int_eq(cnn_tensor_reshape(other, flat, 1), CNN_OK);
    check_failure(cnn_image_resize(color, other), CNN_ERROR_SHAPE, "uint8 [12]");
    cnn_tensor *all[] = {color, gray, floats, two, other};
    for (int32_t i = 0; i < CNNI_COUNT(all); i++)
        cnn_tensor_free(all[i]);
}
END_TEST

START_TEST(refused_memory_is_reported_and_nothing_leaks)
{
    cnn_tensor *image = make_tensor(CNN_UINT8, 9, 9, 3), *resized = make_tensor(CNN_UINT8, 4, 4, 3);
    const int64_t blocks = accounts.blocks;
    cnn_status status = CNN_ERROR_MEMORY;
    int64_t failures = 0;
    for (; status != CNN_OK; failures++) {
        accounts.calls = 0;
        accounts.refuse_at = failures + 1;
        status = cnn_image_resize(resized, image);
        if (status != CNN_OK)
            check_failure(status, CNN_ERROR_MEMORY, "cnn_image_resize: no memory");
        ck_assert_int_eq(accounts.blocks, blocks);
    }
    ck_assert_int_gt(failures, 3);
    accounts.refuse_at = 0;
    cnn_tensor_free(image);
    cnn_tensor_free(resized);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_resize");
    TCase *tcase = tcase_create("image_resize");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, results_are_within_one_level_of_pillow);
    tcase_add_loop_test(tcase, results_are_the_rounded_formula, 0, CNNI_COUNT(rows));
    tcase_add_test(tcase, the_same_size_is_a_copy);
    tcase_add_test(tcase, a_plain_picture_stays_plain);
    tcase_add_test(tcase, tensors_are_resized_whatever_the_rounding_mode);
    tcase_add_test(tcase, what_is_no_picture_is_refused);
    tcase_add_test(tcase, refused_memory_is_reported_and_nothing_leaks);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
