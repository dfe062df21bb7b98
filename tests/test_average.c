/* SPDX-License-Identifier: MIT
 * The moving average of weights: who has which weights when, that training does not notice, that
 * sessions do, and the errors.  Its arithmetic is compared with PyTorch in test_optimizers.c. */
#include <math.h>
#include <stdbool.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = 10, BATCH = 4, EPOCHS = 3 };

static struct accounts accounts;
static cnn_context *context;
static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;
static cnn_session *session;
static cnn_loader *training, *validation;
static cnn_tensor *inputs, *targets, *outputs;

static cnn_loader *new_loader(int64_t samples)
{
    cnn_loader *loader;
    cnn_dataset *dataset = dataset_pictures(context, samples);
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    EXPECT_OK(cnn_loader_set_threads(loader, 1));
    cnn_dataset_free(dataset);
    return loader;
}

static void fill_context(void)
{
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_adam_create(&optimizer, context, 0.02));
    model = model_dropout(context);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    training = new_loader(SAMPLES);
    validation = new_loader(SAMPLES / 2);
    inputs = model_inputs(model, context, BATCH, 1);
    targets = tensor_labels(context, BATCH, 3);
    outputs = model_outputs(model, context, BATCH);
}

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    fill_context();
}

static void tear_down(void)
{
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_tensor_free(outputs);
    cnn_loader_free(training);
    cnn_loader_free(validation);
    cnn_session_free(session);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

static void step(void)
{
    EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
}

/* What a session makes of the inputs with the model's weights as they are. */
static uint64_t prediction(void)
{
    EXPECT_OK(session_predict(session, outputs, inputs));
    return hash_bytes(HASH_START, floats(outputs), cnn_tensor_bytes(outputs));
}

/* The same with a model of its own that has the weights of this one. */
static uint64_t prediction_of_copy(void)
{
    cnn_tensor *bytes;
    cnn_model *copy;
    cnn_session *other;
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    EXPECT_OK(cnn_model_load_memory(&copy, context, cnn_tensor_const_data(bytes),
                                    cnn_tensor_bytes(bytes)));
    EXPECT_OK(cnn_session_create(&other, copy, BATCH));
    EXPECT_OK(session_predict(other, outputs, inputs));
    cnn_session_free(other);
    cnn_model_free(copy);
    cnn_tensor_free(bytes);
    return hash_bytes(HASH_START, floats(outputs), cnn_tensor_bytes(outputs));
}

/* ---- Who has which weights ----------------------------------------------------------------- */

START_TEST(it_begins_as_the_weights_are)
{
    step();
    const uint64_t hash = model_hash(model, context);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    ck_assert_uint_eq(model_hash(model, context), hash);
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    ck_assert_uint_eq(model_hash(model, context), hash);
    step();
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    ck_assert_uint_ne(model_hash(model, context), hash);
}
END_TEST

START_TEST(sessions_predict_with_what_the_model_has)
{
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    for (int32_t i = 0; i < 4; i++)
        step();
    const uint64_t trained = model_hash(model, context), by_trained = prediction();
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    const uint64_t averaged = model_hash(model, context), by_averaged = prediction();
    ck_assert_uint_ne(averaged, trained);
    ck_assert_uint_ne(by_averaged, by_trained);
    ck_assert_uint_eq(by_averaged, prediction_of_copy());
    EXPECT_OK(cnn_trainer_use_average(trainer, 0));
    ck_assert_uint_eq(model_hash(model, context), trained);
    ck_assert_uint_eq(prediction(), by_trained);
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    cnn_trainer_free(trainer); /* the model keeps what it has */
    trainer = NULL;
    ck_assert_uint_eq(model_hash(model, context), averaged);
    ck_assert_uint_eq(prediction(), by_averaged);
}
END_TEST

/* Steps with and without the average, which is shown and evaluated meanwhile. */
static uint64_t trained_after_steps(bool averages)
{
    double loss;
    if (averages)
        EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    for (int32_t i = 0; i < 5; i++) {
        step();
        if (averages && i % 2 == 0)
            EXPECT_OK(cnn_trainer_use_average(trainer, 1));
        if (averages && i == 3)
            EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation));
    }
    if (averages)
        EXPECT_OK(cnn_trainer_use_average(trainer, 0));
    return model_hash(model, context);
}

START_TEST(training_does_not_notice)
{
    const uint64_t wanted = trained_after_steps(false);
    tear_down();
    set_up();
    ck_assert_uint_eq(trained_after_steps(true), wanted);
}
END_TEST

START_TEST(ending_it_gives_the_trained_weights_back)
{
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    step();
    const uint64_t trained = model_hash(model, context);
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    EXPECT_OK(cnn_trainer_set_average(trainer, 0));
    ck_assert_uint_eq(model_hash(model, context), trained);
    EXPECT_FAILS(cnn_trainer_use_average(trainer, 1), CNN_ERROR_STATE, "cnn_trainer_use_average",
                 "there is no average");
    EXPECT_OK(cnn_trainer_use_average(trainer, 0));
}
END_TEST

/* Parts of a step of one's own are parts of one on the trained weights. */
START_TEST(parts_of_steps_work_on_the_trained_weights)
{
    uint64_t hashes[2];
    for (int32_t i = 0; i < 2; i++) {
        const cnn_tensor *x = inputs, *dy = outputs;
        EXPECT_OK(cnn_trainer_set_average(trainer, 0.5));
        step();
        if (i == 1)
            EXPECT_OK(cnn_trainer_use_average(trainer, 1));
        EXPECT_OK(cnn_trainer_forward(trainer, &outputs, 1, &x, 1));
        fill_tensor(outputs, 4);
        EXPECT_OK(cnn_trainer_backward(trainer, &dy, 1));
        if (i == 1)
            EXPECT_OK(cnn_trainer_use_average(trainer, 1));
        EXPECT_OK(cnn_trainer_update(trainer));
        hashes[i] = model_hash(model, context);
        EXPECT_OK(cnn_trainer_forward(trainer, &outputs, 1, &x, 1));
        EXPECT_OK(cnn_trainer_use_average(trainer, 1));
        EXPECT_FAILS(cnn_trainer_backward(trainer, &dy, 1), CNN_ERROR_STATE, "cnn_trainer_backward",
                     "no cnn_trainer_forward() came before");
        tear_down();
        set_up();
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
}
END_TEST

/* ---- Fit ----------------------------------------------------------------------------------- */

static uint64_t trained_hash, shown_hash;
static double shown_loss;

static int32_t look(void *user, const cnn_progress *progress)
{
    (void)user;
    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_STEP)
        trained_hash = model_hash(model, context);
    else
        ck_assert_uint_ne(model_hash(model, context), trained_hash);
    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_EPOCH) {
        shown_hash = model_hash(model, context);
        shown_loss = cnn_progress_validation_loss(progress);
    }
    return 0;
}

START_TEST(validation_sees_the_average)
{
    double loss;
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, EPOCHS, look, NULL));
    ck_assert_uint_eq(model_hash(model, context), shown_hash);
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation));
    ck_assert_double_eq(loss, shown_loss);
    EXPECT_OK(cnn_trainer_use_average(trainer, 0));
    ck_assert_uint_eq(model_hash(model, context), trained_hash);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0));
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation));
    ck_assert_double_ne(loss, shown_loss);
}
END_TEST

START_TEST(fit_without_validation_ends_with_it)
{
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 1, look, NULL));
    ck_assert_uint_eq(model_hash(model, context), shown_hash);
}
END_TEST

static int32_t stop(void *user, const cnn_progress *progress)
{
    (void)look(user, progress);
    return cnn_progress_epoch(progress) == 2;
}

/* After the first step of the second epoch. */
START_TEST(stopping_leaves_the_trained_weights)
{
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    ck_assert_int_eq(cnn_trainer_fit(trainer, training, validation, EPOCHS, stop, NULL),
                     CNN_ERROR_CANCELLED);
    ck_assert_uint_eq(model_hash(model, context), trained_hash);
}
END_TEST

/* ---- Memory and refusals ------------------------------------------------------------------- */

START_TEST(memory_is_counted)
{
    const size_t before = cnn_trainer_bytes(trainer), held = accounts.bytes;
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.99));
    /* Five blocks, each with a cache line of the library's own before it. */
    const size_t counted = cnn_trainer_bytes(trainer) - before, taken = accounts.bytes - held;
    ck_assert_uint_ge(counted, (size_t)cnn_model_parameters(model) * sizeof(float));
    ck_assert_uint_eq(taken, counted + (size_t)5 * 64);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0));
    ck_assert_uint_eq(cnn_trainer_bytes(trainer), before);
    ck_assert_uint_eq(accounts.bytes, held);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0));
}
END_TEST

START_TEST(no_memory_no_average)
{
    const uint64_t hash = model_hash(model, context);
    for (int64_t i = 1; i <= 5; i++) { /* the array, and four parameters */
        accounts.refuse_at = accounts.calls + i;
        EXPECT_FAILS(cnn_trainer_set_average(trainer, 0.9), CNN_ERROR_MEMORY,
                     "cnn_trainer_set_average", "");
        accounts.refuse_at = 0;
        ck_assert_int_eq(cnn_trainer_use_average(trainer, 1), CNN_ERROR_STATE);
        ck_assert_uint_eq(model_hash(model, context), hash);
    }
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
}
END_TEST

START_TEST(settings_have_ranges)
{
    static const double bad[] = {-1e-9, 1, 2, NAN, INFINITY};
    for (int32_t i = 0; i < 5; i++)
        EXPECT_FAILS(cnn_trainer_set_average(trainer, bad[i]), CNN_ERROR_INVALID,
                     "cnn_trainer_set_average", "must be at least 0 and below 1");
    EXPECT_FAILS(cnn_trainer_set_average(NULL, 0.9), CNN_ERROR_INVALID, "cnn_trainer_set_average",
                 "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_use_average(NULL, 1), CNN_ERROR_INVALID, "cnn_trainer_use_average",
                 "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_use_average(trainer, 2), CNN_ERROR_INVALID, "cnn_trainer_use_average",
                 "on is 2");
    EXPECT_FAILS(cnn_trainer_use_average(trainer, 1), CNN_ERROR_STATE, "cnn_trainer_use_average",
                 "cnn_trainer_set_average() begins one");
}
END_TEST

/* While somebody predicts: the host's threads run a part of that. */
static int32_t refusals;
static bool asks;

static void run_items(void *user, int64_t count, cnn_task_fn run, void *task)
{
    double loss;
    (void)user;
    if (asks) {
        asks = false; /* those asked may come here */
        refusals += cnn_trainer_use_average(trainer, 1) == CNN_ERROR_STATE;
        refusals += cnn_trainer_evaluate(&loss, NULL, trainer, validation) == CNN_ERROR_STATE;
    }
    for (int64_t i = 0; i < count; i++)
        run(task, i);
}

START_TEST(weights_do_not_change_while_somebody_predicts)
{
    tear_down();
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_parallel_for(context, run_items, NULL));
    fill_context();
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.9));
    step();
    const uint64_t hash = model_hash(model, context);
    asks = true;
    (void)prediction();
    ck_assert_int_eq(refusals, 2);
    ck_assert_uint_eq(model_hash(model, context), hash);
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
}
END_TEST

static Suite *average_suite(void)
{
    Suite *suite = suite_create("average");
    TCase *tcase = tcase_create("average");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, it_begins_as_the_weights_are);
    tcase_add_test(tcase, sessions_predict_with_what_the_model_has);
    tcase_add_test(tcase, training_does_not_notice);
    tcase_add_test(tcase, ending_it_gives_the_trained_weights_back);
    tcase_add_test(tcase, parts_of_steps_work_on_the_trained_weights);
    tcase_add_test(tcase, validation_sees_the_average);
    tcase_add_test(tcase, fit_without_validation_ends_with_it);
    tcase_add_test(tcase, stopping_leaves_the_trained_weights);
    tcase_add_test(tcase, memory_is_counted);
    tcase_add_test(tcase, no_memory_no_average);
    tcase_add_test(tcase, settings_have_ranges);
    tcase_add_test(tcase, weights_do_not_change_while_somebody_predicts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(average_suite());
}
