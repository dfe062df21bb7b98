/* SPDX-License-Identifier: MIT
 * Each kind of layer on its own, against PyTorch: outputs, gradients by the input and by the
 * parameters.  Dropout is in test_dropout.c; refusals, names and initial values in
 * test_layer_api.c; larger shapes against double precision in test_gradients*.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnn/layer.h"
#include "cnn/session.h"
#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

/* Relative to the largest element of an array.  Sums here have up to 240 terms; rounding at
 * each, 2^-24 of the partial sum, adds up to about sqrt(240) * 2^-24 = 1e-6 of it. */
static const double tolerance = 5e-6;

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    torch_open("layers");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- One layer, one case ------------------------------------------------------------------- */

struct run {
    const char *name; /* of the case */
    cnn_layer *layer;
    cnn_tensor *x, *y, *dx;
};

/* Reads the input, and makes the output and the gradient, both full of numbers that must go. */
static void begin(struct run *run)
{
    int64_t shape[CNN_MAX_RANK], output[CNN_MAX_RANK];
    int32_t rank = 0;
    run->x = torch_tensor_nhwc(context, run->name, "x");
    for (int32_t i = 1; i < cnn_tensor_rank(run->x); i++)
        shape[i - 1] = cnn_tensor_dim(run->x, i);
    EXPECT_OK(
        cnn_layer_output_shape(output + 1, &rank, run->layer, shape, cnn_tensor_rank(run->x) - 1));
    output[0] = cnn_tensor_dim(run->x, 0);
    run->y = tensor_new(context, CNN_FLOAT32, output, rank + 1);
    run->dx = tensor_like(context, run->x);
    EXPECT_OK(cnn_tensor_fill(run->y, NAN));
    EXPECT_OK(cnn_tensor_fill(run->dx, NAN));
    EXPECT_OK(cnn_layer_build(run->layer, shape, cnn_tensor_rank(run->x) - 1));
}

static void set_parameter(const struct run *run, cnn_parameter parameter, const char *name)
{
    cnn_tensor *values = torch_tensor(context, run->name, name);
    EXPECT_OK(cnn_layer_set_parameter(run->layer, parameter, values));
    cnn_tensor_free(values);
}

static void end(struct run *run)
{
    cnn_tensor_free(run->x);
    cnn_tensor_free(run->y);
    cnn_tensor_free(run->dx);
    cnn_layer_free(run->layer);
}

static void expect_array(const struct run *run, const char *name, const cnn_tensor *got,
                         double allowed)
{
    char what[128];
    cnn_tensor *wanted = torch_tensor_nhwc(context, run->name, name);
    snprintf(what, sizeof what, "%s/%s", run->name, name);
    expect_tensor_close(what, got, wanted, allowed);
    cnn_tensor_free(wanted);
}

static void expect_gradient(const struct run *run, cnn_parameter parameter, const char *name,
                            double allowed)
{
    char what[128];
    cnn_tensor *wanted = torch_tensor(context, run->name, name);
    cnn_tensor *got = tensor_like(context, wanted);
    snprintf(what, sizeof what, "%s/%s", run->name, name);
    EXPECT_OK(cnn_layer_get_gradient(run->layer, parameter, got));
    expect_tensor_close(what, got, wanted, allowed);
    cnn_tensor_free(got);
    cnn_tensor_free(wanted);
}

/* Forward and backward, and what they leave, within `exact` (values that are moved) and `allowed`
 * (sums). */
static void run_case(struct run *run, double exact, double allowed)
{
    cnn_tensor *predicted = tensor_like(context, run->y);
    cnn_tensor *dy = torch_tensor_nhwc(context, run->name, "dy");
    EXPECT_OK(cnn_layer_forward(run->layer, predicted, &run->x, 1, 0));
    EXPECT_OK(cnn_layer_forward(run->layer, run->y, &run->x, 1, 1));
    expect_array(run, "y", run->y, exact);
    expect_tensor_equal("predicting and training", predicted, run->y);
    EXPECT_OK(cnn_layer_backward(run->layer, &run->dx, 1, dy));
    expect_array(run, "dx", run->dx, allowed);
    cnn_tensor_free(predicted);
    cnn_tensor_free(dy);
}

static void run_filter_case(struct run *run)
{
    bool bias = torch_has(run->name, "b");
    begin(run);
    ck_assert_int_eq(cnn_layer_parameter_count(run->layer), bias ? 2 : 1);
    set_parameter(run, CNN_WEIGHT, "w");
    if (bias)
        set_parameter(run, CNN_BIAS, "b");
    run_case(run, tolerance, tolerance);
    expect_gradient(run, CNN_WEIGHT, "dw", tolerance);
    if (bias)
        expect_gradient(run, CNN_BIAS, "db", tolerance);
    end(run);
}

/* ---- Convolution --------------------------------------------------------------------------- */

static const char *const conv2d_cases[] = {
    "conv2d_1x1",
    "conv2d_3x3",
    "conv2d_3x3_padding_1",
    "conv2d_5x5",
    "conv2d_7x7_stride_2",
    "conv2d_2x4",
    "conv2d_sides",
    "conv2d_same",
    "conv2d_same_even",
    "conv2d_same_stride_2",
    "conv2d_stride_3",
    "conv2d_dilation_2",
    "conv2d_dilation_1x3",
    "conv2d_groups_2",
    "conv2d_groups_4",
    "conv2d_depthwise",
    "conv2d_depthwise_stride_2",
    "conv2d_depthwise_multiplier",
    "conv2d_no_bias",
    "conv2d_whole_input",
    "conv2d_one_pixel",
};
enum { CONV2D_CASES = sizeof conv2d_cases / sizeof conv2d_cases[0] };

static int64_t option(const char *name, int64_t index)
{
    return (int64_t)torch_number(name, "options", index);
}

/* Options: filters, kernel (2), stride (2), padding top, left, bottom, right, same, dilation
 * (2), groups, bias. */
static cnn_layer *conv2d(const char *name)
{
    cnn_layer *layer;
    int64_t padding[4];
    for (int32_t i = 0; i < 4; i++)
        padding[i] = option(name, 5 + i);
    EXPECT_OK(
        cnn_conv2d_create(&layer, context, option(name, 0), option(name, 1), option(name, 2)));
    EXPECT_OK(cnn_conv2d_set_stride(layer, option(name, 3), option(name, 4)));
    if (option(name, 9))
        EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    else if (padding[0] == padding[2] && padding[1] == padding[3])
        EXPECT_OK(cnn_conv2d_set_padding(layer, padding[0], padding[1]));
    else
        EXPECT_OK(
            cnn_conv2d_set_padding_sides(layer, padding[0], padding[1], padding[2], padding[3]));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, option(name, 10), option(name, 11)));
    EXPECT_OK(cnn_conv2d_set_groups(layer, option(name, 12)));
    EXPECT_OK(cnn_conv2d_set_bias(layer, (int32_t)option(name, 13)));
    return layer;
}

START_TEST(convolutions)
{
    struct run run = {.name = conv2d_cases[_i], .layer = conv2d(conv2d_cases[_i])};
    run_filter_case(&run);
}
END_TEST

/* ---- Transposed convolution ----------------------------------------------------------------- */

static const char *const transposed_cases[] = {
    "transposed_1x1",
    "transposed_3x3",
    "transposed_3x3_padding_1",
    "transposed_2x2_stride_2",
    "transposed_4x4_stride_2",
    "transposed_3x3_stride_2",
    "transposed_1x1_stride_2",
    "transposed_2x3_stride_3x4",
    "transposed_5x2",
    "transposed_dilation_2",
    "transposed_dilation_3_stride_2",
    "transposed_groups_2",
    "transposed_groups_4",
    "transposed_depthwise",
    "transposed_depthwise_gaps",
    "transposed_depthwise_multiplier",
    "transposed_no_bias",
    "transposed_no_bias_gaps",
    "transposed_large_padding",
    "transposed_one_pixel",
    "transposed_wide",
};
enum { TRANSPOSED_CASES = sizeof transposed_cases / sizeof transposed_cases[0] };

/* Options: filters, kernel (2), stride (2), padding (2), output padding (2), dilation (2), groups,
 * bias. */
static cnn_layer *conv2d_transposed(const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, option(name, 0), option(name, 1),
                                           option(name, 2)));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, option(name, 3), option(name, 4)));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, option(name, 5), option(name, 6)));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, option(name, 7), option(name, 8)));
    EXPECT_OK(cnn_conv2d_transposed_set_dilation(layer, option(name, 9), option(name, 10)));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, option(name, 11)));
    EXPECT_OK(cnn_conv2d_transposed_set_bias(layer, (int32_t)option(name, 12)));
    return layer;
}

START_TEST(transposed_convolutions)
{
    torch_open("transposed");
    struct run run = {.name = transposed_cases[_i],
                      .layer = conv2d_transposed(transposed_cases[_i])};
    run_filter_case(&run);
}
END_TEST

/* ---- Max-pooling --------------------------------------------------------------------------- */

static const char *const maxpool2d_cases[] = {
    "maxpool2d_2x2",  "maxpool2d_2x2_odd",  "maxpool2d_3x3_stride_2", "maxpool2d_overlapping",
    "maxpool2d_2x3",  "maxpool2d_gaps",     "maxpool2d_global",       "maxpool2d_17x17",
    "maxpool2d_ties", "maxpool2d_negative", "maxpool2d_infinite",     "maxpool2d_nan",
};
enum { MAXPOOL2D_CASES = sizeof maxpool2d_cases / sizeof maxpool2d_cases[0] };

/* Options: window, stride, padding. */
static cnn_layer *maxpool2d(const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, option(name, 0), option(name, 1)));
    if (option(name, 0) != option(name, 2) || option(name, 1) != option(name, 3))
        EXPECT_OK(cnn_maxpool2d_set_stride(layer, option(name, 2), option(name, 3)));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, option(name, 4), option(name, 5)));
    return layer;
}

START_TEST(pooling)
{
    struct run run = {.name = maxpool2d_cases[_i], .layer = maxpool2d(maxpool2d_cases[_i])};
    begin(&run);
    run_case(&run, 0, tolerance);
    end(&run);
}
END_TEST

/* ---- The others ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t units;
} dense_cases[] = {{"dense_small", 4}, {"dense_wide", 20}, {"dense_no_bias", 17}, {"dense_one", 1}};
enum { DENSE_CASES = sizeof dense_cases / sizeof dense_cases[0] };

START_TEST(dense_layers)
{
    struct run run = {.name = dense_cases[_i].name};
    EXPECT_OK(cnn_dense_create(&run.layer, context, dense_cases[_i].units));
    EXPECT_OK(cnn_dense_set_bias(run.layer, torch_has(run.name, "b")));
    run_filter_case(&run);
}
END_TEST

START_TEST(relu_layers)
{
    struct run run = {.name = "relu"};
    EXPECT_OK(cnn_relu_create(&run.layer, context));
    begin(&run);
    run_case(&run, 0, 0);
    end(&run);
}
END_TEST

static const struct {
    const char *name; /* also of the case */
    cnn_status (*create)(cnn_layer **, cnn_context *);
    cnn_status (*create_with)(cnn_layer **, cnn_context *, double);
    double parameter;
} activation_cases[] = {
    {"leaky_relu", NULL, cnn_leaky_relu_create, 0.2},
    {"relu6", cnn_relu6_create, NULL, 0},
    {"sigmoid", cnn_sigmoid_create, NULL, 0},
    {"tanh", cnn_tanh_create, NULL, 0},
    {"silu", cnn_silu_create, NULL, 0},
    {"hard_swish", cnn_hard_swish_create, NULL, 0},
    {"hard_sigmoid", cnn_hard_sigmoid_create, NULL, 0},
    {"gelu", cnn_gelu_create, NULL, 0},
    {"elu", NULL, cnn_elu_create, 1.3},
};
enum { ACTIVATION_CASES = sizeof activation_cases / sizeof activation_cases[0] };

START_TEST(activations)
{
    struct run run = {.name = activation_cases[_i].name};
    torch_open("activations");
    if (activation_cases[_i].create != NULL)
        EXPECT_OK(activation_cases[_i].create(&run.layer, context));
    else
        EXPECT_OK(
            activation_cases[_i].create_with(&run.layer, context, activation_cases[_i].parameter));
    begin(&run);
    run_case(&run, 3e-7, 5e-7);
    end(&run);
}
END_TEST

/* exp is right within 4 ULP, and so the quotients within about 10: 6e-7. */
START_TEST(softmax_layers)
{
    struct run run = {.name = "softmax"};
    EXPECT_OK(cnn_softmax_create(&run.layer, context));
    begin(&run);
    run_case(&run, 6e-7, 2e-6);
    end(&run);
}
END_TEST

/* A flatten on its own keeps the order of the elements, there and back. */
START_TEST(flatten_keeps_the_order)
{
    cnn_layer *layer;
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 3, 2, 4, 5), *dx = tensor_like(context, x);
    cnn_tensor *y = TENSOR(context, CNN_FLOAT32, 3, 40);
    fill_tensor(x, 1);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 1));
    ck_assert_mem_eq(floats(y), floats(x), cnn_tensor_bytes(x));
    EXPECT_OK(cnn_layer_backward(layer, &dx, 1, y));
    ck_assert_mem_eq(floats(dx), floats(x), cnn_tensor_bytes(x));
    cnn_tensor_free(x);
    cnn_tensor_free(dx);
    cnn_tensor_free(y);
    cnn_layer_free(layer);
}
END_TEST

/* Maxpool, flatten, dense: the weights' columns are in c, h, w order, as PyTorch has them. */
static cnn_model *flattening_model(void)
{
    cnn_model *model;
    cnn_layer *layer;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){4, 6, 3}, 3));
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 5));
    model_take(model, layer);
    return model;
}

static void expect_model_gradient(cnn_model *model, const char *parameter, const char *name)
{
    cnn_tensor *wanted = torch_tensor(context, "flatten", name);
    cnn_tensor *got = tensor_like(context, wanted);
    EXPECT_OK(cnn_model_get_gradient(model, parameter, got));
    expect_tensor_close(name, got, wanted, tolerance);
    cnn_tensor_free(got);
    cnn_tensor_free(wanted);
}

START_TEST(dense_columns_are_pytorchs)
{
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_model *model = flattening_model();
    cnn_tensor *x = torch_tensor_nhwc(context, "flatten", "x");
    cnn_tensor *wanted = torch_tensor(context, "flatten", "y"), *y = tensor_like(context, wanted);
    const cnn_tensor *inputs = x, *dy = torch_tensor(context, "flatten", "dy");
    cnn_tensor *w = torch_tensor(context, "flatten", "w"),
               *b = torch_tensor(context, "flatten", "b");
    EXPECT_OK(cnn_model_set_parameter(model, "dense1.weight", w));
    EXPECT_OK(cnn_model_set_parameter(model, "dense1.bias", b));
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_MEAN_SQUARED_ERROR, 2));
    EXPECT_OK(cnn_trainer_forward(trainer, &y, 1, &inputs, 1));
    expect_tensor_close("y", y, wanted, tolerance);
    EXPECT_OK(cnn_trainer_backward(trainer, &dy, 1));
    expect_model_gradient(model, "dense1.weight", "dw");
    expect_model_gradient(model, "dense1.bias", "db");
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_model_free(model);
    cnn_tensor *const tensors[] = {x, y, wanted, w, b, (cnn_tensor *)dy};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
}
END_TEST

/* One input more than once, too: gradients are each input's own. */
START_TEST(add_any_inputs)
{
    cnn_layer *layer;
    cnn_tensor *a = TENSOR(context, CNN_FLOAT32, 2, 3, 7, 5), *b = tensor_like(context, a);
    cnn_tensor *inputs[] = {a, b, a};
    cnn_tensor *y = tensor_like(context, a), *dy = tensor_like(context, a);
    cnn_tensor *dx[] = {tensor_like(context, a), NULL, tensor_like(context, a)};
    fill_tensor(a, 1);
    fill_tensor(b, 2);
    fill_tensor(dy, 3);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_layer_forward(layer, y, inputs, 3, 1));
    for (int64_t i = 0; i < cnn_tensor_count(y); i++)
        ck_assert_float_eq(floats(y)[i], (floats(a)[i] + floats(b)[i]) + floats(a)[i]);
    EXPECT_OK(cnn_layer_backward(layer, dx, 3, dy));
    expect_tensor_equal("the first gradient", dx[0], dy);
    expect_tensor_equal("the third gradient", dx[2], dy);
    cnn_tensor *const tensors[] = {a, b, y, dy, dx[0], dx[2]};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(layer);
}
END_TEST

/* ---- What holds for all -------------------------------------------------------------------- */

/* Backward adds to the parameters' gradients, and overwrites the input's; clearing sets zeros.  No
 * gradient by the input need be wanted. */
START_TEST(gradients_add_up)
{
    struct run run = {.name = "conv2d_3x3", .layer = conv2d("conv2d_3x3")};
    cnn_tensor *dy = torch_tensor_nhwc(context, run.name, "dy"), *nothing = NULL;
    cnn_tensor *dw = torch_tensor(context, run.name, "dw"), *got = tensor_like(context, dw);
    begin(&run);
    set_parameter(&run, CNN_WEIGHT, "w");
    set_parameter(&run, CNN_BIAS, "b");
    EXPECT_OK(cnn_layer_forward(run.layer, run.y, &run.x, 1, 1));
    EXPECT_OK(cnn_layer_backward(run.layer, &run.dx, 1, dy));
    EXPECT_OK(cnn_layer_backward(run.layer, &nothing, 1, dy));
    EXPECT_OK(cnn_layer_backward(run.layer, &run.dx, 1, dy));
    expect_array(&run, "dx", run.dx, tolerance);
    for (int64_t i = 0; i < cnn_tensor_count(dw); i++)
        floats(dw)[i] *= 3;
    EXPECT_OK(cnn_layer_get_gradient(run.layer, CNN_WEIGHT, got));
    expect_tensor_close("three times dw", got, dw, tolerance);
    EXPECT_OK(cnn_layer_clear_gradients(run.layer));
    EXPECT_OK(cnn_layer_backward(run.layer, &run.dx, 1, dy));
    expect_gradient(&run, CNN_WEIGHT, "dw", tolerance);
    expect_gradient(&run, CNN_BIAS, "db", tolerance);
    cnn_tensor_free(dy);
    cnn_tensor_free(dw);
    cnn_tensor_free(got);
    end(&run);
}
END_TEST

/* Weights that are set between two runs are used by the second, forward and backward. */
START_TEST(new_weights_are_used)
{
    struct run run = {.name = "conv2d_3x3", .layer = conv2d("conv2d_3x3")};
    cnn_tensor *dy = torch_tensor_nhwc(context, run.name, "dy");
    begin(&run);
    EXPECT_OK(cnn_layer_forward(run.layer, run.y, &run.x, 1, 1));
    EXPECT_OK(cnn_layer_backward(run.layer, &run.dx, 1, dy));
    set_parameter(&run, CNN_WEIGHT, "w");
    set_parameter(&run, CNN_BIAS, "b");
    run_case(&run, tolerance, tolerance);
    cnn_tensor_free(dy);
    end(&run);
}
END_TEST

/* A layer takes other batches and sizes later. */
START_TEST(other_shapes_come_later)
{
    static const int64_t sizes[4][3] = {{2, 7, 8}, {5, 7, 8}, {1, 7, 8}, {2, 4, 11}};
    struct run run = {.name = "conv2d_3x3", .layer = conv2d("conv2d_3x3")};
    cnn_tensor *w;
    begin(&run);
    w = torch_tensor(context, run.name, "w");
    for (int32_t i = 0; i < 4; i++) {
        cnn_tensor *x = TENSOR(context, CNN_FLOAT32, sizes[i][0], sizes[i][1], sizes[i][2], 3);
        cnn_tensor *y =
            TENSOR(context, CNN_FLOAT32, sizes[i][0], sizes[i][1] - 2, sizes[i][2] - 2, 6);
        EXPECT_OK(cnn_layer_forward(run.layer, y, &x, 1, i % 2));
        cnn_tensor_free(x);
        cnn_tensor_free(y);
    }
    EXPECT_OK(cnn_layer_set_parameter(run.layer, CNN_WEIGHT, w));
    set_parameter(&run, CNN_BIAS, "b");
    run_case(&run, tolerance, tolerance);
    cnn_tensor_free(w);
    end(&run);
}
END_TEST

/* A test case with the context, of one test that runs for 0 .. count - 1. */
static void add_case(Suite *suite, const char *name, const TTest *test, int count)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test, 0, count);
    suite_add_tcase(suite, tcase);
}

static Suite *layers_suite(void)
{
    Suite *suite = suite_create("layers");
    add_case(suite, "conv2d", convolutions, CONV2D_CASES);
    add_case(suite, "conv2d_transposed", transposed_convolutions, TRANSPOSED_CASES);
    add_case(suite, "maxpool2d", pooling, MAXPOOL2D_CASES);
    add_case(suite, "dense", dense_layers, DENSE_CASES);
    add_case(suite, "relu", relu_layers, 1);
    add_case(suite, "activations", activations, ACTIVATION_CASES);
    add_case(suite, "softmax", softmax_layers, 1);
    add_case(suite, "flatten", flatten_keeps_the_order, 1);
    add_case(suite, "flatten", dense_columns_are_pytorchs, 1);
    add_case(suite, "add", add_any_inputs, 1);
    add_case(suite, "all", gradients_add_up, 1);
    add_case(suite, "all", new_weights_are_used, 1);
    add_case(suite, "all", other_shapes_come_later, 1);
    return suite;
}

int main(void)
{
    return run_suite(layers_suite());
}
