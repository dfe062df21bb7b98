/* SPDX-License-Identifier: MIT
 * Frozen layers: they keep their bits, and the others move as if nothing were frozen, whatever of a
 * graph that is; and what can be set for a layer.  The arithmetic of factors is tested in
 * test_optimizers.c. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { BATCH = 4, MOST = 8 };

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

/* ---- Graphs -------------------------------------------------------------------------------- */

static cnn_model *(*const graphs[])(cnn_context *context) = {model_chain, model_residual,
                                                             model_front};
enum { GRAPHS = sizeof graphs / sizeof graphs[0] };

/* A model after a step, or before one. */
struct state {
    cnn_tensor *weight[MOST], *bias[MOST]; /* of the layers that have some, in order */
    int32_t count;
};

static cnn_tensor *read_parameter(const cnn_layer *layer, cnn_parameter parameter)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, parameter));
    cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
    EXPECT_OK(cnn_layer_get_parameter(layer, parameter, values));
    return values;
}

static struct state read_state(cnn_model *model)
{
    struct state state = {.count = 0};
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        const cnn_layer *layer = cnn_model_layer(model, i);
        if (cnn_layer_parameter_count(layer) == 0)
            continue;
        state.weight[state.count] = read_parameter(layer, CNN_WEIGHT);
        state.bias[state.count++] = read_parameter(layer, CNN_BIAS);
    }
    return state;
}

static void free_state(struct state *state)
{
    for (int32_t i = 0; i < state->count; i++) {
        cnn_tensor_free(state->weight[i]);
        cnn_tensor_free(state->bias[i]);
    }
}

/* Freezes those layers with parameters whose bit in `frozen` is set. */
static void freeze(cnn_model *model, uint32_t frozen)
{
    for (int32_t i = 0, bit = 0; i < cnn_model_layer_count(model); i++) {
        cnn_layer *layer = cnn_model_layer(model, i);
        if (cnn_layer_parameter_count(layer) > 0)
            EXPECT_OK(cnn_layer_set_trained(layer, (frozen >> bit++ & 1) == 0));
    }
}

static void step(cnn_model *model, cnn_trainer *trainer)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_output_shape(shape, &rank, model));
    cnn_tensor *x = model_inputs(model, context, BATCH, 5);
    cnn_tensor *targets = tensor_labels(context, BATCH, (int32_t)shape[0]);
    EXPECT_OK(trainer_step(NULL, trainer, x, targets));
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
}

/* The weights after a step, with weight decay, in which those layers are frozen; before it, where
 * there is no step. */
static struct state after_step(int32_t graph, uint32_t frozen, bool steps)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    EXPECT_OK(cnn_context_set_seed(context, 9));
    cnn_model *model = graphs[graph](context);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_OK(cnn_optimizer_set_weight_decay(optimizer, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    freeze(model, frozen);
    if (steps)
        step(model, trainer);
    const struct state state = read_state(model);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    return state;
}

START_TEST(others_move_as_if_nothing_were_frozen)
{
    struct state before = after_step(_i, 0, false), all = after_step(_i, 0, true);
    ck_assert_int_ge(before.count, 2);
    for (uint32_t frozen = 1; frozen < 1u << before.count; frozen++) {
        struct state some = after_step(_i, frozen, true);
        for (int32_t i = 0; i < before.count; i++) {
            const struct state *wanted = frozen >> i & 1 ? &before : &all;
            ck_assert(!tensors_equal(before.weight[i], all.weight[i]));
            ck_assert_msg(tensors_equal(some.weight[i], wanted->weight[i]) &&
                              tensors_equal(some.bias[i], wanted->bias[i]),
                          "graph %d, frozen %x: layer %d", _i, frozen, i);
        }
        free_state(&some);
    }
    free_state(&before);
    free_state(&all);
}
END_TEST

/* ---- One model ----------------------------------------------------------------------------- */

static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;
static cnn_layer *conv, *dense;

static void begin(cnn_status (*create)(cnn_optimizer **, cnn_context *, double), double rate)
{
    model = model_chain(context);
    conv = cnn_model_layer(model, 0);
    dense = cnn_model_layer(model, 4);
    EXPECT_OK(create(&optimizer, context, rate));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
}

static void end(void)
{
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
}

static cnn_tensor *gradient_of(cnn_layer *layer)
{
    cnn_tensor *values = read_parameter(layer, CNN_WEIGHT);
    EXPECT_OK(cnn_layer_get_gradient(layer, CNN_WEIGHT, values));
    return values;
}

static double largest(cnn_tensor *values)
{
    double most = 0;
    for (int64_t i = 0; i < cnn_tensor_count(values); i++)
        most = fmax(most, fabs((double)floats(values)[i]));
    return most;
}

static double squares(const cnn_layer *layer, cnn_parameter parameter)
{
    double sum = 0;
    cnn_tensor *values = read_parameter(layer, parameter);
    EXPECT_OK(cnn_layer_get_gradient(layer, parameter, values));
    for (int64_t i = 0; i < cnn_tensor_count(values); i++)
        sum += (double)floats(values)[i] * (double)floats(values)[i];
    cnn_tensor_free(values);
    return sum;
}

/* Forward and backward with a gradient of noise. */
static void run_parts(void)
{
    cnn_tensor *x = model_inputs(model, context, BATCH, 5);
    cnn_tensor *y = model_outputs(model, context, BATCH);
    const cnn_tensor *inputs = x, *gradient = y;
    EXPECT_OK(cnn_trainer_forward(trainer, &y, 1, &inputs, 1));
    fill_tensor(y, 3);
    EXPECT_OK(cnn_trainer_backward(trainer, &gradient, 1));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
}

START_TEST(frozen_gradients_are_not_made_and_do_not_count)
{
    const double rate = 0.1, norm = 0.01;
    begin(cnn_sgd_create, rate);
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, norm));
    run_parts();
    cnn_tensor *before = read_parameter(dense, CNN_WEIGHT), *gradient = gradient_of(dense);
    cnn_tensor *of_conv = gradient_of(conv);
    ck_assert(largest(of_conv) > 0);
    cnn_tensor_free(of_conv);
    EXPECT_OK(cnn_layer_set_trained(conv, 0)); /* clears what there was */
    of_conv = gradient_of(conv);
    ck_assert(largest(of_conv) == 0);
    const double length = sqrt(squares(dense, CNN_WEIGHT) + squares(dense, CNN_BIAS));
    ck_assert(length > 2 * norm);
    EXPECT_OK(cnn_trainer_update(trainer));
    cnn_tensor *after = read_parameter(dense, CNN_WEIGHT);
    for (int64_t i = 0; i < cnn_tensor_count(after); i++) {
        const double moved = (double)floats(before)[i] - (double)floats(after)[i];
        ck_assert_double_eq_tol(moved, rate * norm / (length + 1e-6) * (double)floats(gradient)[i],
                                1e-7);
    }
    cnn_tensor_free(of_conv);
    run_parts();
    of_conv = gradient_of(conv);
    ck_assert(largest(of_conv) == 0);
    cnn_tensor_free(of_conv);
    cnn_tensor_free(before);
    cnn_tensor_free(after);
    cnn_tensor_free(gradient);
    end();
}
END_TEST

/* The first step that moves a layer is Adam's first for it: lr for every gradient that is not
 * tiny. */
START_TEST(averages_begin_with_the_first_move)
{
    begin(cnn_adam_create, 0.01);
    EXPECT_OK(cnn_layer_set_trained(conv, 0));
    for (int32_t i = 0; i < 5; i++)
        step(model, trainer);
    EXPECT_OK(cnn_layer_set_trained(conv, 1));
    cnn_tensor *before = read_parameter(conv, CNN_WEIGHT);
    step(model, trainer);
    cnn_tensor *after = read_parameter(conv, CNN_WEIGHT);
    int32_t full = 0;
    for (int64_t i = 0; i < cnn_tensor_count(after); i++) {
        const double moved = fabs((double)floats(before)[i] - (double)floats(after)[i]);
        ck_assert(moved <= 0.01 * (1 + 1e-4));
        full += moved > 0.0099;
    }
    ck_assert_int_gt(full, cnn_tensor_count(after) / 2);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 6);
    cnn_tensor_free(before);
    cnn_tensor_free(after);
    end();
}
END_TEST

/* Gradients are checked of all parameters, frozen or not. */
START_TEST(gradients_can_be_checked)
{
    double error;
    model = model_residual(context);
    cnn_tensor *x = model_inputs(model, context, 2, 5), *targets = tensor_labels(context, 2, 3);
    const cnn_tensor *inputs = x, *wanted = targets;
    EXPECT_OK(cnn_model_set_trained(model, 0, cnn_model_layer_count(model), 0));
    EXPECT_OK(cnn_model_check_gradients(&error, NULL, 0, model, CNN_SOFTMAX_CROSS_ENTROPY, &inputs,
                                        1, &wanted, 1));
    ck_assert_msg(error < 0.05, "%g", error);
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_model_that_is_all_frozen_stays)
{
    double loss, again;
    begin(cnn_adamw_create, 0.1);
    const uint64_t hash = model_hash(model, context);
    cnn_tensor *x = model_inputs(model, context, BATCH, 5);
    cnn_tensor *targets = tensor_labels(context, BATCH, 3);
    EXPECT_OK(cnn_model_set_trained(model, 0, cnn_model_layer_count(model), 0));
    EXPECT_OK(trainer_step(&loss, trainer, x, targets));
    EXPECT_OK(trainer_step(&again, trainer, x, targets));
    ck_assert_double_eq(loss, again);
    ck_assert_uint_eq(model_hash(model, context), hash);
    EXPECT_OK(cnn_model_set_trained(model, 0, cnn_model_layer_count(model), 1));
    EXPECT_OK(trainer_step(&again, trainer, x, targets));
    ck_assert_uint_ne(model_hash(model, context), hash);
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    end();
}
END_TEST

/* ---- Settings ------------------------------------------------------------------------------ */

START_TEST(what_is_set_is_told)
{
    begin(cnn_sgd_create, 0.1);
    ck_assert_int_eq(cnn_layer_trained(conv), 1);
    EXPECT_OK(cnn_model_set_trained(model, 0, 4, 0));
    ck_assert_int_eq(cnn_layer_trained(conv), 0);
    ck_assert_int_eq(cnn_layer_trained(dense), 1);
    EXPECT_OK(cnn_model_set_trained(model, 2, 2, 1)); /* none */
    ck_assert_int_eq(cnn_layer_trained(conv), 0);
    ck_assert_int_eq(cnn_layer_trained(NULL), 0);
    end();
}
END_TEST

START_TEST(settings_have_ranges)
{
    static const double bad[] = {-1e-9, NAN, INFINITY, -INFINITY};
    begin(cnn_sgd_create, 0.1);
    for (int32_t i = 0; i < 4; i++) {
        EXPECT_FAILS(cnn_layer_set_learning_rate(conv, bad[i]), CNN_ERROR_INVALID,
                     "cnn_layer_set_learning_rate", "must be finite and at least 0");
        EXPECT_FAILS(cnn_layer_set_weight_decay(conv, bad[i]), CNN_ERROR_INVALID,
                     "cnn_layer_set_weight_decay", "must be finite and at least 0");
    }
    EXPECT_FAILS(cnn_layer_set_trained(conv, 2), CNN_ERROR_INVALID, "cnn_layer_set_trained",
                 "trained is 2");
    EXPECT_FAILS(cnn_layer_set_trained(NULL, 1), CNN_ERROR_INVALID, "cnn_layer_set_trained",
                 "layer is NULL");
    EXPECT_FAILS(cnn_layer_set_learning_rate(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_layer_set_learning_rate", "layer is NULL");
    EXPECT_FAILS(cnn_layer_set_weight_decay(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_layer_set_weight_decay", "layer is NULL");
    EXPECT_FAILS(cnn_model_set_trained(NULL, 0, 0, 1), CNN_ERROR_INVALID, "cnn_model_set_trained",
                 "model is NULL");
    EXPECT_FAILS(cnn_model_set_trained(model, -1, 1, 1), CNN_ERROR_INVALID, "cnn_model_set_trained",
                 "the layers are -1 to 1, must be within 0 to 6");
    EXPECT_FAILS(cnn_model_set_trained(model, 0, 7, 1), CNN_ERROR_INVALID, "cnn_model_set_trained",
                 "the layers are 0 to 7");
    EXPECT_FAILS(cnn_model_set_trained(model, 3, 2, 1), CNN_ERROR_INVALID, "cnn_model_set_trained",
                 "the layers are 3 to 2");
    EXPECT_FAILS(cnn_model_set_trained(model, 0, 6, -1), CNN_ERROR_INVALID, "cnn_model_set_trained",
                 "trained is -1");
    ck_assert_int_eq(cnn_layer_trained(conv), 1);
    EXPECT_OK(cnn_layer_set_learning_rate(conv, 0));
    end();
}
END_TEST

START_TEST(a_layer_alone_can_be_set)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    EXPECT_OK(cnn_layer_set_trained(layer, 0));
    EXPECT_OK(cnn_layer_set_learning_rate(layer, 0.1));
    EXPECT_OK(cnn_layer_set_weight_decay(layer, 0));
    ck_assert_int_eq(cnn_layer_trained(layer), 0);
    cnn_layer_free(layer);
}
END_TEST

/* In the middle of a step: the host's threads run a part of it. */
static int32_t refusals;

static void run_items(void *user, int64_t count, cnn_task_fn run, void *task)
{
    (void)user;
    if (trainer != NULL && cnn_layer_set_trained(conv, 0) == CNN_ERROR_STATE &&
        cnn_layer_set_learning_rate(conv, 2) == CNN_ERROR_STATE &&
        cnn_model_set_trained(model, 0, 1, 0) == CNN_ERROR_STATE)
        refusals++;
    for (int64_t i = 0; i < count; i++)
        run(task, i);
}

START_TEST(nothing_is_set_during_a_step)
{
    EXPECT_OK(cnn_context_set_parallel_for(context, run_items, NULL));
    begin(cnn_sgd_create, 0.1);
    step(model, trainer);
    ck_assert_int_gt(refusals, 0);
    ck_assert_int_eq(cnn_layer_trained(conv), 1);
    end();
}
END_TEST

static Suite *fine_tuning_suite(void)
{
    Suite *suite = suite_create("fine_tuning");
    TCase *tcase = tcase_create("fine_tuning");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, others_move_as_if_nothing_were_frozen, 0, GRAPHS);
    tcase_add_test(tcase, frozen_gradients_are_not_made_and_do_not_count);
    tcase_add_test(tcase, averages_begin_with_the_first_move);
    tcase_add_test(tcase, gradients_can_be_checked);
    tcase_add_test(tcase, a_model_that_is_all_frozen_stays);
    tcase_add_test(tcase, what_is_set_is_told);
    tcase_add_test(tcase, settings_have_ranges);
    tcase_add_test(tcase, a_layer_alone_can_be_set);
    tcase_add_test(tcase, nothing_is_set_during_a_step);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(fine_tuning_suite());
}
