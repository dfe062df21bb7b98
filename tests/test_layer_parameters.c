/* SPDX-License-Identifier: MIT
 * Layers and their parameters: shapes and initial values, setting and getting; and what
 * building, forward and backward refuse, which leaves the layer as it was.  What they compute is
 * in test_layers.c. */
#include <math.h>
#include <string.h>

#include "cnn/layer.h"
#include "cnn/model.h"
#include "support/expect.h"
#include "support/suite.h"
#include "support/tensors.h"

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

static cnn_layer *conv2d(int64_t filters, int64_t height, int64_t width)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, height, width));
    return layer;
}

static cnn_layer *dense(int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    return layer;
}

static cnn_layer *plain(cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    return layer;
}

/* ---- Parameters ---------------------------------------------------------------------------- */

START_TEST(parameters_have_pytorchs_shapes)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_layer *conv = conv2d(6, 3, 5), *units = dense(4), *relu = plain(cnn_relu_create);
    EXPECT_OK(cnn_conv2d_set_groups(conv, 2));
    ck_assert_int_eq(cnn_layer_parameter_count(conv), 0);
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){9, 9, 8}, 3));
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){7}, 1));
    EXPECT_OK(cnn_layer_build(relu, (int64_t[]){7}, 1));
    ck_assert_int_eq(cnn_layer_parameter_count(conv), 2);
    ck_assert_int_eq(cnn_layer_parameter_count(relu), 0);
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, conv, CNN_WEIGHT));
    ck_assert_int_eq(rank, 4);
    ck_assert_mem_eq(shape, ((int64_t[]){6, 4, 3, 5}), 4 * sizeof shape[0]);
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, conv, CNN_BIAS));
    ck_assert_int_eq(rank, 1);
    ck_assert_int_eq(shape[0], 6);
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, units, CNN_WEIGHT));
    ck_assert_int_eq(rank, 2);
    ck_assert_mem_eq(shape, ((int64_t[]){4, 7}), 2 * sizeof shape[0]);
    cnn_layer_free(conv);
    cnn_layer_free(units);
    cnn_layer_free(relu);
}
END_TEST

/* What is set is what is got, whatever the order in memory. */
START_TEST(parameters_come_back)
{
    cnn_layer *conv = conv2d(7, 3, 2);
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){9, 9, 5}, 3));
    cnn_tensor *set = TENSOR(context, CNN_FLOAT32, 7, 5, 3, 2), *got = tensor_like(context, set);
    fill_tensor(set, 1);
    EXPECT_OK(cnn_layer_set_parameter(conv, CNN_WEIGHT, set));
    EXPECT_OK(cnn_layer_get_parameter(conv, CNN_WEIGHT, got));
    ck_assert_mem_eq(floats(set), floats(got), cnn_tensor_bytes(set));
    cnn_tensor_free(set);
    cnn_tensor_free(got);
    cnn_layer_free(conv);
}
END_TEST

START_TEST(parameters_that_are_not_there_or_do_not_fit)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_layer *units = dense(4);
    cnn_tensor *right = TENSOR(context, CNN_FLOAT32, 4, 7),
               *turned = TENSOR(context, CNN_FLOAT32, 7, 4);
    cnn_tensor *whole = TENSOR(context, CNN_INT32, 4, 7);
    EXPECT_FAILS(cnn_layer_get_parameter(units, CNN_WEIGHT, right), CNN_ERROR_NOT_FOUND,
                 "cnn_layer_get_parameter", "dense");
    EXPECT_OK(cnn_dense_set_bias(units, 0));
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){7}, 1));
    EXPECT_FAILS(cnn_layer_parameter_shape(shape, &rank, units, CNN_BIAS), CNN_ERROR_NOT_FOUND,
                 "cnn_layer_parameter_shape", "no parameter 1");
    EXPECT_FAILS(cnn_layer_parameter_shape(shape, &rank, units, -1), CNN_ERROR_NOT_FOUND,
                 "cnn_layer_parameter_shape", "no parameter -1");
    EXPECT_FAILS(cnn_layer_parameter_shape(NULL, &rank, units, CNN_WEIGHT), CNN_ERROR_INVALID,
                 "cnn_layer_parameter_shape", "shape");
    EXPECT_FAILS(cnn_layer_parameter_shape(shape, NULL, units, CNN_WEIGHT), CNN_ERROR_INVALID,
                 "cnn_layer_parameter_shape", "rank");
    EXPECT_FAILS(cnn_layer_get_parameter(units, CNN_WEIGHT, turned), CNN_ERROR_SHAPE,
                 "cnn_layer_get_parameter", "[4][7]");
    EXPECT_FAILS(cnn_layer_set_parameter(units, CNN_WEIGHT, turned), CNN_ERROR_SHAPE,
                 "cnn_layer_set_parameter", "[7][4]");
    EXPECT_FAILS(cnn_layer_set_parameter(units, CNN_WEIGHT, whole), CNN_ERROR_SHAPE,
                 "cnn_layer_set_parameter", "int32");
    EXPECT_FAILS(cnn_layer_set_parameter(units, CNN_WEIGHT, NULL), CNN_ERROR_INVALID,
                 "cnn_layer_set_parameter", "values");
    EXPECT_FAILS(cnn_layer_get_gradient(units, CNN_WEIGHT, right), CNN_ERROR_STATE,
                 "cnn_layer_get_gradient", "no backward");
    EXPECT_FAILS(cnn_layer_get_gradient(units, CNN_BIAS, right), CNN_ERROR_NOT_FOUND,
                 "cnn_layer_get_gradient", "no parameter 1");
    cnn_tensor_free(right);
    cnn_tensor_free(turned);
    cnn_tensor_free(whole);
    cnn_layer_free(units);
}
END_TEST

/* Mean and variance of what was drawn, and how far it reaches. */
struct moments {
    double mean, variance, largest;
};

static struct moments moments_of(cnn_layer *layer)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    struct moments moments = {0, 0, 0};
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, CNN_WEIGHT));
    cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
    EXPECT_OK(cnn_layer_get_parameter(layer, CNN_WEIGHT, values));
    double count = (double)cnn_tensor_count(values);
    for (int64_t i = 0; i < cnn_tensor_count(values); i++) {
        double value = (double)floats(values)[i];
        moments.mean += value / count;
        moments.variance += value * value / count;
        moments.largest = fmax(moments.largest, fabs(value));
    }
    cnn_tensor_free(values);
    return moments;
}

/* Within five standard deviations: of the mean sqrt(v / n), of the variance at most v sqrt(2 /
 * n). */
static void expect_moments(cnn_layer *layer, double variance, double bound)
{
    struct moments found = moments_of(layer);
    const double n = 80 * 60 * 3 * 3;
    ck_assert_double_le(fabs(found.mean), 5 * sqrt(variance / n));
    ck_assert_double_le(fabs(found.variance - variance), 5 * variance * sqrt(2 / n));
    ck_assert_double_le(found.largest, bound);
    /* Evenly distributed numbers come close to their bound. */
    ck_assert_double_ge(found.largest, bound * 0.9 < 3 * sqrt(variance) ? bound * 0.99 : 0);
}

/* 60 channels, 80 filters, 3 x 3. */
START_TEST(weights_are_drawn_as_documented)
{
    const double in = 60 * 9, out = 80 * 9;
    const struct {
        cnn_initializer initializer;
        double variance, bound;
    } cases[] = {
        {CNN_HE_NORMAL, 2 / in, 6 * sqrt(2 / in)},
        {CNN_HE_UNIFORM, 2 / in, sqrt(6 / in)},
        {CNN_GLOROT_NORMAL, 2 / (in + out), 6 * sqrt(2 / (in + out))},
        {CNN_GLOROT_UNIFORM, 2 / (in + out), sqrt(6 / (in + out))},
        {CNN_ZEROS, 0, 0},
    };
    cnn_tensor *bias = TENSOR(context, CNN_FLOAT32, 80);
    cnn_layer *layer = conv2d(80, 3, 3);
    EXPECT_OK(cnn_layer_set_initializer(layer, cases[_i].initializer));
    EXPECT_OK(cnn_layer_build(layer, (int64_t[]){5, 5, 60}, 3));
    expect_moments(layer, cases[_i].variance, cases[_i].bound);
    EXPECT_OK(cnn_layer_get_parameter(layer, CNN_BIAS, bias));
    for (int32_t i = 0; i < 80; i++)
        ck_assert_float_eq(floats(bias)[i], 0);
    cnn_tensor_free(bias);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(the_defaults_are_he_and_glorot)
{
    cnn_layer *conv = conv2d(80, 3, 3), *units = dense(80);
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){5, 5, 60}, 3));
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){60 * 9}, 1));
    expect_moments(conv, 2 / (60 * 9.0), 6 * sqrt(2 / (60 * 9.0)));
    expect_moments(units, 2 / (60 * 9.0 + 80), sqrt(6 / (60 * 9.0 + 80)));
    cnn_layer_free(conv);
    cnn_layer_free(units);
}
END_TEST

/* ---- Building ------------------------------------------------------------------------------ */

START_TEST(a_built_layer_takes_what_its_weights_fit)
{
    cnn_layer *conv = conv2d(4, 3, 3), *units = dense(3);
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){5, 5, 2}, 3));
    EXPECT_OK(cnn_layer_build(conv, (int64_t[]){9, 4, 2}, 3));
    EXPECT_FAILS(cnn_layer_build(conv, (int64_t[]){5, 5, 3}, 3), CNN_ERROR_SHAPE, "cnn_layer_build",
                 "[4][3][3][3]");
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){5}, 1));
    EXPECT_FAILS(cnn_layer_build(units, (int64_t[]){6}, 1), CNN_ERROR_SHAPE, "cnn_layer_build",
                 "[3][5]");
    EXPECT_FAILS(cnn_layer_build(units, NULL, 1), CNN_ERROR_INVALID, "cnn_layer_build", "shape");
    cnn_layer_free(conv);
    cnn_layer_free(units);
}
END_TEST

/* Weights and gradients are the same to their user wherever the columns lie in memory. */
START_TEST(joining_a_model_keeps_parameters)
{
    cnn_layer *flatten, *units = dense(3);
    cnn_model *model = NULL;
    cnn_tensor *set = TENSOR(context, CNN_FLOAT32, 3, 12),
               *got = TENSOR(context, CNN_FLOAT32, 3, 12);
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 1, 12), *y = TENSOR(context, CNN_FLOAT32, 1, 3);
    cnn_tensor *gradient = TENSOR(context, CNN_FLOAT32, 3, 12);
    fill_tensor(set, 1);
    fill_tensor(x, 2);
    EXPECT_OK(cnn_flatten_create(&flatten, context));
    EXPECT_OK(cnn_layer_build(units, (int64_t[]){12}, 1));
    EXPECT_OK(cnn_layer_set_parameter(units, CNN_WEIGHT, set));
    EXPECT_OK(cnn_layer_forward(units, y, &x, 1, 1));
    EXPECT_OK(cnn_layer_backward(units, &(cnn_tensor *){NULL}, 1, y));
    EXPECT_OK(cnn_layer_get_gradient(units, CNN_WEIGHT, gradient));

    EXPECT_OK(cnn_model_create(&model, context, (int64_t[]){2, 2, 3}, 3));
    EXPECT_OK(cnn_model_add(model, flatten));
    EXPECT_OK(cnn_model_add(model, units));
    EXPECT_OK(cnn_layer_get_parameter(units, CNN_WEIGHT, got));
    expect_tensor_equal("weights", got, set);
    EXPECT_OK(cnn_layer_get_gradient(units, CNN_WEIGHT, got));
    expect_tensor_equal("gradient", got, gradient);

    cnn_tensor *again = TENSOR(context, CNN_FLOAT32, 1, 3);
    cnn_model_free(model);
    EXPECT_OK(cnn_layer_forward(units, again, &x, 1, 0));
    expect_tensor_equal("outputs", again, y);
    cnn_tensor *const tensors[] = {set, got, x, y, gradient, again};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(flatten);
    cnn_layer_free(units);
}
END_TEST

/* ---- Running ------------------------------------------------------------------------------- */

/* A convolution 3x3 of [5][5][2] with 4 filters, and its tensors for two samples. */
struct run {
    cnn_layer *layer;
    cnn_tensor *x, *y, *dx, *dy, *few, *other, *whole;
};

static struct run run;

static void set_up_run(void)
{
    set_up();
    run.layer = conv2d(4, 3, 3);
    run.x = TENSOR(context, CNN_FLOAT32, 2, 5, 5, 2);
    run.dx = TENSOR(context, CNN_FLOAT32, 2, 5, 5, 2);
    run.y = TENSOR(context, CNN_FLOAT32, 2, 3, 3, 4);
    run.dy = TENSOR(context, CNN_FLOAT32, 2, 3, 3, 4);
    run.few = TENSOR(context, CNN_FLOAT32, 1, 3, 3, 4);
    run.other = TENSOR(context, CNN_FLOAT32, 2, 5, 5, 3);
    run.whole = TENSOR(context, CNN_INT32, 2, 5, 5, 2);
}

static void tear_down_run(void)
{
    cnn_tensor *const tensors[] = {run.x, run.y, run.dx, run.dy, run.few, run.other, run.whole};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(run.layer);
    tear_down();
}

static cnn_status forward(cnn_tensor *y, cnn_tensor *x)
{
    return cnn_layer_forward(run.layer, y, &x, 1, 1);
}

static cnn_status backward(cnn_tensor *dx, cnn_tensor *dy)
{
    return cnn_layer_backward(run.layer, &dx, 1, dy);
}

#define EXPECT_NO_FORWARD(call, status, word) EXPECT_FAILS(call, status, "cnn_layer_forward", word)
#define EXPECT_NO_BACKWARD(call, status, word)                                                     \
    EXPECT_FAILS(call, status, "cnn_layer_backward", word)

START_TEST(forward_refuses_what_does_not_fit)
{
    cnn_tensor *vector = TENSOR(context, CNN_FLOAT32, 5), *two[] = {run.x, run.x};
    EXPECT_NO_FORWARD(forward(run.y, NULL), CNN_ERROR_INVALID, "inputs[0]");
    EXPECT_NO_FORWARD(forward(NULL, run.x), CNN_ERROR_INVALID, "output");
    EXPECT_NO_FORWARD(cnn_layer_forward(run.layer, run.y, NULL, 1, 0), CNN_ERROR_INVALID, "inputs");
    EXPECT_NO_FORWARD(cnn_layer_forward(run.layer, run.y, two, 2, 0), CNN_ERROR_INVALID,
                      "input_count");
    EXPECT_NO_FORWARD(cnn_layer_forward(run.layer, run.y, two, 0, 0), CNN_ERROR_INVALID,
                      "input_count");
    EXPECT_NO_FORWARD(forward(run.y, vector), CNN_ERROR_SHAPE, "rank 1");
    EXPECT_NO_FORWARD(forward(run.y, run.whole), CNN_ERROR_SHAPE, "int32");
    EXPECT_NO_FORWARD(forward(run.few, run.x), CNN_ERROR_SHAPE, "1 samples");
    EXPECT_NO_FORWARD(forward(run.x, run.x), CNN_ERROR_SHAPE, "output");
    cnn_tensor *over;
    EXPECT_OK(cnn_tensor_wrap(&over, context, CNN_FLOAT32, (int64_t[]){2, 3, 3, 4}, 4,
                              floats(run.x) + 99, NULL, NULL)); /* the last float and more */
    EXPECT_NO_FORWARD(forward(over, run.x), CNN_ERROR_INVALID, "share the same memory");
    cnn_tensor_free(over);
    ck_assert_int_eq(cnn_layer_parameter_count(run.layer), 0); /* none of these has built it */
    EXPECT_OK(forward(run.y, run.x));
    EXPECT_NO_FORWARD(forward(run.y, run.other), CNN_ERROR_SHAPE, "[4][3][3][3]");
    EXPECT_OK(backward(run.dx, run.dy)); /* of the forward that was right */
    cnn_tensor_free(vector);
}
END_TEST

START_TEST(backward_refuses_what_does_not_fit)
{
    cnn_tensor *two[] = {run.dx, run.dx};
    EXPECT_NO_BACKWARD(backward(run.dx, run.dy), CNN_ERROR_STATE, "no forward");
    EXPECT_OK(cnn_layer_forward(run.layer, run.y, &run.x, 1, 0));
    EXPECT_NO_BACKWARD(backward(run.dx, run.dy), CNN_ERROR_STATE, "training 1");
    EXPECT_OK(forward(run.y, run.x));
    EXPECT_NO_BACKWARD(cnn_layer_backward(run.layer, NULL, 1, run.dy), CNN_ERROR_INVALID,
                       "input_gradients");
    EXPECT_NO_BACKWARD(cnn_layer_backward(run.layer, two, 2, run.dy), CNN_ERROR_INVALID,
                       "input_count");
    EXPECT_NO_BACKWARD(backward(run.dx, NULL), CNN_ERROR_INVALID, "output_gradient");
    EXPECT_NO_BACKWARD(backward(run.dx, run.few), CNN_ERROR_SHAPE, "1 samples");
    EXPECT_NO_BACKWARD(backward(run.dx, run.x), CNN_ERROR_SHAPE, "output_gradient");
    EXPECT_NO_BACKWARD(backward(run.other, run.dy), CNN_ERROR_SHAPE, "input gradient");
    EXPECT_NO_BACKWARD(backward(run.x, run.dy), CNN_ERROR_INVALID,
                       "an input gradient and an input share the same memory");
    EXPECT_OK(backward(run.dx, run.dy));
}
END_TEST

START_TEST(gradients_have_memory_of_their_own)
{
    cnn_layer *layer;
    cnn_tensor *a = TENSOR(context, CNN_FLOAT32, 1, 4), *b = TENSOR(context, CNN_FLOAT32, 1, 4);
    cnn_tensor *y = TENSOR(context, CNN_FLOAT32, 1, 4), *dy = TENSOR(context, CNN_FLOAT32, 1, 4);
    cnn_tensor *da = TENSOR(context, CNN_FLOAT32, 1, 4), *db = TENSOR(context, CNN_FLOAT32, 1, 4);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_layer_forward(layer, y, (cnn_tensor *[]){a, b}, 2, 1));
    cnn_tensor *const bad[][2] = {{da, da}, {dy, db}, {y, db}, {b, db}, {NULL, a}};
    for (int32_t i = 0; i < 5; i++)
        EXPECT_FAILS(cnn_layer_backward(layer, bad[i], 2, dy), CNN_ERROR_INVALID,
                     "cnn_layer_backward", "share the same memory");
    EXPECT_OK(cnn_layer_backward(layer, (cnn_tensor *[]){da, db}, 2, dy));
    cnn_tensor *const tensors[] = {a, b, y, dy, da, db};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(adding_takes_inputs_of_one_shape)
{
    cnn_layer *add = plain(cnn_add_create);
    cnn_tensor *shorter = TENSOR(context, CNN_FLOAT32, 1, 5, 5, 2),
               *y = tensor_like(context, run.x);
    cnn_tensor *inputs[] = {run.x, run.other}, *batches[] = {run.x, shorter};
    EXPECT_NO_FORWARD(cnn_layer_forward(add, y, inputs, 1, 0), CNN_ERROR_INVALID, "input_count");
    EXPECT_NO_FORWARD(cnn_layer_forward(add, y, inputs, 65, 0), CNN_ERROR_INVALID, "input_count");
    EXPECT_NO_FORWARD(cnn_layer_forward(add, y, inputs, 2, 0), CNN_ERROR_SHAPE, "input");
    EXPECT_NO_FORWARD(cnn_layer_forward(add, y, batches, 2, 0), CNN_ERROR_SHAPE,
                      "1 samples, must have 2");
    cnn_tensor_free(shorter);
    cnn_tensor_free(y);
    cnn_layer_free(add);
}
END_TEST

START_TEST(a_models_layer_does_not_run_alone)
{
    cnn_model *model;
    EXPECT_OK(forward(run.y, run.x));
    EXPECT_OK(cnn_model_create(&model, context, (int64_t[]){5, 5, 2}, 3));
    EXPECT_OK(cnn_model_add(model, run.layer));
    EXPECT_NO_FORWARD(forward(run.y, run.x), CNN_ERROR_STATE, "belongs to a model");
    EXPECT_NO_BACKWARD(backward(run.dx, run.dy), CNN_ERROR_STATE, "belongs to a model");
    EXPECT_FAILS(cnn_layer_build(run.layer, (int64_t[]){5, 5, 2}, 3), CNN_ERROR_STATE,
                 "cnn_layer_build", "in a model");
    EXPECT_FAILS(cnn_layer_set_name(run.layer, "a"), CNN_ERROR_STATE, "cnn_layer_set_name",
                 "in a model");
    cnn_model_free(model);
}
END_TEST

/* The tensors of a training forward are shared: they may be freed before backward. */
START_TEST(a_forward_shares_its_tensors)
{
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 2, 5, 5, 2),
               *y = TENSOR(context, CNN_FLOAT32, 2, 3, 3, 4);
    EXPECT_OK(forward(y, x));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    EXPECT_OK(backward(run.dx, run.dy));
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*before)(void), void (*after)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, before, after);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *layer_parameters_suite(void)
{
    Suite *suite = suite_create("layer_parameters");
    TCase *tcase = add_case(suite, "parameters", set_up, tear_down);
    tcase_add_test(tcase, parameters_have_pytorchs_shapes);
    tcase_add_test(tcase, parameters_come_back);
    tcase_add_test(tcase, parameters_that_are_not_there_or_do_not_fit);
    tcase_add_loop_test(tcase, weights_are_drawn_as_documented, 0, 5);
    tcase_add_test(tcase, the_defaults_are_he_and_glorot);
    tcase_add_test(tcase, a_built_layer_takes_what_its_weights_fit);
    tcase_add_test(tcase, joining_a_model_keeps_parameters);
    tcase = add_case(suite, "running", set_up_run, tear_down_run);
    tcase_add_test(tcase, forward_refuses_what_does_not_fit);
    tcase_add_test(tcase, backward_refuses_what_does_not_fit);
    tcase_add_test(tcase, gradients_have_memory_of_their_own);
    tcase_add_test(tcase, adding_takes_inputs_of_one_shape);
    tcase_add_test(tcase, a_models_layer_does_not_run_alone);
    tcase_add_test(tcase, a_forward_shares_its_tensors);
    return suite;
}

int main(void)
{
    return run_suite(layer_parameters_suite());
}
