/* SPDX-License-Identifier: MIT
 * Outputs and gradients of every layer with parameters against the tests' own double-precision
 * reference and its central differences.  Shapes here are those that PyTorch's small fixtures
 * (test_layers.c) leave out: many channels, several tiles, several strips.  Layers that pick and
 * mix pixels are in test_gradients_pixels.c, those that go element by element in
 * test_gradients_elements.c, a whole network is in test_network_gradients.c. */
#include <math.h>

#include "cnn/layer.h"
#include "support/expect.h"
#include "support/layer_gradients.h"
#include "support/reference.h"
#include "support/reference_transposed.h"
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

/* ---- Convolution and dense ----------------------------------------------------------------- */

static void forward_conv2d(struct subject *subject)
{
    reference_conv2d(subject->y, subject->options, subject->x[0], subject->w, subject->b);
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
    const struct reference_window *window = &conv2d_cases[_i];
    struct subject subject = {.forward = forward_conv2d, .options = window, .context = context};
    EXPECT_OK(cnn_conv2d_create(&layer, context, window->k, window->r, window->s));
    EXPECT_OK(cnn_conv2d_set_stride(layer, window->stride_h, window->stride_w));
    EXPECT_OK(cnn_conv2d_set_padding_sides(layer, window->pad_top, window->pad_left,
                                           window->pad_bottom, window->pad_right));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, window->dilation_h, window->dilation_w));
    EXPECT_OK(cnn_conv2d_set_groups(layer, window->groups));
    EXPECT_OK(cnn_conv2d_set_bias(layer, _i % 4 != 3));
    subject_add_picture(&subject, window);
    expect_layer_gradients(&subject, layer);
}
END_TEST

static void forward_transposed(struct subject *subject)
{
    reference_transposed(subject->y, subject->options, subject->x[0], subject->w, subject->b);
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
    const struct reference_transposed *of = &transposed_cases[_i];
    struct subject subject = {.forward = forward_transposed, .options = of, .context = context};
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, of->k, of->r, of->s));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, of->stride_h, of->stride_w));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, of->pad_h, of->pad_w));
    EXPECT_OK(cnn_conv2d_transposed_set_output_padding(layer, of->more_h, of->more_w));
    EXPECT_OK(cnn_conv2d_transposed_set_dilation(layer, of->dilation_h, of->dilation_w));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, of->groups));
    EXPECT_OK(cnn_conv2d_transposed_set_bias(layer, _i % 4 != 3));
    ADD_INPUT(&subject, of->n, of->h, of->w, of->c);
    expect_layer_gradients(&subject, layer);
}
END_TEST

struct dense_case {
    int64_t n, features, units;
};

static void forward_dense(struct subject *subject)
{
    const struct dense_case *of = subject->options;
    reference_dense(subject->y, of->n, of->units, of->features, subject->x[0], subject->w,
                    subject->b);
}

static const struct dense_case dense_cases[] = {
    {1, 1, 1}, {1, 130, 40}, {7, 33, 17}, {13, 16, 16}, {9, 100, 2},
};
enum { DENSE_CASES = sizeof dense_cases / sizeof dense_cases[0] };

START_TEST(dense_layers)
{
    cnn_layer *layer;
    const struct dense_case *of = &dense_cases[_i];
    struct subject subject = {.forward = forward_dense, .options = of, .context = context};
    EXPECT_OK(cnn_dense_create(&layer, context, of->units));
    EXPECT_OK(cnn_dense_set_bias(layer, _i != 3));
    ADD_INPUT(&subject, of->n, of->features);
    expect_layer_gradients(&subject, layer);
}
END_TEST

/* ---- Batch normalisation ------------------------------------------------------------------- */

enum { MOST_CHANNELS = 70 };

/* Frozen, it goes by the statistics that a new layer has: 0 and 1. */
struct batch_norm_case {
    int64_t n, h, w, c;
    double epsilon;
    bool frozen;
};

static void forward_batch_norm(struct subject *subject)
{
    const struct batch_norm_case *of = subject->options;
    const int64_t pixels = of->n * of->h * of->w;
    double mean[MOST_CHANNELS] = {0}, variance[MOST_CHANNELS];
    for (int64_t c = 0; c < of->c; c++)
        variance[c] = 1;
    if (!of->frozen)
        reference_moments(mean, variance, pixels, of->c, subject->x[0]);
    reference_batch_norm(subject->y, pixels, of->c, subject->x[0], mean, variance, of->epsilon,
                         subject->w, subject->b);
}

/* One block of pixels and several, fewer channels than any vector has and more. */
static const struct batch_norm_case batch_norm_cases[] = {
    {2, 5, 4, 3, 1e-5, false}, {3, 9, 10, 21, 1e-5, false}, {2, 4, 3, 70, 0.1, false},
    {9, 1, 1, 5, 1e-3, false}, {2, 9, 8, 21, 0.1, true},
};
enum { BATCH_NORM_CASES = sizeof batch_norm_cases / sizeof batch_norm_cases[0] };

START_TEST(batch_normalisation)
{
    cnn_layer *layer;
    const struct batch_norm_case *of = &batch_norm_cases[_i];
    struct subject subject = {.forward = forward_batch_norm, .options = of, .context = context};
    EXPECT_OK(cnn_batch_norm_create(&layer, context));
    EXPECT_OK(cnn_batch_norm_set_epsilon(layer, of->epsilon));
    EXPECT_OK(cnn_layer_set_trained(layer, !of->frozen));
    ADD_INPUT(&subject, of->n, of->h, of->w, of->c);
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

static Suite *gradients_suite(void)
{
    Suite *suite = suite_create("gradients");
    add_case(suite, "conv2d", convolutions, CONV2D_CASES);
    add_case(suite, "conv2d_transposed", transposed_convolutions, TRANSPOSED_CASES);
    add_case(suite, "dense", dense_layers, DENSE_CASES);
    add_case(suite, "batch_norm", batch_normalisation, BATCH_NORM_CASES);
    return suite;
}

int main(void)
{
    return run_suite(gradients_suite());
}
