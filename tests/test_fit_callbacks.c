/* SPDX-License-Identifier: MIT
 * Calls of the trainer in a progress callback of its own cnn_trainer_fit(): what would train in the
 * middle of the training is refused, evaluating disturbs nothing, and a cancelling is heard. */
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/trainings.h"

static struct training training;

static const struct training_options kinds[] = {
    {.threads = 1}, {.threads = 2, .refined = true}, {.accumulation = 2, .refined = true}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Runs through with `act` at every moment; its hash. */
static uint64_t run_through(const struct training_options *options,
                            void (*act)(struct training *, int32_t))
{
    training_open(&training, options);
    training.act = act;
    EXPECT_OK(training_fit(&training));
    return training_hash(&training);
}

/* ---- Training ------------------------------------------------------------------------------ */

#define EXPECT_REFUSED(call, function)                                                             \
    EXPECT_FAILS(call, CNN_ERROR_STATE, function, "cnn_trainer_fit() is running")

static void train_otherwise(struct training *of, int32_t call)
{
    cnn_trainer *const trainer = of->trainer;
    cnn_tensor *inputs = model_inputs(of->model, of->context, 2, 1);
    cnn_tensor *outputs = model_outputs(of->model, of->context, 2);
    cnn_tensor *targets = tensor_labels(of->context, 2, 3);
    const cnn_tensor *const x = inputs, *const dy = outputs;
    EXPECT_REFUSED(cnn_trainer_fit(trainer, of->loader, of->validation, 1, NULL, NULL),
                   "cnn_trainer_fit");
    EXPECT_REFUSED(trainer_step(NULL, trainer, inputs, targets), "cnn_trainer_step");
    EXPECT_REFUSED(cnn_trainer_forward(trainer, &outputs, 1, &x, 1), "cnn_trainer_forward");
    EXPECT_REFUSED(cnn_trainer_backward(trainer, &dy, 1), "cnn_trainer_backward");
    EXPECT_REFUSED(cnn_trainer_update(trainer), "cnn_trainer_update");
    EXPECT_REFUSED(cnn_trainer_resume(trainer, of->loader, "none"), "cnn_trainer_resume");
    EXPECT_REFUSED(cnn_trainer_set_keep_best(trainer, call % 2), "cnn_trainer_set_keep_best");
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(targets);
}

START_TEST(training_is_refused)
{
    const uint64_t hash = run_through(&kinds[_i], NULL);
    const int64_t steps = cnn_optimizer_steps(training.optimizer);
    training_close(&training);
    ck_assert_uint_eq(run_through(&kinds[_i], train_otherwise), hash);
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), steps);
    EXPECT_OK(cnn_trainer_fit(training.trainer, training.loader, training.validation, 1, NULL,
                              NULL)); /* now it may */
    EXPECT_OK(cnn_trainer_set_keep_best(training.trainer, 0));
    training_close(&training);
}
END_TEST

/* ---- Evaluating ---------------------------------------------------------------------------- */

static void evaluate_all(struct training *of, int32_t call)
{
    (void)call;
    double first, second;
    cnn_dataset *dataset = dataset_pictures(of->context, 6);
    cnn_loader *other;
    EXPECT_OK(cnn_loader_create(&other, dataset, of->model, TRAINING_BATCH));
    EXPECT_OK(cnn_trainer_evaluate(&first, NULL, of->trainer, other));
    EXPECT_OK(cnn_trainer_evaluate(NULL, NULL, of->trainer, of->loader));
    EXPECT_OK(cnn_trainer_evaluate(NULL, NULL, of->trainer, of->validation));
    EXPECT_OK(cnn_trainer_evaluate(&second, NULL, of->trainer, other));
    ck_assert_double_eq(first, second);
    cnn_loader_free(other);
    cnn_dataset_free(dataset);
}

/* Also over loaders that are in the middle of an epoch. */
START_TEST(evaluating_disturbs_nothing)
{
    static struct training wanted;
    const uint64_t hash = run_through(&kinds[_i], NULL);
    wanted = training;
    training_close(&training);
    ck_assert_uint_eq(run_through(&kinds[_i], evaluate_all), hash);
    expect_same_moments(&training, &wanted, 0);
    ck_assert_int_eq(cnn_loader_epoch(training.loader), TRAINING_EPOCHS);
    ck_assert_int_eq(cnn_loader_epoch(training.validation), 0);
    training_close(&training);
}
END_TEST

/* ---- Cancelling ---------------------------------------------------------------------------- */

static int32_t cancel_at;

static void cancel_and_evaluate(struct training *of, int32_t call)
{
    if (call != cancel_at)
        return;
    cnn_trainer_cancel(of->trainer);
    EXPECT_FAILS(cnn_trainer_evaluate(NULL, NULL, of->trainer, of->validation), CNN_ERROR_CANCELLED,
                 "cnn_trainer_evaluate", "cancelled");
    EXPECT_REFUSED(cnn_trainer_fit(of->trainer, of->loader, NULL, 1, NULL, NULL),
                   "cnn_trainer_fit");
}

START_TEST(a_cancelling_is_heard)
{
    for (cancel_at = 1; cancel_at < MOST_MOMENTS; cancel_at++) {
        training_open(&training, &kinds[0]);
        training.act = cancel_and_evaluate;
        EXPECT_FAILS(training_fit(&training), CNN_ERROR_CANCELLED, "cnn_trainer_fit", "cancelled");
        ck_assert_int_eq(training.calls, cancel_at);
        EXPECT_OK(cnn_trainer_evaluate(NULL, NULL, training.trainer, training.validation));
        training_close(&training);
    }
}
END_TEST

static Suite *fit_callbacks_suite(void)
{
    Suite *suite = suite_create("fit_callbacks");
    TCase *tcase = tcase_create("fit_callbacks");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, training_is_refused, 0, KINDS);
    tcase_add_loop_test(tcase, evaluating_disturbs_nothing, 0, KINDS);
    tcase_add_test(tcase, a_cancelling_is_heard);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(fit_callbacks_suite());
}
