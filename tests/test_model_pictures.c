/* SPDX-License-Identifier: MIT
 * What makes a model a classifier of pictures: class names, normalisation, and preparing one
 * picture, with every documented error.  The graph is tested in test_model.c. */
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

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
    ck_assert_uint_eq(accounts.bytes, 0);
}

/* ---- Classes and normalisation ------------------------------------------------------------- */

START_TEST(classes_are_copied)
{
    char cat[] = "cat";
    const char *const names[] = {cat, "K\xc3\xa4tzchen", "dog"};
    cnn_model *model = model_chain(context);
    EXPECT_OK(cnn_model_set_classes(model, names, 3));
    cat[0] = 'r';
    ck_assert_int_eq(cnn_model_class_count(model), 3);
    ck_assert_str_eq(cnn_model_class_name(model, 0), "cat");
    ck_assert_str_eq(cnn_model_class_name(model, 1), "K\xc3\xa4tzchen");
    ck_assert_ptr_null(cnn_model_class_name(model, 3));
    ck_assert_ptr_null(cnn_model_class_name(model, -1));
    EXPECT_OK(cnn_model_set_classes(model, names, 1));
    ck_assert_int_eq(cnn_model_class_count(model), 1);
    ck_assert_str_eq(cnn_model_class_name(model, 0), "rat");
    cnn_model_free(model);
}
END_TEST

START_TEST(classes_that_cannot_be)
{
    char longest[257];
    memset(longest, 'x', sizeof longest);
    longest[255] = longest[256] = '\0';
    cnn_model *model = model_chain(context);
    EXPECT_OK(cnn_model_set_classes(model, (const char *const[]){longest, "b"}, 2));
    longest[255] = 'x';
    const char *const bad[] = {longest, "", "a\nb", "\xff", "\x7f", "\xc0\xaf"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_FAILS(cnn_model_set_classes(model, (const char *const[]){"fine", bad[i]}, 2),
                     CNN_ERROR_INVALID, "cnn_model_set_classes",
                     "must be 1 to 255 bytes of UTF-8 without control characters");
    EXPECT_FAILS(cnn_model_set_classes(model, (const char *const[]){"fine", NULL}, 2),
                 CNN_ERROR_INVALID, "cnn_model_set_classes", "NULL");
    EXPECT_FAILS(cnn_model_set_classes(model, NULL, 2), CNN_ERROR_INVALID, "cnn_model_set_classes",
                 "names is NULL");
    EXPECT_FAILS(cnn_model_set_classes(model, bad, 0), CNN_ERROR_INVALID, "cnn_model_set_classes",
                 "count is 0, must be at least 1");
    EXPECT_FAILS(cnn_model_set_classes(model, bad, -1), CNN_ERROR_INVALID, "cnn_model_set_classes",
                 "count is -1");
    EXPECT_FAILS(cnn_model_set_classes(NULL, bad, 1), CNN_ERROR_INVALID, "cnn_model_set_classes",
                 "model is NULL");
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_CLASSES, 2));
    EXPECT_FAILS(cnn_model_set_classes(model, (const char *const[]){"a", "b", "c"}, 3),
                 CNN_ERROR_LIMIT, "cnn_model_set_classes", "limit \"classes\" of 2");
    ck_assert_int_eq(cnn_model_class_count(model), 2);
    ck_assert_uint_eq(strlen(cnn_model_class_name(model, 0)), 255);
    cnn_model_free(model);
}
END_TEST

START_TEST(normalization_is_kept)
{
    float mean[3], deviation[3];
    cnn_model *model = model_chain(context);
    EXPECT_OK(cnn_model_normalization(mean, deviation, model, 3));
    for (int32_t i = 0; i < 3; i++)
        ck_assert(mean[i] == 0.5f && deviation[i] == 0.5f);
    EXPECT_OK(
        cnn_model_set_normalization(model, (float[]){0.1f, -2, 0}, (float[]){1, 2, 1e-3f}, 3));
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0, -1};
    for (int32_t i = 0; i < 5; i++) {
        EXPECT_FAILS(
            cnn_model_set_normalization(model, (float[]){0, 0, 0}, (float[]){1, 1, odd[i]}, 3),
            CNN_ERROR_INVALID, "cnn_model_set_normalization", "deviation[2]");
        if (!isfinite(odd[i]))
            EXPECT_FAILS(
                cnn_model_set_normalization(model, (float[]){0, odd[i], 0}, (float[]){1, 1, 1}, 3),
                CNN_ERROR_INVALID, "cnn_model_set_normalization", "mean[1]");
    }
    for (int32_t channels = -1; channels < 5; channels++)
        if (channels != 3) {
            EXPECT_FAILS(cnn_model_set_normalization(model, mean, deviation, channels),
                         CNN_ERROR_SHAPE, "cnn_model_set_normalization",
                         "the model's input is [8][8][3]");
            EXPECT_FAILS(cnn_model_normalization(mean, deviation, model, channels), CNN_ERROR_SHAPE,
                         "cnn_model_normalization", "channels is ");
        }
    EXPECT_FAILS(cnn_model_set_normalization(NULL, mean, deviation, 3), CNN_ERROR_INVALID,
                 "cnn_model_set_normalization", "model is NULL");
    EXPECT_FAILS(cnn_model_set_normalization(model, NULL, deviation, 3), CNN_ERROR_INVALID,
                 "cnn_model_set_normalization", "mean is NULL");
    EXPECT_FAILS(cnn_model_set_normalization(model, mean, NULL, 3), CNN_ERROR_INVALID,
                 "cnn_model_set_normalization", "deviation is NULL");
    EXPECT_FAILS(cnn_model_normalization(mean, deviation, NULL, 3), CNN_ERROR_INVALID,
                 "cnn_model_normalization", "model is NULL");
    EXPECT_FAILS(cnn_model_normalization(NULL, deviation, model, 3), CNN_ERROR_INVALID,
                 "cnn_model_normalization", "mean is NULL");
    EXPECT_OK(cnn_model_normalization(mean, deviation, model, 3));
    ck_assert(mean[1] == -2 && deviation[2] == 1e-3f);
    cnn_model_free(model);
    model = model_new(context, (int64_t[]){5}, 1);
    EXPECT_FAILS(cnn_model_set_normalization(model, mean, deviation, 1), CNN_ERROR_SHAPE,
                 "cnn_model_set_normalization", "the model's input is [5]");
    cnn_model_free(model);
}
END_TEST

/* ---- Pictures ------------------------------------------------------------------------------ */

START_TEST(a_picture_becomes_a_row)
{
    cnn_model *model = model_chain(context);
    cnn_tensor *inputs = TENSOR(context, CNN_FLOAT32, 3, 8, 8, 3);
    cnn_tensor *image = TENSOR(context, CNN_UINT8, 8, 8, 3);
    uint8_t *bytes = cnn_tensor_data(image);
    for (int32_t i = 0; i < 192; i++)
        bytes[i] = (uint8_t)(i + 40);
    EXPECT_OK(cnn_tensor_fill(inputs, 9));
    EXPECT_OK(cnn_model_set_normalization(model, (float[]){0, 0.5f, 1}, (float[]){1, 2, 0.25f}, 3));
    EXPECT_OK(cnn_model_prepare_image(model, inputs, 1, image));
    for (int32_t i = 0; i < 192; i++) {
        static const double mean[] = {0, 0.5, 1}, deviation[] = {1, 2, 0.25};
        double wanted = (bytes[i] / 255.0 - mean[i % 3]) / deviation[i % 3];
        ck_assert(floats(inputs)[192 + i] == (float)wanted);
        ck_assert(floats(inputs)[i] == 9 && floats(inputs)[384 + i] == 9);
    }
    cnn_tensor_free(inputs);
    cnn_tensor_free(image);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_picture_of_another_size_is_resized)
{
    cnn_model *model = model_chain(context);
    cnn_tensor *inputs = TENSOR(context, CNN_FLOAT32, 1, 8, 8, 3);
    cnn_tensor *image = TENSOR(context, CNN_UINT8, 20, 13, 3);
    cnn_tensor *small = TENSOR(context, CNN_UINT8, 8, 8, 3);
    uint8_t *bytes = cnn_tensor_data(image);
    for (int32_t i = 0; i < 780; i++)
        bytes[i] = (uint8_t)(i * 31);
    EXPECT_OK(cnn_image_resize(small, image));
    EXPECT_OK(cnn_model_prepare_image(model, inputs, 0, image));
    const uint8_t *resized = cnn_tensor_const_data(small);
    for (int32_t i = 0; i < 192; i++)
        ck_assert(floats(inputs)[i] == (float)((resized[i] / 255.0 - 0.5) / 0.5));
    cnn_tensor_free(inputs);
    cnn_tensor_free(image);
    cnn_tensor_free(small);
    cnn_model_free(model);
}
END_TEST

START_TEST(pictures_that_do_not_fit)
{
    cnn_model *model = model_chain(context), *vector = model_new(context, (int64_t[]){5}, 1);
    cnn_model *deep = model_residual(context);
    cnn_tensor *inputs = TENSOR(context, CNN_FLOAT32, 2, 8, 8, 3);
    cnn_tensor *row = TENSOR(context, CNN_FLOAT32, 8, 8, 3);
    cnn_tensor *bytes = TENSOR(context, CNN_UINT8, 2, 8, 8, 3);
    cnn_tensor *image = TENSOR(context, CNN_UINT8, 8, 8, 3);
    cnn_tensor *gray = TENSOR(context, CNN_UINT8, 8, 8, 1);
    cnn_tensor *values = TENSOR(context, CNN_FLOAT32, 8, 8, 3);
    static const int64_t rows[] = {-1, 2, INT64_MAX, INT64_MIN};
    for (int32_t i = 0; i < 4; i++)
        EXPECT_FAILS(cnn_model_prepare_image(model, inputs, rows[i], image), CNN_ERROR_INVALID,
                     "cnn_model_prepare_image", "inputs has 2 rows");
    EXPECT_FAILS(cnn_model_prepare_image(model, row, 0, image), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image",
                 "inputs is float32 [8][8][3], must be float32 [n][8][8][3]");
    EXPECT_FAILS(cnn_model_prepare_image(model, bytes, 0, image), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "inputs is uint8");
    EXPECT_FAILS(cnn_model_prepare_image(vector, inputs, 0, image), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "the model's input is [5], no picture");
    EXPECT_FAILS(cnn_model_prepare_image(deep, inputs, 0, image), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "the model's input is [8][8][4]");
    EXPECT_FAILS(cnn_model_prepare_image(model, inputs, 0, gray), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "image is uint8 [8][8][1], must be uint8 [h][w][3]");
    EXPECT_FAILS(cnn_model_prepare_image(model, inputs, 0, values), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "image is float32 [8][8][3]");
    EXPECT_FAILS(cnn_model_prepare_image(model, inputs, 0, bytes), CNN_ERROR_SHAPE,
                 "cnn_model_prepare_image", "image is uint8 [2][8][8][3]");
    EXPECT_FAILS(cnn_model_prepare_image(NULL, inputs, 0, image), CNN_ERROR_INVALID,
                 "cnn_model_prepare_image", "model is NULL");
    EXPECT_FAILS(cnn_model_prepare_image(model, NULL, 0, image), CNN_ERROR_INVALID,
                 "cnn_model_prepare_image", "inputs is NULL");
    EXPECT_FAILS(cnn_model_prepare_image(model, inputs, 0, NULL), CNN_ERROR_INVALID,
                 "cnn_model_prepare_image", "image is NULL");
    EXPECT_OK(cnn_model_prepare_image(model, inputs, 1, image));
    cnn_tensor *const tensors[] = {inputs, row, bytes, image, gray, values};
    for (int32_t i = 0; i < 6; i++)
        cnn_tensor_free(tensors[i]);
    cnn_model_free(model);
    cnn_model_free(vector);
    cnn_model_free(deep);
}
END_TEST

static Suite *model_pictures_suite(void)
{
    Suite *suite = suite_create("model pictures");
    TCase *tcase = tcase_create("model pictures");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, classes_are_copied);
    tcase_add_test(tcase, classes_that_cannot_be);
    tcase_add_test(tcase, normalization_is_kept);
    tcase_add_test(tcase, a_picture_becomes_a_row);
    tcase_add_test(tcase, a_picture_of_another_size_is_resized);
    tcase_add_test(tcase, pictures_that_do_not_fit);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_pictures_suite());
}
