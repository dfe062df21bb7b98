/* SPDX-License-Identifier: MIT
 * Transposed convolutions: sizes, options, every refusal that cnn/layer.h documents; with a ReLU
 * behind, in a model, in its file; biases of many pixels; bits that do not depend on threads or
 * instruction sets.  Values: test_layers.c, test_gradients.c. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/model_files.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_context_set_seed(context, 6));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

static cnn_layer *transposed(int64_t filters, int64_t kernel, int64_t stride, int64_t padding)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, filters, kernel, kernel));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, stride, stride));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, padding, padding));
    return layer;
}

/* ---- Sizes and options --------------------------------------------------------------------- */

/* A convolution with the same options brings each output back to the input's size. */
START_TEST(sizes_are_those_before_a_convolution)
{
    for (int64_t input = 1; input <= 4; input++)
        for (int64_t kernel = 1; kernel <= 4; kernel++)
            for (int64_t stride = 1; stride <= 3; stride++)
                for (int64_t more = 0; more < stride; more++) {
                    cnn_layer *conv, *layer = transposed(2, kernel, stride, 0);
                    int64_t output[CNN_MAX_RANK], again[CNN_MAX_RANK];
                    int32_t rank;
                    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, more, 0));
                    EXPECT_OK(cnn_layer_output_shape(output, &rank, layer,
                                                     (const int64_t[]){input, 5, 3}, 3));
                    ck_assert_int_eq(rank, 3);
                    ck_assert_int_eq(output[0], (input - 1) * stride + kernel + more);
                    ck_assert_int_eq(output[1], 4 * stride + kernel);
                    ck_assert_int_eq(output[2], 2);
                    EXPECT_OK(cnn_conv2d_create(&conv, context, 3, kernel, kernel));
                    EXPECT_OK(cnn_conv2d_set_stride(conv, stride, stride));
                    EXPECT_OK(cnn_layer_output_shape(again, &rank, conv, output, 3));
                    ck_assert(again[0] == input && again[1] == 5 && again[2] == 3);
                    cnn_layer_free(conv);
                    cnn_layer_free(layer);
                }
}
END_TEST

START_TEST(layers_describe_themselves)
{
    char text[200];
    cnn_layer *layer = transposed(16, 4, 2, 1);
    ck_assert_int_eq(cnn_layer_get_kind(layer), CNN_CONV2D_TRANSPOSED);
    ck_assert_str_eq(cnn_layer_name(layer), "conv2d_transposed");
    cnn_layer_describe(layer, text, sizeof text);
    ck_assert_str_eq(text, "conv2d_transposed 16 4x4 stride 2x2 padding 1x1");
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, 1, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, 0, 0));
    EXPECT_OK(cnn_conv2d_transposed_set_dilation(layer, 2, 3));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, 0, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 4));
    EXPECT_OK(cnn_conv2d_transposed_set_bias(layer, 0));
    cnn_layer_describe(layer, text, sizeof text);
    ck_assert_str_eq(text,
                     "conv2d_transposed 16 4x4 dilation 2x3 output padding 0x1 groups 4 no bias");
    cnn_layer_free(layer);
}
END_TEST

/* PyTorch's layout; drawn with the variance of the inputs that reach an output. */
START_TEST(parameters_are_pytorchs)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    double squares = 0;
    cnn_layer *layer = transposed(24, 4, 2, 1);
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 2));
    EXPECT_OK(cnn_layer_build(layer, (const int64_t[]){3, 3, 40}, 3));
    ck_assert_int_eq(cnn_layer_parameter_count(layer), 2);
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, CNN_BIAS));
    ck_assert(rank == 1 && shape[0] == 24);
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, CNN_WEIGHT));
    ck_assert(rank == 4 && shape[0] == 40 && shape[1] == 12 && shape[2] == 4 && shape[3] == 4);
    cnn_tensor *w = tensor_new(context, CNN_FLOAT32, shape, rank);
    EXPECT_OK(cnn_layer_get_parameter(layer, CNN_WEIGHT, w));
    for (int64_t i = 0; i < cnn_tensor_count(w); i++)
        squares += (double)floats(w)[i] * floats(w)[i];
    const double variance = squares / (double)cnn_tensor_count(w), wanted = 2.0 / (20 * 16 / 4);
    ck_assert_msg(fabs(variance / wanted - 1) < 0.05, "%g, must be about %g", variance, wanted);
    cnn_tensor_free(w);
    cnn_layer_free(layer);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------ */

START_TEST(sizes_that_cannot_be)
{
    static const int64_t wrong[] = {0, -1, INT64_MAX, INT64_MIN, 65537};
    cnn_layer *layer = NULL, *good = transposed(4, 3, 1, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const int64_t n = wrong[i], negative = n == 0 ? -1 : n;
        EXPECT_FAILS(cnn_conv2d_transposed_create(&layer, context, n == 65537 ? -2 : n, 1, 1),
                     CNN_ERROR_INVALID, "cnn_conv2d_transposed_create", "filters");
        EXPECT_FAILS(cnn_conv2d_transposed_create(&layer, context, 1, n, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_create", "kernel_height");
        EXPECT_FAILS(cnn_conv2d_transposed_create(&layer, context, 1, 1, n), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_create", "kernel_width");
        ck_assert_ptr_null(layer);
        EXPECT_FAILS(cnn_conv2d_transposed_set_stride(good, n, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_set_stride", "stride_height");
        EXPECT_FAILS(cnn_conv2d_transposed_set_dilation(good, 2, n), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_set_dilation", "dilation_width");
        EXPECT_FAILS(cnn_conv2d_transposed_set_padding(good, 1, negative), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_set_padding", "padding_width");
        EXPECT_FAILS(cnn_conv2d_transposed_set_output_padding(good, negative, 1), CNN_ERROR_INVALID,
                     "cnn_conv2d_transposed_set_output_padding", "output_padding_height");
    }
    EXPECT_FAILS(cnn_conv2d_transposed_set_groups(good, 0), CNN_ERROR_INVALID,
                 "cnn_conv2d_transposed_set_groups", "groups");
    EXPECT_FAILS(cnn_conv2d_transposed_set_bias(good, 2), CNN_ERROR_INVALID,
                 "cnn_conv2d_transposed_set_bias", "bias");
    char text[64]; /* nothing of a refused pair was taken */
    cnn_layer_describe(good, text, sizeof text);
    ck_assert_str_eq(text, "conv2d_transposed 4 3x3");
    cnn_layer_free(good);
}
END_TEST

static cnn_status every_setter(cnn_layer *layer, int number)
{
    switch (number) {
    case 0: return cnn_conv2d_transposed_set_stride(layer, 2, 2);
    case 1: return cnn_conv2d_transposed_set_padding(layer, 1, 1);
    case 2: return cnn_conv2d_transposed_set_output_padding(layer, 0, 0);
    case 3: return cnn_conv2d_transposed_set_dilation(layer, 2, 2);
    case 4: return cnn_conv2d_transposed_set_groups(layer, 2);
    default: return cnn_conv2d_transposed_set_bias(layer, 0);
    }
}

START_TEST(setters_refuse)
{
    cnn_layer *conv, *layer = transposed(4, 3, 1, 0);
    EXPECT_OK(cnn_conv2d_create(&conv, context, 1, 1, 1));
    EXPECT_OK(cnn_layer_build(layer, (const int64_t[]){5, 5, 2}, 3));
    ck_assert_int_eq(every_setter(NULL, _i), CNN_ERROR_INVALID);
    ck_assert_int_eq(every_setter(conv, _i), CNN_ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "must be a conv2d_transposed"));
    ck_assert_int_eq(every_setter(layer, _i), CNN_ERROR_STATE);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "already built"));
    ck_assert_int_eq(cnn_conv2d_set_stride(layer, 1, 1), CNN_ERROR_INVALID);
    cnn_layer_free(layer);
    ck_assert_int_eq(cnn_conv2d_transposed_create(&layer, NULL, 1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_ptr_null(layer);
    ck_assert_int_eq(cnn_conv2d_transposed_create(NULL, context, 1, 1, 1), CNN_ERROR_INVALID);
    cnn_layer_free(conv);
}
END_TEST

static cnn_status ask(const cnn_layer *layer, int64_t h, int64_t w, int64_t c)
{
    int64_t output[CNN_MAX_RANK];
    int32_t rank;
    return cnn_layer_output_shape(output, &rank, layer, (const int64_t[]){h, w, c}, 3);
}

START_TEST(inputs_that_do_not_fit)
{
    int64_t output[CNN_MAX_RANK];
    int32_t rank;
    cnn_layer *layer = transposed(4, 3, 2, 1);
    EXPECT_FAILS(cnn_layer_output_shape(output, &rank, layer, (const int64_t[]){5, 5}, 2),
                 CNN_ERROR_SHAPE, "cnn_layer_output_shape", "[h][w][c]");
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 2));
    EXPECT_FAILS(ask(layer, 5, 5, 3), CNN_ERROR_SHAPE, "cnn_layer_output_shape", "2 groups");
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 3));
    EXPECT_FAILS(ask(layer, 5, 5, 3), CNN_ERROR_SHAPE, "cnn_layer_output_shape", "4 filters");
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, 2, 0));
    EXPECT_FAILS(ask(layer, 5, 5, 3), CNN_ERROR_SHAPE, "cnn_layer_output_shape",
                 "output padding of 2x0");
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, 0, 1));
    EXPECT_OK(ask(layer, 1, 1, 3));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, 1, 2));
    EXPECT_FAILS(ask(layer, 1, 1, 3), CNN_ERROR_SHAPE, "cnn_layer_output_shape", "padding 1x2");
    EXPECT_FAILS(ask(layer, (int64_t)1 << 59, 3, 1), CNN_ERROR_SHAPE, "cnn_layer_output_shape", "");
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, 65536, 65536));
    EXPECT_FAILS(ask(layer, (int64_t)1 << 55, 3, 1), CNN_ERROR_SHAPE, "cnn_layer_output_shape",
                 "too large");
    EXPECT_FAILS(ask(layer, 1 << 26, 1 << 26, 1), CNN_ERROR_SHAPE, "cnn_layer_output_shape",
                 "more elements than memory can hold");
    cnn_layer_free(layer);
}
END_TEST

/* ---- In a model ---------------------------------------------------------------------------- */

static void take_plain(cnn_model *model, cnn_context *of,
                       cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, of));
    model_take(model, layer);
}

/* [6][5][3] -> conv2d 3x3 stride 2 (12), relu, back to [6][5][10] by 4x4 and the edge that was cut,
 * relu, depthwise with gaps, silu, flatten, dense 3, softmax. */
static cnn_model *hourglass(cnn_context *of)
{
    cnn_layer *layer;
    cnn_model *model = model_new(of, (const int64_t[]){6, 5, 3}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, of, 12, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_stride(layer, 2, 2));
    model_take(model, layer);
    take_plain(model, of, cnn_relu_create);
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, of, 10, 4, 3));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, 2, 2));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, 1, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 2));
    model_take(model, layer);
    take_plain(model, of, cnn_relu_create);
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, of, 10, 2, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, 3, 2));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, 2, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, 10));
    model_take(model, layer);
    take_plain(model, of, cnn_silu_create);
    take_plain(model, of, cnn_flatten_create);
    EXPECT_OK(cnn_dense_create(&layer, of, 3));
    model_take(model, layer);
    take_plain(model, of, cnn_softmax_create);
    return model;
}

START_TEST(gradients_of_a_network_are_right)
{
    double error;
    char worst[64];
    cnn_model *model = hourglass(context);
    const cnn_tensor *inputs = model_inputs(model, context, 4, 9);
    const cnn_tensor *targets = tensor_labels(context, 4, 3);
    EXPECT_OK(cnn_model_check_gradients(&error, worst, sizeof worst, model,
                                        CNN_SOFTMAX_CROSS_ENTROPY, &inputs, 1, &targets, 1));
    ck_assert_msg(error < 0.05, "%g of %s", error, worst);
    cnn_tensor_free((cnn_tensor *)inputs);
    cnn_tensor_free((cnn_tensor *)targets);
    cnn_model_free(model);
}
END_TEST

/* One with gaps, so that pixels are biases alone, some of them negative. */
START_TEST(a_relu_behind_is_done_along)
{
    cnn_session *session;
    cnn_layer *plain, *relu, *layers[2];
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 3, 4, 5, 6);
    cnn_tensor *bias = TENSOR(context, CNN_FLOAT32, 6);
    fill_tensor(x, 1);
    fill_tensor(bias, 2);
    for (int i = 0; i < 2; i++) {
        EXPECT_OK(cnn_conv2d_transposed_create(&layers[i], context, 6, 2, 2));
        EXPECT_OK(cnn_conv2d_transposed_set_stride(layers[i], 3, 3));
        EXPECT_OK(cnn_conv2d_transposed_set_groups(layers[i], _i == 0 ? 1 : 6));
        EXPECT_OK(cnn_layer_build(layers[i], (const int64_t[]){4, 5, 6}, 3));
        EXPECT_OK(cnn_layer_set_parameter(layers[i], CNN_BIAS, bias));
    }
    plain = layers[0];
    cnn_tensor *w = TENSOR(context, CNN_FLOAT32, 6, _i == 0 ? 6 : 1, 2, 2);
    EXPECT_OK(cnn_layer_get_parameter(plain, CNN_WEIGHT, w));
    EXPECT_OK(cnn_layer_set_parameter(layers[1], CNN_WEIGHT, w));
    cnn_tensor *sums = TENSOR(context, CNN_FLOAT32, 3, 11, 14, 6), *y = tensor_like(context, sums);
    cnn_tensor *fused = tensor_like(context, sums);
    EXPECT_OK(cnn_relu_create(&relu, context));
    EXPECT_OK(cnn_layer_forward(plain, sums, &x, 1, 0));
    EXPECT_OK(cnn_layer_forward(relu, y, &sums, 1, 0));
    cnn_model *model = model_new(context, (const int64_t[]){4, 5, 6}, 3);
    model_take(model, layers[1]);
    take_plain(model, context, cnn_relu_create);
    EXPECT_OK(cnn_session_create(&session, model, 3));
    EXPECT_OK(session_predict(session, fused, x));
    ck_assert(tensors_equal(fused, y));
    cnn_session_free(session);
    cnn_model_free(model);
    cnn_tensor *const tensors[] = {x, bias, w, sums, y, fused};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(plain);
    cnn_layer_free(relu);
}
END_TEST

START_TEST(a_file_keeps_them)
{
    cnn_model *model = hourglass(context), *loaded;
    size_t size, again;
    char *bytes = model_bytes(model, &size), text[200];
    EXPECT_OK(model_from_bytes(&loaded, context, bytes, size));
    char *other = model_bytes(loaded, &again);
    ck_assert_uint_eq(again, size);
    ck_assert_mem_eq(other, bytes, size);
    cnn_layer_describe(cnn_model_layer(loaded, 4), text, sizeof text);
    ck_assert_str_eq(text, "conv2d_transposed 10 2x1 stride 3x2 output padding 2x1 groups 10");
    cnn_tensor *x = model_inputs(model, context, 2, 3), *y[2];
    for (int i = 0; i < 2; i++) {
        cnn_session *session;
        y[i] = model_outputs(model, context, 2);
        EXPECT_OK(cnn_session_create(&session, i == 0 ? model : loaded, 2));
        EXPECT_OK(session_predict(session, y[i], x));
        cnn_session_free(session);
    }
    ck_assert(tensors_equal(y[0], y[1]));
    free(bytes);
    free(other);
    cnn_tensor_free(x);
    cnn_tensor_free(y[0]);
    cnn_tensor_free(y[1]);
    cnn_model_free(loaded);
    cnn_model_free(model);
}
END_TEST

/* ---- Biases -------------------------------------------------------------------------------- */

/* As many pixels as several chunks of blocks have, and more filters than a panel; rounded at some
 * 7 + 16 sums in a row at most, and not at 18,000. */
START_TEST(gradients_of_biases_add_up_all_pixels)
{
    enum { N = 5, H = 30, W = 30, FILTERS = 67 };
    cnn_layer *layer = transposed(FILTERS, 2, 2, 0);
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, N, H, W, 1);
    cnn_tensor *y = TENSOR(context, CNN_FLOAT32, N, 2 * H, 2 * W, FILTERS);
    cnn_tensor *dy = tensor_like(context, y), *db = TENSOR(context, CNN_FLOAT32, FILTERS);
    double wanted[FILTERS] = {0}, magnitude[FILTERS] = {0};
    fill_tensor(dy, 4);
    for (int64_t i = 0; i < cnn_tensor_count(dy); i++) {
        wanted[i % FILTERS] += (double)floats(dy)[i];
        magnitude[i % FILTERS] += fabs((double)floats(dy)[i]);
    }
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 1));
    EXPECT_OK(cnn_layer_backward(layer, &(cnn_tensor *){NULL}, 1, dy));
    EXPECT_OK(cnn_layer_backward(layer, &(cnn_tensor *){NULL}, 1, dy)); /* adds */
    EXPECT_OK(cnn_layer_get_gradient(layer, CNN_BIAS, db));
    for (int64_t k = 0; k < FILTERS; k++)
        ck_assert_msg(fabs((double)floats(db)[k] - 2 * wanted[k]) <= 160 * 0x1p-24 * magnitude[k],
                      "[%d]: %.9g, must be %.9g", (int)k, (double)floats(db)[k], 2 * wanted[k]);
    cnn_tensor *const tensors[] = {x, y, dy, db};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(layer);
}
END_TEST

/* ---- The same bits ------------------------------------------------------------------------- */

static uint64_t train_anew(int32_t threads)
{
    cnn_context *own;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    double loss = NAN;
    EXPECT_OK(cnn_context_create(&own));
    EXPECT_OK(cnn_context_set_threads(own, threads));
    EXPECT_OK(cnn_context_set_seed(own, 4));
    cnn_model *model = hourglass(own);
    cnn_tensor *inputs = model_inputs(model, own, 41, 3), *targets = tensor_labels(own, 41, 3);
    EXPECT_OK(cnn_sgd_create(&sgd, own, 0.05));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 41));
    for (int step = 0; step < 4; step++)
        EXPECT_OK(trainer_step(&loss, trainer, inputs, targets));
    ck_assert_msg(loss < 2, "the loss is %g", loss);
    const uint64_t hash = model_hash(model, own);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_model_free(model);
    cnn_context_free(own);
    return hash;
}

/* Of every level with fused multiply-add, on every machine. */
static const uint64_t committed_bits = UINT64_C(0x757dd8aa1e798bf7);

START_TEST(training_has_the_same_bits_everywhere)
{
    const bool fused = strcmp(cnn_context_cpu_name(context), "generic") != 0;
    const uint64_t alone = train_anew(1);
    ck_assert_uint_eq(train_anew(2), alone);
    ck_assert_uint_eq(train_anew(5), alone);
    if (fused)
        ck_assert_msg(alone == committed_bits, "%#llx", (unsigned long long)alone);
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
    Suite *suite = suite_create("conv2d_transposed");
    add_case(suite, "layer", sizes_are_those_before_a_convolution, 1);
    add_case(suite, "layer", layers_describe_themselves, 1);
    add_case(suite, "layer", parameters_are_pytorchs, 1);
    add_case(suite, "refusals", sizes_that_cannot_be, 1);
    add_case(suite, "refusals", setters_refuse, 6);
    add_case(suite, "refusals", inputs_that_do_not_fit, 1);
    add_case(suite, "model", gradients_of_a_network_are_right, 1);
    add_case(suite, "model", a_relu_behind_is_done_along, 2);
    add_case(suite, "model", a_file_keeps_them, 1);
    add_case(suite, "bias", gradients_of_biases_add_up_all_pixels, 1);
    add_case(suite, "bits", training_has_the_same_bits_everywhere, 1);
    return run_suite(suite);
}
