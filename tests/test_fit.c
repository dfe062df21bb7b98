/* SPDX-License-Identifier: MIT
 * Whole epochs: what a progress callback is told and when, stopping and cancelling at any moment,
 * evaluating, and the documented errors.  After each of them the model is as the last completed
 * step left it. */
#include <math.h>
#include <pthread.h>
#include <signal.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = 10, BATCH = 4, STEPS = 3, VALIDATIONS = 5, VALIDATION_STEPS = 2 };

static struct accounts accounts;
static cnn_context *context;
static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;
static cnn_loader *training, *validation;

static cnn_loader *new_loader(int64_t samples, int64_t batch)
{
    cnn_loader *loader;
    cnn_dataset *dataset = dataset_pictures(context, samples);
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, batch));
    EXPECT_OK(cnn_loader_set_threads(loader, 1));
    cnn_dataset_free(dataset);
    return loader;
}

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_adam_create(&optimizer, context, 0.01));
    model = model_dropout(context);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    training = new_loader(SAMPLES, BATCH);
    EXPECT_OK(cnn_loader_set_shuffle(training, 1, 5));
    validation = new_loader(VALIDATIONS, BATCH);
}

static void tear_down(void)
{
    cnn_loader_free(training);
    cnn_loader_free(validation);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

/* ---- What is told -------------------------------------------------------------------------- */

struct listener {
    int32_t calls;
    int32_t stop_at; /* the call that returns other than 0; 0: none */
    void (*act)(const cnn_progress *progress);
    cnn_progress_kind kinds[32];
    int64_t steps[32], samples[32], totals[32];
    double losses[32];
    pthread_t thread;
};

static int32_t listen(void *user, const cnn_progress *progress)
{
    struct listener *listener = user;
    const int32_t i = listener->calls++;
    ck_assert(pthread_equal(listener->thread, pthread_self()));
    if (i < 32) {
        listener->kinds[i] = cnn_progress_get_kind(progress);
        listener->steps[i] = cnn_progress_step(progress);
        listener->samples[i] = cnn_progress_samples(progress);
        listener->totals[i] = cnn_progress_samples_total(progress);
        listener->losses[i] = cnn_progress_loss(progress);
    }
    if (listener->act != NULL)
        listener->act(progress);
    return listener->calls == listener->stop_at;
}

static cnn_status fit(struct listener *listener, int64_t epochs)
{
    listener->thread = pthread_self();
    return cnn_trainer_fit(trainer, training, validation, epochs, listen, listener);
}

static void check_numbers(const cnn_progress *progress)
{
    const cnn_progress_kind kind = cnn_progress_get_kind(progress);
    const double loss = cnn_progress_loss(progress), share = cnn_progress_accuracy(progress);
    ck_assert(loss > 0 && loss < 10);
    ck_assert(share >= 0 && share <= 1);
    ck_assert_int_eq(cnn_progress_epochs(progress), 2);
    ck_assert_int_eq(cnn_progress_steps(progress), STEPS);
    ck_assert(cnn_progress_seconds(progress) >= 0 && cnn_progress_seconds(progress) < 100);
    /* The rate halves after each step. */
    const int64_t t = (cnn_progress_epoch(progress) - 1) * STEPS + cnn_progress_step(progress);
    ck_assert_double_eq_tol(cnn_progress_learning_rate(progress), 0.01 * pow(0.5, (double)t - 1),
                            1e-12);
    const double validation_loss = cnn_progress_validation_loss(progress);
    const double validation_share = cnn_progress_validation_accuracy(progress);
    if (kind == CNN_PROGRESS_STEP)
        ck_assert(isnan(validation_loss) && isnan(validation_share));
    else
        ck_assert(validation_loss > 0 && validation_share >= 0 && validation_share <= 1);
}

START_TEST(progress_tells_every_moment)
{
    static const struct {
        cnn_progress_kind kind;
        int64_t step, samples, total;
    } epoch[] = {
        {CNN_PROGRESS_STEP, 1, 4, SAMPLES},           {CNN_PROGRESS_STEP, 2, 8, SAMPLES},
        {CNN_PROGRESS_STEP, 3, 10, SAMPLES},          {CNN_PROGRESS_VALIDATION, 3, 4, VALIDATIONS},
        {CNN_PROGRESS_VALIDATION, 3, 5, VALIDATIONS}, {CNN_PROGRESS_EPOCH, 3, 10, SAMPLES},
    };
    enum { MOMENTS = STEPS + VALIDATION_STEPS + 1 };
    struct listener listener = {.act = check_numbers};
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 1, 0.5));
    EXPECT_OK(fit(&listener, 2));
    ck_assert_int_eq(listener.calls, 2 * MOMENTS);
    for (int32_t i = 0; i < 2 * MOMENTS; i++) {
        ck_assert_int_eq(listener.kinds[i], epoch[i % MOMENTS].kind);
        ck_assert_int_eq(listener.steps[i], epoch[i % MOMENTS].step);
        ck_assert_int_eq(listener.samples[i], epoch[i % MOMENTS].samples);
        ck_assert_int_eq(listener.totals[i], epoch[i % MOMENTS].total);
    }
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 2 * STEPS);
    ck_assert_int_eq(cnn_loader_epoch(training), 2);
}
END_TEST

START_TEST(nobody_need_listen)
{
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL));
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, 1, NULL, NULL));
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 2 * STEPS);
    ck_assert_int_eq(cnn_loader_epoch(training), 2);
}
END_TEST

START_TEST(progress_of_nothing)
{
    ck_assert_int_eq(cnn_progress_get_kind(NULL), 0);
    ck_assert_int_eq(cnn_progress_epoch(NULL), 0);
    ck_assert_int_eq(cnn_progress_epochs(NULL), 0);
    ck_assert_int_eq(cnn_progress_step(NULL), 0);
    ck_assert_int_eq(cnn_progress_steps(NULL), 0);
    ck_assert_int_eq(cnn_progress_samples(NULL), 0);
    ck_assert_int_eq(cnn_progress_samples_total(NULL), 0);
    ck_assert(isnan(cnn_progress_loss(NULL)) && isnan(cnn_progress_accuracy(NULL)));
    ck_assert(isnan(cnn_progress_validation_loss(NULL)) &&
              isnan(cnn_progress_validation_accuracy(NULL)));
    ck_assert(cnn_progress_learning_rate(NULL) == 0 && cnn_progress_seconds(NULL) == 0);
    ck_assert_str_eq(cnn_progress_kind_name(CNN_PROGRESS_STEP), "step");
    ck_assert_str_eq(cnn_progress_kind_name(CNN_PROGRESS_VALIDATION), "validation");
    ck_assert_str_eq(cnn_progress_kind_name(CNN_PROGRESS_EPOCH), "epoch");
    static const cnn_progress_kind bad[] = {0, 4, -1, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < 5; i++)
        ck_assert_str_eq(cnn_progress_kind_name(bad[i]), "unknown progress");
}
END_TEST

/* ---- Fitting is stepping ------------------------------------------------------------------- */

/* The weights after `steps` steps over the loader by hand, and the mean losses of each epoch so
 * far. */
static uint64_t hash_by_hand(int64_t steps, double *losses)
{
    cnn_tensor *inputs, *targets;
    double loss, sum = 0;
    int64_t samples = 0;
    EXPECT_OK(cnn_loader_start(training, 0));
    for (int64_t i = 0; i < steps; i++) {
        EXPECT_OK(cnn_loader_next(&inputs, &targets, training));
        if (inputs == NULL) {
            sum = 0;
            samples = 0;
            EXPECT_OK(cnn_loader_next(&inputs, &targets, training));
        }
        EXPECT_OK(trainer_step(&loss, trainer, inputs, targets));
        samples += cnn_tensor_dim(inputs, 0);
        sum += loss * (double)cnn_tensor_dim(inputs, 0);
        losses[i] = sum / (double)samples;
    }
    EXPECT_OK(cnn_loader_start(training, 0));
    return model_hash(model, context);
}

/* Begins again with the weights that the test began with. */
static void restart(void)
{
    tear_down();
    set_up();
}

START_TEST(fitting_is_stepping_over_the_loader)
{
    struct listener listener = {0};
    double losses[2 * STEPS];
    EXPECT_OK(fit(&listener, 2));
    const uint64_t hash = model_hash(model, context);
    restart();
    ck_assert_uint_eq(hash_by_hand(2 * STEPS, losses), hash);
    for (int32_t i = 0; i < 2 * STEPS; i++)
        ck_assert_double_eq_tol(listener.losses[i / STEPS * 6 + i % STEPS], losses[i], 1e-12);
}
END_TEST

/* ---- Stopping ------------------------------------------------------------------------------ */

START_TEST(a_callback_stops_after_any_moment)
{
    for (int32_t stop_at = 1; stop_at <= 12; stop_at++) {
        struct listener listener = {.stop_at = stop_at};
        double losses[2 * STEPS];
        EXPECT_FAILS(fit(&listener, 2), CNN_ERROR_CANCELLED, "cnn_trainer_fit",
                     "stopped by the progress callback");
        ck_assert_int_eq(listener.calls, stop_at);
        const int64_t steps = cnn_optimizer_steps(optimizer);
        ck_assert_int_eq(steps, (stop_at - 1) / 6 * 3 +
                                    ((stop_at - 1) % 6 < 3 ? (stop_at - 1) % 6 + 1 : 3));
        EXPECT_OK(cnn_loader_set_threads(training, 0)); /* no epoch is left running */
        EXPECT_OK(cnn_loader_set_threads(validation, 0));
        const uint64_t hash = model_hash(model, context);
        restart();
        ck_assert_uint_eq(hash_by_hand(steps, losses), hash);
        restart();
    }
}
END_TEST

START_TEST(a_stopped_epoch_can_be_begun_again)
{
    struct listener listener = {.stop_at = 8};
    ck_assert_int_eq(fit(&listener, 2), CNN_ERROR_CANCELLED);
    ck_assert_int_eq(cnn_loader_epoch(training), 1);
    listener = (struct listener){0};
    EXPECT_OK(fit(&listener, 1));
    ck_assert_int_eq(listener.calls, 6);
    ck_assert_int_eq(cnn_loader_epoch(training), 2);
}
END_TEST

static int32_t cancel_at, cancel_calls;

static void cancel_in_time(const cnn_progress *progress)
{
    (void)progress;
    if (++cancel_calls == cancel_at)
        cnn_trainer_cancel(trainer);
}

START_TEST(cancelling_ends_at_the_next_step)
{
    for (cancel_at = 1; cancel_at < 12; cancel_at++) {
        struct listener listener = {.act = cancel_in_time};
        cancel_calls = 0;
        EXPECT_FAILS(fit(&listener, 2), CNN_ERROR_CANCELLED, "cnn_trainer_fit",
                     "cancelled by cnn_trainer_cancel()");
        /* After the last batch of a pass there is one more moment to notice before the next
         * pass. */
        ck_assert_int_eq(listener.calls, cancel_at);
        EXPECT_OK(cnn_loader_set_threads(training, 0));
        restart();
    }
}
END_TEST

/* Neither before nor after, when what it was meant for has ended. */
START_TEST(cancelling_nothing_does_nothing)
{
    double loss;
    struct listener listener = {0};
    cnn_trainer_cancel(trainer);
    EXPECT_OK(fit(&listener, 1));
    cnn_trainer_cancel(trainer);
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation));
    listener = (struct listener){.act = cancel_in_time};
    cancel_calls = 0;
    cancel_at = STEPS + VALIDATION_STEPS + 1; /* the last moment of the only epoch */
    EXPECT_OK(fit(&listener, 1));
    ck_assert_int_eq(cancel_calls, cancel_at);
    listener = (struct listener){0};
    EXPECT_OK(fit(&listener, 1));
}
END_TEST

static void on_signal(int number)
{
    (void)number;
    cnn_trainer_cancel(trainer);
}

static void raise_in_time(const cnn_progress *progress)
{
    if (cnn_progress_step(progress) == 2)
        raise(SIGUSR1);
}

START_TEST(a_signal_handler_may_cancel)
{
    struct listener listener = {.act = raise_in_time};
    struct sigaction action = {.sa_handler = on_signal};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(fit(&listener, 2), CNN_ERROR_CANCELLED);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 2);
}
END_TEST

static void *cancel_elsewhere(void *user)
{
    (void)user;
    cnn_trainer_cancel(trainer);
    return NULL;
}

static void start_cancelling_thread(const cnn_progress *progress)
{
    pthread_t thread;
    if (cnn_progress_epoch(progress) != 1 || cnn_progress_step(progress) != 1)
        return;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_elsewhere, NULL), 0);
    pthread_detach(thread);
}

START_TEST(another_thread_may_cancel)
{
    struct listener listener = {.act = start_cancelling_thread};
    ck_assert_int_eq(fit(&listener, 1000000), CNN_ERROR_CANCELLED);
    ck_assert_int_ge(listener.calls, 1);
}
END_TEST

/* ---- What a callback may do ---------------------------------------------------------------- */

static cnn_session *session;

static void use_the_model(const cnn_progress *progress)
{
    cnn_tensor *bytes, *inputs = model_inputs(model, context, 2, 1);
    cnn_tensor *outputs = model_outputs(model, context, 2);
    EXPECT_OK(session_predict(session, outputs, inputs));
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    EXPECT_OK(
        cnn_optimizer_set_learning_rate(optimizer, 0.001 * (double)cnn_progress_step(progress)));
    cnn_tensor_free(bytes);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
}

START_TEST(a_callback_may_use_the_model)
{
    struct listener listener = {.act = use_the_model};
    EXPECT_OK(cnn_session_create(&session, model, 2));
    EXPECT_OK(fit(&listener, 2));
    cnn_session_free(session);
    ck_assert_double_eq(cnn_optimizer_learning_rate(optimizer), 0.003);
}
END_TEST

/* ---- Evaluating ---------------------------------------------------------------------------- */

START_TEST(evaluating_is_predicting)
{
    cnn_tensor *inputs, *targets;
    double loss = -1, share = -1, sum = 0;
    int64_t right = 0;
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    const uint64_t before = model_hash(model, context);
    EXPECT_OK(cnn_trainer_evaluate(&loss, &share, trainer, validation));
    EXPECT_OK(cnn_loader_start(validation, 0));
    for (;;) {
        EXPECT_OK(cnn_loader_next(&inputs, &targets, validation));
        if (inputs == NULL)
            break;
        const int64_t n = cnn_tensor_dim(inputs, 0);
        cnn_tensor *outputs = model_outputs(model, context, n);
        EXPECT_OK(session_predict(session, outputs, inputs));
        for (int64_t i = 0; i < n; i++) {
            const float *row = floats(outputs) + 3 * i;
            const int32_t best =
                row[1] > row[0] ? (row[2] > row[1] ? 2 : 1) : (row[2] > row[0] ? 2 : 0);
            right += best == labels(targets)[i];
            sum -= log((double)row[labels(targets)[i]]);
        }
        cnn_tensor_free(outputs);
    }
    ck_assert_double_eq_tol(loss, sum / VALIDATIONS, 1e-5);
    ck_assert_double_eq(share, (double)right / VALIDATIONS);
    EXPECT_OK(cnn_trainer_evaluate(NULL, NULL, trainer, validation));
    ck_assert_uint_eq(model_hash(model, context), before);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 0);
    cnn_session_free(session);
}
END_TEST

START_TEST(evaluating_does_not_disturb_training)
{
    double loss;
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 2, NULL, NULL));
    const uint64_t hash = model_hash(model, context);
    restart();
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL));
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation));
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, training));
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, 1, NULL, NULL));
    ck_assert_uint_eq(model_hash(model, context), hash);
}
END_TEST

/* One loader for both: each epoch trains on the next order, and so differs from the others. */
START_TEST(validating_keeps_a_loaders_place)
{
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 3, NULL, NULL));
    const uint64_t hash = model_hash(model, context);
    restart();
    EXPECT_OK(cnn_trainer_fit(trainer, training, training, 3, NULL, NULL));
    ck_assert_uint_eq(model_hash(model, context), hash);
    ck_assert_int_eq(cnn_loader_epoch(training), 3);
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, 1, NULL, NULL));
    ck_assert_int_eq(cnn_loader_epoch(validation), 0);
}
END_TEST

/* ---- Errors -------------------------------------------------------------------------------- */

START_TEST(null_and_numbers_that_cannot_be)
{
    double loss, share;
    EXPECT_FAILS(cnn_trainer_fit(NULL, training, NULL, 1, NULL, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_fit", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_fit(trainer, NULL, NULL, 1, NULL, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_fit", "training is NULL");
    static const int64_t epochs[] = {0, -1, INT64_MIN};
    for (int32_t i = 0; i < 3; i++)
        EXPECT_FAILS(cnn_trainer_fit(trainer, training, NULL, epochs[i], NULL, NULL),
                     CNN_ERROR_INVALID, "cnn_trainer_fit", "must be at least 1");
    EXPECT_FAILS(cnn_trainer_evaluate(&loss, &share, NULL, validation), CNN_ERROR_INVALID,
                 "cnn_trainer_evaluate", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_evaluate(&loss, &share, trainer, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_evaluate", "loader is NULL");
}
END_TEST

START_TEST(batches_that_are_too_large)
{
    double loss;
    const uint64_t before = model_hash(model, context);
    cnn_loader *large = new_loader(SAMPLES, BATCH + 1);
    EXPECT_FAILS(cnn_trainer_fit(trainer, large, NULL, 1, NULL, NULL), CNN_ERROR_SHAPE,
                 "cnn_trainer_fit", "training has batches of 5 samples, must have at most 4");
    EXPECT_FAILS(cnn_trainer_evaluate(&loss, NULL, trainer, large), CNN_ERROR_SHAPE,
                 "cnn_trainer_evaluate", "loader has batches of 5 samples");
    EXPECT_FAILS(cnn_trainer_fit(trainer, training, large, 1, NULL, NULL), CNN_ERROR_SHAPE,
                 "cnn_trainer_fit", "validation has batches of 5 samples");
    ck_assert_uint_eq(model_hash(model, context), before);
    cnn_loader_free(large);
}
END_TEST

/* A model of other inputs and fewer outputs than the loaders have samples and classes for. */
START_TEST(loaders_for_another_model)
{
    static const char *const words[] = {
        "validation has samples [8][8][3], the model takes [4][4][3]",
        "validation has 3 classes, the model and its loss tell 2"};
    for (int32_t i = 0; i < 2; i++) {
        const int64_t side = i == 0 ? 4 : 8;
        cnn_model *other = model_new(context, (int64_t[]){side, side, 3}, 3);
        cnn_optimizer *sgd;
        cnn_trainer *fitter;
        cnn_layer *layer;
        EXPECT_OK(cnn_flatten_create(&layer, context));
        model_take(other, layer);
        EXPECT_OK(cnn_dense_create(&layer, context, 2));
        model_take(other, layer);
        EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
        EXPECT_OK(cnn_trainer_create(&fitter, other, sgd, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
        cnn_loader *own;
        cnn_tensor *samples = TENSOR(context, CNN_UINT8, 2, 4, 4, 3);
        cnn_tensor *classes = tensor_labels(context, 2, 2);
        cnn_dataset *dataset;
        EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, classes, 2));
        EXPECT_OK(cnn_loader_create(&own, dataset, other, 2));
        EXPECT_OK(cnn_loader_set_threads(own, 0));
        EXPECT_FAILS(cnn_trainer_fit(fitter, own, validation, 1, NULL, NULL), CNN_ERROR_SHAPE,
                     "cnn_trainer_fit", words[i]);
        ck_assert_int_eq(cnn_optimizer_steps(sgd), 0);
        EXPECT_OK(cnn_trainer_fit(fitter, own, own, 1, NULL, NULL));
        cnn_loader_free(own);
        cnn_dataset_free(dataset);
        cnn_tensor_free(samples);
        cnn_tensor_free(classes);
        cnn_trainer_free(fitter);
        cnn_optimizer_free(sgd);
        cnn_model_free(other);
    }
}
END_TEST

/* Samples that a callback makes; number `bad_sample` fails. */
static int64_t bad_sample = 6;

static cnn_status make_sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    (void)user;
    *label = (int32_t)(index % 3);
    if (index == bad_sample)
        return CNN_ERROR_IO;
    return cnn_tensor_create(image, context, CNN_UINT8, (int64_t[]){8, 8, 3}, 3);
}

START_TEST(a_bad_sample_ends_strict_training)
{
    cnn_dataset *dataset;
    struct listener listener = {0};
    EXPECT_OK(cnn_dataset_from_callback(&dataset, context, SAMPLES, 3, make_sample, NULL));
    cnn_loader_free(training);
    EXPECT_OK(cnn_loader_create(&training, dataset, model, BATCH));
    EXPECT_OK(cnn_loader_set_strict(training, 1));
    ck_assert_int_eq(fit(&listener, 1), CNN_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "sample 6"));
    ck_assert_int_eq(listener.calls, 1);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 1);
    EXPECT_OK(cnn_loader_set_strict(training, 0));
    listener = (struct listener){0};
    EXPECT_OK(fit(&listener, 1)); /* skips it: the second batch has three samples */
    ck_assert_int_eq(listener.samples[1], 7);
    ck_assert_int_eq(listener.samples[5], 9);
    ck_assert_int_eq(listener.totals[5], 9);
    ck_assert_int_eq(cnn_loader_skipped(training), 1);
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(labels_need_a_loss_with_classes)
{
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, BATCH));
    EXPECT_FAILS(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL), CNN_ERROR_SHAPE,
                 "cnn_trainer_fit",
                 "training has labels, the loss mean_squared_error needs float32 targets");
}
END_TEST

static Suite *fit_suite(void)
{
    Suite *suite = suite_create("fit");
    TCase *tcase = tcase_create("fit");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, progress_tells_every_moment);
    tcase_add_test(tcase, nobody_need_listen);
    tcase_add_test(tcase, progress_of_nothing);
    tcase_add_test(tcase, fitting_is_stepping_over_the_loader);
    tcase_add_test(tcase, a_callback_stops_after_any_moment);
    tcase_add_test(tcase, a_stopped_epoch_can_be_begun_again);
    tcase_add_test(tcase, cancelling_ends_at_the_next_step);
    tcase_add_test(tcase, cancelling_nothing_does_nothing);
    tcase_add_test(tcase, a_signal_handler_may_cancel);
    tcase_add_test(tcase, another_thread_may_cancel);
    tcase_add_test(tcase, a_callback_may_use_the_model);
    tcase_add_test(tcase, evaluating_is_predicting);
    tcase_add_test(tcase, evaluating_does_not_disturb_training);
    tcase_add_test(tcase, validating_keeps_a_loaders_place);
    tcase_add_test(tcase, null_and_numbers_that_cannot_be);
    tcase_add_test(tcase, batches_that_are_too_large);
    tcase_add_test(tcase, loaders_for_another_model);
    tcase_add_test(tcase, a_bad_sample_ends_strict_training);
    tcase_add_test(tcase, labels_need_a_loss_with_classes);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(fit_suite());
}
