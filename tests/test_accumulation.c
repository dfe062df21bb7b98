/* SPDX-License-Identifier: MIT
 * Gradients of several batches for one update: as those of one batch of all of them, also where the
 * last ones are smaller; what is told; and that an update which is not finished leaves nothing. */
#include <math.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = 10, EPOCHS = 2, MOST = 10 };

static cnn_context *context;
static cnn_model *model;
static cnn_optimizer *optimizer;
static cnn_trainer *trainer;
static cnn_loader *loader;

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_context_set_seed(context, 4));
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_OK(cnn_sgd_set_momentum(optimizer, 0.9));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, 0.3)); /* of the whole update */
    model = model_new(context, (const int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 5, 3, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, MOST));
}

static void make_loader(int64_t batch)
{
    cnn_dataset *dataset = dataset_pictures(context, SAMPLES);
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, batch));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 3));
    cnn_dataset_free(dataset);
}

static void tear_down(void)
{
    cnn_loader_free(loader);
    loader = NULL;
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
}

/* ---- As one batch -------------------------------------------------------------------------- */

static cnn_tensor *weights_after_fit(int64_t batch, int64_t accumulation)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    make_loader(batch);
    EXPECT_OK(cnn_trainer_set_accumulation(trainer, accumulation));
    EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, EPOCHS, NULL, NULL));
    EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, "conv2d1.weight"));
    cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
    EXPECT_OK(cnn_model_get_parameter(model, "conv2d1.weight", values));
    return values;
}

/* Small batches and how many of them, and the large one with the same updates. */
static const struct {
    int64_t batch, accumulation, large, updates;
} cases[] = {
    {2, 2, 4, 3},  /* 4, 4, 2 */
    {4, 2, 8, 2},  /* 4 + 4, 2 */
    {4, 3, 10, 1}, /* 4 + 4 + 2 */
    {3, 2, 6, 2},  /* 3 + 3, 3 + 1 */
    {1, 10, 10, 1}, {5, 1, 5, 2}, {3, 100, 10, 1},
};
enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(small_batches_add_up_to_a_large_one)
{
    double wanted[5 * 3 * 3 * 3];
    cnn_tensor *got = weights_after_fit(cases[_i].batch, cases[_i].accumulation);
    const int64_t count = cnn_tensor_count(got);
    ck_assert_int_eq(count, 5 * 3 * 3 * 3);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), EPOCHS * cases[_i].updates);
    float small[5 * 3 * 3 * 3];
    for (int64_t i = 0; i < count; i++)
        small[i] = floats(got)[i];
    cnn_tensor_free(got);
    tear_down();
    set_up();
    got = weights_after_fit(cases[_i].large, 1);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), EPOCHS * cases[_i].updates);
    for (int64_t i = 0; i < count; i++)
        wanted[i] = (double)floats(got)[i];
    expect_close("weights", small, wanted, count, 1e-6);
    cnn_tensor_free(got);
}
END_TEST

/* ---- What is told -------------------------------------------------------------------------- */

static int32_t calls;

static int32_t listen(void *user, const cnn_progress *progress)
{
    static const int64_t samples[] = {4, 8, 10};
    (void)user;
    ck_assert_int_eq(cnn_progress_steps(progress), 3);
    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_STEP) {
        ck_assert_int_eq(cnn_progress_step(progress), calls % 3 + 1);
        ck_assert_int_eq(cnn_progress_samples(progress), samples[calls % 3]);
        ck_assert_int_eq(cnn_optimizer_steps(optimizer), ++calls);
        ck_assert_double_eq_tol(cnn_progress_learning_rate(progress),
                                0.1 * pow(0.5, (double)calls - 1), 1e-15);
    }
    return 0;
}

START_TEST(an_update_is_a_step)
{
    make_loader(2);
    EXPECT_OK(cnn_optimizer_set_schedule_step(optimizer, 1, 0.5));
    EXPECT_OK(cnn_trainer_set_accumulation(trainer, 2));
    EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, EPOCHS, listen, NULL));
    ck_assert_int_eq(calls, 3 * EPOCHS);
}
END_TEST

/* ---- Not finished -------------------------------------------------------------------------- */

/* Cancels when the third batch of the first update is made. */
static cnn_status sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    (void)user;
    *label = (int32_t)(index % 3);
    if (index == 5)
        cnn_trainer_cancel(trainer);
    return cnn_tensor_create(image, context, CNN_UINT8, (const int64_t[]){8, 8, 3}, 3);
}

START_TEST(an_update_that_is_not_finished_leaves_nothing)
{
    cnn_dataset *dataset;
    cnn_tensor *gradient = TENSOR(context, CNN_FLOAT32, 3);
    EXPECT_OK(cnn_dataset_from_callback(&dataset, context, SAMPLES, 3, sample, NULL));
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, 2));
    EXPECT_OK(cnn_loader_set_threads(loader, 0));
    EXPECT_OK(cnn_trainer_set_accumulation(trainer, 5));
    const uint64_t before = model_hash(model, context);
    ck_assert_int_eq(cnn_trainer_fit(trainer, loader, NULL, 1, NULL, NULL), CNN_ERROR_CANCELLED);
    ck_assert_uint_eq(model_hash(model, context), before);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 0);
    EXPECT_OK(cnn_model_get_gradient(model, "dense1.bias", gradient));
    for (int32_t i = 0; i < 3; i++)
        ck_assert(floats(gradient)[i] == 0);
    cnn_tensor_free(gradient);
    cnn_dataset_free(dataset);
}
END_TEST

/* A step outside of fit is always one of its batch. */
START_TEST(single_steps_are_not_gathered)
{
    cnn_tensor *x = model_inputs(model, context, 2, 1), *targets = tensor_labels(context, 2, 3);
    EXPECT_OK(cnn_trainer_set_accumulation(trainer, 3));
    EXPECT_OK(trainer_step(NULL, trainer, x, targets));
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 1);
    make_loader(2);
    EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, 1, NULL, NULL));
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 3);
    EXPECT_OK(trainer_step(NULL, trainer, x, targets));
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 4);
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
}
END_TEST

START_TEST(settings_have_ranges)
{
    static const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX, (int64_t)INT32_MAX + 1};
    for (int32_t i = 0; i < 5; i++)
        EXPECT_FAILS(cnn_trainer_set_accumulation(trainer, bad[i]), CNN_ERROR_INVALID,
                     "cnn_trainer_set_accumulation", "must be 1 to 2147483647");
    EXPECT_FAILS(cnn_trainer_set_accumulation(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_accumulation", "trainer is NULL");
    EXPECT_OK(cnn_trainer_set_accumulation(trainer, INT32_MAX));
}
END_TEST

static Suite *accumulation_suite(void)
{
    Suite *suite = suite_create("accumulation");
    TCase *tcase = tcase_create("accumulation");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, small_batches_add_up_to_a_large_one, 0, CASES);
    tcase_add_test(tcase, an_update_is_a_step);
    tcase_add_test(tcase, an_update_that_is_not_finished_leaves_nothing);
    tcase_add_test(tcase, single_steps_are_not_gathered);
    tcase_add_test(tcase, settings_have_ranges);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(accumulation_suite());
}
