/* SPDX-License-Identifier: MIT
 * Channels multiplied by learned factors, which cnn/layer.h says a depthwise convolution does:
 * forward, both gradients, and a step of a model that has it. */
#include "cnn.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

/* More channels than a vector of any level has, and not a multiple of one. */
enum { N = 2, SIDE = 3, C = 21, PIXELS = N * SIDE * SIDE };

static cnn_context *context;
static cnn_tensor *factors; /* [C][1][1][1] */

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    factors = TENSOR(context, CNN_FLOAT32, C, 1, 1, 1);
    fill_tensor(factors, 1);
}

static void tear_down(void)
{
    cnn_tensor_free(factors);
    cnn_context_free(context);
}

static cnn_layer *channel_scale(void)
{
    cnn_layer *scale;
    EXPECT_OK(cnn_conv2d_create(&scale, context, C, 1, 1));
    EXPECT_OK(cnn_conv2d_set_groups(scale, C));
    EXPECT_OK(cnn_conv2d_set_bias(scale, 0));
    return scale;
}

/* wanted[p][c] = x[p][c] * factor[c], one product, so that nothing is rounded twice. */
static void scale_channels(cnn_tensor *wanted, cnn_tensor *x)
{
    for (int64_t p = 0; p < PIXELS; p++)
        for (int64_t c = 0; c < C; c++)
            floats(wanted)[p * C + c] = floats(x)[p * C + c] * floats(factors)[c];
}

static void sum_products(double sums[C], cnn_tensor *x, cnn_tensor *dy)
{
    for (int64_t c = 0; c < C; c++) {
        sums[c] = 0;
        for (int64_t p = 0; p < PIXELS; p++)
            sums[c] += (double)floats(x)[p * C + c] * (double)floats(dy)[p * C + c];
    }
}

START_TEST(a_depthwise_convolution_scales_channels)
{
    double sums[C];
    cnn_layer *scale = channel_scale();
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, N, SIDE, SIDE, C);
    cnn_tensor *y = tensor_like(context, x), *wanted = tensor_like(context, x);
    cnn_tensor *dx = tensor_like(context, x), *dy = tensor_like(context, x);
    cnn_tensor *gradient = tensor_like(context, factors);
    fill_tensor(x, 2);
    fill_tensor(dy, 3);
    EXPECT_OK(cnn_layer_build(scale, (const int64_t[]){SIDE, SIDE, C}, 3));
    ck_assert_int_eq(cnn_layer_parameter_count(scale), 1); /* no bias */
    EXPECT_OK(cnn_layer_set_parameter(scale, CNN_WEIGHT, factors));
    EXPECT_OK(cnn_layer_forward(scale, y, &x, 1, 1));
    scale_channels(wanted, x);
    expect_tensor_equal("y", y, wanted);
    EXPECT_OK(cnn_layer_backward(scale, &dx, 1, dy));
    scale_channels(wanted, dy);
    expect_tensor_equal("dx", dx, wanted);
    EXPECT_OK(cnn_layer_get_gradient(scale, CNN_WEIGHT, gradient));
    sum_products(sums, x, dy);
    expect_close("gradient", floats(gradient), sums, C, 1e-6);
    cnn_tensor *const all[] = {x, y, wanted, dx, dy, gradient};
    for (int32_t i = 0; i < 6; i++)
        cnn_tensor_free(all[i]);
    cnn_layer_free(scale);
}
END_TEST

/* The factors are set once the layer is in its model, and are learned there: with mean squared
 * error by SGD, factor -= rate * sum of x * 2 (y - target) / (values of a batch). */
START_TEST(a_model_learns_the_factors)
{
    const double rate = 0.5;
    double after[C];
    double loss;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_layer *scale = channel_scale();
    cnn_model *model = model_new(context, (int64_t[]){SIDE, SIDE, C}, 3);
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, N, SIDE, SIDE, C);
    cnn_tensor *y = tensor_like(context, x), *targets = tensor_like(context, x);
    fill_tensor(x, 2);
    fill_tensor(targets, 3);
    EXPECT_OK(cnn_model_add(model, scale));
    EXPECT_OK(cnn_layer_set_parameter(scale, CNN_WEIGHT, factors));
    EXPECT_OK(cnn_sgd_create(&optimizer, context, rate));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, N));
    EXPECT_OK(trainer_step(&loss, trainer, x, targets));
    scale_channels(y, x);
    for (int64_t i = 0; i < PIXELS * C; i++)
        floats(y)[i] = 2 * (floats(y)[i] - floats(targets)[i]) / (PIXELS * C);
    sum_products(after, x, y);
    for (int64_t c = 0; c < C; c++)
        after[c] = (double)floats(factors)[c] - rate * after[c];
    EXPECT_OK(cnn_layer_get_parameter(scale, CNN_WEIGHT, factors));
    expect_close("factors", floats(factors), after, C, 1e-6);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_layer_free(scale);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(targets);
}
END_TEST

static Suite *channel_scale_suite(void)
{
    Suite *suite = suite_create("channel_scale");
    TCase *tcase = tcase_create("channel_scale");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_depthwise_convolution_scales_channels);
    tcase_add_test(tcase, a_model_learns_the_factors);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(channel_scale_suite());
}
