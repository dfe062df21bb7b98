/* SPDX-License-Identifier: MIT
 * Outputs and gradients of layers without parameters that go element by element or row by row,
 * activations and what joins several inputs, as test_gradients.c has those of layers with
 * parameters. */
#include "cnn/layer.h"
#include "support/expect.h"
#include "support/layer_gradients.h"
#include "support/reference.h"
#include "support/reference_activation.h"
#include "support/suite.h"

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

/* ---- One input ----------------------------------------------------------------------------- */

static void forward_relu(struct subject *subject)
{
    reference_relu(subject->y, subject->y_count, subject->x[0]);
}

START_TEST(relu_layers)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_relu, .context = context};
    EXPECT_OK(cnn_relu_create(&layer, context));
    ADD_INPUT(&subject, 3, 5, 7, 8);
    expect_layer_gradients(&subject, layer);
}
END_TEST

struct activation {
    cnn_layer_kind kind;
    double parameter;
};

static void forward_activation(struct subject *subject)
{
    const struct activation *of = subject->options;
    for (int64_t i = 0; i < subject->y_count; i++)
        subject->y[i] = reference_activation(of->kind, of->parameter, subject->x[0][i]);
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
    EXPECT_OK(activation_cases[_i].create(&layer, context));
    const struct activation of = {cnn_layer_get_kind(layer), activation_cases[_i].parameter};
    struct subject subject = {.forward = forward_activation, .options = &of, .context = context};
    ADD_INPUT(&subject, 3, 5, 7, 8);
    expect_layer_gradients(&subject, layer);
}
END_TEST

static void forward_softmax(struct subject *subject)
{
    const int64_t columns = *(const int64_t *)subject->options;
    reference_softmax(subject->y, subject->y_count / columns, columns, subject->x[0]);
}

static const int64_t softmax_columns[] = {1, 2, 3, 16, 37, 100};
enum { SOFTMAX_CASES = sizeof softmax_columns / sizeof softmax_columns[0] };

START_TEST(softmax_layers)
{
    cnn_layer *layer;
    struct subject subject = {
        .forward = forward_softmax, .options = &softmax_columns[_i], .context = context};
    EXPECT_OK(cnn_softmax_create(&layer, context));
    ADD_INPUT(&subject, 2, 3, softmax_columns[_i]);
    expect_layer_gradients(&subject, layer);
}
END_TEST

static void forward_copy(struct subject *subject)
{
    for (int64_t i = 0; i < subject->y_count; i++)
        subject->y[i] = subject->x[0][i];
}

START_TEST(flatten_and_idle_dropout)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_copy, .context = context};
    EXPECT_OK(_i == 0 ? cnn_flatten_create(&layer, context)
                      : cnn_dropout_create(&layer, context, 0));
    ADD_INPUT(&subject, 2, 4, 5, 3);
    expect_layer_gradients(&subject, layer);
}
END_TEST

/* ---- Several inputs ------------------------------------------------------------------------ */

static void forward_add(struct subject *subject)
{
    reference_add(subject->y, subject->y_count, subject->x[0], subject->x[1]);
    if (subject->inputs == 3)
        reference_add(subject->y, subject->y_count, subject->y, subject->x[2]);
}

START_TEST(add_layers)
{
    cnn_layer *layer;
    struct subject subject = {.forward = forward_add, .context = context};
    EXPECT_OK(cnn_add_create(&layer, context));
    for (int32_t i = 0; i < 2 + _i; i++)
        ADD_INPUT(&subject, 2, 4, 5, 9);
    expect_layer_gradients(&subject, layer);
}
END_TEST

/* The second of one shape with the first, or with a factor for each channel of a sample. */
static void forward_multiply(struct subject *subject)
{
    const struct reference_window *of = subject->options;
    const int64_t sample = of->h * of->w * of->c;
    const bool whole = subject->x_count[1] == subject->x_count[0];
    for (int64_t i = 0; i < subject->y_count; i++)
        subject->y[i] =
            subject->x[0][i] * subject->x[1][whole ? i : i / sample * of->c + i % of->c];
}

/* n h w c. */
static const struct reference_window multiply_cases[] = {
    {.n = 2, .h = 4, .w = 5, .c = 9},
    {.n = 3, .h = 13, .w = 11, .c = 70},
    {.n = 2, .h = 1, .w = 3, .c = 5},
};
enum { MULTIPLY_CASES = sizeof multiply_cases / sizeof multiply_cases[0] };

START_TEST(products)
{
    cnn_layer *layer;
    const struct reference_window *of = &multiply_cases[_i];
    struct subject subject = {.forward = forward_multiply, .options = of, .context = context};
    EXPECT_OK(cnn_multiply_create(&layer, context));
    subject_add_picture(&subject, of);
    subject_add_picture(&subject, of);
    expect_layer_gradients(&subject, layer);
}
END_TEST

START_TEST(products_by_channel)
{
    cnn_layer *layer;
    const struct reference_window *of = &multiply_cases[_i];
    struct subject subject = {.forward = forward_multiply, .options = of, .context = context};
    EXPECT_OK(cnn_multiply_create(&layer, context));
    subject_add_picture(&subject, of);
    ADD_INPUT(&subject, of->n, of->c);
    expect_layer_gradients(&subject, layer);
}
END_TEST

/* Channels of up to three inputs. */
static const int64_t concat_cases[][SUBJECT_INPUTS] = {{3, 5}, {20, 1, 33}, {16, 16, 16}};
enum { CONCAT_CASES = sizeof concat_cases / sizeof concat_cases[0] };

static void forward_concat(struct subject *subject)
{
    const int64_t *channels = subject->options;
    double *y = subject->y;
    for (int64_t pixel = 0; pixel < subject->x_count[0] / channels[0]; pixel++)
        for (int32_t i = 0; i < subject->inputs; i++)
            for (int64_t c = 0; c < channels[i]; c++)
                *y++ = subject->x[i][pixel * channels[i] + c];
}

START_TEST(concatenations)
{
    cnn_layer *layer;
    const int64_t *channels = concat_cases[_i];
    struct subject subject = {.forward = forward_concat, .options = channels, .context = context};
    EXPECT_OK(cnn_concat_create(&layer, context));
    for (int32_t i = 0; i < SUBJECT_INPUTS && channels[i] > 0; i++) {
        ADD_INPUT(&subject, 2, 6, 5, channels[i]);
        subject.channels += channels[i];
    }
    expect_layer_gradients(&subject, layer);
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

static Suite *gradients_elements_suite(void)
{
    Suite *suite = suite_create("gradients_elements");
    add_case(suite, "relu", relu_layers, 1);
    add_case(suite, "activations", activations, ACTIVATION_CASES);
    add_case(suite, "softmax", softmax_layers, SOFTMAX_CASES);
    add_case(suite, "copies", flatten_and_idle_dropout, 2);
    add_case(suite, "add", add_layers, 2);
    add_case(suite, "multiply", products, MULTIPLY_CASES);
    add_case(suite, "multiply_by_channel", products_by_channel, MULTIPLY_CASES);
    add_case(suite, "concat", concatenations, CONCAT_CASES);
    return suite;
}

int main(void)
{
    return run_suite(gradients_elements_suite());
}
