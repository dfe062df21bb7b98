/* SPDX-License-Identifier: MIT
 * Layers that shape pictures and join branches, on their own: average and global pooling,
 * up-sampling, padding, concat and multiply against PyTorch; what they say of themselves and
 * refuse.  In models: test_models_geometry.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnn/layer.h"
#include "support/expect.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

/* Relative to the largest element: sums have up to 600 terms. */
static const double tolerance = 2e-6;

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    torch_open("geometry");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- One layer, one case ------------------------------------------------------------------- */

enum { MOST_INPUTS = 4 };

static int64_t option(const char *name, int64_t index)
{
    return (int64_t)torch_number(name, "options", index);
}

static cnn_layer *avgpool2d(const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_avgpool2d_create(&layer, context, option(name, 0), option(name, 1)));
    if (option(name, 0) != option(name, 2) || option(name, 1) != option(name, 3))
        EXPECT_OK(cnn_avgpool2d_set_stride(layer, option(name, 2), option(name, 3)));
    EXPECT_OK(cnn_avgpool2d_set_padding(layer, option(name, 4), option(name, 5)));
    EXPECT_OK(cnn_avgpool2d_set_count_padding(layer, (int32_t)option(name, 6)));
    return layer;
}

static cnn_layer *upsample2d(const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_upsample2d_create(&layer, context, option(name, 0), option(name, 1)));
    EXPECT_OK(cnn_upsample2d_set_interpolation(layer, (cnn_interpolation)option(name, 2)));
    return layer;
}

static cnn_layer *pad2d(const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_pad2d_create(&layer, context, option(name, 0), option(name, 1), option(name, 2),
                               option(name, 3)));
    EXPECT_OK(cnn_pad2d_set_mode(layer, (cnn_pad_mode)option(name, 4)));
    return layer;
}

#define SIMPLE(kind)                                                                               \
    static cnn_layer *kind(const char *name)                                                       \
    {                                                                                              \
        cnn_layer *layer;                                                                          \
        (void)name;                                                                                \
        EXPECT_OK(cnn_##kind##_create(&layer, context));                                           \
        return layer;                                                                              \
    }
SIMPLE(global_avgpool2d)
SIMPLE(global_maxpool2d)
SIMPLE(concat)
SIMPLE(multiply)

static const struct {
    const char *name;
    cnn_layer *(*make)(const char *name);
    double y, dx; /* allowed differences; 0 where values are moved or multiplied once */
} cases[] = {
    {"avgpool2d_2x2", avgpool2d, 2e-7, 2e-7},
    {"avgpool2d_2x2_odd", avgpool2d, 2e-7, 2e-7},
    {"avgpool2d_3x3_stride_2", avgpool2d, 3e-7, 3e-7},
    {"avgpool2d_not_counted", avgpool2d, 3e-7, 3e-7},
    {"avgpool2d_overlapping", avgpool2d, 3e-7, 3e-7},
    {"avgpool2d_2x3", avgpool2d, 3e-7, 3e-7},
    {"avgpool2d_gaps", avgpool2d, 2e-7, 2e-7},
    {"avgpool2d_whole", avgpool2d, 1e-6, 3e-7},
    {"avgpool2d_17x17", avgpool2d, 2e-6, 1e-6},
    {"global_avgpool2d_small", global_avgpool2d, 5e-7, 3e-7},
    {"global_avgpool2d_wide", global_avgpool2d, 1e-6, 3e-7},
    {"global_avgpool2d_tall", global_avgpool2d, 2e-6, 3e-7},
    {"global_avgpool2d_pixel", global_avgpool2d, 0, 0},
    {"global_maxpool2d_small", global_maxpool2d, 0, 0},
    {"global_maxpool2d_wide", global_maxpool2d, 0, 0},
    {"global_maxpool2d_tall", global_maxpool2d, 0, 0},
    {"global_maxpool2d_pixel", global_maxpool2d, 0, 0},
    {"upsample2d_nearest_2x2", upsample2d, 0, 3e-7},
    {"upsample2d_nearest_3x1", upsample2d, 0, 3e-7},
    {"upsample2d_nearest_4x5", upsample2d, 0, 1e-6},
    {"upsample2d_nearest_pixel", upsample2d, 0, 5e-7},
    {"upsample2d_bilinear_2x2", upsample2d, 3e-7, 5e-7},
    {"upsample2d_bilinear_3x1", upsample2d, 3e-7, 5e-7},
    {"upsample2d_bilinear_4x5", upsample2d, 3e-7, 1e-6},
    {"upsample2d_bilinear_pixel", upsample2d, 0, 5e-7},
    {"pad2d_zeros", pad2d, 0, 0},
    {"pad2d_reflect", pad2d, 0, 5e-7},
    {"pad2d_replicate", pad2d, 0, 1e-6},
    {"pad2d_crop", pad2d, 0, 0},
    {"pad2d_crop_and_pad", pad2d, 0, 0},
    {"concat_two", concat, 0, 0},
    {"concat_four", concat, 0, 0},
    {"concat_vectors", concat, 0, 0},
    {"multiply_same", multiply, 1e-7, 1e-7},
    {"multiply_channels", multiply, 1e-7, 1e-6},
    {"multiply_many_pixels", multiply, 1e-7, 2e-6},
    {"multiply_vectors", multiply, 1e-7, 1e-7},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* "x", or "x0" ... of layers with several inputs; "dx" and so on before them. */
static const char *input_name(char name[8], const char *prefix, const char *of_case, int32_t index)
{
    if (torch_has(of_case, "x"))
        snprintf(name, 8, "%sx", prefix);
    else
        snprintf(name, 8, "%sx%d", prefix, index);
    return name;
}

static int32_t read_inputs(const char *of_case, cnn_tensor *x[MOST_INPUTS],
                           cnn_tensor *dx[MOST_INPUTS])
{
    int32_t count = 0;
    char name[8];
    while (count < MOST_INPUTS && torch_has(of_case, input_name(name, "", of_case, count)) &&
           (count == 0 || !torch_has(of_case, "x"))) {
        x[count] = torch_tensor_nhwc(context, of_case, name);
        dx[count] = tensor_like(context, x[count]);
        EXPECT_OK(cnn_tensor_fill(dx[count], NAN));
        count++;
    }
    return count;
}

static void expect_array(const char *of_case, const char *name, const cnn_tensor *got,
                         double allowed)
{
    char what[128];
    cnn_tensor *wanted = torch_tensor_nhwc(context, of_case, name);
    snprintf(what, sizeof what, "%s/%s", of_case, name);
    if (allowed == 0)
        expect_tensor_equal(what, got, wanted);
    else
        expect_tensor_close(what, got, wanted, allowed);
    cnn_tensor_free(wanted);
}

START_TEST(values_are_pytorchs)
{
    const char *name = cases[_i].name;
    char text[8];
    cnn_layer *layer = cases[_i].make(name);
    cnn_tensor *x[MOST_INPUTS], *dx[MOST_INPUTS];
    const int32_t count = read_inputs(name, x, dx);
    cnn_tensor *dy = torch_tensor_nhwc(context, name, "dy");
    cnn_tensor *y = tensor_like(context, dy), *predicted = tensor_like(context, dy);
    EXPECT_OK(cnn_tensor_fill(y, NAN));
    EXPECT_OK(cnn_layer_forward(layer, predicted, x, count, 0));
    EXPECT_OK(cnn_layer_forward(layer, y, x, count, 1));
    expect_array(name, "y", y, cases[_i].y);
    expect_tensor_equal("predicting and training", predicted, y);
    EXPECT_OK(cnn_layer_backward(layer, dx, count, dy));
    for (int32_t i = 0; i < count; i++)
        expect_array(name, input_name(text, "d", name, i), dx[i], cases[_i].dx);
    for (int32_t i = 0; i < count; i++) { /* none need be wanted */
        cnn_tensor *last = dx[i];
        dx[i] = NULL;
        EXPECT_OK(cnn_layer_backward(layer, dx, count, dy));
        dx[i] = last;
    }
    for (int32_t i = 0; i < count; i++) {
        cnn_tensor_free(x[i]);
        cnn_tensor_free(dx[i]);
    }
    cnn_tensor_free(y);
    cnn_tensor_free(predicted);
    cnn_tensor_free(dy);
    cnn_layer_free(layer);
}
END_TEST

/* The sum of a long column of one value is exact only in blocks: 2^24 ones and more would stick. */
START_TEST(means_do_not_lose_small_values)
{
    cnn_layer *layer;
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 1, 4099, 257, 1);
    cnn_tensor *y = TENSOR(context, CNN_FLOAT32, 1, 1);
    EXPECT_OK(cnn_tensor_fill(x, 0.7));
    EXPECT_OK(cnn_global_avgpool2d_create(&layer, context));
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 0));
    ck_assert_msg(fabs((double)floats(y)[0] - 0.7) < tolerance, "%.9g", (double)floats(y)[0]);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_layer_free(layer);
}
END_TEST

/* ---- What they say and refuse -------------------------------------------------------------- */

static void expect_description(cnn_layer *layer, const char *wanted)
{
    char text[128];
    cnn_layer_describe(layer, text, sizeof text);
    ck_assert_str_eq(text, wanted);
    cnn_layer_free(layer);
}

START_TEST(descriptions)
{
    cnn_layer *layer;
    expect_description(avgpool2d("avgpool2d_2x2"), "avgpool2d 2x2");
    expect_description(avgpool2d("avgpool2d_3x3_stride_2"), "avgpool2d 3x3 stride 2x2 padding 1x1");
    expect_description(avgpool2d("avgpool2d_2x3"),
                       "avgpool2d 2x3 stride 2x1 padding 1x0 not counted");
    expect_description(upsample2d("upsample2d_nearest_3x1"), "upsample2d 3x1");
    expect_description(upsample2d("upsample2d_bilinear_2x2"), "upsample2d 2x2 bilinear");
    expect_description(pad2d("pad2d_crop"), "pad2d -1 -2 -3 -1");
    expect_description(pad2d("pad2d_reflect"), "pad2d 3 4 1 2 reflect");
    expect_description(concat(NULL), "concat");
    expect_description(multiply(NULL), "multiply");
    expect_description(global_avgpool2d(NULL), "global_avgpool2d");
    layer = global_maxpool2d(NULL);
    ck_assert_int_eq(cnn_layer_get_kind(layer), CNN_GLOBAL_MAXPOOL2D);
    expect_description(layer, "global_maxpool2d");
    ck_assert_str_eq(cnn_interpolation_name(CNN_BILINEAR), "bilinear");
    ck_assert_str_eq(cnn_interpolation_name(0), "unknown interpolation");
    ck_assert_str_eq(cnn_interpolation_name(3), "unknown interpolation");
    ck_assert_str_eq(cnn_pad_mode_name(CNN_PAD_REFLECT), "reflect");
    ck_assert_str_eq(cnn_pad_mode_name(0), "unknown pad mode");
    ck_assert_str_eq(cnn_pad_mode_name(4), "unknown pad mode");
}
END_TEST

START_TEST(options_that_cannot_be)
{
    cnn_layer *layer;
    static const int64_t wrong[] = {0, -1, 65537, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT_FAILS(cnn_avgpool2d_create(&layer, context, wrong[i], 1), CNN_ERROR_INVALID,
                     "cnn_avgpool2d_create", "window_height");
        ck_assert_ptr_null(layer);
        EXPECT_FAILS(cnn_upsample2d_create(&layer, context, 1, wrong[i]), CNN_ERROR_INVALID,
                     "cnn_upsample2d_create", "factor_width");
        ck_assert_ptr_null(layer);
    }
    EXPECT_FAILS(cnn_pad2d_create(&layer, context, 0, 0, -65537, 0), CNN_ERROR_INVALID,
                 "cnn_pad2d_create", "bottom");
    layer = pad2d("pad2d_zeros");
    EXPECT_FAILS(cnn_pad2d_set_mode(layer, 4), CNN_ERROR_INVALID, "cnn_pad2d_set_mode", "mode");
    EXPECT_FAILS(cnn_upsample2d_set_interpolation(layer, CNN_NEAREST), CNN_ERROR_INVALID,
                 "cnn_upsample2d_set_interpolation", "pad2d");
    EXPECT_OK(cnn_layer_build(layer, (const int64_t[]){2, 2, 1}, 3));
    EXPECT_FAILS(cnn_pad2d_set_mode(layer, CNN_PAD_ZEROS), CNN_ERROR_STATE, "cnn_pad2d_set_mode",
                 "built");
    cnn_layer_free(layer);
    layer = upsample2d("upsample2d_nearest_2x2");
    EXPECT_FAILS(cnn_upsample2d_set_interpolation(layer, 0), CNN_ERROR_INVALID,
                 "cnn_upsample2d_set_interpolation", "interpolation");
    cnn_layer_free(layer);
    layer = avgpool2d("avgpool2d_2x2");
    EXPECT_FAILS(cnn_avgpool2d_set_count_padding(layer, 2), CNN_ERROR_INVALID,
                 "cnn_avgpool2d_set_count_padding", "count_padding");
    EXPECT_FAILS(cnn_avgpool2d_set_stride(layer, -1, 1), CNN_ERROR_INVALID,
                 "cnn_avgpool2d_set_stride", "stride_height");
    EXPECT_FAILS(cnn_avgpool2d_set_padding(layer, 1, -1), CNN_ERROR_INVALID,
                 "cnn_avgpool2d_set_padding", "padding_width");
    cnn_layer_free(layer);
}
END_TEST

START_TEST(null_is_refused)
{
    cnn_layer *layer;
    cnn_status (*const plain[])(cnn_layer **, cnn_context *) = {
        cnn_global_avgpool2d_create, cnn_global_maxpool2d_create, cnn_concat_create,
        cnn_multiply_create};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        ck_assert_int_eq(plain[i](&layer, NULL), CNN_ERROR_INVALID);
        ck_assert_ptr_null(layer);
        ck_assert_int_eq(plain[i](NULL, context), CNN_ERROR_INVALID);
    }
    ck_assert_int_eq(cnn_avgpool2d_create(&layer, NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_upsample2d_create(&layer, NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_pad2d_create(&layer, NULL, 1, 1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_avgpool2d_set_stride(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_avgpool2d_set_padding(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_avgpool2d_set_count_padding(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_upsample2d_set_interpolation(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_pad2d_set_mode(NULL, 1), CNN_ERROR_INVALID);
}
END_TEST

static void refuse(cnn_layer *layer, const int64_t *shape, int32_t rank, const char *word)
{
    EXPECT_FAILS(cnn_layer_build(layer, shape, rank), CNN_ERROR_SHAPE, "cnn_layer_build", word);
    cnn_layer_free(layer);
}

static cnn_layer *padded(int64_t top, int64_t left, cnn_pad_mode mode)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_pad2d_create(&layer, context, top, left, 0, 0));
    EXPECT_OK(cnn_pad2d_set_mode(layer, mode));
    return layer;
}

START_TEST(shapes_that_cannot_be)
{
    const int64_t small[] = {3, 4, 2}, tall[] = {(int64_t)1 << 58, 1, 1};
    cnn_layer *layer;
    cnn_layer *(*const pictures[])(const char *) = {global_avgpool2d, global_maxpool2d};
    for (int i = 0; i < 2; i++)
        refuse(pictures[i](NULL), small, 2, "[h][w][c]");
    refuse(avgpool2d("avgpool2d_2x2"), small, 2, "[h][w][c]");
    refuse(avgpool2d("avgpool2d_17x17"), small, 3, "larger");
    layer = avgpool2d("avgpool2d_2x2");
    EXPECT_OK(cnn_avgpool2d_set_padding(layer, 0, 2));
    refuse(layer, small, 3, "half");
    refuse(global_maxpool2d(NULL), tall, 3, "2147483647");
    refuse(upsample2d("upsample2d_nearest_2x2"), small, 1, "[h][w][c]");
    EXPECT_OK(cnn_upsample2d_create(&layer, context, 1024, 1));
    refuse(layer, tall, 3, "memory");
    refuse(padded(1, 1, CNN_PAD_ZEROS), small, 2, "[h][w][c]");
    refuse(padded(-3, 0, CNN_PAD_ZEROS), small, 3, "left");
    refuse(padded(0, 4, CNN_PAD_REFLECT), small, 3, "reflections");
    EXPECT_OK(cnn_layer_build(layer = padded(0, 4, CNN_PAD_REPLICATE), small, 3));
    cnn_layer_free(layer);
}
END_TEST

START_TEST(inputs_that_do_not_fit)
{
    cnn_layer *layers[] = {concat(NULL), multiply(NULL)};
    cnn_tensor *a = TENSOR(context, CNN_FLOAT32, 2, 3, 4, 5);
    cnn_tensor *b = TENSOR(context, CNN_FLOAT32, 2, 4, 3, 5), *y = tensor_like(context, a);
    cnn_tensor *c = TENSOR(context, CNN_FLOAT32, 2, 4), *inputs[] = {a, b, a};
    for (int i = 0; i < 2; i++) {
        inputs[1] = b;
        EXPECT_FAILS(cnn_layer_forward(layers[i], y, inputs, 2, 0), CNN_ERROR_SHAPE,
                     "cnn_layer_forward", "[3][4][5] and [4][3][5]");
        inputs[1] = c;
        EXPECT_FAILS(cnn_layer_forward(layers[i], y, inputs, 2, 0), CNN_ERROR_SHAPE,
                     "cnn_layer_forward", "[3][4][5] and [4]");
        EXPECT_FAILS(cnn_layer_forward(layers[i], y, inputs, 1, 0), CNN_ERROR_INVALID,
                     "cnn_layer_forward", "input_count is 1");
    }
    EXPECT_FAILS(cnn_layer_forward(layers[1], y, inputs, 3, 0), CNN_ERROR_INVALID,
                 "cnn_layer_forward", "input_count is 3");
    cnn_tensor *const tensors[] = {a, b, c, y};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(layers[0]);
    cnn_layer_free(layers[1]);
}
END_TEST

/* A test case with the context, of one test that runs for 0 .. count - 1. */
static void add_case(Suite *suite, const char *name, const TTest *test, int count)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, test, 0, count);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("layers_geometry");
    add_case(suite, "values", values_are_pytorchs, CASES);
    add_case(suite, "values", means_do_not_lose_small_values, 1);
    add_case(suite, "api", descriptions, 1);
    add_case(suite, "api", options_that_cannot_be, 1);
    add_case(suite, "api", null_is_refused, 1);
    add_case(suite, "api", shapes_that_cannot_be, 1);
    add_case(suite, "api", inputs_that_do_not_fit, 1);
    return run_suite(suite);
}
