/* SPDX-License-Identifier: MIT
 * Optimizers over several steps, clipping, and learning rates, against PyTorch.  What setters
 * refuse is in test_optimizer_settings.c.  The gradients are given: a dense layer on the
 * identity matrix has, for output gradients dy, the weight gradient dy transposed and the bias
 * gradient its column sums. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

/* As in the fixtures. */
enum { UNITS = 3, FEATURES = 5, STEPS = 6, RATES = 24 };

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 1));
    torch_open("optimizers");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- Steps with given gradients ------------------------------------------------------------ */

struct problem {
    cnn_model *model;
    cnn_trainer *trainer;
    cnn_tensor *x, *dy, *y;
};

/* Attaches `optimizer` to a model with the fixtures' first weights. */
static void begin(struct problem *problem, cnn_optimizer *optimizer)
{
    cnn_layer *layer;
    cnn_tensor *w = torch_tensor(context, "given", "w"), *b = torch_tensor(context, "given", "b");
    EXPECT_OK(cnn_model_create(&problem->model, context, (const int64_t[]){FEATURES}, 1));
    EXPECT_OK(cnn_dense_create(&layer, context, UNITS));
    EXPECT_OK(cnn_model_add(problem->model, layer));
    EXPECT_OK(cnn_layer_set_parameter(layer, CNN_WEIGHT, w));
    EXPECT_OK(cnn_layer_set_parameter(layer, CNN_BIAS, b));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_trainer_create(&problem->trainer, problem->model, optimizer,
                                 CNN_MEAN_SQUARED_ERROR, FEATURES));
    problem->x = TENSOR(context, CNN_FLOAT32, FEATURES, FEATURES);
    problem->y = TENSOR(context, CNN_FLOAT32, FEATURES, UNITS);
    problem->dy = TENSOR(context, CNN_FLOAT32, FEATURES, UNITS);
    for (int64_t i = 0; i < FEATURES; i++)
        floats(problem->x)[i * FEATURES + i] = 1;
    cnn_tensor_free(w);
    cnn_tensor_free(b);
}

static void end(struct problem *problem)
{
    cnn_tensor_free(problem->x);
    cnn_tensor_free(problem->y);
    cnn_tensor_free(problem->dy);
    cnn_trainer_free(problem->trainer);
    cnn_model_free(problem->model);
}

/* One step with number `t` of the given gradients. */
static void step(struct problem *problem, int64_t t)
{
    const cnn_tensor *x = problem->x, *dy = problem->dy;
    for (int64_t u = 0; u < UNITS; u++)
        for (int64_t f = 0; f < FEATURES; f++)
            floats(problem->dy)[f * UNITS + u] =
                (float)torch_number("given", "gradients", (t * UNITS + u) * FEATURES + f);
    EXPECT_OK(cnn_trainer_forward(problem->trainer, &problem->y, 1, &x, 1));
    EXPECT_OK(cnn_trainer_backward(problem->trainer, &dy, 1));
    EXPECT_OK(cnn_trainer_update(problem->trainer));
}

static void expect_parameter(const struct problem *problem, const char *parameter,
                             const char *of_case, const char *name, int64_t t)
{
    char what[128];
    double wanted[UNITS * FEATURES];
    int64_t count = name[0] == 'w' ? UNITS * FEATURES : UNITS;
    cnn_tensor *got = name[0] == 'w' ? TENSOR(context, CNN_FLOAT32, UNITS, FEATURES)
                                     : TENSOR(context, CNN_FLOAT32, UNITS);
    EXPECT_OK(cnn_model_get_parameter(problem->model, parameter, got));
    for (int64_t i = 0; i < count; i++)
        wanted[i] = torch_number(of_case, name, t * count + i);
    snprintf(what, sizeof what, "%s/%s after step %lld", of_case, name, (long long)t + 1);
    expect_close(what, floats(got), wanted, count, 6e-7);
    cnn_tensor_free(got);
}

/* Six roundings of weights and a few of averages: within ten times 2^-24 of the largest weight. */
static void compare(const char *name, cnn_optimizer *optimizer)
{
    struct problem problem;
    begin(&problem, optimizer);
    for (int64_t t = 0; t < STEPS; t++) {
        step(&problem, t);
        expect_parameter(&problem, "dense1.weight", name, "w", t);
        expect_parameter(&problem, "dense1.bias", name, "b", t);
        ck_assert_int_eq(cnn_optimizer_steps(optimizer), t + 1);
    }
    end(&problem);
}

struct settings {
    const char *name;
    double rate, decay, clip;  /* decay < 0: the default */
    double momentum, nesterov; /* SGD */
    double beta1, beta2, epsilon;
};

static const struct settings sgd_cases[] = {
    {"sgd", 0.1, -1, 0, 0, 0, 0, 0, 0},
    {"sgd_decay", 0.1, 0.05, 0, 0, 0, 0, 0, 0},
    {"sgd_momentum", 0.1, 0, 0, 0.9, 0, 0, 0, 0},
    {"sgd_momentum_decay", 0.05, 0.1, 0, 0.8, 0, 0, 0, 0},
    {"sgd_nesterov", 0.1, 0.01, 0, 0.9, 1, 0, 0, 0},
    {"sgd_clip", 0.1, 0, 4, 0.9, 0, 0, 0, 0},
};
enum { SGD_CASES = sizeof sgd_cases / sizeof sgd_cases[0] };

/* beta1 of 0: the defaults. */
static const struct settings adam_cases[] = {
    {"adam", 0.01, -1, 0, 0, 0, 0, 0, 0},
    {"adam_decay", 0.01, 0.1, 0, 0, 0, 0.8, 0.95, 1e-3},
    {"adam_clip", 0.01, 0, 3, 0, 0, 0.9, 0.999, 1e-8},
    {"adamw", 0.01, -1, 0, 0, 0, 0, 0, 0},
    {"adamw_decay", 0.02, 0.3, 0, 0, 0, 0.85, 0.99, 1e-8},
};
enum { ADAM_CASES = sizeof adam_cases / sizeof adam_cases[0] };

static void apply_common(cnn_optimizer *optimizer, const struct settings *settings)
{
    if (settings->decay >= 0)
        EXPECT_OK(cnn_optimizer_set_weight_decay(optimizer, settings->decay));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, settings->clip));
}

START_TEST(sgd_steps)
{
    cnn_optimizer *optimizer;
    const struct settings *settings = &sgd_cases[_i];
    EXPECT_OK(cnn_sgd_create(&optimizer, context, settings->rate));
    EXPECT_OK(cnn_sgd_set_momentum(optimizer, settings->momentum));
    EXPECT_OK(cnn_sgd_set_nesterov(optimizer, settings->nesterov > 0));
    apply_common(optimizer, settings);
    compare(settings->name, optimizer);
    cnn_optimizer_free(optimizer);
}
END_TEST

START_TEST(adam_steps)
{
    cnn_optimizer *optimizer;
    const struct settings *settings = &adam_cases[_i];
    bool decoupled = settings->name[4] == 'w';
    EXPECT_OK(decoupled ? cnn_adamw_create(&optimizer, context, settings->rate)
                        : cnn_adam_create(&optimizer, context, settings->rate));
    if (settings->beta1 > 0) {
        EXPECT_OK(cnn_adam_set_betas(optimizer, settings->beta1, settings->beta2));
        EXPECT_OK(cnn_adam_set_epsilon(optimizer, settings->epsilon));
    }
    apply_common(optimizer, settings);
    compare(settings->name, optimizer);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* What is set for the optimizer or for the layer besides. */
struct variant {
    const char *name;
    double rate, decay, momentum;
    void (*set)(cnn_optimizer *optimizer, cnn_layer *layer);
};

static void set_cycle(cnn_optimizer *optimizer, cnn_layer *layer)
{
    (void)layer;
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, STEPS, 0.4, 5, 20));
    EXPECT_OK(cnn_optimizer_set_momentum_cycle(optimizer, 0.75, 0.95));
}

static void spare_vectors(cnn_optimizer *optimizer, cnn_layer *layer)
{
    (void)layer;
    EXPECT_OK(cnn_optimizer_set_decay_vectors(optimizer, 0));
}

static void set_factors(cnn_optimizer *optimizer, cnn_layer *layer)
{
    (void)optimizer;
    EXPECT_OK(cnn_layer_set_learning_rate(layer, 0.25));
    EXPECT_OK(cnn_layer_set_weight_decay(layer, 3));
}

static const struct variant variants[] = {
    {"sgd_cycle", 0.1, 0, 0.9, set_cycle},        {"adamw_cycle", 0.02, 0.1, 0, set_cycle},
    {"sgd_vectors", 0.1, 0.05, 0, spare_vectors}, {"adamw_vectors", 0.02, 0.3, 0, spare_vectors},
    {"sgd_factors", 0.1, 0.05, 0.9, set_factors}, {"adamw_factors", 0.02, 0.3, 0, set_factors},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

START_TEST(variants_of_steps)
{
    cnn_optimizer *optimizer;
    struct problem problem;
    const struct variant *variant = &variants[_i];
    if (variant->name[0] == 's') {
        EXPECT_OK(cnn_sgd_create(&optimizer, context, variant->rate));
        EXPECT_OK(cnn_sgd_set_momentum(optimizer, variant->momentum));
    } else {
        EXPECT_OK(cnn_adamw_create(&optimizer, context, variant->rate));
    }
    EXPECT_OK(cnn_optimizer_set_weight_decay(optimizer, variant->decay));
    begin(&problem, optimizer);
    variant->set(optimizer, cnn_model_layer(problem.model, 0));
    for (int64_t t = 0; t < STEPS; t++) {
        step(&problem, t);
        expect_parameter(&problem, "dense1.weight", variant->name, "w", t);
        expect_parameter(&problem, "dense1.bias", variant->name, "b", t);
    }
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* The model has either weights in turn; a step that follows the average goes on from the others. */
START_TEST(averages_follow_the_weights)
{
    cnn_optimizer *optimizer;
    struct problem problem;
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    begin(&problem, optimizer);
    EXPECT_OK(cnn_trainer_set_average(problem.trainer, 0.25));
    for (int64_t t = 0; t < STEPS; t++) {
        step(&problem, t);
        expect_parameter(&problem, "dense1.weight", "sgd", "w", t);
        EXPECT_OK(cnn_trainer_use_average(problem.trainer, 1));
        expect_parameter(&problem, "dense1.weight", "average", "w", t);
        expect_parameter(&problem, "dense1.bias", "average", "b", t);
        EXPECT_OK(cnn_trainer_use_average(problem.trainer, t % 2 == 0));
    }
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* An optimizer that is attached anew starts anew: same steps, same weights. */
START_TEST(an_optimizer_attached_anew_starts_anew)
{
    cnn_optimizer *optimizer;
    EXPECT_OK(cnn_adam_create(&optimizer, context, 0.01));
    compare("adam", optimizer);
    compare("adam", optimizer);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* ---- Learning rates ------------------------------------------------------------------------ */

static void set_constant(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 2, 0.5));
    EXPECT_OK(cnn_optimizer_set_schedule_constant(optimizer));
}

static void set_step(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 7, 0.3));
}

static void set_cosine(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_cosine(optimizer, 20, 0.01));
}

static void set_warmup(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_warmup(optimizer, 5));
}

static void set_warmup_step(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 3, 0.5));
    EXPECT_OK(cnn_optimizer_set_warmup(optimizer, 5));
}

static void set_warmup_cosine(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_warmup(optimizer, 5));
    EXPECT_OK(cnn_optimizer_set_schedule_cosine(optimizer, 20, 0.01));
}

static void set_one_cycle(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, RATES, 0.3, 25, 1e4));
}

static void set_one_cycle_other(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, RATES, 0.55, 4, 10));
}

static void set_one_cycle_down(cnn_optimizer *optimizer)
{
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, RATES, 0, 25, 1e4));
}

static const struct {
    const char *name;
    void (*set)(cnn_optimizer *optimizer);
} schedules[] = {
    {"schedule_constant", set_constant},
    {"schedule_step", set_step},
    {"schedule_cosine", set_cosine},
    {"schedule_warmup", set_warmup},
    {"schedule_warmup_step", set_warmup_step},
    {"schedule_warmup_cosine", set_warmup_cosine},
    {"schedule_one_cycle", set_one_cycle},
    {"schedule_one_cycle_other", set_one_cycle_other},
    {"schedule_one_cycle_down", set_one_cycle_down},
};
enum { SCHEDULES = sizeof schedules / sizeof schedules[0] };

/* The fixtures are for the base rate 1; a step with the gradient of which all is known tells the
 * rate that was used. */
START_TEST(rates_follow_the_schedule)
{
    cnn_optimizer *optimizer;
    struct problem problem;
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 1));
    schedules[_i].set(optimizer);
    begin(&problem, optimizer);
    for (int64_t t = 0; t < RATES; t++) {
        double wanted = torch_number(schedules[_i].name, "rates", t);
        ck_assert_double_eq_tol(cnn_optimizer_learning_rate(optimizer), wanted, 1e-7);
        step(&problem, 0);
    }
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* The rate that is told is the rate that is used; the base rate may change between steps. */
START_TEST(the_rate_told_is_the_rate_used)
{
    cnn_optimizer *optimizer;
    struct problem problem;
    double before, after, gradient = torch_number("given", "gradients", 0);
    cnn_tensor *w = TENSOR(context, CNN_FLOAT32, UNITS, FEATURES);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.5));
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 1, 0.5));
    begin(&problem, optimizer);
    for (int32_t t = 0; t < 4; t++) {
        if (t == 2)
            EXPECT_OK(cnn_optimizer_set_learning_rate(optimizer, 0.8));
        double rate = cnn_optimizer_learning_rate(optimizer);
        ck_assert_double_eq_tol(rate, (t < 2 ? 0.5 : 0.8) * pow(0.5, t), 1e-15);
        EXPECT_OK(cnn_model_get_parameter(problem.model, "dense1.weight", w));
        before = (double)floats(w)[0];
        step(&problem, 0);
        EXPECT_OK(cnn_model_get_parameter(problem.model, "dense1.weight", w));
        after = (double)floats(w)[0];
        ck_assert_double_eq_tol(before - after, rate * gradient, 1e-6);
    }
    cnn_tensor_free(w);
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* Past its end a cycle stays at its last rate, whatever its length; and the corner where the rate
 * rises for one step alone has the highest first. */
START_TEST(cycles_of_any_length_end)
{
    static const int64_t lengths[] = {1, 2, 4, 1000, INT64_MAX};
    cnn_optimizer *optimizer;
    struct problem problem;
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 1));
    begin(&problem, optimizer);
    for (int32_t i = 0; i < 5; i++)
        for (int32_t j = 0; j < 4; j++) {
            EXPECT_OK(
                cnn_optimizer_set_schedule_one_cycle(optimizer, lengths[i], 0.25 * j, 10, 100));
            const double rate = cnn_optimizer_learning_rate(optimizer);
            ck_assert_msg(rate >= 1e-3 - 1e-12 && rate <= 1, "%lld, %d: %g", (long long)lengths[i],
                          j, rate);
        }
    EXPECT_OK(cnn_optimizer_set_schedule_one_cycle(optimizer, 4, 0.25, 10, 100));
    ck_assert_double_eq(cnn_optimizer_learning_rate(optimizer), 1);
    for (int32_t t = 0; t < 6; t++)
        step(&problem, 0);
    ck_assert_double_eq_tol(cnn_optimizer_learning_rate(optimizer), 1e-3, 1e-15);
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

/* A norm that is not a number is seen in every weight, and does not switch the clipping off. */
START_TEST(clipping_passes_nan_on)
{
    cnn_optimizer *optimizer;
    struct problem problem;
    cnn_tensor *w = TENSOR(context, CNN_FLOAT32, UNITS, FEATURES);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.5));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, 1));
    begin(&problem, optimizer);
    const cnn_tensor *x = problem.x, *dy = problem.dy;
    floats(problem.dy)[0] = NAN;
    EXPECT_OK(cnn_trainer_forward(problem.trainer, &problem.y, 1, &x, 1));
    EXPECT_OK(cnn_trainer_backward(problem.trainer, &dy, 1));
    EXPECT_OK(cnn_trainer_update(problem.trainer));
    EXPECT_OK(cnn_model_get_parameter(problem.model, "dense1.weight", w));
    for (int32_t i = 0; i < UNITS * FEATURES; i++)
        ck_assert(isnan(floats(w)[i]));
    cnn_tensor_free(w);
    end(&problem);
    cnn_optimizer_free(optimizer);
}
END_TEST

static Suite *optimizers_suite(void)
{
    Suite *suite = suite_create("optimizers");
    TCase *tcase = tcase_create("optimizers");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, sgd_steps, 0, SGD_CASES);
    tcase_add_loop_test(tcase, adam_steps, 0, ADAM_CASES);
    tcase_add_loop_test(tcase, variants_of_steps, 0, VARIANTS);
    tcase_add_test(tcase, averages_follow_the_weights);
    tcase_add_test(tcase, an_optimizer_attached_anew_starts_anew);
    tcase_add_loop_test(tcase, rates_follow_the_schedule, 0, SCHEDULES);
    tcase_add_test(tcase, the_rate_told_is_the_rate_used);
    tcase_add_test(tcase, cycles_of_any_length_end);
    tcase_add_test(tcase, clipping_passes_nan_on);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(optimizers_suite());
}
