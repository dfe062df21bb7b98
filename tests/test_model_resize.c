/* SPDX-License-Identifier: MIT
 * Models for inputs of another size: what is the same in them, what is their own, and which models
 * have none. */
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SMALL = 8, LARGE = 12, BATCH = 3 };

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

/* ---- A network for pictures of any size ---------------------------------------------------- */

static void take(cnn_model *model, cnn_status status, cnn_layer **layer)
{
    EXPECT_OK(status);
    model_take(model, *layer);
}

static void take_conv(cnn_model *model, const char *name)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_layer_set_name(layer, name));
    model_take(model, layer);
}

/* [size][size][3] -> conv2d, batch_norm, relu, conv2d, add of that and the relu, dropout, maxpool2d
 * 2x2, global_avgpool2d, dense 3, softmax. */
static cnn_model *model_of(int64_t size)
{
    static const char *const classes[] = {"cat", "dog", "rabbit"};
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){size, size, 3}, 3);
    take_conv(model, "stem");
    take(model, cnn_batch_norm_create(&layer, context), &layer);
    take(model, cnn_relu_create(&layer, context), &layer);
    take_conv(model, "block");
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){2, 3}, 2));
    cnn_layer_free(layer);
    take(model, cnn_dropout_create(&layer, context, 0.5), &layer);
    take(model, cnn_maxpool2d_create(&layer, context, 2, 2), &layer);
    take(model, cnn_global_avgpool2d_create(&layer, context), &layer);
    take(model, cnn_dense_create(&layer, context, 3), &layer);
    take(model, cnn_softmax_create(&layer, context), &layer);
    EXPECT_OK(cnn_model_set_classes(model, classes, 3));
    EXPECT_OK(cnn_model_set_normalization(model, (float[]){0.1f, 0.2f, 0.3f},
                                          (float[]){0.4f, 0.5f, 0.6f}, 3));
    return model;
}

/* After a few steps: with other statistics than at first, too. */
static cnn_model *trained_model(void)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_model *model = model_of(SMALL);
    cnn_tensor *inputs = model_inputs(model, context, BATCH, 1);
    cnn_tensor *targets = tensor_labels(context, BATCH, 3);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    for (int32_t i = 0; i < 3; i++)
        EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_tensor_free(targets);
    cnn_tensor_free(inputs);
    return model;
}

static cnn_model *resized(const cnn_model *model, int64_t size)
{
    cnn_model *made;
    EXPECT_OK(cnn_model_create_resized(&made, model, (int64_t[]){size, size, 3}, 3));
    return made;
}

static uint64_t prediction(cnn_model *model)
{
    cnn_session *session;
    cnn_tensor *inputs = model_inputs(model, context, BATCH, 2);
    cnn_tensor *outputs = model_outputs(model, context, BATCH);
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    EXPECT_OK(session_predict(session, outputs, inputs));
    const uint64_t hash = hash_bytes(HASH_START, floats(outputs), cnn_tensor_bytes(outputs));
    cnn_session_free(session);
    cnn_tensor_free(outputs);
    cnn_tensor_free(inputs);
    return hash;
}

/* ---- What is the same ---------------------------------------------------------------------- */

START_TEST(it_predicts_as_if_made_for_that_size)
{
    cnn_model *model = trained_model();
    cnn_model *larger = resized(model, LARGE), *built = model_of(LARGE);
    model_copy_parameters(built, model, context);
    ck_assert_uint_eq(prediction(larger), prediction(built));
    cnn_model_free(built);
    cnn_model_free(larger);
    cnn_model_free(model);
}
END_TEST

START_TEST(there_and_back_is_the_same_model)
{
    cnn_model *model = trained_model();
    const uint64_t before = prediction(model);
    cnn_model *larger = resized(model, LARGE);
    cnn_model_free(model);
    model = resized(larger, SMALL);
    cnn_model_free(larger);
    ck_assert_uint_eq(prediction(model), before);
    cnn_model_free(model);
}
END_TEST

START_TEST(layers_classes_and_normalization_are_kept)
{
    float mean[3], deviation[3];
    cnn_model *model = model_of(SMALL);
    EXPECT_OK(cnn_layer_set_trained(cnn_model_layer(model, 0), 0));
    cnn_model *larger = resized(model, LARGE);
    ck_assert_int_eq(cnn_model_layer_count(larger), cnn_model_layer_count(model));
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        char wanted[128], found[128];
        cnn_layer_describe(cnn_model_layer(model, i), wanted, sizeof wanted);
        cnn_layer_describe(cnn_model_layer(larger, i), found, sizeof found);
        ck_assert_str_eq(found, wanted);
        ck_assert_str_eq(cnn_layer_name(cnn_model_layer(larger, i)),
                         cnn_layer_name(cnn_model_layer(model, i)));
        ck_assert_int_eq(cnn_layer_trained(cnn_model_layer(larger, i)), i != 0);
    }
    ck_assert_int_eq(cnn_model_class_count(larger), 3);
    ck_assert_str_eq(cnn_model_class_name(larger, 2), "rabbit");
    EXPECT_OK(cnn_model_normalization(mean, deviation, larger, 3));
    for (int32_t i = 0; i < 3; i++)
        ck_assert(mean[i] == 0.1f * (float)(i + 1) && deviation[i] == 0.1f * (float)(i + 4));
    cnn_model_free(larger);
    cnn_model_free(model);
}
END_TEST

/* ---- What is its own ----------------------------------------------------------------------- */

START_TEST(values_are_its_own)
{
    cnn_model *model = trained_model();
    cnn_model *larger = resized(model, LARGE), *fresh = model_of(SMALL);
    const uint64_t before = prediction(larger);
    model_copy_parameters(model, fresh, context);
    ck_assert_uint_eq(prediction(larger), before);
    cnn_model_free(fresh);
    cnn_model_free(model);
    ck_assert_uint_eq(prediction(larger), before);
    cnn_model_free(larger);
}
END_TEST

/* Layers made later get the random numbers that they would have got without it. */
START_TEST(it_draws_nothing)
{
    cnn_model *models[2];
    for (int32_t i = 0; i < 2; i++) {
        EXPECT_OK(cnn_context_set_seed(context, 7));
        cnn_model *first = model_of(SMALL);
        if (i == 1)
            cnn_model_free(resized(first, LARGE));
        models[i] = model_of(SMALL);
        cnn_model_free(first);
    }
    ck_assert_uint_eq(model_hash(models[0], context), model_hash(models[1], context));
    cnn_model_free(models[0]);
    cnn_model_free(models[1]);
}
END_TEST

/* ---- What has none ------------------------------------------------------------------------- */

/* After a refusal the model is as it was. */
#define EXPECT_NONE(model, status, word, ...)                                                      \
    do {                                                                                           \
        const int64_t shape[] = {__VA_ARGS__};                                                     \
        const int32_t rank = (int32_t)(sizeof shape / sizeof shape[0]);                            \
        const uint64_t before = model_hash(model, context);                                        \
        cnn_model *made = model;                                                                   \
        EXPECT_FAILS(cnn_model_create_resized(&made, model, shape, rank), status,                  \
                     "cnn_model_create_resized", word);                                            \
        ck_assert_ptr_null(made);                                                                  \
        ck_assert_uint_eq(model_hash(model, context), before);                                     \
    } while (0)

START_TEST(sizes_that_do_not_fit)
{
    cnn_model *model = model_of(SMALL), *chain = model_chain(context);
    EXPECT_NONE(model, CNN_ERROR_SHAPE, "must have the rank and the last dimension of the model's",
                16, 16, 4);
    EXPECT_NONE(model, CNN_ERROR_SHAPE, "shape is [16][3], must have the rank", 16, 3);
    EXPECT_NONE(model, CNN_ERROR_SHAPE, "layer \"maxpool2d1\" has a 2x2 window, larger", 1, 1, 3);
    EXPECT_NONE(model, CNN_ERROR_SHAPE, "must be", 0, 8, 3);
    EXPECT_NONE(chain, CNN_ERROR_SHAPE, "layer \"dense1\" has the weight [3][36], and needs [3][",
                12, 12, 3);
    cnn_model_free(chain);
    cnn_model_free(model);
}
END_TEST

/* The same number of columns, but of other pixels. */
START_TEST(columns_of_other_pixels)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){4, 6, 2}, 3);
    take(model, cnn_flatten_create(&layer, context), &layer);
    take(model, cnn_dense_create(&layer, context, 3), &layer);
    EXPECT_NONE(model, CNN_ERROR_SHAPE, "layer \"dense1\"", 6, 4, 2);
    cnn_model *same = NULL;
    EXPECT_OK(cnn_model_create_resized(&same, model, (int64_t[]){4, 6, 2}, 3));
    cnn_model_free(same);
    cnn_model_free(model);
}
END_TEST

START_TEST(nothing_given)
{
    const int64_t shape[] = {8, 8, 3};
    cnn_model *model = model_of(SMALL), *made = model;
    EXPECT_FAILS(cnn_model_create_resized(NULL, model, shape, 3), CNN_ERROR_INVALID,
                 "cnn_model_create_resized", "resized is NULL");
    EXPECT_FAILS(cnn_model_create_resized(&made, NULL, shape, 3), CNN_ERROR_INVALID,
                 "cnn_model_create_resized", "model is NULL");
    ck_assert_ptr_null(made);
    EXPECT_FAILS(cnn_model_create_resized(&made, model, NULL, 3), CNN_ERROR_INVALID,
                 "cnn_model_create_resized", "shape is NULL");
    cnn_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_resize");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, it_predicts_as_if_made_for_that_size);
    tcase_add_test(tcase, there_and_back_is_the_same_model);
    tcase_add_test(tcase, layers_classes_and_normalization_are_kept);
    tcase_add_test(tcase, values_are_its_own);
    tcase_add_test(tcase, it_draws_nothing);
    tcase_add_test(tcase, sizes_that_do_not_fit);
    tcase_add_test(tcase, columns_of_other_pixels);
    tcase_add_test(tcase, nothing_given);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
