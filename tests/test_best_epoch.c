/* SPDX-License-Identifier: MIT
 * The best epoch of a training: which it is, its weights given back, patience, and what happens
 * when training is stopped or fails. */
#include <math.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"

enum { SAMPLES = 12, BATCH = 4, EPOCHS = 9 };

static struct accounts accounts;
static cnn_context *context;
static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;
static cnn_loader *training, *validation;

/* What was seen at the end of each epoch, from 1, and by an own reckoning the best until then. */
static struct epoch {
    double loss, accuracy;
    uint64_t hash;
    int64_t best;
} epochs[EPOCHS + 1];
static int64_t ended, stop_after;
static double rates[EPOCHS + 1]; /* of the epochs; 0: as before */

static cnn_loader *new_loader(int64_t samples)
{
    cnn_loader *loader;
    cnn_dataset *dataset = dataset_pictures(context, samples);
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    cnn_dataset_free(dataset);
    return loader;
}

static void set_up(void)
{
    context = accounts_context(&accounts);
    EXPECT_OK(cnn_context_set_seed(context, 2));
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.02));
    model = model_dropout(context);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    training = new_loader(SAMPLES);
    validation = new_loader(SAMPLES - 1);
    ended = stop_after = 0;
    for (int32_t i = 0; i <= EPOCHS; i++)
        rates[i] = 0;
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

/* By the documented rule, spelled out. */
static int64_t best_of(int64_t count)
{
    int64_t best = 1;
    for (int64_t i = 2; i <= count; i++) {
        const struct epoch *a = &epochs[i], *b = &epochs[best];
        if (isnan(a->loss))
            continue;
        if (isnan(b->loss) || a->accuracy > b->accuracy ||
            (a->accuracy == b->accuracy && a->loss < b->loss))
            best = i;
    }
    return best;
}

static int32_t watch(void *user, const cnn_progress *progress)
{
    (void)user;
    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_EPOCH)
        return 0;
    ended = cnn_progress_epoch(progress);
    epochs[ended] = (struct epoch){
        .loss = cnn_progress_validation_loss(progress),
        .accuracy = cnn_progress_validation_accuracy(progress),
        .hash = model_hash(model, context),
    };
    epochs[ended].best = best_of(ended);
    ck_assert_int_eq(cnn_trainer_best_epoch(trainer), epochs[ended].best);
    if (ended < EPOCHS && rates[ended + 1] > 0)
        EXPECT_OK(cnn_optimizer_set_learning_rate(optimizer, rates[ended + 1]));
    return ended == stop_after;
}

static cnn_status fit(void)
{
    return cnn_trainer_fit(trainer, training, validation, EPOCHS, watch, NULL);
}

/* From epoch `from` on the rate makes things worse; by far, or until nothing is a number. */
static void get_worse(int64_t from, double rate)
{
    rates[from] = rate;
}

static void expect_best_told(int64_t best)
{
    ck_assert_int_eq(cnn_trainer_best_epoch(trainer), best);
    ck_assert_double_eq(cnn_trainer_best_accuracy(trainer), epochs[best].accuracy);
    ck_assert_double_eq(cnn_trainer_best_loss(trainer), epochs[best].loss);
}

/* ---- Keeping ------------------------------------------------------------------------------- */

static const double bad_rates[] = {2, 30, 1e30};

START_TEST(the_best_weights_come_back)
{
    get_worse(5, bad_rates[_i]);
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(fit());
    ck_assert_int_eq(ended, EPOCHS);
    const int64_t best = best_of(EPOCHS);
    ck_assert_int_lt(best, EPOCHS);
    ck_assert_uint_ne(epochs[best].hash, epochs[EPOCHS].hash);
    ck_assert_uint_eq(model_hash(model, context), epochs[best].hash);
    expect_best_told(best);
    double loss;
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, validation)); /* what runs has them too */
    ck_assert_double_eq(loss, epochs[best].loss);
}
END_TEST

START_TEST(nothing_comes_back_unasked)
{
    get_worse(5, 30);
    EXPECT_OK(fit());
    ck_assert_uint_eq(model_hash(model, context), epochs[EPOCHS].hash);
    expect_best_told(best_of(EPOCHS));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 0));
    EXPECT_OK(fit());
    ck_assert_uint_eq(model_hash(model, context), epochs[EPOCHS].hash);
}
END_TEST

/* A second training has a best epoch of its own. */
START_TEST(each_training_begins_anew)
{
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(fit());
    get_worse(2, 30);
    EXPECT_OK(cnn_optimizer_set_learning_rate(optimizer, 30));
    EXPECT_OK(fit());
    const int64_t best = best_of(EPOCHS);
    expect_best_told(best);
    ck_assert_uint_eq(model_hash(model, context), epochs[best].hash);
}
END_TEST

/* They become the average; what is trained stays. */
START_TEST(averaged_weights_come_back)
{
    get_worse(4, 1);
    EXPECT_OK(cnn_trainer_set_average(trainer, 0.6));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(fit());
    const int64_t best = best_of(EPOCHS);
    ck_assert_int_lt(best, EPOCHS);
    ck_assert_uint_eq(model_hash(model, context), epochs[best].hash);
    EXPECT_OK(cnn_trainer_use_average(trainer, 0));
    ck_assert_uint_ne(model_hash(model, context), epochs[best].hash);
    ck_assert_uint_ne(model_hash(model, context), epochs[EPOCHS].hash);
    EXPECT_OK(cnn_trainer_use_average(trainer, 1));
    ck_assert_uint_eq(model_hash(model, context), epochs[best].hash);
}
END_TEST

/* The bytes that `kept` saves as. */
static cnn_tensor *bytes_of(const cnn_model *kept)
{
    cnn_tensor *bytes;
    EXPECT_OK(cnn_model_save_memory(&bytes, kept));
    return bytes;
}

static cnn_tensor *best_bytes; /* of the model at the end of the best epoch until now */

/* After each epoch a copy of the best one saves as the model did then, and the model stays. */
static int32_t copy_best(void *user, const cnn_progress *progress)
{
    cnn_model *copy;
    const int32_t result = watch(user, progress);
    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_EPOCH)
        return result;
    if (epochs[ended].best == ended) {
        cnn_tensor_free(best_bytes);
        best_bytes = bytes_of(model);
    }
    EXPECT_OK(cnn_trainer_copy_best(&copy, trainer));
    cnn_tensor *bytes = bytes_of(copy);
    cnn_model_free(copy);
    ck_assert_uint_eq(cnn_tensor_bytes(bytes), cnn_tensor_bytes(best_bytes));
    ck_assert_mem_eq(cnn_tensor_const_data(bytes), cnn_tensor_const_data(best_bytes),
                     cnn_tensor_bytes(bytes));
    cnn_tensor_free(bytes);
    ck_assert_uint_eq(model_hash(model, context), epochs[ended].hash);
    return result;
}

START_TEST(the_best_can_be_copied_at_any_time)
{
    best_bytes = NULL;
    get_worse(5, 30);
    EXPECT_OK(cnn_trainer_set_average(trainer, _i == 0 ? 0 : 0.6));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, EPOCHS, copy_best, NULL));
    ck_assert_int_lt(best_of(EPOCHS), EPOCHS);
    cnn_tensor_free(best_bytes);
}
END_TEST

static void expect_no_copy(const char *why)
{
    cnn_model *copy = model;
    EXPECT_FAILS(cnn_trainer_copy_best(&copy, trainer), CNN_ERROR_STATE, "cnn_trainer_copy_best",
                 why);
    ck_assert_ptr_null(copy);
}

START_TEST(without_a_best_there_is_no_copy)
{
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, 1, NULL, NULL));
    expect_no_copy("cnn_trainer_set_keep_best() is off");
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    expect_no_copy("none was validated yet"); /* the best one's weights were not kept */
    EXPECT_FAILS(cnn_trainer_copy_best(NULL, trainer), CNN_ERROR_INVALID, "cnn_trainer_copy_best",
                 "model is NULL");
    cnn_model *copy;
    EXPECT_FAILS(cnn_trainer_copy_best(&copy, NULL), CNN_ERROR_INVALID, "cnn_trainer_copy_best",
                 "trainer is NULL");
}
END_TEST

/* ---- Ends ---------------------------------------------------------------------------------- */

START_TEST(a_stopped_training_gives_the_best_too)
{
    get_worse(3, 30);
    stop_after = 6;
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_FAILS(fit(), CNN_ERROR_CANCELLED, "cnn_trainer_fit", "stopped by the progress callback");
    const int64_t best = best_of(6);
    ck_assert_int_lt(best, 6);
    ck_assert_uint_eq(model_hash(model, context), epochs[best].hash);
}
END_TEST

static int32_t stop_at_once(void *user, const cnn_progress *progress)
{
    (void)user;
    (void)progress;
    return 1;
}

START_TEST(without_an_epoch_there_is_no_best)
{
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    const uint64_t before = model_hash(model, context);
    ck_assert_int_eq(cnn_trainer_fit(trainer, training, validation, 2, stop_at_once, NULL),
                     CNN_ERROR_CANCELLED);
    ck_assert_int_eq(cnn_trainer_best_epoch(trainer), 0);
    ck_assert(isnan(cnn_trainer_best_accuracy(trainer)) && isnan(cnn_trainer_best_loss(trainer)));
    ck_assert_uint_ne(model_hash(model, context), before); /* one step was made */
}
END_TEST

/* A picture that cannot be had in the third epoch. */
static int64_t samples_given;

static cnn_status sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    (void)user;
    *label = (int32_t)(index % 3);
    if (++samples_given > 2 * SAMPLES + 5)
        return CNN_ERROR_IO;
    const cnn_status status =
        cnn_tensor_create(image, context, CNN_UINT8, (const int64_t[]){8, 8, 3}, 3);
    if (status == CNN_OK)
        ((uint8_t *)cnn_tensor_data(*image))[index] = 200;
    return status;
}

static uint64_t latest;

static int32_t remember(void *user, const cnn_progress *progress)
{
    (void)user;
    (void)progress;
    latest = model_hash(model, context);
    return 0;
}

START_TEST(a_failed_training_stays_where_it_was)
{
    cnn_dataset *dataset;
    cnn_loader *loader;
    EXPECT_OK(cnn_dataset_from_callback(&dataset, context, SAMPLES, 3, sample, NULL));
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    EXPECT_OK(cnn_loader_set_threads(loader, 0));
    EXPECT_OK(cnn_loader_set_strict(loader, 1));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    const cnn_status status = cnn_trainer_fit(trainer, loader, validation, EPOCHS, remember, NULL);
    ck_assert(status != CNN_OK && status != CNN_ERROR_CANCELLED);
    ck_assert_int_ge(cnn_trainer_best_epoch(trainer), 1);
    ck_assert_uint_eq(model_hash(model, context), latest);
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 0)); /* nothing is running */
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
}
END_TEST

/* ---- Patience ------------------------------------------------------------------------------ */

START_TEST(patience_ends)
{
    get_worse(3, 1e30); /* nothing is a number from there on */
    EXPECT_OK(cnn_trainer_set_patience(trainer, _i));
    EXPECT_OK(fit());
    int64_t wanted = 1;
    while (wanted < EPOCHS && (_i == 0 || wanted - epochs[wanted].best < _i))
        wanted++;
    ck_assert_int_eq(ended, wanted);
    if (_i > 0)
        ck_assert_int_le(ended, 2 + _i);
    ck_assert_int_eq(cnn_loader_epoch(training), wanted);
}
END_TEST

/* ---- Memory and refusals ------------------------------------------------------------------- */

START_TEST(memory_is_counted)
{
    const size_t before = cnn_trainer_bytes(trainer), held = accounts.bytes;
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    /* Five blocks, each with a cache line of the library's own before it. */
    const size_t counted = cnn_trainer_bytes(trainer) - before, taken = accounts.bytes - held;
    ck_assert_uint_ge(counted, (size_t)cnn_model_parameters(model) * sizeof(float));
    ck_assert_uint_eq(taken, counted + (size_t)5 * 64);
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 0));
    ck_assert_uint_eq(accounts.bytes, held);
}
END_TEST

START_TEST(no_memory_no_keeping)
{
    accounts.refuse_at = accounts.calls + 3;
    EXPECT_FAILS(cnn_trainer_set_keep_best(trainer, 1), CNN_ERROR_MEMORY,
                 "cnn_trainer_set_keep_best", "");
    accounts.refuse_at = 0;
    EXPECT_OK(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL)); /* it is off */
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
}
END_TEST

static int32_t try_to_end(void *user, const cnn_progress *progress)
{
    (void)user;
    (void)progress;
    EXPECT_FAILS(cnn_trainer_set_keep_best(trainer, 0), CNN_ERROR_STATE,
                 "cnn_trainer_set_keep_best", "cnn_trainer_fit() is running");
    return 0;
}

START_TEST(what_is_refused)
{
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 1));
    EXPECT_FAILS(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_fit", "validation is NULL");
    EXPECT_OK(cnn_trainer_fit(trainer, training, validation, 1, try_to_end, NULL));
    EXPECT_OK(cnn_trainer_set_keep_best(trainer, 0));
    EXPECT_OK(cnn_trainer_set_patience(trainer, 2));
    EXPECT_FAILS(cnn_trainer_fit(trainer, training, NULL, 1, NULL, NULL), CNN_ERROR_INVALID,
                 "cnn_trainer_fit", "cnn_trainer_set_patience() asked for");
    ck_assert_int_eq(cnn_loader_epoch(training), 1);
    EXPECT_FAILS(cnn_trainer_set_patience(trainer, -1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_patience", "epochs is -1");
    EXPECT_FAILS(cnn_trainer_set_keep_best(trainer, 2), CNN_ERROR_INVALID,
                 "cnn_trainer_set_keep_best", "on is 2");
    EXPECT_FAILS(cnn_trainer_set_patience(NULL, 1), CNN_ERROR_INVALID, "cnn_trainer_set_patience",
                 "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_set_keep_best(NULL, 1), CNN_ERROR_INVALID, "cnn_trainer_set_keep_best",
                 "trainer is NULL");
    ck_assert_int_eq(cnn_trainer_best_epoch(NULL), 0);
    ck_assert(isnan(cnn_trainer_best_loss(NULL)) && isnan(cnn_trainer_best_accuracy(NULL)));
}
END_TEST

static Suite *best_epoch_suite(void)
{
    Suite *suite = suite_create("best_epoch");
    TCase *tcase = tcase_create("best_epoch");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, the_best_weights_come_back, 0, 3);
    tcase_add_test(tcase, nothing_comes_back_unasked);
    tcase_add_test(tcase, each_training_begins_anew);
    tcase_add_test(tcase, averaged_weights_come_back);
    tcase_add_loop_test(tcase, the_best_can_be_copied_at_any_time, 0, 2);
    tcase_add_test(tcase, without_a_best_there_is_no_copy);
    tcase_add_test(tcase, a_stopped_training_gives_the_best_too);
    tcase_add_test(tcase, without_an_epoch_there_is_no_best);
    tcase_add_test(tcase, a_failed_training_stays_where_it_was);
    tcase_add_loop_test(tcase, patience_ends, 0, 5);
    tcase_add_test(tcase, memory_is_counted);
    tcase_add_test(tcase, no_memory_no_keeping);
    tcase_add_test(tcase, what_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(best_epoch_suite());
}
