/* SPDX-License-Identifier: MIT
 * Losses and their gradients against PyTorch, through whole training steps: a dense layer whose
 * input is the identity matrix has the logits as its weights, and their gradients as its
 * weights' gradients.  Targets that are refused are in test_trainer.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnn/trainer.h"
#include "model/loss.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 1));
    torch_open("losses");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- A model that is its logits ------------------------------------------------------------ */

/* One plain SGD step at this rate moves the weights so far that the difference has all of the
 * gradient's bits. */
static const double rate = 0x1p14;

struct problem {
    cnn_model *model;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_tensor *x; /* [n][n], the identity */
    int64_t n, outputs;
};

static void begin(struct problem *problem, cnn_loss loss, int64_t n, int64_t outputs, bool softmax)
{
    cnn_layer *layer;
    problem->n = n;
    problem->outputs = outputs;
    EXPECT_OK(cnn_model_create(&problem->model, context, &n, 1));
    EXPECT_OK(cnn_dense_create(&layer, context, outputs));
    EXPECT_OK(cnn_dense_set_bias(layer, 0));
    model_take(problem->model, layer);
    if (softmax) {
        EXPECT_OK(cnn_softmax_create(&layer, context));
        model_take(problem->model, layer);
    }
    EXPECT_OK(cnn_sgd_create(&problem->sgd, context, rate));
    EXPECT_OK(cnn_trainer_create(&problem->trainer, problem->model, problem->sgd, loss, n));
    problem->x = TENSOR(context, CNN_FLOAT32, n, n);
    for (int64_t i = 0; i < n; i++)
        floats(problem->x)[i * n + i] = 1;
}

static void end(struct problem *problem)
{
    cnn_tensor_free(problem->x);
    cnn_trainer_free(problem->trainer);
    cnn_optimizer_free(problem->sgd);
    cnn_model_free(problem->model);
}

/* Sets the logits z [n][outputs], or reads them. */
static void set_logits(struct problem *problem, const cnn_tensor *z)
{
    const float *values = cnn_tensor_const_data(z);
    cnn_tensor *w = TENSOR(context, CNN_FLOAT32, problem->outputs, problem->n);
    for (int64_t i = 0; i < problem->n; i++)
        for (int64_t k = 0; k < problem->outputs; k++)
            floats(w)[k * problem->n + i] = values[i * problem->outputs + k];
    EXPECT_OK(cnn_model_set_parameter(problem->model, "dense1.weight", w));
    cnn_tensor_free(w);
}

static void get_logits(struct problem *problem, double *z)
{
    cnn_tensor *w = TENSOR(context, CNN_FLOAT32, problem->outputs, problem->n);
    EXPECT_OK(cnn_model_get_parameter(problem->model, "dense1.weight", w));
    for (int64_t i = 0; i < problem->n; i++)
        for (int64_t k = 0; k < problem->outputs; k++)
            z[i * problem->outputs + k] = (double)floats(w)[k * problem->n + i];
    cnn_tensor_free(w);
}

/* One step from z: the loss, and the gradient in `dz`. */
static double step(struct problem *problem, float *dz, const cnn_tensor *z,
                   const cnn_tensor *targets)
{
    double loss, *moved = malloc(cnn_tensor_bytes(z) * 2);
    const cnn_tensor *x = problem->x;
    const float *before = cnn_tensor_const_data(z);
    set_logits(problem, z);
    EXPECT_OK(cnn_trainer_step(&loss, problem->trainer, &x, 1, &targets, 1));
    get_logits(problem, moved);
    for (int64_t i = 0; i < cnn_tensor_count(z); i++)
        dz[i] = (float)(((double)before[i] - moved[i]) / rate);
    free(moved);
    return loss;
}

/* ---- Against PyTorch ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    cnn_loss loss;
} cases[] = {
    {"ce_labels", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_shares", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_shares_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weights", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_two", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_one_sample", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_many", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_mixed", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_mixed_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_labels", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_labels_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_mixed", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_mixed_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_shares", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_weighted_shares_smooth", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_large", CNN_SOFTMAX_CROSS_ENTROPY},
    {"ce_offset", CNN_SOFTMAX_CROSS_ENTROPY},
    {"bce_shares", CNN_BINARY_CROSS_ENTROPY},
    {"bce_labels", CNN_BINARY_CROSS_ENTROPY},
    {"bce_weighted_shares", CNN_BINARY_CROSS_ENTROPY},
    {"bce_weighted_labels", CNN_BINARY_CROSS_ENTROPY},
    {"mse", CNN_MEAN_SQUARED_ERROR},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* Gives the trainer the case's weights, where it has any. */
static void set_weights(struct problem *problem, const char *name, cnn_loss kind)
{
    double weights[8];
    const int32_t count = (int32_t)problem->outputs;
    if (!torch_has(name, "weights"))
        return;
    for (int32_t i = 0; i < count; i++)
        weights[i] = torch_number(name, "weights", i);
    EXPECT_OK(kind == CNN_SOFTMAX_CROSS_ENTROPY
                  ? cnn_trainer_set_class_weights(problem->trainer, weights, count)
                  : cnn_trainer_set_positive_weights(problem->trainer, weights, count));
}

/* With and without a softmax layer, which cross-entropy passes over. */
static void compare(const char *name, cnn_loss kind, bool softmax)
{
    struct problem problem;
    cnn_tensor *z = torch_tensor(context, name, "z"), *wanted = torch_tensor(context, name, "dz");
    cnn_tensor *targets = torch_tensor(context, name, "targets"), *dz = tensor_like(context, z);
    begin(&problem, kind, cnn_tensor_dim(z, 0), cnn_tensor_dim(z, 1), softmax);
    if (kind == CNN_SOFTMAX_CROSS_ENTROPY)
        EXPECT_OK(cnn_trainer_set_label_smoothing(
            problem.trainer, (double)(float)torch_number(name, "smoothing", 0)));
    set_weights(&problem, name, kind);
    float loss = (float)step(&problem, floats(dz), z, targets);
    double exact = torch_number(name, "loss", 0);
    expect_close(name, &loss, &exact, 1, 1e-6);
    expect_tensor_close(name, dz, wanted, 2e-6);
    end(&problem);
    cnn_tensor *const tensors[] = {z, wanted, targets, dz};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        cnn_tensor_free(tensors[i]);
}

START_TEST(losses_are_those_of_pytorch)
{
    compare(cases[_i].name, cases[_i].loss, false);
    if (cases[_i].loss == CNN_SOFTMAX_CROSS_ENTROPY)
        compare(cases[_i].name, cases[_i].loss, true);
}
END_TEST

/* ---- Odd numbers --------------------------------------------------------------------------- */

/* Logits so far apart that their exponentials, and even their sums, overflow. */
START_TEST(extreme_logits_do_not_overflow)
{
    static const float values[] = {1000, -1000, 0, 3e38f, -3e38f, 0, 5, -3e38f, 5};
    static const float wanted[] = {1, -1, 0, 0, 0, 0, -0.5f, 0, 0.5f};
    struct problem problem;
    cnn_tensor *z = TENSOR(context, CNN_FLOAT32, 3, 3), *dz = tensor_like(context, z);
    cnn_tensor *targets = TENSOR(context, CNN_INT32, 3);
    memcpy(floats(z), values, sizeof values);
    memcpy(labels(targets), (int32_t[]){1, 0, 0}, 3 * sizeof(int32_t));
    begin(&problem, CNN_SOFTMAX_CROSS_ENTROPY, 3, 3, true);
    double loss = step(&problem, floats(dz), z, targets);
    ck_assert_double_eq_tol(loss, (2000 + 0 + log(2)) / 3, 1e-4);
    static const int64_t near_zero[] = {0, 1, 2,
                                        5, 6, 8}; /* where a weight moves by the gradient */
    for (int32_t i = 0; i < 6; i++)
        ck_assert_float_eq_tol(floats(dz)[near_zero[i]], wanted[near_zero[i]] / 3, 1e-6f);
    end(&problem);
    cnn_tensor_free(z);
    cnn_tensor_free(dz);
    cnn_tensor_free(targets);
}
END_TEST

/* NaN among the outputs makes the loss NaN, and is no error. */
START_TEST(nan_is_no_error)
{
    static const cnn_loss losses[] = {CNN_SOFTMAX_CROSS_ENTROPY, CNN_BINARY_CROSS_ENTROPY,
                                      CNN_MEAN_SQUARED_ERROR};
    struct problem problem;
    cnn_tensor *z = TENSOR(context, CNN_FLOAT32, 2, 3), *dz = tensor_like(context, z);
    cnn_tensor *targets = tensor_like(context, z);
    fill_tensor(z, 1);
    floats(z)[4] = NAN;
    floats(targets)[0] = floats(targets)[3] = 1;
    begin(&problem, losses[_i], 2, 3, false);
    ck_assert(isnan(step(&problem, floats(dz), z, targets)));
    end(&problem);
    cnn_tensor_free(z);
    cnn_tensor_free(dz);
    cnn_tensor_free(targets);
}
END_TEST

/* Whoever has NaN for an answer is not right, whatever was wanted. */
START_TEST(nan_is_never_right)
{
    const bool binary = _i == 1;
    cnn_tensor *z = TENSOR(context, CNN_FLOAT32, 4, 3), *targets = TENSOR(context, CNN_INT32, 4);
    const struct cnni_loss loss = {
        .context = context,
        .kind = binary ? CNN_BINARY_CROSS_ENTROPY : CNN_SOFTMAX_CROSS_ENTROPY,
        .shape = {1, {binary ? 1 : 3}},
    };
    float work[12];
    for (int32_t i = 0; i < 12; i++)
        floats(z)[i] = NAN;
    ck_assert_int_eq(cnni_loss_run(&loss, 4, NULL, work, floats(z), targets).right, 0);
    for (int32_t i = 0; i < 3; i++)
        floats(z)[i] = (float)-i;
    ck_assert_int_eq(cnni_loss_run(&loss, 4, NULL, work, floats(z), targets).right, binary ? 3 : 1);
    cnn_tensor_free(z);
    cnn_tensor_free(targets);
}
END_TEST

static Suite *losses_suite(void)
{
    Suite *suite = suite_create("losses");
    TCase *tcase = tcase_create("losses");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, losses_are_those_of_pytorch, 0, CASES);
    tcase_add_test(tcase, extreme_logits_do_not_overflow);
    tcase_add_loop_test(tcase, nan_is_no_error, 0, 3);
    tcase_add_loop_test(tcase, nan_is_never_right, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(losses_suite());
}
