/* SPDX-License-Identifier: MIT
 * Optimizers before and between steps: every setter with its documented errors and edges, the
 * learning rate that it leads to, and that a refused value changes nothing.  What a step computes
 * is tested in test_optimizers.c. */
#include <float.h>
#include <math.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static struct accounts accounts;
static cnn_context *context;
static cnn_optimizer *sgd, *adam, *adamw;

static void set_up(void)
{
    context = accounts_context(&accounts);
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.5));
    EXPECT_OK(cnn_adam_create(&adam, context, 0.25));
    EXPECT_OK(cnn_adamw_create(&adamw, context, 0));
}

static void tear_down(void)
{
    cnn_optimizer_free(sgd);
    cnn_optimizer_free(adam);
    cnn_optimizer_free(adamw);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

/* ---- Creating ------------------------------------------------------------------------------ */

static const double bad_rates[] = {-1e-9, -INFINITY, INFINITY, NAN};

#define CHECK_CREATE(create)                                                                       \
    do {                                                                                           \
        cnn_optimizer *made = (cnn_optimizer *)&made;                                              \
        EXPECT_FAILS(create(NULL, context, 0.1), CNN_ERROR_INVALID, #create, "optimizer is NULL"); \
        EXPECT_FAILS(create(&made, NULL, 0.1), CNN_ERROR_INVALID, #create, "context is NULL");     \
        ck_assert_ptr_null(made);                                                                  \
        for (int32_t i = 0; i < 4; i++) {                                                          \
            made = (cnn_optimizer *)&made;                                                         \
            EXPECT_FAILS(create(&made, context, bad_rates[i]), CNN_ERROR_INVALID, #create,         \
                         "must be finite and at least 0");                                         \
            ck_assert_ptr_null(made);                                                              \
        }                                                                                          \
        EXPECT_OK(create(&made, context, 3.5));                                                    \
        ck_assert_double_eq(cnn_optimizer_learning_rate(made), 3.5);                               \
        ck_assert_int_eq(cnn_optimizer_steps(made), 0);                                            \
        cnn_optimizer_free(made);                                                                  \
    } while (0)

START_TEST(creating_needs_a_rate)
{
    CHECK_CREATE(cnn_sgd_create);
    CHECK_CREATE(cnn_adam_create);
    CHECK_CREATE(cnn_adamw_create);
    cnn_optimizer_free(NULL);
    ck_assert_double_eq(cnn_optimizer_learning_rate(NULL), 0);
    ck_assert_int_eq(cnn_optimizer_steps(NULL), 0);
}
END_TEST

/* ---- Values -------------------------------------------------------------------------------- */

/* Setters of one number, and what they take. */
static cnn_status set_beta1(cnn_optimizer *optimizer, double value)
{
    return cnn_adam_set_betas(optimizer, value, 0.5);
}

static cnn_status set_beta2(cnn_optimizer *optimizer, double value)
{
    return cnn_adam_set_betas(optimizer, 0.5, value);
}

static cnn_status set_factor(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_schedule_step(optimizer, 3, value);
}

static cnn_status set_final_rate(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_schedule_cosine(optimizer, 3, value);
}

static cnn_status set_rise(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_schedule_one_cycle(optimizer, 30, value, 25, 1e4);
}

static cnn_status set_start_divisor(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_schedule_one_cycle(optimizer, 30, 0.3, value, 1e4);
}

static cnn_status set_final_divisor(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_schedule_one_cycle(optimizer, 30, 0.3, 25, value);
}

static cnn_status set_highest(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_momentum_cycle(optimizer, value < 0.1 ? value : 0.1, value);
}

static cnn_status set_lowest(cnn_optimizer *optimizer, double value)
{
    return cnn_optimizer_set_momentum_cycle(optimizer, value, 0.95);
}

static const struct {
    const char *name; /* in the text */
    cnn_status (*set)(cnn_optimizer *optimizer, double value);
    double good[3], bad[4];
} setters[] = {
    {"momentum", cnn_sgd_set_momentum, {0, 0.9, 0.999999}, {-0.1, 1, NAN, INFINITY}},
    {"beta1", set_beta1, {0, 0.9, 0.999999}, {-0.1, 1, NAN, INFINITY}},
    {"beta2", set_beta2, {0, 0.9, 0.999999}, {-0.1, 1, NAN, -INFINITY}},
    {"epsilon", cnn_adam_set_epsilon, {1e-30, 1e-8, 10}, {0, -1e-8, NAN, INFINITY}},
    {"weight_decay", cnn_optimizer_set_weight_decay, {0, 1e-4, 2}, {-1e-9, NAN, INFINITY, -1}},
    {"norm", cnn_optimizer_set_clip_norm, {0, 1e-3, 5}, {-1, NAN, INFINITY, -1e-30}},
    {"learning_rate", cnn_optimizer_set_learning_rate, {0, 1e-9, 7}, {-1e-9, NAN, INFINITY, -2}},
    {"factor", set_factor, {1e-9, 1, 2}, {0, -1, NAN, INFINITY}},
    {"final_rate", set_final_rate, {0, 1e-9, 2}, {-1, NAN, INFINITY, -1e-30}},
    {"rise", set_rise, {0, 0.3, 0.999}, {-0.1, 1, NAN, INFINITY}},
    {"start_divisor", set_start_divisor, {1, 25, 1e6}, {0.99, 0, NAN, INFINITY}},
    {"final_divisor", set_final_divisor, {1, 25, 1e6}, {0.99, -1, NAN, INFINITY}},
    {"highest", set_highest, {0, 0.95, 0.999}, {-0.1, 1, NAN, INFINITY}},
    {"lowest", set_lowest, {0.1, 0.85, 0.95}, {0, 0.96, NAN, -1}},
};

START_TEST(numbers_have_ranges)
{
    for (size_t i = 0; i < sizeof setters / sizeof setters[0]; i++) {
        cnn_optimizer *optimizer = i == 0 ? sgd : adam;
        for (int32_t j = 0; j < 3; j++)
            EXPECT_OK(setters[i].set(optimizer, setters[i].good[j]));
        for (int32_t j = 0; j < 4; j++) {
            ck_assert_int_eq(setters[i].set(optimizer, setters[i].bad[j]), CNN_ERROR_INVALID);
            ck_assert_msg(strstr(cnn_error_message(), setters[i].name) != NULL, "%s: %s",
                          setters[i].name, cnn_error_message());
        }
        ck_assert_int_eq(setters[i].set(NULL, setters[i].good[1]), CNN_ERROR_INVALID);
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "optimizer is NULL"));
    }
}
END_TEST

START_TEST(whole_numbers_have_ranges)
{
    EXPECT_OK(cnn_sgd_set_nesterov(sgd, 1));
    EXPECT_OK(cnn_sgd_set_nesterov(sgd, 0));
    EXPECT_FAILS(cnn_sgd_set_nesterov(sgd, 2), CNN_ERROR_INVALID, "cnn_sgd_set_nesterov",
                 "nesterov is 2");
    EXPECT_FAILS(cnn_sgd_set_nesterov(sgd, -1), CNN_ERROR_INVALID, "cnn_sgd_set_nesterov",
                 "nesterov is -1");
    EXPECT_FAILS(cnn_sgd_set_nesterov(NULL, 1), CNN_ERROR_INVALID, "cnn_sgd_set_nesterov", "NULL");
    EXPECT_OK(cnn_optimizer_set_schedule_step(sgd, INT64_MAX, 0.5));
    EXPECT_FAILS(cnn_optimizer_set_schedule_step(sgd, 0, 0.5), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_schedule_step", "every is 0");
    EXPECT_FAILS(cnn_optimizer_set_schedule_step(sgd, INT64_MIN, 0.5), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_schedule_step", "every is ");
    EXPECT_FAILS(cnn_optimizer_set_schedule_cosine(sgd, 0, 0), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_schedule_cosine", "steps is 0");
    EXPECT_FAILS(cnn_optimizer_set_schedule_one_cycle(sgd, 0, 0.3, 25, 1e4), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_schedule_one_cycle", "steps is 0");
    EXPECT_OK(cnn_optimizer_set_decay_vectors(sgd, 0));
    EXPECT_OK(cnn_optimizer_set_decay_vectors(sgd, 1));
    EXPECT_FAILS(cnn_optimizer_set_decay_vectors(sgd, 2), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_decay_vectors", "on is 2");
    EXPECT_FAILS(cnn_optimizer_set_decay_vectors(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_decay_vectors", "optimizer is NULL");
    EXPECT_OK(cnn_optimizer_set_warmup(sgd, 0));
    EXPECT_OK(cnn_optimizer_set_warmup(sgd, INT64_MAX));
    EXPECT_FAILS(cnn_optimizer_set_warmup(sgd, -1), CNN_ERROR_INVALID, "cnn_optimizer_set_warmup",
                 "steps is -1");
    EXPECT_FAILS(cnn_optimizer_set_warmup(NULL, 1), CNN_ERROR_INVALID, "cnn_optimizer_set_warmup",
                 "NULL");
    EXPECT_FAILS(cnn_optimizer_set_schedule_constant(NULL), CNN_ERROR_INVALID,
                 "cnn_optimizer_set_schedule_constant", "optimizer is NULL");
}
END_TEST

START_TEST(setters_are_of_one_kind)
{
    EXPECT_FAILS(cnn_sgd_set_momentum(adam, 0.9), CNN_ERROR_INVALID, "cnn_sgd_set_momentum",
                 "the optimizer is adam, must be sgd");
    EXPECT_FAILS(cnn_sgd_set_nesterov(adamw, 1), CNN_ERROR_INVALID, "cnn_sgd_set_nesterov",
                 "the optimizer is adamw, must be sgd");
    EXPECT_FAILS(cnn_adam_set_betas(sgd, 0.9, 0.9), CNN_ERROR_INVALID, "cnn_adam_set_betas",
                 "the optimizer is sgd, must be adam or adamw");
    EXPECT_FAILS(cnn_adam_set_epsilon(sgd, 0.1), CNN_ERROR_INVALID, "cnn_adam_set_epsilon",
                 "must be adam or adamw");
    EXPECT_OK(cnn_adam_set_betas(adamw, 0.9, 0.99));
    EXPECT_OK(cnn_adam_set_epsilon(adamw, 1e-6));
}
END_TEST

/* ---- Rates --------------------------------------------------------------------------------- */

START_TEST(refused_schedules_leave_the_old_one)
{
    EXPECT_OK(cnn_optimizer_set_schedule_step(sgd, 1, 0.5));
    EXPECT_OK(cnn_optimizer_set_warmup(sgd, 2));
    const double rate = cnn_optimizer_learning_rate(sgd);
    ck_assert_double_eq(rate, 0.25);
    ck_assert_int_eq(cnn_optimizer_set_schedule_step(sgd, 1, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_optimizer_set_schedule_cosine(sgd, 0, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_optimizer_set_warmup(sgd, -2), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_optimizer_set_learning_rate(sgd, -2), CNN_ERROR_INVALID);
    ck_assert_double_eq(cnn_optimizer_learning_rate(sgd), rate);
    EXPECT_OK(cnn_optimizer_set_learning_rate(sgd, 4));
    ck_assert_double_eq(cnn_optimizer_learning_rate(sgd), 2);
    EXPECT_OK(cnn_optimizer_set_warmup(sgd, 0));
    EXPECT_OK(cnn_optimizer_set_schedule_constant(sgd));
    ck_assert_double_eq(cnn_optimizer_learning_rate(sgd), 4);
}
END_TEST

START_TEST(some_settings_close_with_the_first_step)
{
    cnn_optimizer *const optimizers[] = {sgd, adam};
    for (int32_t i = 0; i < 2; i++) {
        cnn_trainer *trainer;
        cnn_model *model = model_chain(context);
        cnn_tensor *inputs = model_inputs(model, context, 2, 1),
                   *targets = tensor_labels(context, 2, 3);
        EXPECT_OK(cnn_trainer_create(&trainer, model, optimizers[i], CNN_SOFTMAX_CROSS_ENTROPY, 2));
        if (i == 0)
            EXPECT_OK(cnn_sgd_set_momentum(sgd, 0.5)); /* not yet */
        EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
        ck_assert_int_eq(cnn_optimizer_steps(optimizers[i]), 1);
        if (i == 0) {
            EXPECT_FAILS(cnn_sgd_set_momentum(sgd, 0.9), CNN_ERROR_STATE, "cnn_sgd_set_momentum",
                         "has already made 1 steps");
            EXPECT_FAILS(cnn_sgd_set_nesterov(sgd, 1), CNN_ERROR_STATE, "cnn_sgd_set_nesterov",
                         "has already made 1 steps");
        } else {
            EXPECT_FAILS(cnn_adam_set_betas(adam, 0.5, 0.5), CNN_ERROR_STATE, "cnn_adam_set_betas",
                         "has already made 1 steps");
            EXPECT_FAILS(cnn_adam_set_epsilon(adam, 0.1), CNN_ERROR_STATE, "cnn_adam_set_epsilon",
                         "has already made 1 steps");
        }
        EXPECT_OK(cnn_optimizer_set_weight_decay(optimizers[i], 0.1));
        EXPECT_OK(cnn_optimizer_set_clip_norm(optimizers[i], 0.1));
        EXPECT_OK(cnn_optimizer_set_learning_rate(optimizers[i], 0.1));
        EXPECT_OK(cnn_optimizer_set_schedule_cosine(optimizers[i], 10, 0));
        EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
        cnn_trainer_free(trainer);
        ck_assert_int_eq(cnn_optimizer_steps(optimizers[i]), 0); /* begins anew */
        if (i == 0)
            EXPECT_OK(cnn_sgd_set_momentum(sgd, 0.9));
        else
            EXPECT_OK(cnn_adam_set_epsilon(adam, 0.1));
        EXPECT_OK(cnn_trainer_create(&trainer, model, optimizers[i], CNN_SOFTMAX_CROSS_ENTROPY, 2));
        cnn_trainer_free(trainer);
        cnn_tensor_free(inputs);
        cnn_tensor_free(targets);
        cnn_model_free(model);
    }
}
END_TEST

static Suite *optimizer_settings_suite(void)
{
    Suite *suite = suite_create("optimizer settings");
    TCase *tcase = tcase_create("optimizer settings");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, creating_needs_a_rate);
    tcase_add_test(tcase, numbers_have_ranges);
    tcase_add_test(tcase, whole_numbers_have_ranges);
    tcase_add_test(tcase, setters_are_of_one_kind);
    tcase_add_test(tcase, refused_schedules_leave_the_old_one);
    tcase_add_test(tcase, some_settings_close_with_the_first_step);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(optimizer_settings_suite());
}
