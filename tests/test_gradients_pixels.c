/* SPDX-License-Identifier: MIT
 * Outputs and gradients of layers that make pictures of another size without parameters, pooling,
 * up-sampling and padding, as test_gradients.c has those of layers with parameters. */
#include "cnn/layer.h"
#include "support/expect.h"
#include "support/layer_gradients.h"
#include "support/reference.h"
#include "support/reference_resample.h"
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

/* ---- Pooling ------------------------------------------------------------------------------- */

static void forward_maxpool2d(struct subject *subject)
{
    reference_maxpool2d(subject->y, subject->options, subject->x[0]);
}

/* n h w c, k (unused) r s, stride, padding.  The last three are whole pictures, so few
 * elements that expect_gradient_of() looks at all, their few winners included. */
static const struct reference_window maxpool2d_cases[] = {
    {2, 8, 6, 9, 0, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1},
    {1, 7, 6, 19, 0, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1},
    {2, 6, 7, 8, 0, 3, 2, 1, 1, 1, 0, 1, 0, 1, 1, 1},
    {2, 5, 5, 17, 0, 5, 5, 5, 5, 0, 0, 0, 0, 1, 1, 1},
    {1, 20, 18, 2, 0, 17, 16, 1, 2, 8, 8, 8, 8, 1, 1, 1},
    {2, 5, 3, 5, 0, 5, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {1, 2, 2, 37, 0, 2, 2, 1, 1, 0, 0, 0, 0, 1, 1, 1},
    {1, 37, 4, 1, 0, 37, 4, 1, 1, 0, 0, 0, 0, 1, 1, 1},
};
enum {
    MAXPOOL2D_CASES = sizeof maxpool2d_cases / sizeof maxpool2d_cases[0],
    WHOLE_MAXIMA = MAXPOOL2D_CASES - 3
};

START_TEST(max_pooling)
{
    cnn_layer *layer;
    const struct reference_window *window = &maxpool2d_cases[_i];
    struct subject subject = {.forward = forward_maxpool2d, .options = window, .context = context};
    if (_i >= WHOLE_MAXIMA)
        EXPECT_OK(cnn_global_maxpool2d_create(&layer, context));
    else {
        EXPECT_OK(cnn_maxpool2d_create(&layer, context, window->r, window->s));
        EXPECT_OK(cnn_maxpool2d_set_stride(layer, window->stride_h, window->stride_w));
        EXPECT_OK(cnn_maxpool2d_set_padding(layer, window->pad_top, window->pad_left));
    }
    subject_add_picture(&subject, window);
    expect_layer_gradients(&subject, layer);
}
END_TEST

struct avgpool2d_case {
    struct reference_window window;
    bool counts;
};

static void forward_avgpool2d(struct subject *subject)
{
    const struct avgpool2d_case *of = subject->options;
    reference_avgpool2d(subject->y, &of->window, of->counts, subject->x[0]);
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
    WHOLE_MEANS = AVGPOOL2D_CASES - 2
};

START_TEST(average_pooling)
{
    cnn_layer *layer;
    const struct avgpool2d_case of = {avgpool2d_cases[_i], _i % 2};
    const struct reference_window *window = &of.window;
    struct subject subject = {.forward = forward_avgpool2d, .options = &of, .context = context};
    if (_i >= WHOLE_MEANS)
        EXPECT_OK(cnn_global_avgpool2d_create(&layer, context));
    else {
        EXPECT_OK(cnn_avgpool2d_create(&layer, context, window->r, window->s));
        EXPECT_OK(cnn_avgpool2d_set_stride(layer, window->stride_h, window->stride_w));
        EXPECT_OK(cnn_avgpool2d_set_padding(layer, window->pad_top, window->pad_left));
        EXPECT_OK(cnn_avgpool2d_set_count_padding(layer, of.counts));
    }
    subject_add_picture(&subject, window);
    expect_layer_gradients(&subject, layer);
}
END_TEST

/* ---- Up-sampling and padding --------------------------------------------------------------- */

static void forward_upsample2d(struct subject *subject)
{
    reference_upsample2d(subject->y, subject->options, subject->x[0]);
}

/* n h w c, factors, interpolation. */
static const struct reference_upsample upsample2d_cases[] = {
    {2, 5, 4, 19, 2, 2, CNN_NEAREST},  {1, 9, 8, 70, 3, 1, CNN_NEAREST},
    {3, 3, 2, 5, 4, 7, CNN_NEAREST},   {2, 5, 4, 19, 2, 2, CNN_BILINEAR},
    {1, 9, 8, 70, 1, 3, CNN_BILINEAR}, {3, 3, 2, 5, 4, 7, CNN_BILINEAR},
    {2, 1, 6, 8, 5, 2, CNN_BILINEAR},
};
enum { UPSAMPLE2D_CASES = sizeof upsample2d_cases / sizeof upsample2d_cases[0] };

START_TEST(upsampling)
{
    cnn_layer *layer;
    const struct reference_upsample *of = &upsample2d_cases[_i];
    struct subject subject = {.forward = forward_upsample2d, .options = of, .context = context};
    EXPECT_OK(cnn_upsample2d_create(&layer, context, of->factor_h, of->factor_w));
    EXPECT_OK(cnn_upsample2d_set_interpolation(layer, of->interpolation));
    ADD_INPUT(&subject, of->n, of->h, of->w, of->c);
    expect_layer_gradients(&subject, layer);
}
END_TEST

static void forward_pad2d(struct subject *subject)
{
    reference_pad2d(subject->y, subject->options, subject->x[0]);
}

/* n h w c, top left bottom right, mode. */
static const struct reference_pad pad2d_cases[] = {
    {2, 6, 5, 19, 1, 2, 3, 0, CNN_PAD_ZEROS},     {1, 12, 11, 70, -2, 4, 3, -1, CNN_PAD_ZEROS},
    {2, 6, 5, 19, 5, 2, 3, 4, CNN_PAD_REFLECT},   {1, 12, 11, 70, 3, -2, -1, 5, CNN_PAD_REFLECT},
    {2, 6, 5, 19, 1, 2, 9, 7, CNN_PAD_REPLICATE}, {1, 12, 11, 70, 3, -2, -1, 5, CNN_PAD_REPLICATE},
    {2, 1, 1, 8, 2, 1, 1, 2, CNN_PAD_REPLICATE},
};
enum { PAD2D_CASES = sizeof pad2d_cases / sizeof pad2d_cases[0] };

START_TEST(padding)
{
    cnn_layer *layer;
    const struct reference_pad *of = &pad2d_cases[_i];
    struct subject subject = {.forward = forward_pad2d, .options = of, .context = context};
    EXPECT_OK(cnn_pad2d_create(&layer, context, of->top, of->left, of->bottom, of->right));
    EXPECT_OK(cnn_pad2d_set_mode(layer, of->mode));
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

static Suite *gradients_pixels_suite(void)
{
    Suite *suite = suite_create("gradients_pixels");
    add_case(suite, "maxpool2d", max_pooling, MAXPOOL2D_CASES);
    add_case(suite, "avgpool2d", average_pooling, AVGPOOL2D_CASES);
    add_case(suite, "upsample2d", upsampling, UPSAMPLE2D_CASES);
    add_case(suite, "pad2d", padding, PAD2D_CASES);
    return suite;
}

int main(void)
{
    return run_suite(gradients_pixels_suite());
}
