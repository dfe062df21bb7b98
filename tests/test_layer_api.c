/* SPDX-License-Identifier: MIT
 * What layers are before they have parameters: names, descriptions, options, shapes; and every
 * refusal that cnn/layer.h documents for them, each of which leaves the layer as it was.  What
 * comes then is in test_layer_parameters.c. */
#include <string.h>

#include "cnn/layer.h"
#include "support/expect.h"
#include "support/suite.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 1));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- One layer of each kind ---------------------------------------------------------------- */

static cnn_layer *conv2d(int64_t filters, int64_t height, int64_t width)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, height, width));
    return layer;
}

static cnn_layer *maxpool2d(int64_t height, int64_t width)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, height, width));
    return layer;
}

static cnn_layer *dense(int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    return layer;
}

/* The kinds that need nothing. */
static cnn_layer *plain(cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    return layer;
}

/* ---- Names --------------------------------------------------------------------------------- */

START_TEST(constants_have_names)
{
    static const char *const kinds[] = {"conv2d",  "maxpool2d", "dense",   "relu",
                                        "softmax", "flatten",   "dropout", "add"};
    static const char *const initializers[] = {"he_normal", "he_uniform", "glorot_normal",
                                               "glorot_uniform", "zeros"};
    for (int32_t i = 0; i < 8; i++)
        ck_assert_str_eq(cnn_layer_kind_name(CNN_CONV2D + i), kinds[i]);
    for (int32_t i = 0; i < 5; i++)
        ck_assert_str_eq(cnn_initializer_name(CNN_HE_NORMAL + i), initializers[i]);
    ck_assert_str_eq(cnn_parameter_name(CNN_WEIGHT), "weight");
    ck_assert_str_eq(cnn_parameter_name(CNN_BIAS), "bias");
    static const int32_t unknown[] = {0, -1, 19, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(cnn_layer_kind_name(unknown[i]), "unknown layer");
        ck_assert_str_eq(cnn_initializer_name(unknown[i]), "unknown initializer");
        if (unknown[i] != CNN_WEIGHT)
            ck_assert_str_eq(cnn_parameter_name(unknown[i]), "unknown parameter");
    }
}
END_TEST

START_TEST(layers_have_names)
{
    static const char *const wrong[] = {"", "a\nb", "\x7f", "\xff", "a\xc3"};
    char longest[202];
    cnn_layer *layer = conv2d(1, 1, 1);
    ck_assert_int_eq(cnn_layer_get_kind(layer), CNN_CONV2D);
    ck_assert_str_eq(cnn_layer_name(layer), "conv2d");
    EXPECT_OK(cnn_layer_set_name(layer, "erste Schicht \xc3\xa4"));
    ck_assert_str_eq(cnn_layer_name(layer), "erste Schicht \xc3\xa4");
    for (int32_t i = 0; i < 5; i++)
        EXPECT_FAILS(cnn_layer_set_name(layer, wrong[i]), CNN_ERROR_INVALID, "cnn_layer_set_name",
                     "name");
    memset(longest, 'x', sizeof longest);
    longest[201] = '\0';
    EXPECT_FAILS(cnn_layer_set_name(layer, longest), CNN_ERROR_INVALID, "cnn_layer_set_name",
                 "200 bytes");
    ck_assert_str_eq(cnn_layer_name(layer), "erste Schicht \xc3\xa4");
    longest[200] = '\0';
    EXPECT_OK(cnn_layer_set_name(layer, longest));
    ck_assert_str_eq(cnn_layer_name(layer), longest);
    EXPECT_FAILS(cnn_layer_set_name(layer, NULL), CNN_ERROR_INVALID, "cnn_layer_set_name", "name");
    EXPECT_FAILS(cnn_layer_set_name(NULL, "a"), CNN_ERROR_INVALID, "cnn_layer_set_name", "layer");
    cnn_layer_free(layer);
}
END_TEST

static void expect_description(cnn_layer *layer, const char *wanted)
{
    char text[200], cut[8];
    cnn_layer_describe(layer, text, sizeof text);
    ck_assert_str_eq(text, wanted);
    memset(cut, '#', sizeof cut);
    cnn_layer_describe(layer, cut, 6);
    ck_assert_int_eq(strncmp(cut, wanted, 5), 0);
    ck_assert_int_le((int)strlen(cut), 5);
    ck_assert_int_eq(cut[6], '#');
    cnn_layer_free(layer);
}

START_TEST(layers_describe_themselves)
{
    cnn_layer *layer = conv2d(32, 3, 5);
    EXPECT_OK(cnn_conv2d_set_stride(layer, 2, 1));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, 1, 2));
    EXPECT_OK(cnn_conv2d_set_padding(layer, 1, 2));
    EXPECT_OK(cnn_conv2d_set_groups(layer, 4));
    expect_description(layer, "conv2d 32 3x5 stride 2x1 dilation 1x2 padding 1x2 groups 4");
    layer = conv2d(8, 1, 1);
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    expect_description(layer, "conv2d 8 1x1 padding same");
    layer = conv2d(8, 1, 1);
    EXPECT_OK(cnn_conv2d_set_padding_sides(layer, 0, 0, 1, 2));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    expect_description(layer, "conv2d 8 1x1 padding top 0 left 0 bottom 1 right 2 no bias");
    layer = conv2d(8, 3, 3);
    EXPECT_OK(cnn_conv2d_set_algorithm(layer, CNN_BALANCED));
    expect_description(layer, "conv2d 8 3x3 balanced");
    expect_description(maxpool2d(2, 3), "maxpool2d 2x3");
    layer = maxpool2d(2, 3);
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 2, 3));
    expect_description(layer, "maxpool2d 2x3");
    layer = maxpool2d(2, 3);
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 0, 1));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, 1, 0));
    expect_description(layer, "maxpool2d 2x3 stride 2x1 padding 1x0");
    expect_description(dense(10), "dense 10");
    expect_description(plain(cnn_relu_create), "relu");
    expect_description(plain(cnn_softmax_create), "softmax");
    expect_description(plain(cnn_flatten_create), "flatten");
    expect_description(plain(cnn_add_create), "add");
    EXPECT_OK(cnn_dropout_create(&layer, context, 0.25));
    expect_description(layer, "dropout 0.25");
    char text[4] = "abc";
    cnn_layer_describe(NULL, text, sizeof text);
    ck_assert_str_eq(text, "");
    cnn_layer_describe(NULL, NULL, 5);
}
END_TEST

/* ---- Creating and setting ------------------------------------------------------------------ */

START_TEST(sizes_that_cannot_be)
{
    static const int64_t wrong[] = {0, -1, INT64_MAX, INT64_MIN};
    cnn_layer *layer = NULL, *conv = conv2d(4, 3, 3), *pool = maxpool2d(2, 2);
    for (int32_t i = 0; i < 4; i++) {
        const int64_t n = wrong[i];
        EXPECT_FAILS(cnn_conv2d_create(&layer, context, n, 1, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_create", "filters");
        EXPECT_FAILS(cnn_conv2d_create(&layer, context, 1, n, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_create", "kernel_height");
        EXPECT_FAILS(cnn_conv2d_create(&layer, context, 1, 1, n), CNN_ERROR_INVALID,
                     "cnn_conv2d_create", "kernel_width");
        EXPECT_FAILS(cnn_maxpool2d_create(&layer, context, n, 1), CNN_ERROR_INVALID,
                     "cnn_maxpool2d_create", "window_height");
        EXPECT_FAILS(cnn_maxpool2d_create(&layer, context, 1, n), CNN_ERROR_INVALID,
                     "cnn_maxpool2d_create", "window_width");
        EXPECT_FAILS(cnn_dense_create(&layer, context, n), CNN_ERROR_INVALID, "cnn_dense_create",
                     "units");
        ck_assert_ptr_null(layer);
        EXPECT_FAILS(cnn_conv2d_set_stride(conv, 1, n), CNN_ERROR_INVALID, "cnn_conv2d_set_stride",
                     "stride_width");
        EXPECT_FAILS(cnn_conv2d_set_dilation(conv, n, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_set_dilation", "dilation_height");
        EXPECT_FAILS(cnn_conv2d_set_groups(conv, n), CNN_ERROR_INVALID, "cnn_conv2d_set_groups",
                     "groups");
        EXPECT_FAILS(cnn_conv2d_set_padding(conv, n - (n == 0), 0), CNN_ERROR_INVALID,
                     "cnn_conv2d_set_padding", "padding_top");
        EXPECT_FAILS(cnn_conv2d_set_padding_sides(conv, 0, 0, 0, n - (n == 0)), CNN_ERROR_INVALID,
                     "cnn_conv2d_set_padding_sides", "padding_right");
        EXPECT_FAILS(cnn_maxpool2d_set_padding(pool, n - (n == 0), 0), CNN_ERROR_INVALID,
                     "cnn_maxpool2d_set_padding", "padding_height");
        EXPECT_FAILS(cnn_maxpool2d_set_stride(pool, 1, n - (n == 0)), CNN_ERROR_INVALID,
                     "cnn_maxpool2d_set_stride", "stride_width");
    }
    EXPECT_FAILS(cnn_conv2d_set_bias(conv, 2), CNN_ERROR_INVALID, "cnn_conv2d_set_bias", "bias");
    EXPECT_FAILS(cnn_conv2d_set_algorithm(conv, 0), CNN_ERROR_INVALID, "cnn_conv2d_set_algorithm",
                 "algorithm");
    EXPECT_FAILS(cnn_conv2d_set_algorithm(conv, 4), CNN_ERROR_INVALID, "cnn_conv2d_set_algorithm",
                 "algorithm");
    /* Nothing of a refused pair was taken. */
    EXPECT_FAILS(cnn_conv2d_set_stride(conv, 2, 0), CNN_ERROR_INVALID, "cnn_conv2d_set_stride",
                 "0");
    expect_description(conv, "conv2d 4 3x3");
    cnn_layer_free(pool);
}
END_TEST

START_TEST(null_is_refused)
{
    cnn_layer *layer = NULL;
    ck_assert_int_eq(cnn_conv2d_create(NULL, context, 1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_create(&layer, NULL, 1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_maxpool2d_create(&layer, NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dense_create(&layer, NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_relu_create(&layer, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_softmax_create(&layer, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_flatten_create(&layer, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dropout_create(&layer, NULL, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_add_create(&layer, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_stride(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_padding(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_padding_sides(NULL, 1, 1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_padding_same(NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_dilation(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_groups(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_bias(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_conv2d_set_algorithm(NULL, CNN_FAST), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_maxpool2d_set_stride(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_maxpool2d_set_padding(NULL, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dense_set_bias(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_set_initializer(NULL, CNN_ZEROS), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_build(NULL, (int64_t[]){1}, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_clear_gradients(NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_forward(NULL, NULL, NULL, 1, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_backward(NULL, NULL, 1, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_layer_parameter_count(NULL), 0);
    ck_assert_int_eq(cnn_layer_get_kind(NULL), 0);
    ck_assert_ptr_null(cnn_layer_name(NULL));
    cnn_layer_free(NULL);
}
END_TEST

START_TEST(setters_are_for_their_kind)
{
    cnn_layer *conv = conv2d(4, 3, 3), *pool = maxpool2d(2, 2), *units = dense(3);
    EXPECT_FAILS(cnn_conv2d_set_stride(pool, 1, 1), CNN_ERROR_INVALID, "cnn_conv2d_set_stride",
                 "maxpool2d");
    EXPECT_FAILS(cnn_conv2d_set_padding_same(units), CNN_ERROR_INVALID,
                 "cnn_conv2d_set_padding_same", "dense");
    EXPECT_FAILS(cnn_maxpool2d_set_padding(conv, 1, 1), CNN_ERROR_INVALID,
                 "cnn_maxpool2d_set_padding", "conv2d");
    EXPECT_FAILS(cnn_dense_set_bias(conv, 0), CNN_ERROR_INVALID, "cnn_dense_set_bias", "conv2d");
    EXPECT_FAILS(cnn_layer_set_initializer(pool, CNN_ZEROS), CNN_ERROR_INVALID,
                 "cnn_layer_set_initializer", "maxpool2d");
    EXPECT_FAILS(cnn_layer_set_initializer(conv, 0), CNN_ERROR_INVALID, "cnn_layer_set_initializer",
                 "initializer is 0");
    EXPECT_FAILS(cnn_layer_set_initializer(conv, 6), CNN_ERROR_INVALID, "cnn_layer_set_initializer",
                 "initializer is 6");
    cnn_layer_free(conv);
    cnn_layer_free(pool);
    cnn_layer_free(units);
}
END_TEST

START_TEST(a_built_layer_keeps_its_options)
{
    cnn_layer *conv = conv2d(4, 3, 3), *pool = maxpool2d(2, 2), *units = dense(3);
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){5, 5, 2}, 3));
    EXPECT_OK(cnn_layer_build(pool, (int64_t[]){5, 5, 2}, 3));
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){5}, 1));
    const cnn_status refused[] = {
        cnn_conv2d_set_stride(conv, 2, 2),
        cnn_conv2d_set_padding(conv, 1, 1),
        cnn_conv2d_set_padding_sides(conv, 1, 1, 1, 1),
        cnn_conv2d_set_padding_same(conv),
        cnn_conv2d_set_dilation(conv, 2, 2),
        cnn_conv2d_set_groups(conv, 2),
        cnn_conv2d_set_bias(conv, 0),
        cnn_conv2d_set_algorithm(conv, CNN_EXACT),
        cnn_maxpool2d_set_stride(pool, 1, 1),
        cnn_maxpool2d_set_padding(pool, 1, 1),
        cnn_dense_set_bias(units, 0),
        cnn_layer_set_initializer(conv, CNN_ZEROS),
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_msg(refused[i] == CNN_ERROR_STATE, "call %zu: %s", i,
                      cnn_status_name(refused[i]));
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "already built"));
    cnn_layer_free(conv);
    cnn_layer_free(pool);
    cnn_layer_free(units);
}
END_TEST

/* ---- Shapes -------------------------------------------------------------------------------- */

static void expect_output(const cnn_layer *layer, const int64_t *input, int32_t rank,
                          const int64_t *wanted, int32_t wanted_rank)
{
    int64_t output[CNN_MAX_RANK];
    int32_t found;
    EXPECT_OK(cnn_layer_output_shape(output, &found, layer, input, rank));
    ck_assert_int_eq(found, wanted_rank);
    for (int32_t i = 0; i < found; i++)
        ck_assert_msg(output[i] == wanted[i], "dimension %d is %lld, must be %lld", i,
                      (long long)output[i], (long long)wanted[i]);
}

/* Input and kernel, stride, padding, dilation, of rows and columns alike; and the output. */
static const struct {
    int64_t input, kernel, stride, padding, dilation, output;
} sizes[] = {
    {7, 3, 1, 0, 1, 5},     {7, 3, 1, 1, 1, 7}, {7, 3, 2, 0, 1, 3}, {8, 3, 2, 0, 1, 3},
    {8, 3, 2, 1, 1, 4},     {1, 1, 1, 0, 1, 1}, {3, 3, 1, 0, 1, 1}, {1, 3, 1, 1, 1, 1},
    {9, 3, 1, 0, 2, 5},     {9, 3, 2, 2, 3, 4}, {5, 2, 7, 0, 1, 1}, {1, 1, 9, 5, 1, 2},
    {224, 7, 2, 3, 1, 112},
};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(convolutions_have_the_documented_size)
{
    cnn_layer *layer = conv2d(6, sizes[_i].kernel, 2);
    EXPECT_OK(cnn_conv2d_set_stride(layer, sizes[_i].stride, 1));
    EXPECT_OK(cnn_conv2d_set_padding(layer, sizes[_i].padding, 0));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, sizes[_i].dilation, 1));
    expect_output(layer, (int64_t[]){sizes[_i].input, 4, 5}, 3, (int64_t[]){sizes[_i].output, 3, 6},
                  3);
    cnn_layer_free(layer);
    if (sizes[_i].dilation > 1 || 2 * sizes[_i].padding > sizes[_i].kernel)
        return;
    layer = maxpool2d(2, sizes[_i].kernel);
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 2, sizes[_i].stride));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, 0, sizes[_i].padding));
    expect_output(layer, (int64_t[]){4, sizes[_i].input, 5}, 3, (int64_t[]){2, sizes[_i].output, 5},
                  3);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(pooling_steps_by_its_window)
{
    cnn_layer *layer = maxpool2d(3, 2);
    expect_output(layer, (int64_t[]){10, 9, 4}, 3, (int64_t[]){3, 4, 4}, 3);
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 2, 0));
    expect_output(layer, (int64_t[]){10, 9, 4}, 3, (int64_t[]){4, 4, 4}, 3);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(same_padding_divides_by_the_stride)
{
    for (int64_t input = 1; input <= 9; input++)
        for (int64_t kernel = 1; kernel <= 7; kernel++)
            for (int64_t stride = 1; stride <= 4; stride++) {
                cnn_layer *layer = conv2d(2, kernel, 1);
                EXPECT_OK(cnn_conv2d_set_padding_same(layer));
                EXPECT_OK(cnn_conv2d_set_stride(layer, stride, 1));
                expect_output(layer, (int64_t[]){input, 3, 1}, 3,
                              (int64_t[]){(input + stride - 1) / stride, 3, 2}, 3);
                cnn_layer_free(layer);
            }
}
END_TEST

START_TEST(the_others_have_their_shapes)
{
    const int64_t picture[] = {4, 5, 6}, vector[] = {7};
    cnn_layer *layers[] = {plain(cnn_relu_create), plain(cnn_softmax_create), plain(cnn_add_create),
                           plain(cnn_flatten_create), dense(9)};
    for (int32_t i = 0; i < 3; i++) {
        expect_output(layers[i], picture, 3, picture, 3);
        expect_output(layers[i], vector, 1, vector, 1);
    }
    expect_output(layers[3], picture, 3, (int64_t[]){120}, 1);
    expect_output(layers[4], vector, 1, (int64_t[]){9}, 1);
    for (int32_t i = 0; i < 5; i++)
        cnn_layer_free(layers[i]);
}
END_TEST

static cnn_status ask_shape(const cnn_layer *layer, const int64_t *shape, int32_t rank)
{
    int64_t output[CNN_MAX_RANK];
    int32_t output_rank;
    return cnn_layer_output_shape(output, &output_rank, layer, shape, rank);
}

#define EXPECT_NO_SHAPE(layer, word, ...)                                                          \
    EXPECT_FAILS(ask_shape(layer, (const int64_t[]){__VA_ARGS__},                                  \
                           (int32_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))),   \
                 CNN_ERROR_SHAPE, "cnn_layer_output_shape", word)

START_TEST(inputs_that_do_not_fit)
{
    int64_t output[CNN_MAX_RANK];
    int32_t rank;
    cnn_layer *conv = conv2d(4, 3, 3), *pool = maxpool2d(3, 2), *units = dense(4);
    EXPECT_NO_SHAPE(conv, "[h][w][c]", 5, 5);
    EXPECT_NO_SHAPE(conv, "3x3", 2, 5, 1);
    EXPECT_NO_SHAPE(conv, "dimension 1 is 0", 5, 0, 1);
    EXPECT_NO_SHAPE(pool, "[h][w][c]", 5);
    EXPECT_NO_SHAPE(pool, "3x2", 5, 1, 1);
    EXPECT_NO_SHAPE(units, "flatten", 5, 5, 3);
    EXPECT_OK(cnn_conv2d_set_groups(conv, 2));
    EXPECT_NO_SHAPE(conv, "2 groups", 5, 5, 3);
    EXPECT_OK(cnn_conv2d_set_groups(conv, 3));
    EXPECT_NO_SHAPE(conv, "3 groups", 5, 5, 3);
    EXPECT_OK(cnn_maxpool2d_set_padding(pool, 2, 0));
    EXPECT_NO_SHAPE(pool, "half of its window", 5, 5, 1);
    EXPECT_FAILS(ask_shape(units, NULL, 1), CNN_ERROR_INVALID, "cnn_layer_output_shape", "shape");
    EXPECT_FAILS(ask_shape(units, output, 9), CNN_ERROR_SHAPE, "cnn_layer_output_shape",
                 "rank is 9");
    EXPECT_FAILS(cnn_layer_output_shape(NULL, &rank, units, (int64_t[]){1}, 1), CNN_ERROR_INVALID,
                 "cnn_layer_output_shape", "output");
    EXPECT_FAILS(cnn_layer_output_shape(output, NULL, units, (int64_t[]){1}, 1), CNN_ERROR_INVALID,
                 "cnn_layer_output_shape", "output_rank");
    cnn_layer_free(conv);
    cnn_layer_free(pool);
    cnn_layer_free(units);
}
END_TEST

/* Sizes whose products fit into no number, and those that fit into no memory. */
START_TEST(sizes_beyond_all_memory)
{
    cnn_layer *conv = conv2d(1 << 24, 1 << 16, 1 << 16), *units = dense(1 << 24);
    EXPECT_OK(cnn_conv2d_set_padding_same(conv));
    EXPECT_NO_SHAPE(conv, "memory", 1, 1, (int64_t)1 << 50);
    EXPECT_NO_SHAPE(conv, "memory", (int64_t)1 << 30, (int64_t)1 << 30, 1);
    EXPECT_NO_SHAPE(units, "memory", (int64_t)1 << 50);
    EXPECT_FAILS(cnn_layer_build(conv, (int64_t[]){1, 1, (int64_t)1 << 40}, 3), CNN_ERROR_SHAPE,
                 "cnn_layer_build", "memory");
    EXPECT_FAILS(cnn_layer_build(units, (int64_t[]){(int64_t)1 << 32}, 1), CNN_ERROR_MEMORY,
                 "cnn_layer_build", "memory");
    ck_assert_int_eq(cnn_layer_parameter_count(units), 0);
    cnn_layer_free(conv);
    cnn_layer_free(units);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *layer_api_suite(void)
{
    Suite *suite = suite_create("layer_api");
    TCase *tcase = add_case(suite, "names");
    tcase_add_test(tcase, constants_have_names);
    tcase_add_test(tcase, layers_have_names);
    tcase_add_test(tcase, layers_describe_themselves);
    tcase = add_case(suite, "options");
    tcase_add_test(tcase, sizes_that_cannot_be);
    tcase_add_test(tcase, null_is_refused);
    tcase_add_test(tcase, setters_are_for_their_kind);
    tcase_add_test(tcase, a_built_layer_keeps_its_options);
    tcase = add_case(suite, "shapes");
    tcase_add_loop_test(tcase, convolutions_have_the_documented_size, 0, SIZES);
    tcase_add_test(tcase, pooling_steps_by_its_window);
    tcase_add_test(tcase, same_padding_divides_by_the_stride);
    tcase_add_test(tcase, the_others_have_their_shapes);
    tcase_add_test(tcase, inputs_that_do_not_fit);
    tcase_add_test(tcase, sizes_beyond_all_memory);
    return suite;
}

int main(void)
{
    return run_suite(layer_api_suite());
}
