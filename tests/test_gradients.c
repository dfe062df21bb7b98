/* SPDX-License-Identifier: MIT
 * Outputs and gradients of every layer and parameter against the tests' own double-precision
 * reference and its central differences.  Shapes here are those that PyTorch's small fixtures
 * (test_layers.c) leave out: many channels, several tiles, several strips.  A whole network is in
 * test_network_gradients.c. */
#include <math.h>
#include <stdlib.h>

#include "cnn/layer.h"
#include "support/expect.h"
#include "support/gradcheck.h"
#include "support/reference.h"
#include "support/reference_activation.h"
#include "support/reference_transposed.h"
#include "support/suite.h"
#include "support/tensors.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- One layer ----------------------------------------------------------------------------- */

/* A layer, its arrays as doubles, and how to compute y from them. */
struct subject {
    void (*forward)(struct subject *subject);
    struct reference_window window;
    struct reference_transposed transposed;
    int64_t units, features;
    cnn_layer_kind kind; /* of an activation, and its parameter */
    double parameter;
    int64_t x_count, y_count;
    double *x, *other, *w, *b; /* `other`: the second input of an add; w, b: or NULL */
    double *y, *dy;
};

/* sum of y * dy: its gradients are those that backward computes for dy. */
static double objective(void *user)
{
    struct subject *subject = user;
    double sum = 0;
    subject->forward(subject);
    for (int64_t i = 0; i < subject->y_count; i++)
        sum += subject->y[i] * subject->dy[i];
    return sum;
}

/* Room for a parameter. */
static cnn_tensor *parameter_like(const cnn_layer *layer, cnn_parameter parameter)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, parameter));
    return tensor_new(context, CNN_FLOAT32, shape, rank);
}

/* Sets a parameter to numbers, and returns them. */
static double *read_parameter(cnn_layer *layer, cnn_parameter parameter, uint64_t seed)
{
    cnn_tensor *values = parameter_like(layer, parameter);
    fill_tensor(values, seed);
    EXPECT_OK(cnn_layer_set_parameter(layer, parameter, values));
    double *doubles = doubles_of(floats(values), cnn_tensor_count(values));
    cnn_tensor_free(values);
    return doubles;
}

static void compare_parameter(struct subject *subject, cnn_layer *layer, cnn_parameter parameter,
                              double *values)
{
    cnn_tensor *gradient = parameter_like(layer, parameter);
    EXPECT_OK(cnn_layer_get_gradient(layer, parameter, gradient));
    expect_gradient_of(parameter == CNN_WEIGHT ? "weight" : "bias", objective, subject, values,
                       floats(gradient), cnn_tensor_count(gradient));
    cnn_tensor_free(gradient);
}

/* The library's side: the same numbers as tensors. */
struct tensors {
    cnn_tensor *x[2], *dx[2]; /* the second for an add */
    cnn_tensor *y, *dy;
};

/* Makes all arrays for inputs of `x_shape`, [n] and the layer's input, which have no ties and
 * stay away from 0; and reads the parameters. */
static void begin(struct subject *subject, struct tensors *tensors, cnn_layer *layer,
                  const int64_t *x_shape, int32_t rank)
{
    int64_t y_shape[CNN_MAX_RANK] = {x_shape[0]};
    int32_t y_rank;
    EXPECT_OK(cnn_layer_output_shape(y_shape + 1, &y_rank, layer, x_shape + 1, rank - 1));
    EXPECT_OK(cnn_layer_build(layer, x_shape + 1, rank - 1));
    for (int32_t i = 0; i < 2; i++) {
        tensors->x[i] = tensor_new(context, CNN_FLOAT32, x_shape, rank);
        tensors->dx[i] = tensor_like(context, tensors->x[i]);
    }
    tensors->y = tensor_new(context, CNN_FLOAT32, y_shape, y_rank + 1);
    tensors->dy = tensor_like(context, tensors->y);
    fill_apart(floats(tensors->x[0]), cnn_tensor_count(tensors->x[0]), 1);
    fill_tensor(tensors->x[1], 2);
    fill_tensor(tensors->dy, 3);
    subject->x_count = cnn_tensor_count(tensors->x[0]);
    subject->y_count = cnn_tensor_count(tensors->y);
    subject->x = doubles_of(floats(tensors->x[0]), subject->x_count);
    subject->other = doubles_of(floats(tensors->x[1]), subject->x_count);
    subject->y = doubles_of(floats(tensors->y), subject->y_count);
    subject->dy = doubles_of(floats(tensors->dy), subject->y_count);
    if (cnn_layer_parameter_count(layer) > 0)
        subject->w = read_parameter(layer, CNN_WEIGHT, 4);
    if (cnn_layer_parameter_count(layer) > 1)
        subject->b = read_parameter(layer, CNN_BIAS, 5);
}

static void end(struct subject *subject, struct tensors *tensors)
{
    for (int32_t i = 0; i < 2; i++) {
        cnn_tensor_free(tensors->x[i]);
        cnn_tensor_free(tensors->dx[i]);
    }
    cnn_tensor_free(tensors->y);
    cnn_tensor_free(tensors->dy);
    free(subject->x);
    free(subject->other);
    free(subject->y);
    free(subject->dy);
    free(subject->w);
    free(subject->b);
}

/* Runs the library's layer and the reference, compares all that they give, and frees the layer. */
static void compare_layer(struct subject *subject, cnn_layer *layer, const int64_t *x_shape,
                          int32_t rank)
{
    struct tensors tensors;
    int32_t inputs = cnn_layer_get_kind(layer) == CNN_ADD ? 2 : 1;
    begin(subject, &tensors, layer, x_shape, rank);
    EXPECT_OK(cnn_layer_forward(layer, tensors.y, tensors.x, inputs, 1));
    EXPECT_OK(cnn_layer_backward(layer, tensors.dx, inputs, tensors.dy));
    subject->forward(subject);
    expect_close("y", floats(tensors.y), subject->y, subject->y_count, 5e-6);
    expect_gradient_of("x", objective, subject, subject->x, floats(tensors.dx[0]),
                       subject->x_count);
    if (inputs == 2)
        expect_gradient_of("other", objective, subject, subject->other, floats(tensors.dx[1]),
                           subject->x_count);
    if (subject->w != NULL)
        compare_parameter(subject, layer, CNN_WEIGHT, subject->w);
    if (subject->b != NULL)
        compare_parameter(subject, layer, CNN_BIAS, subject->b);
    end(subject, &tensors);
    cnn_layer_free(layer);
}

/* ---- Convolution and dense ----------------------------------------------------------------- */

static void forward_conv2d(struct subject *subject)
{
    reference_conv2d(subject->y, &subject->window, subject->x, subject->w, subject->b);
}

/* n h w c, k r s, stride, padding top left bottom right, dilation, groups. */
static const struct reference_window conv2d_cases[] = {
    {3, 8, 7, 3, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {2, 6, 7, 20, 17, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {1, 8, 9, 3, 33, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {3, 5, 4, 16, 16, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {2, 9, 8, 4, 16, 5, 5, 1, 1, 2, 2, 2, 2, 1, 1, 1},
    {2, 15, 14, 3, 20, 7, 7, 2, 2, 3, 3, 3, 3, 1, 1, 1},
    {2, 10, 9, 5, 18, 3, 2, 2, 3, 2, 0, 1, 1, 1, 1, 1},
    {2, 11, 12, 4, 9, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 1},
    {1, 13, 9, 3, 8, 3, 3, 2, 1, 0, 3, 3, 0, 3, 2, 1},
    {2, 6, 5, 12, 36, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {2, 6, 5, 16, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 4},
    {2, 6, 6, 19, 19, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 19},
    {2, 8, 7, 16, 16, 5, 5, 2, 2, 2, 2, 2, 2, 1, 1, 16},
    {1, 7, 7, 8, 8, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 8},
    {2, 5, 6, 7, 21, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 7},
    {2, 4, 5, 17, 18, 4, 5, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {2, 3, 2, 6, 10, 3, 3, 1, 1, 2, 2, 2, 2, 1, 1, 1},
    {1, 2, 2, 5, 8, 5, 5, 3, 3, 2, 2, 2, 2, 1, 1, 1},
    {1, 9, 9, 4, 6, 2, 2, 4, 4, 0, 0, 0, 0, 1, 1, 1},
};
enum { CONV2D_CASES = sizeof conv2d_cases / sizeof conv2d_cases[0] };

START_TEST(convolutions)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_conv2d, .window = conv2d_cases[_i]};
    const struct reference_window *window = &subject.window;
    EXPECT_OK(cnn_conv2d_create(&layer, context, window->k, window->r, window->s));
    EXPECT_OK(cnn_conv2d_set_stride(layer, window->stride_h, window->stride_w));
    EXPECT_OK(cnn_conv2d_set_padding_sides(layer, window->pad_top, window->pad_left,
                                           window->pad_bottom, window->pad_right));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, window->dilation_h, window->dilation_w));
    EXPECT_OK(cnn_conv2d_set_groups(layer, window->groups));
    EXPECT_OK(cnn_conv2d_set_bias(layer, _i % 4 != 3));
    compare_layer(&subject, layer, (const int64_t[]){window->n, window->h, window->w, window->c},
                  4);
}
END_TEST

static void forward_transposed(struct subject *subject)
{
    reference_transposed(subject->y, &subject->transposed, subject->x, subject->w, subject->b);
}

/* n h w c, k r s, stride, padding, output padding, dilation, groups. */
static const struct reference_transposed transposed_cases[] = {
    {2, 6, 7, 20, 17, 4, 4, 2, 2, 1, 1, 0, 0, 1, 1, 1},
    {1, 9, 8, 33, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1},
    {3, 5, 4, 34, 65, 3, 3, 1, 1, 1, 1, 0, 0, 1, 1, 1},
    {2, 12, 11, 16, 16, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {1, 14, 13, 8, 5, 2, 3, 3, 4, 0, 2, 2, 1, 1, 1, 1},
    {2, 6, 5, 12, 36, 3, 3, 2, 1, 1, 1, 0, 0, 1, 1, 2},
    {2, 6, 6, 19, 19, 4, 4, 2, 2, 1, 1, 0, 0, 1, 1, 19},
    {1, 5, 6, 8, 8, 3, 2, 3, 3, 0, 1, 2, 0, 2, 3, 8},
    {2, 4, 5, 16, 20, 3, 3, 1, 1, 2, 2, 0, 0, 2, 2, 4},
};
enum { TRANSPOSED_CASES = sizeof transposed_cases / sizeof transposed_cases[0] };

START_TEST(transposed_convolutions)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_transposed, .transposed = transposed_cases[_i]};
    const struct reference_transposed *of = &subject.transposed;
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, of->k, of->r, of->s));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, of->stride_h, of->stride_w));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, of->pad_h, of->pad_w));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, of->more_h, of->more_w));
    EXPECT_OK(cnn_conv2d_transposed_set_dilation(layer, of->dilation_h, of->dilation_w));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, of->groups));
    EXPECT_OK(cnn_conv2d_transposed_set_bias(layer, _i % 4 != 3));
    compare_layer(&subject, layer, (const int64_t[]){of->n, of->h, of->w, of->c}, 4);
}
END_TEST

static void forward_dense(struct subject *subject)
{
    reference_dense(subject->y, subject->x_count / subject->features, subject->units,
                    subject->features, subject->x, subject->w, subject->b);
}

/* n, features, units. */
static const int64_t dense_cases[][3] = {
    {1, 1, 1}, {1, 130, 40}, {7, 33, 17}, {13, 16, 16}, {9, 100, 2},
};
enum { DENSE_CASES = sizeof dense_cases / sizeof dense_cases[0] };

START_TEST(dense_layers)
{
    cnn_layer *layer;
    const int64_t *sizes = dense_cases[_i];
    struct subject subject = {.forward = forward_dense, .features = sizes[1], .units = sizes[2]};
    EXPECT_OK(cnn_dense_create(&layer, context, sizes[2]));
    EXPECT_OK(cnn_dense_set_bias(layer, _i != 3));
    compare_layer(&subject, layer, (const int64_t[]){sizes[0], sizes[1]}, 2);
}
END_TEST

/* ---- The others ---------------------------------------------------------------------------- */

static void forward_maxpool2d(struct subject *subject)
{
    reference_maxpool2d(subject->y, &subject->window, subject->x);
}

/* n h w c, k (unused) r s, stride, padding. */
static const struct reference_window maxpool2d_cases[] = {
    {2, 8, 6, 9, 0, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1},
    {1, 7, 6, 19, 0, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1},
    {2, 6, 7, 8, 0, 3, 2, 1, 1, 1, 0, 1, 0, 1, 1, 1},
    {2, 5, 5, 17, 0, 5, 5, 5, 5, 0, 0, 0, 0, 1, 1, 1},
    {1, 20, 18, 2, 0, 17, 16, 1, 2, 8, 8, 8, 8, 1, 1, 1},
};
enum { MAXPOOL2D_CASES = sizeof maxpool2d_cases / sizeof maxpool2d_cases[0] };

START_TEST(pooling)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_maxpool2d, .window = maxpool2d_cases[_i]};
    const struct reference_window *window = &subject.window;
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, window->r, window->s));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, window->stride_h, window->stride_w));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, window->pad_top, window->pad_left));
    compare_layer(&subject, layer, (const int64_t[]){window->n, window->h, window->w, window->c},
                  4);
}
END_TEST

static void forward_avgpool2d(struct subject *subject)
{
    reference_avgpool2d(subject->y, &subject->window, subject->units != 0, subject->x);
}

/* Windows over the padding count in every other case; the last two are whole pictures. */
static const struct reference_window avgpool2d_cases[] = {
    {3, 20, 18, 67, 0, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1},
    {1, 27, 26, 83, 0, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {2, 16, 17, 70, 0, 3, 5, 2, 1, 1, 2, 1, 2, 1, 1, 1},
    {2, 9, 9, 17, 0, 2, 3, 3, 4, 0, 1, 0, 1, 1, 1, 1},
    {2, 23, 17, 75, 0, 23, 17, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {1, 3, 3, 700, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1},
};
enum {
    AVGPOOL2D_CASES = sizeof avgpool2d_cases / sizeof avgpool2d_cases[0],
    WHOLE_PICTURES = AVGPOOL2D_CASES - 2
};

START_TEST(average_pooling)
{
    cnn_layer *layer;
    struct subject subject = {
        .forward = forward_avgpool2d, .window = avgpool2d_cases[_i], .units = _i % 2};
    const struct reference_window *window = &subject.window;
    if (_i >= WHOLE_PICTURES)
        EXPECT_OK(cnn_global_avgpool2d_create(&layer, context));
    else {
        EXPECT_OK(cnn_avgpool2d_create(&layer, context, window->r, window->s));
        EXPECT_OK(cnn_avgpool2d_set_stride(layer, window->stride_h, window->stride_w));
        EXPECT_OK(cnn_avgpool2d_set_padding(layer, window->pad_top, window->pad_left));
        EXPECT_OK(cnn_avgpool2d_set_count_padding(layer, _i % 2));
    }
    compare_layer(&subject, layer, (const int64_t[]){window->n, window->h, window->w, window->c},
                  4);
}
END_TEST

static void forward_relu(struct subject *subject)
{
    reference_relu(subject->y, subject->x_count, subject->x);
}

START_TEST(relu_layers)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_relu};
    EXPECT_OK(cnn_relu_create(&layer, context));
    compare_layer(&subject, layer, (const int64_t[]){3, 5, 7, 8}, 4);
}
END_TEST

static void forward_activation(struct subject *subject)
{
    for (int64_t i = 0; i < subject->x_count; i++)
        subject->y[i] = reference_activation(subject->kind, subject->parameter, subject->x[i]);
}

static cnn_status leaky_relu(cnn_layer **layer, cnn_context *of)
{
    return cnn_leaky_relu_create(layer, of, 0.3);
}

static cnn_status elu(cnn_layer **layer, cnn_context *of)
{
    return cnn_elu_create(layer, of, 0.7);
}

static const struct {
    cnn_status (*create)(cnn_layer **, cnn_context *);
    double parameter;
} activation_cases[] = {
    {leaky_relu, 0.3},
    {cnn_relu6_create, 0},
    {cnn_sigmoid_create, 0},
    {cnn_tanh_create, 0},
    {cnn_silu_create, 0},
    {cnn_hard_swish_create, 0},
    {cnn_hard_sigmoid_create, 0},
    {cnn_gelu_create, 0},
    {elu, 0.7},
};
enum { ACTIVATION_CASES = sizeof activation_cases / sizeof activation_cases[0] };

START_TEST(activations)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_activation,
                              .parameter = activation_cases[_i].parameter};
    EXPECT_OK(activation_cases[_i].create(&layer, context));
    subject.kind = cnn_layer_get_kind(layer);
    compare_layer(&subject, layer, (const int64_t[]){3, 5, 7, 8}, 4);
}
END_TEST

static void forward_softmax(struct subject *subject)
{
    reference_softmax(subject->y, subject->x_count / subject->features, subject->features,
                      subject->x);
}

static const int64_t softmax_columns[] = {1, 2, 3, 16, 37, 100};
enum { SOFTMAX_CASES = sizeof softmax_columns / sizeof softmax_columns[0] };

START_TEST(softmax_layers)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_softmax, .features = softmax_columns[_i]};
    EXPECT_OK(cnn_softmax_create(&layer, context));
    compare_layer(&subject, layer, (const int64_t[]){2, 3, softmax_columns[_i]}, 3);
}
END_TEST

static void forward_copy(struct subject *subject)
{
    reference_add(subject->y, subject->x_count, subject->x, (double[1000]){0});
}

START_TEST(flatten_and_idle_dropout)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_copy};
    EXPECT_OK(_i == 0 ? cnn_flatten_create(&layer, context)
                      : cnn_dropout_create(&layer, context, 0));
    compare_layer(&subject, layer, (const int64_t[]){2, 4, 5, 3}, 4);
}
END_TEST

static void forward_add(struct subject *subject)
{
    reference_add(subject->y, subject->x_count, subject->x, subject->other);
}

START_TEST(add_layers)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_add};
    EXPECT_OK(cnn_add_create(&layer, context));
    compare_layer(&subject, layer, (const int64_t[]){2, 4, 5, 9}, 4);
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

static Suite *gradients_suite(void)
{
    Suite *suite = suite_create("gradients");
    add_case(suite, "conv2d", convolutions, CONV2D_CASES);
    add_case(suite, "conv2d_transposed", transposed_convolutions, TRANSPOSED_CASES);
    add_case(suite, "dense", dense_layers, DENSE_CASES);
    add_case(suite, "maxpool2d", pooling, MAXPOOL2D_CASES);
    add_case(suite, "avgpool2d", average_pooling, AVGPOOL2D_CASES);
    add_case(suite, "relu", relu_layers, 1);
    add_case(suite, "activations", activations, ACTIVATION_CASES);
    add_case(suite, "softmax", softmax_layers, SOFTMAX_CASES);
    add_case(suite, "copies", flatten_and_idle_dropout, 2);
    add_case(suite, "add", add_layers, 1);
    return suite;
}

int main(void)
{
    return run_suite(gradients_suite());
}
