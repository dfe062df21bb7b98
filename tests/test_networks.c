/* SPDX-License-Identifier: MIT
 * The networks of examples/networks: against PyTorch, with weights and pictures that both compute
 * (fixtures/make_torch_networks.py); what sessions do in passing; the same bits however they run;
 * and failures on the way. */
#include "networks/networks.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layers/layer_internal.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/given.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

enum { SAMPLES = GIVEN_SAMPLES, SIZE = GIVEN_SIZE, CLASSES = GIVEN_CLASSES };

/* How far from PyTorch's double precision answers and gradients may be. */
struct bounds {
    double answers, gradients;
};

/* `parameters` are those with 1000 classes, as torchvision's have them.
 *
 * Exact convolutions may be about five times as far off as PyTorch's single precision is, which
 * make_torch_networks.py prints; fast ones, by Winograd tiles, about four times as far as they are
 * on the worst level.  Both hold where no ReLU and no maximum is decided otherwise than in double
 * precision, and the pictures are such ones.  MobileNetV2 has so many layers, whose normalisation
 * magnifies what is small, that there are none for it: its gradients are looked at closely where
 * hardly a value is cut, which is the last row. */
static const struct network {
    const char *name;
    cnn_status (*build)(cnn_model *model, cnn_context *context, int64_t classes);
    void (*fill)(cnn_tensor *values, const char *name);
    int64_t parameters;
    struct bounds exact, fast;
} networks[] = {
    {"classic", network_classic, given_fill, 942088, {1e-6, 2e-6}, {3e-6, 1e-5}},
    {"residual", network_residual, given_fill, 2195976, {2e-6, 3e-5}, {5e-6, 1.5e-4}},
    {"vgg", network_vgg, given_fill, 1420936, {3e-6, 2e-5}, {4e-6, 3e-5}},
    {"resnet18", network_resnet18, given_fill, 11689512, {2e-5, 4e-5}, {2e-5, 6e-5}},
    {"resnet_small", network_resnet_small, given_fill, 1854344, {3e-6, 3e-5}, {6e-6, 4e-5}},
    {"mobilenet_v2", network_mobilenet_v2, given_fill, 3504872, {1e-4, 2e-2}, {1e-4, 2e-2}},
    {"mobilenet_v2_smooth",
     network_mobilenet_v2,
     given_fill_smooth,
     3504872,
     {8e-6, 1.5e-4},
     {8e-6, 1.5e-4}},
};
/* The last is compared alone: it runs as the one before it does. */
enum { COMPARED = sizeof networks / sizeof networks[0], NETWORKS = COMPARED - 1 };

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

/* ---- Models -------------------------------------------------------------------------------- */

/* A new tensor of the shape of a parameter. */
static cnn_tensor *tensor_of(const cnn_model *model, const char *name)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
    return tensor_new(context, CNN_FLOAT32, shape, rank);
}

static cnn_model *make_model(const struct network *network)
{
    cnn_model *model = model_new(context, (const int64_t[]){SIZE, SIZE, 3}, 3);
    EXPECT_OK(network->build(model, context, CLASSES));
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        cnn_tensor *values = tensor_of(model, name);
        network->fill(values, name);
        EXPECT_OK(cnn_model_set_parameter(model, name, values));
        cnn_tensor_free(values);
    }
    return model;
}

/* PyTorch would drop other elements. */
static void take_dropout_away(cnn_model *model)
{
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        cnn_layer *layer = cnn_model_layer(model, i);
        if (cnn_layer_get_kind(layer) != CNN_DROPOUT)
            continue;
        ck_assert_str_eq(layer->class->options[0].name, "rate");
        *(double *)((char *)layer + layer->class->options[0].offset) = 0;
    }
}

struct training {
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
};

static struct training begin(cnn_model *model, double learning_rate)
{
    struct training training;
    EXPECT_OK(cnn_sgd_create(&training.optimizer, context, learning_rate));
    EXPECT_OK(cnn_trainer_create(&training.trainer, model, training.optimizer,
                                 CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    return training;
}

static void end(struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
}

/* ---- As PyTorch's -------------------------------------------------------------------------- */

/* What is compared of a network. */
struct comparison {
    const struct network *network;
    cnn_model *model;
    const struct bounds *bounds;
};

/* Of the squares, and of the products with noise twice. */
static void sum(double sums[3], cnn_tensor *values, const char *name)
{
    const int64_t count = cnn_tensor_count(values);
    cnn_tensor *noise = tensor_like(context, values);
    memset(sums, 0, 3 * sizeof *sums);
    for (int64_t i = 0; i < count; i++)
        sums[0] += (double)floats(values)[i] * (double)floats(values)[i];
    for (uint64_t j = 1; j <= 2; j++) {
        fill_tensor(noise, given_seed(name) + j);
        for (int64_t i = 0; i < count; i++)
            sums[j] += (double)floats(values)[i] * (double)floats(noise)[i];
    }
    cnn_tensor_free(noise);
}

/* The length of what the sums called `name` are of.  The gradient of a bias may be 0, where a
 * normalisation comes later, so that there the weight's counts too. */
static double length_of(const struct comparison *comparison, const char *name)
{
    char weight[200];
    double square = torch_number(comparison->network->name, name, 0);
    snprintf(weight, sizeof weight, "%s", name);
    char *bias = strstr(weight, ".bias");
    if (bias != NULL) {
        snprintf(bias, sizeof ".weight", ".weight");
        square = fmax(square, torch_number(comparison->network->name, weight, 0));
    }
    return sqrt(square);
}

static void compare_sums(const struct comparison *comparison, cnn_tensor *values, const char *name)
{
    double sums[3];
    const double length = length_of(comparison, name);
    const double allowed = comparison->bounds->gradients * length;
    sum(sums, values, name);
    for (int32_t i = 0; i < 3; i++) {
        const double wanted = torch_number(comparison->network->name, name, i);
        const double error = fabs(sums[i] - wanted) / (i == 0 ? length : 1);
        ck_assert_msg(error <= allowed, "%s: %s, sum %d is off by %.2g of the length",
                      comparison->network->name, name, i, error / length);
    }
    cnn_tensor_free(values);
}

/* Gradients; of running statistics, which have none, the values. */
static void compare_parameters(const struct comparison *comparison)
{
    cnn_model *model = comparison->model;
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        cnn_tensor *values = tensor_of(model, name);
        EXPECT_OK(strstr(name, ".running_") != NULL ? cnn_model_get_parameter(model, name, values)
                                                    : cnn_model_get_gradient(model, name, values));
        compare_sums(comparison, values, name);
    }
}

static void compare_training(const struct comparison *comparison, cnn_tensor *pictures)
{
    double loss;
    const cnn_tensor *read = pictures;
    cnn_tensor *targets = tensor_labels(context, SAMPLES, CLASSES);
    cnn_tensor *outputs = TENSOR(context, CNN_FLOAT32, SAMPLES, CLASSES);
    cnn_tensor *gradients = tensor_like(context, outputs);
    const cnn_tensor *read_gradients = gradients;
    struct training training = begin(comparison->model, 0);
    fill_tensor(gradients, given_seed("gradients"));
    EXPECT_OK(cnn_trainer_forward(training.trainer, &outputs, 1, &read, 1));
    EXPECT_OK(cnn_trainer_backward(training.trainer, &read_gradients, 1));
    expect_given_answers(comparison->network->name, "trained", outputs,
                         comparison->bounds->answers);
    compare_parameters(comparison);
    EXPECT_OK(trainer_step(&loss, training.trainer, pictures, targets));
    ck_assert_double_eq_tol(loss, torch_number(comparison->network->name, "loss", 0),
                            comparison->bounds->answers);
    cnn_tensor_free(targets);
    cnn_tensor_free(outputs);
    cnn_tensor_free(gradients);
    end(&training);
}

static void compare(const struct network *network, cnn_algorithm algorithm,
                    const struct bounds *bounds)
{
    torch_open("networks");
    struct comparison comparison = {network, make_model(network), bounds};
    cnn_tensor *pictures = given_pictures(context, network->name);
    take_dropout_away(comparison.model);
    EXPECT_OK(cnn_model_set_algorithm(comparison.model, algorithm));
    cnn_tensor *answers = given_predict(comparison.model, context, pictures);
    expect_given_answers(network->name, "predicted", answers, bounds->answers);
    compare_training(&comparison, pictures);
    cnn_tensor_free(answers);
    cnn_tensor_free(pictures);
    cnn_model_free(comparison.model);
}

START_TEST(networks_are_those_of_pytorch)
{
    compare(&networks[_i], CNN_EXACT, &networks[_i].exact);
}
END_TEST

START_TEST(with_fast_convolutions_too)
{
    compare(&networks[_i], CNN_FAST, &networks[_i].fast);
}
END_TEST

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

/* Whether a convolution or dense layer before layer `index` does it: not a sum without a
 * normalisation before it, nor what follows such a sum. */
static bool is_done_by_another(cnn_model *model, int32_t index)
{
    const cnn_layer_kind kind = cnn_layer_get_kind(cnn_model_layer(model, index));
    if (kind == CNN_ADD)
        return cnn_layer_get_kind(cnn_model_layer(model, index - 1)) == CNN_BATCH_NORM;
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
    EXPECT_OK(cnn_context_set_threads(context, threads));
    cnn_model *model = make_model(network);
    cnn_tensor *pictures = given_noise(context, 0),
               *targets = tensor_labels(context, SAMPLES, CLASSES);
    struct training training = begin(model, 0.01);
    for (int32_t i = 0; i < 2; i++)
        EXPECT_OK(trainer_step(NULL, training.trainer, pictures, targets));
    cnn_tensor *outputs = given_predict(model, context, pictures);
    const uint64_t hash = hash_bytes(model_hash(model, context), cnn_tensor_const_data(outputs),
                                     cnn_tensor_bytes(outputs));
    end(&training);
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
    cnn_tensor *bytes, *pictures = given_noise(context, 0);
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
    TCase *torch = add_case(suite, "torch"), *runs = add_case(suite, "runs");
    TCase *failures = add_case(suite, "failures");
    tcase_add_loop_test(torch, networks_are_those_of_pytorch, 0, COMPARED);
    tcase_add_loop_test(torch, with_fast_convolutions_too, 0, COMPARED);
    tcase_add_loop_test(torch, they_have_so_many_parameters, 0, NETWORKS);
    tcase_add_loop_test(runs, normalisations_activations_and_sums_are_done_in_passing, 0, NETWORKS);
    tcase_add_loop_test(runs, bits_do_not_depend_on_threads, 0, NETWORKS);
    tcase_add_loop_test(runs, files_keep_them, 0, NETWORKS);
    tcase_add_loop_test(failures, the_first_failure_is_the_result, 0, NETWORKS);
    tcase_add_loop_test(failures, nothing_leaks_without_memory, 0, NETWORKS);
    return run_suite(suite);
}
