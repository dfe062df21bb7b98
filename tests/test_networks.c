/* SPDX-License-Identifier: MIT
 * The networks of examples/networks: what sessions do in passing; the same bits however they run;
 * and failures on the way.  Against PyTorch: test_networks_torch.c. */
#include "networks/networks.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/accounts.h"
#include "support/expect.h"
#include "support/given.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = GIVEN_SAMPLES, SIZE = GIVEN_SIZE, CLASSES = GIVEN_CLASSES };

/* `parameters` are those with 1000 classes, as torchvision's have them. */
static const struct network {
    given_build_fn *build;
    int64_t parameters;
} networks[] = {
    {network_classic, 942088},    {network_residual, 2195976},     {network_vgg, 1420936},
    {network_resnet18, 11689512}, {network_resnet_small, 1854344}, {network_mobilenet_v2, 3504872},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

static cnn_model *make_model(const struct network *network)
{
    return given_model(context, network->build, given_fill, SIZE);
}

START_TEST(they_have_so_many_parameters)
{
    cnn_model *model = model_new(context, (const int64_t[]){SIZE, SIZE, 3}, 3);
    EXPECT_OK(networks[_i].build(model, context, 1000));
    ck_assert_int_eq(cnn_model_parameters(model), networks[_i].parameters);
    cnn_model_free(model);
}
END_TEST

/* ---- How they run -------------------------------------------------------------------------- */

/* What the session of a model says of a layer. */
static bool is_in_passing(cnn_session *session, const char *layer)
{
    static char text[65536];
    char start[202];
    ck_assert_uint_lt(cnn_session_describe(session, text, sizeof text), sizeof text);
    snprintf(start, sizeof start, "%s ", layer);
    const char *line = strstr(text, start);
    ck_assert_msg(line != NULL, "no %s in\n%s", layer, text);
    const char *found = strstr(line, "in passing");
    return found != NULL && found < strchr(line, '\n');
}

/* Whether a convolution or dense layer before layer `index` does it: not a sum behind an
 * activation, nor what follows such a sum. */
static bool is_done_by_another(cnn_model *model, int32_t index)
{
    const cnn_layer_kind kind = cnn_layer_get_kind(cnn_model_layer(model, index));
    if (kind == CNN_ADD)
        return cnn_layer_get_kind(cnn_model_layer(model, index - 1)) != CNN_RELU;
    if (kind == CNN_RELU || kind == CNN_RELU6)
        return cnn_layer_get_kind(cnn_model_layer(model, index - 1)) != CNN_ADD ||
               is_done_by_another(model, index - 1);
    return kind == CNN_BATCH_NORM;
}

START_TEST(normalisations_activations_and_sums_are_done_in_passing)
{
    cnn_session *session;
    cnn_model *model = make_model(&networks[_i]);
    EXPECT_OK(cnn_session_create(&session, model, SAMPLES));
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        const char *name = cnn_layer_name(cnn_model_layer(model, i));
        const cnn_layer_kind kind = cnn_layer_get_kind(cnn_model_layer(model, i));
        if (kind != CNN_MAXPOOL2D)
            ck_assert_msg(is_in_passing(session, name) == is_done_by_another(model, i), "%s", name);
    }
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

/* Everything that two training steps and a prediction leave, as one number. */
static uint64_t hash_of_run(const struct network *network, int32_t threads)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    EXPECT_OK(cnn_context_set_threads(context, threads));
    cnn_model *model = make_model(network);
    cnn_tensor *pictures = given_noise(context, SIZE, 0),
               *targets = tensor_labels(context, SAMPLES, CLASSES);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.01));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    for (int32_t i = 0; i < 2; i++)
        EXPECT_OK(trainer_step(NULL, trainer, pictures, targets));
    cnn_tensor *outputs = given_predict(model, context, pictures);
    const uint64_t hash = hash_bytes(model_hash(model, context), cnn_tensor_const_data(outputs),
                                     cnn_tensor_bytes(outputs));
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_tensor_free(outputs);
    cnn_tensor_free(targets);
    cnn_tensor_free(pictures);
    cnn_model_free(model);
    return hash;
}

START_TEST(bits_do_not_depend_on_threads)
{
    const uint64_t alone = hash_of_run(&networks[_i], 1);
    cnn_context_free(context);
    EXPECT_OK(cnn_context_create(&context));
    ck_assert_uint_eq(hash_of_run(&networks[_i], 3), alone);
}
END_TEST

START_TEST(files_keep_them)
{
    cnn_model *loaded, *model = make_model(&networks[_i]);
    cnn_tensor *bytes, *pictures = given_noise(context, SIZE, 0);
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    EXPECT_OK(cnn_model_load_memory(&loaded, context, cnn_tensor_const_data(bytes),
                                    cnn_tensor_bytes(bytes)));
    ck_assert_uint_eq(model_hash(loaded, context), model_hash(model, context));
    cnn_tensor *outputs = given_predict(model, context, pictures),
               *again = given_predict(loaded, context, pictures);
    ck_assert(tensors_equal(outputs, again));
    cnn_tensor_free(outputs);
    cnn_tensor_free(again);
    cnn_tensor_free(bytes);
    cnn_tensor_free(pictures);
    cnn_model_free(loaded);
    cnn_model_free(model);
}
END_TEST

/* ---- Failures ------------------------------------------------------------------------------ */

START_TEST(the_first_failure_is_the_result)
{
    cnn_model *model = model_new(context, (const int64_t[]){SIZE, SIZE, 3}, 3);
    EXPECT_FAILS(networks[_i].build(model, context, 0), CNN_ERROR_INVALID, "cnn_dense_create",
                 "units");
    cnn_model_free(model);
    model = model_new(context, (const int64_t[]){3}, 1);
    EXPECT_FAILS(networks[_i].build(model, context, CLASSES), CNN_ERROR_SHAPE,
                 "cnn_model_add_with_inputs", "[3]");
    ck_assert_int_eq(cnn_model_layer_count(model), 0);
    cnn_model_free(model);
}
END_TEST

/* At each of the first allocations, and then at fewer and fewer, for the sake of time. */
START_TEST(nothing_leaks_without_memory)
{
    struct accounts accounts;
    cnn_status status = CNN_ERROR_MEMORY;
    cnn_context *narrow = accounts_context(&accounts);
    for (int64_t at = 1; status != CNN_OK; at += 1 + at / 8) {
        cnn_model *model = model_new(narrow, (const int64_t[]){SIZE, SIZE, 3}, 3);
        const int64_t before = accounts.blocks;
        accounts.refuse_at = accounts.calls + at;
        status = networks[_i].build(model, narrow, CLASSES);
        accounts.refuse_at = 0;
        ck_assert(status == CNN_OK || status == CNN_ERROR_MEMORY);
        ck_assert(accounts.blocks >= before);
        cnn_model_free(model);
    }
    cnn_context_free(narrow);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("networks");
    TCase *runs = add_case(suite, "runs");
    TCase *failures = add_case(suite, "failures");
    tcase_add_loop_test(runs, they_have_so_many_parameters, 0, NETWORKS);
    tcase_add_loop_test(runs, normalisations_activations_and_sums_are_done_in_passing, 0, NETWORKS);
    tcase_add_loop_test(runs, bits_do_not_depend_on_threads, 0, NETWORKS);
    tcase_add_loop_test(runs, files_keep_them, 0, NETWORKS);
    tcase_add_loop_test(failures, the_first_failure_is_the_result, 0, NETWORKS);
    tcase_add_loop_test(failures, nothing_leaks_without_memory, 0, NETWORKS);
    return run_suite(suite);
}
