/* SPDX-License-Identifier: MIT
 * Dropout: how much it drops, what it does to the rest, that backward drops the same, and what
 * the choice depends on.  That it does not depend on threads is in test_same_bits.c. */
#include <math.h>
#include <string.h>

#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { ROWS = 40, COLUMNS = 5000, COUNT = ROWS * COLUMNS };

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_seed(context, 5));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

static cnn_layer *dropout(double rate)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dropout_create(&layer, context, rate));
    return layer;
}

/* No element is 0, so that those of the output tell what was dropped. */
static cnn_tensor *ones(void)
{
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, ROWS, COLUMNS);
    EXPECT_OK(cnn_tensor_fill(x, 1));
    return x;
}

/* The output of a training forward on ones. */
static cnn_tensor *run(cnn_layer *layer)
{
    cnn_tensor *x = ones(), *y = tensor_like(context, x);
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 1));
    cnn_tensor_free(x);
    return y;
}

static int64_t dropped(cnn_tensor *y, int64_t first, int64_t end)
{
    int64_t count = 0;
    for (int64_t i = first; i < end; i++)
        count += floats(y)[i] == 0;
    return count;
}

/* `count` of independent choices with probability `rate`: within five standard deviations. */
static void expect_share(int64_t found, int64_t count, double rate)
{
    double mean = rate * (double)count, deviation = sqrt(rate * (1 - rate) * (double)count);
    ck_assert_msg(fabs((double)found - mean) <= 5 * deviation, "%lld of %lld, must be %g within %g",
                  (long long)found, (long long)count, mean, 5 * deviation);
}

static const double rates[] = {0.5, 0.1, 0.25, 0.9, 0.999};
enum { RATES = sizeof rates / sizeof rates[0] };

/* Overall, in every row, and in neighbours: choices are independent. */
START_TEST(a_share_is_dropped_and_the_rest_scaled)
{
    double rate = rates[_i];
    cnn_layer *layer = dropout(rate);
    cnn_tensor *y = run(layer);
    int64_t both = 0, unscaled = 0;
    for (int64_t i = 0; i < COUNT; i++)
        unscaled += floats(y)[i] != 0 && floats(y)[i] != (float)(1 / (1 - rate));
    ck_assert_int_eq(unscaled, 0);
    expect_share(dropped(y, 0, COUNT), COUNT, rate);
    for (int64_t row = 0; row < ROWS; row++)
        expect_share(dropped(y, row * COLUMNS, (row + 1) * COLUMNS), COLUMNS, rate);
    for (int64_t i = 0; i + 1 < COUNT; i += 2)
        both += floats(y)[i] == 0 && floats(y)[i + 1] == 0;
    expect_share(both, COUNT / 2, rate * rate);
    cnn_tensor_free(y);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(backward_drops_the_same)
{
    cnn_layer *layer = dropout(0.3);
    cnn_tensor *x = ones(), *y = tensor_like(context, x);
    cnn_tensor *dy = tensor_like(context, x), *dx = tensor_like(context, x);
    fill_tensor(dy, 1);
    for (int32_t pass = 0; pass < 2; pass++) {
        EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 1));
        EXPECT_OK(cnn_layer_backward(layer, &dx, 1, dy));
        for (int64_t i = 0; i < COUNT; i++)
            floats(dy)[i] *= floats(y)[i];
        expect_tensor_equal("dx", dx, dy);
    }
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(dy);
    cnn_tensor_free(dx);
    cnn_layer_free(layer);
}
END_TEST

START_TEST(predicting_changes_nothing)
{
    cnn_layer *layer = dropout(0.5);
    cnn_tensor *x = ones(), *y = tensor_like(context, x);
    fill_tensor(x, 1);
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 0));
    ck_assert(tensors_equal(x, y));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_layer_free(layer);
}
END_TEST

/* Each step and each layer drops others; a program run again drops the same.  A prediction in
 * between is no step. */
START_TEST(choices_depend_on_seed_layer_and_step)
{
    cnn_layer *first = dropout(0.5), *second = dropout(0.5);
    cnn_tensor *x = ones(), *idle = tensor_like(context, x);
    cnn_tensor *y[] = {run(first), run(second), NULL};
    EXPECT_OK(cnn_layer_forward(first, idle, &x, 1, 0));
    y[2] = run(first);
    for (int32_t i = 0; i < 3; i++) {
        int64_t both = 0;
        for (int64_t j = 0; j < COUNT; j++)
            both += floats(y[i])[j] == 0 && floats(y[(i + 1) % 3])[j] == 0;
        expect_share(both, COUNT, 0.25);
    }
    cnn_layer_free(first);
    cnn_layer_free(second);
    EXPECT_OK(cnn_context_set_seed(context, 5));
    first = dropout(0.5);
    cnn_tensor *again[] = {run(first), run(first)};
    ck_assert(tensors_equal(again[0], y[0]));
    ck_assert(tensors_equal(again[1], y[2]));
    cnn_layer_free(first);
    EXPECT_OK(cnn_context_set_seed(context, 6));
    first = dropout(0.5);
    cnn_tensor *other = run(first);
    ck_assert(!tensors_equal(other, y[0]));
    cnn_layer_free(first);
    cnn_tensor *const tensors[] = {x, idle, y[0], y[1], y[2], again[0], again[1], other};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
}
END_TEST

/* The first elements are dropped alike in a batch of any size. */
START_TEST(choices_do_not_depend_on_the_batch)
{
    cnn_layer *all = dropout(0.5);
    cnn_tensor *y = run(all);
    cnn_layer_free(all);
    EXPECT_OK(cnn_context_set_seed(context, 5));
    cnn_layer *few = dropout(0.5);
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 7, COLUMNS), *part = tensor_like(context, x);
    EXPECT_OK(cnn_tensor_fill(x, 1));
    EXPECT_OK(cnn_layer_forward(few, part, &x, 1, 1));
    ck_assert_mem_eq(floats(part), floats(y), cnn_tensor_bytes(part));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(part);
    cnn_layer_free(few);
}
END_TEST

/* In a model, where nothing is kept between forward and backward either: behind a dense layer
 * with the weights 0 and the biases 1, an output is what its bias' gradient is for dy = 1. */
START_TEST(a_model_drops_the_same_backward)
{
    cnn_layer *layer;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_model *model = model_new(context, (int64_t[]){1}, 1);
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 1, 1), *y = TENSOR(context, CNN_FLOAT32, 1, 1000);
    cnn_tensor *biases = TENSOR(context, CNN_FLOAT32, 1000), *dy = tensor_like(context, y);
    const cnn_tensor *inputs = x, *gradients = dy;
    EXPECT_OK(cnn_dense_create(&layer, context, 1000));
    model_take(model, layer);
    model_take(model, dropout(0.4));
    EXPECT_OK(cnn_tensor_fill(biases, 1));
    EXPECT_OK(cnn_model_set_parameter(model, "dense1.bias", biases));
    EXPECT_OK(cnn_tensor_fill(dy, 1));
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_MEAN_SQUARED_ERROR, 1));
    for (int32_t pass = 0; pass < 3; pass++) {
        EXPECT_OK(cnn_trainer_forward(trainer, &y, 1, &inputs, 1));
        EXPECT_OK(cnn_trainer_backward(trainer, &gradients, 1));
        EXPECT_OK(cnn_model_get_gradient(model, "dense1.bias", biases));
        EXPECT_OK(cnn_trainer_update(trainer));
        ck_assert_mem_eq(floats(biases), floats(y), cnn_tensor_bytes(y));
        expect_share(dropped(y, 0, 1000), 1000, 0.4);
    }
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_model_free(model);
    cnn_tensor *const tensors[] = {x, y, biases, dy};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
}
END_TEST

START_TEST(rates_that_cannot_be)
{
    static const double wrong[] = {1, -0.1, 2, NAN, INFINITY};
    cnn_layer *layer = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT_FAILS(cnn_dropout_create(&layer, context, wrong[i]), CNN_ERROR_INVALID,
                     "cnn_dropout_create", "rate");
        ck_assert_ptr_null(layer);
    }
}
END_TEST

static Suite *dropout_suite(void)
{
    Suite *suite = suite_create("dropout");
    TCase *tcase = tcase_create("dropout");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_share_is_dropped_and_the_rest_scaled, 0, RATES);
    tcase_add_test(tcase, backward_drops_the_same);
    tcase_add_test(tcase, predicting_changes_nothing);
    tcase_add_test(tcase, choices_depend_on_seed_layer_and_step);
    tcase_add_test(tcase, choices_do_not_depend_on_the_batch);
    tcase_add_test(tcase, a_model_drops_the_same_backward);
    tcase_add_test(tcase, rates_that_cannot_be);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(dropout_suite());
}
