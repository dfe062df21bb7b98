/* SPDX-License-Identifier: MIT
 * Training with targets that are not one class a sample, or classes that do not count the same:
 * loaders that mix, and weights, alone and in whole epochs.  The formulas are compared with PyTorch
 * in test_losses.c. */
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/datasets.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = 10, BATCH = 4, CLASSES = 3 };

static struct accounts accounts;
static cnn_context *context;
static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;

/* At the level that CNN_CPU names. */
static void set_up_with(int32_t threads, cnn_loss loss)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, threads));
    EXPECT_OK(cnn_adam_create(&optimizer, context, 0.01));
    model = model_dropout(context);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, loss, BATCH));
}

static void set_up(void)
{
    set_up_with(2, CNN_SOFTMAX_CROSS_ENTROPY);
}

static void tear_down(void)
{
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

static cnn_loader *loader_of(cnn_dataset *dataset, int32_t threads)
{
    cnn_loader *loader;
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    EXPECT_OK(cnn_loader_set_threads(loader, threads));
    cnn_dataset_free(dataset);
    return loader;
}

static cnn_loader *new_mixing(int32_t threads)
{
    cnn_loader *loader = loader_of(dataset_pictures(context, SAMPLES), threads);
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 5));
    EXPECT_OK(cnn_loader_set_mixup(loader, 0.4));
    EXPECT_OK(cnn_loader_set_cutmix(loader, 1));
    return loader;
}

/* ---- Loaders that mix ------------------------------------------------------------------------ */

START_TEST(mixed_training_has_the_same_bits_for_any_threads)
{
    uint64_t wanted = 0;
    for (int32_t i = 0; i < 4; i++) {
        tear_down();
        set_up_with(1 + i % 2, CNN_SOFTMAX_CROSS_ENTROPY);
        cnn_loader *loader = new_mixing(i);
        EXPECT_OK(cnn_trainer_set_label_smoothing(trainer, 0.1));
        EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, 3, NULL, NULL));
        const uint64_t hash = model_hash(model, context);
        wanted = i == 0 ? hash : wanted;
        ck_assert_uint_eq(hash, wanted);
        cnn_loader_free(loader);
    }
}
END_TEST

/* The answer whose share of the target is greatest. */
static int64_t greatest(const float *values)
{
    int64_t best = 0;
    for (int64_t k = 1; k < CLASSES; k++)
        if (values[k] > values[best])
            best = k;
    return best;
}

START_TEST(right_is_the_class_of_the_greatest_share)
{
    double loss, share, mean = 0;
    int64_t right = 0;
    cnn_tensor *inputs, *targets;
    cnn_session *session;
    cnn_loader *loader = new_mixing(0);
    EXPECT_OK(cnn_trainer_evaluate(&loss, &share, trainer, loader));
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    EXPECT_OK(cnn_loader_next(&inputs, &targets, loader));
    while (inputs != NULL) {
        const int64_t n = cnn_tensor_dim(inputs, 0);
        cnn_tensor *outputs = model_outputs(model, context, n);
        EXPECT_OK(session_predict(session, outputs, inputs));
        for (int64_t i = 0; i < n; i++) {
            const float *target = floats(targets) + i * CLASSES, *y = floats(outputs) + i * CLASSES;
            right += greatest(target) == greatest(y);
            for (int64_t k = 0; k < CLASSES; k++)
                mean -= (double)target[k] * log((double)y[k]) / SAMPLES;
        }
        cnn_tensor_free(outputs);
        EXPECT_OK(cnn_loader_next(&inputs, &targets, loader));
    }
    ck_assert_double_eq_tol(share, (double)right / SAMPLES, 1e-12);
    ck_assert_double_eq_tol(loss, mean, 1e-5);
    cnn_session_free(session);
    cnn_loader_free(loader);
}
END_TEST

static cnn_status fit(cnn_loader *loader)
{
    return cnn_trainer_fit(trainer, loader, NULL, 1, NULL, NULL);
}

/* Labels of fewer classes than outputs are fine as numbers, but not as shares. */
START_TEST(shares_must_be_of_the_models_classes)
{
    cnn_tensor *samples = TENSOR(context, CNN_FLOAT32, 5, 8, 8, 3);
    cnn_tensor *two = tensor_labels(context, 5, 2);
    cnn_dataset *dataset;
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, two, 2));
    cnn_loader *loader = loader_of(dataset, 0);
    EXPECT_OK(fit(loader));
    EXPECT_OK(cnn_loader_set_mixup(loader, 1));
    const uint64_t before = model_hash(model, context);
    EXPECT_FAILS(fit(loader), CNN_ERROR_SHAPE, "cnn_trainer_fit",
                 "training mixes its samples, whose labels are [2], the loss "
                 "softmax_cross_entropy takes [3]");
    ck_assert_uint_eq(model_hash(model, context), before);
    EXPECT_OK(cnn_loader_set_mixup(loader, 0));
    EXPECT_OK(fit(loader));
    cnn_loader_free(loader);
    cnn_tensor_free(samples);
    cnn_tensor_free(two);
}
END_TEST

/* Losses without classes take shares, which are targets like any others. */
START_TEST(shares_are_targets_of_any_loss)
{
    static const cnn_loss losses[] = {CNN_BINARY_CROSS_ENTROPY, CNN_MEAN_SQUARED_ERROR};
    double loss, share;
    tear_down();
    set_up_with(1, losses[_i]);
    cnn_loader *loader = new_mixing(0);
    EXPECT_OK(fit(loader));
    EXPECT_OK(cnn_trainer_evaluate(&loss, &share, trainer, loader));
    ck_assert(loss > 0 && isnan(share));
    EXPECT_OK(cnn_loader_set_mixup(loader, 0));
    EXPECT_OK(cnn_loader_set_cutmix(loader, 0));
    EXPECT_FAILS(fit(loader), CNN_ERROR_SHAPE, "cnn_trainer_fit", "needs float32 targets");
    cnn_loader_free(loader);
}
END_TEST

/* ---- Weights of classes ---------------------------------------------------------------------- */

/* `count` samples of `classes` classes in turn, beginning with class `first`. */
static cnn_loader *new_loader(int64_t count, int32_t first, int32_t classes)
{
    cnn_tensor *samples = TENSOR(context, CNN_FLOAT32, count, 8, 8, 3);
    cnn_tensor *numbers = TENSOR(context, CNN_INT32, count);
    cnn_dataset *dataset;
    for (int64_t i = 0; i < count; i++) {
        labels(numbers)[i] = first + (int32_t)(i % classes);
        fill_floats(floats(samples) + i * 192, 192, (uint64_t)labels(numbers)[i]);
    }
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, numbers, CLASSES));
    cnn_tensor_free(samples);
    cnn_tensor_free(numbers);
    return loader_of(dataset, 0);
}

static double evaluate(cnn_loader *loader)
{
    double loss;
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, loader));
    cnn_loader_free(loader);
    return loss;
}

/* All samples of a class are alike, so that an epoch's loss is the weighted mean of three numbers,
 * by weights that have nothing to do with how the epoch is cut into batches (of 4, 4 and 2). */
START_TEST(an_epochs_loss_is_one_weighted_mean)
{
    static const double weights[] = {0.3, 5, 2};
    static const int32_t counts[] = {4, 3, 3};
    double sum = 0, weight = 0, own[CLASSES];
    for (int32_t k = 0; k < CLASSES; k++)
        own[k] = evaluate(new_loader(2, k, 1));
    EXPECT_OK(cnn_trainer_set_class_weights(trainer, weights, CLASSES));
    for (int32_t k = 0; k < CLASSES; k++) {
        ck_assert_double_eq_tol(evaluate(new_loader(2, k, 1)), own[k], 1e-6);
        sum += weights[k] * counts[k] * own[k];
        weight += weights[k] * counts[k];
    }
    ck_assert_double_eq_tol(evaluate(new_loader(10, 0, CLASSES)), sum / weight, 1e-6);
    EXPECT_OK(cnn_trainer_set_class_weights(trainer, NULL, 0));
    ck_assert_double_eq_tol(evaluate(new_loader(10, 0, CLASSES)),
                            0.4 * own[0] + 0.3 * own[1] + 0.3 * own[2], 1e-6);
}
END_TEST

/* Weights of 1 leave the bits alone; others, with balanced weights of a dataset, do not. */
START_TEST(weights_of_one_change_no_bit)
{
    uint64_t hashes[3];
    for (int32_t i = 0; i < 3; i++) {
        double weights[CLASSES] = {1, 1, 1};
        tear_down();
        set_up();
        cnn_dataset *dataset = dataset_pictures(context, SAMPLES);
        if (i == 2)
            EXPECT_OK(cnn_dataset_class_weights(weights, CLASSES, dataset));
        if (i > 0)
            EXPECT_OK(cnn_trainer_set_class_weights(trainer, weights, CLASSES));
        weights[0] = 1000; /* they were copied */
        cnn_loader *loader = loader_of(dataset, 0);
        EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, 2, NULL, NULL));
        hashes[i] = model_hash(model, context);
        cnn_loader_free(loader);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
    ck_assert_uint_ne(hashes[0], hashes[2]);
}
END_TEST

START_TEST(weights_that_cannot_be)
{
    static const double bad[] = {0, -1, NAN, INFINITY};
    double weights[4] = {1, 2, 3, 4};
    EXPECT_OK(cnn_trainer_set_class_weights(trainer, weights, CLASSES));
    for (int32_t i = 0; i < 4; i++) {
        weights[2] = bad[i];
        EXPECT_FAILS(cnn_trainer_set_class_weights(trainer, weights, CLASSES), CNN_ERROR_INVALID,
                     "cnn_trainer_set_class_weights", "weight 2 is ");
    }
    for (int32_t count = 2; count <= 4; count += 2)
        EXPECT_FAILS(cnn_trainer_set_class_weights(trainer, weights, count), CNN_ERROR_SHAPE,
                     "cnn_trainer_set_class_weights", "must be the number of outputs, 3");
    EXPECT_FAILS(cnn_trainer_set_class_weights(NULL, weights, CLASSES), CNN_ERROR_INVALID,
                 "cnn_trainer_set_class_weights", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_set_positive_weights(trainer, weights, CLASSES), CNN_ERROR_INVALID,
                 "cnn_trainer_set_positive_weights",
                 "the loss is softmax_cross_entropy, must be binary_cross_entropy");
    /* The weights are those of before all failures: 1, 2, 3. */
    const double before = evaluate(new_loader(10, 0, CLASSES));
    weights[2] = 3;
    EXPECT_OK(cnn_trainer_set_class_weights(trainer, weights, CLASSES));
    ck_assert(evaluate(new_loader(10, 0, CLASSES)) == before);
    tear_down();
    set_up_with(1, CNN_BINARY_CROSS_ENTROPY);
    EXPECT_FAILS(cnn_trainer_set_class_weights(trainer, weights, CLASSES), CNN_ERROR_INVALID,
                 "cnn_trainer_set_class_weights",
                 "the loss is binary_cross_entropy, must be softmax_cross_entropy");
    EXPECT_OK(cnn_trainer_set_positive_weights(trainer, weights, CLASSES));
    EXPECT_OK(cnn_trainer_set_positive_weights(trainer, NULL, 0));
}
END_TEST

/* ---- Weights of a dataset -------------------------------------------------------------------- */

START_TEST(balanced_weights_are_the_formula)
{
    static const int32_t classes[11] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
    double weights[CLASSES];
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, 11, 2, 2, 3);
    cnn_tensor *numbers = TENSOR(context, CNN_INT32, 11);
    cnn_dataset *all, *first, *second;
    memcpy(labels(numbers), classes, sizeof classes);
    EXPECT_OK(cnn_dataset_from_memory(&all, context, samples, numbers, CLASSES));
    EXPECT_OK(cnn_dataset_class_weights(weights, CLASSES, all));
    for (int32_t k = 0; k < CLASSES; k++)
        ck_assert_double_eq_tol(weights[k], 11.0 / (3 * (int[]){6, 3, 2}[k]), 1e-15);
    /* Of the half itself, not of the whole. */
    EXPECT_OK(cnn_dataset_split(&first, &second, all, 0.4, 1));
    EXPECT_OK(cnn_dataset_class_weights(weights, CLASSES, second));
    for (int32_t k = 0; k < CLASSES; k++)
        ck_assert_double_eq_tol(weights[k], 4.0 / (3 * (int[]){2, 1, 1}[k]), 1e-15);
    cnn_dataset_free(all);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    cnn_tensor_free(samples);
    cnn_tensor_free(numbers);
}
END_TEST

static cnn_status never(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    (void)user, (void)index, (void)image, (void)label;
    return CNN_ERROR_IO;
}

START_TEST(balanced_weights_that_there_are_not)
{
    double weights[CLASSES];
    cnn_dataset *full = dataset_squares(context, 8, CLASSES), *empty, *unknown;
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, 5, 2, 2, 3);
    cnn_tensor *two = tensor_labels(context, 5, 2);
    EXPECT_OK(cnn_dataset_from_memory(&empty, context, samples, two, CLASSES));
    EXPECT_OK(cnn_dataset_from_callback(&unknown, context, 5, CLASSES, never, NULL));
    EXPECT_FAILS(cnn_dataset_class_weights(weights, CLASSES, empty), CNN_ERROR_SHAPE,
                 "cnn_dataset_class_weights", "class 2 (2) has no samples");
    EXPECT_FAILS(cnn_dataset_class_weights(weights, CLASSES, unknown), CNN_ERROR_UNSUPPORTED,
                 "cnn_dataset_class_weights", "come from a callback");
    EXPECT_FAILS(cnn_dataset_class_weights(weights, 2, full), CNN_ERROR_SHAPE,
                 "cnn_dataset_class_weights", "count is 2, must be the number of classes, 3");
    EXPECT_FAILS(cnn_dataset_class_weights(NULL, CLASSES, full), CNN_ERROR_INVALID,
                 "cnn_dataset_class_weights", "weights is NULL");
    EXPECT_FAILS(cnn_dataset_class_weights(weights, CLASSES, NULL), CNN_ERROR_INVALID,
                 "cnn_dataset_class_weights", "dataset is NULL");
    cnn_dataset_free(full);
    cnn_dataset_free(empty);
    cnn_dataset_free(unknown);
    cnn_tensor_free(samples);
    cnn_tensor_free(two);
}
END_TEST

static Suite *fit_targets_suite(void)
{
    Suite *suite = suite_create("fit_targets");
    TCase *tcase = tcase_create("fit_targets");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, mixed_training_has_the_same_bits_for_any_threads);
    tcase_add_test(tcase, right_is_the_class_of_the_greatest_share);
    tcase_add_test(tcase, shares_must_be_of_the_models_classes);
    tcase_add_loop_test(tcase, shares_are_targets_of_any_loss, 0, 2);
    tcase_add_test(tcase, an_epochs_loss_is_one_weighted_mean);
    tcase_add_test(tcase, weights_of_one_change_no_bit);
    tcase_add_test(tcase, weights_that_cannot_be);
    tcase_add_test(tcase, balanced_weights_are_the_formula);
    tcase_add_test(tcase, balanced_weights_that_there_are_not);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(fit_targets_suite());
}
