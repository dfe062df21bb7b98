/* SPDX-License-Identifier: MIT
 * Predicting and validating on pictures and their mirror images: the mean of both to the bit, in
 * any batch, and the memory for it. */
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { BATCH = 4, H = 8, W = 8, C = 3, CLASSES = 3 };

/* Of two blocks, each with a cache line of the library's own before it. */
enum { OVERHEAD = 2 * 64 };

static struct accounts accounts;
static cnn_context *context;
static cnn_model *model;
static cnn_session *session, *plain;
static cnn_tensor *inputs, *mirrored, *outputs;

static cnn_tensor *mirror_of(cnn_tensor *pictures)
{
    cnn_tensor *made = tensor_like(context, pictures);
    const float *from = floats(pictures);
    float *to = floats(made);
    for (int64_t row = 0; row < cnn_tensor_count(pictures) / (W * C); row++)
        for (int64_t i = 0; i < W; i++)
            memcpy(to + (row * W + i) * C, from + (row * W + W - 1 - i) * C, C * sizeof(float));
    return made;
}

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 2));
    model = model_chain(context);
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    EXPECT_OK(cnn_session_create(&plain, model, BATCH));
    inputs = model_inputs(model, context, BATCH, 7);
    mirrored = mirror_of(inputs);
    outputs = model_outputs(model, context, BATCH);
}

static void tear_down(void)
{
    cnn_tensor_free(inputs);
    cnn_tensor_free(mirrored);
    cnn_tensor_free(outputs);
    cnn_session_free(session);
    cnn_session_free(plain);
    cnn_model_free(model);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

/* The mean of what a session without averaging makes of pictures and mirror images. */
static cnn_tensor *mean_by_hand(void)
{
    cnn_tensor *a = model_outputs(model, context, BATCH), *b = model_outputs(model, context, BATCH);
    EXPECT_OK(session_predict(plain, a, inputs));
    EXPECT_OK(session_predict(plain, b, mirrored));
    ck_assert(!tensors_equal(a, b));
    for (int64_t i = 0; i < cnn_tensor_count(a); i++)
        floats(a)[i] = floats(a)[i] / 2 + floats(b)[i] / 2;
    cnn_tensor_free(b);
    return a;
}

START_TEST(predictions_are_means)
{
    cnn_tensor *wanted = mean_by_hand();
    EXPECT_OK(cnn_session_set_flip_averaging(session, 1));
    EXPECT_OK(session_predict(session, outputs, inputs));
    ck_assert(tensors_equal(outputs, wanted));
    EXPECT_OK(session_predict(session, outputs, mirrored));
    ck_assert(tensors_equal(outputs, wanted));
    EXPECT_OK(cnn_session_set_flip_averaging(session, 0));
    EXPECT_OK(session_predict(session, outputs, inputs));
    EXPECT_OK(session_predict(plain, wanted, inputs));
    ck_assert(tensors_equal(outputs, wanted));
    cnn_tensor_free(wanted);
}
END_TEST

START_TEST(bits_do_not_depend_on_the_batch)
{
    cnn_tensor *wanted = mean_by_hand();
    cnn_tensor *one = model_inputs(model, context, 1, 0), *row = model_outputs(model, context, 1);
    EXPECT_OK(cnn_session_set_flip_averaging(session, 1));
    for (int64_t i = 0; i < BATCH; i++) {
        memcpy(floats(one), floats(inputs) + i * H * W * C, H * W * C * sizeof(float));
        EXPECT_OK(session_predict(session, row, one));
        ck_assert_mem_eq(floats(row), floats(wanted) + i * CLASSES, CLASSES * sizeof(float));
    }
    cnn_tensor_free(one);
    cnn_tensor_free(row);
    cnn_tensor_free(wanted);
}
END_TEST

START_TEST(memory_is_counted)
{
    const size_t before = cnn_session_bytes(session), held = accounts.bytes;
    const size_t wanted = BATCH * (H * W * C + CLASSES) * sizeof(float);
    for (int32_t i = 0; i < 2; i++) { /* twice is once */
        EXPECT_OK(cnn_session_set_flip_averaging(session, 1));
        ck_assert_uint_eq(cnn_session_bytes(session) - before, wanted);
        ck_assert_uint_eq(accounts.bytes - held, wanted + OVERHEAD);
    }
    EXPECT_OK(cnn_session_set_flip_averaging(session, 0));
    ck_assert_uint_eq(cnn_session_bytes(session), before);
    ck_assert_uint_eq(accounts.bytes, held);
    EXPECT_OK(cnn_session_set_flip_averaging(session, 1)); /* freed with the session */
}
END_TEST

/* ---- Validation ---------------------------------------------------------------------------- */

/* Mean of -log p and share of right classes by the probabilities of a session that averages. */
static void evaluate_by_hand(double *loss, double *share, cnn_loader *loader, int64_t samples)
{
    cnn_tensor *x, *targets;
    *loss = *share = 0;
    for (;;) {
        EXPECT_OK(cnn_loader_next(&x, &targets, loader));
        if (x == NULL)
            break;
        cnn_tensor *y = model_outputs(model, context, cnn_tensor_dim(x, 0));
        EXPECT_OK(session_predict(session, y, x));
        for (int64_t i = 0; i < cnn_tensor_dim(x, 0); i++) {
            const float *p = floats(y) + i * CLASSES, wanted = p[labels(targets)[i]];
            *loss -= log((double)wanted) / (double)samples;
            *share += (wanted >= p[0] && wanted >= p[1] && wanted >= p[2]) / (double)samples;
        }
        cnn_tensor_free(y);
    }
    EXPECT_OK(cnn_loader_start(loader, 0));
}

START_TEST(validation_averages_probabilities)
{
    enum { SAMPLES = 10 };
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_loader *loader;
    double loss, share, plain_loss, wanted_loss, wanted_share;
    cnn_dataset *dataset = dataset_pictures(context, SAMPLES);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    EXPECT_OK(cnn_session_set_flip_averaging(session, 1));
    evaluate_by_hand(&wanted_loss, &wanted_share, loader, SAMPLES);
    EXPECT_OK(cnn_trainer_evaluate(&plain_loss, NULL, trainer, loader));
    const size_t before = cnn_trainer_bytes(trainer), held = accounts.bytes;
    EXPECT_OK(cnn_trainer_set_flip_averaging(trainer, 1));
    ck_assert_uint_eq(cnn_trainer_bytes(trainer) - before + OVERHEAD, accounts.bytes - held);
    EXPECT_OK(cnn_trainer_evaluate(&loss, &share, trainer, loader));
    ck_assert_double_eq_tol(loss, wanted_loss, 1e-5);
    ck_assert_double_eq_tol(share, wanted_share, 1e-12);
    ck_assert(fabs(plain_loss - wanted_loss) > 1e-4); /* it makes a difference */
    EXPECT_OK(cnn_trainer_set_flip_averaging(trainer, 0));
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, loader));
    ck_assert_double_eq(loss, plain_loss);
    cnn_loader_free(loader);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_dataset_free(dataset);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------ */

START_TEST(only_vectors_from_pictures)
{
    static const struct {
        int64_t shape[3];
        int32_t rank;
    } rows[] = {{{5}, 1}, {{8, 8, 3}, 3}, {{8, 8}, 2}};
    for (int32_t i = 0; i < 3; i++) {
        cnn_layer *layer;
        cnn_session *other;
        cnn_optimizer *optimizer;
        cnn_trainer *trainer;
        cnn_model *relu = model_new(context, rows[i].shape, rows[i].rank);
        EXPECT_OK(cnn_relu_create(&layer, context));
        model_take(relu, layer);
        EXPECT_OK(cnn_session_create(&other, relu, 2));
        EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
        EXPECT_OK(cnn_trainer_create(&trainer, relu, optimizer, CNN_MEAN_SQUARED_ERROR, 2));
        EXPECT_FAILS(cnn_session_set_flip_averaging(other, 1), CNN_ERROR_SHAPE,
                     "cnn_session_set_flip_averaging", "must make a vector of pictures [h][w][c]");
        EXPECT_FAILS(cnn_trainer_set_flip_averaging(trainer, 1), CNN_ERROR_SHAPE,
                     "cnn_trainer_set_flip_averaging", "must make a vector of pictures [h][w][c]");
        EXPECT_OK(cnn_session_set_flip_averaging(other, 0));
        EXPECT_OK(cnn_trainer_set_flip_averaging(trainer, 0));
        cnn_trainer_free(trainer);
        cnn_optimizer_free(optimizer);
        cnn_session_free(other);
        cnn_model_free(relu);
    }
}
END_TEST

START_TEST(numbers_other_than_0_and_1)
{
    EXPECT_FAILS(cnn_session_set_flip_averaging(session, 2), CNN_ERROR_INVALID,
                 "cnn_session_set_flip_averaging", "on is 2");
    EXPECT_FAILS(cnn_session_set_flip_averaging(session, -1), CNN_ERROR_INVALID,
                 "cnn_session_set_flip_averaging", "on is -1");
    EXPECT_FAILS(cnn_session_set_flip_averaging(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_session_set_flip_averaging", "session is NULL");
    EXPECT_FAILS(cnn_trainer_set_flip_averaging(NULL, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_flip_averaging", "trainer is NULL");
}
END_TEST

static Suite *flip_suite(void)
{
    Suite *suite = suite_create("flip");
    TCase *tcase = tcase_create("flip");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, predictions_are_means);
    tcase_add_test(tcase, bits_do_not_depend_on_the_batch);
    tcase_add_test(tcase, memory_is_counted);
    tcase_add_test(tcase, validation_averages_probabilities);
    tcase_add_test(tcase, only_vectors_from_pictures);
    tcase_add_test(tcase, numbers_other_than_0_and_1);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(flip_suite());
}
