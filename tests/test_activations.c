/* SPDX-License-Identifier: MIT
 * Activations as layers: what they say of themselves and refuse; in a model, where they may write
 * over what they read; in its file; and bits that do not depend on threads or instruction sets.
 * Values: test_kernels_activation.c, test_layers.c, test_gradients_elements.c. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/model_files.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_context_set_seed(context, 6));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- Each kind ----------------------------------------------------------------------------- */

static cnn_status leaky_relu(cnn_layer **layer, cnn_context *of)
{
    return cnn_leaky_relu_create(layer, of, 0.125);
}

static cnn_status elu(cnn_layer **layer, cnn_context *of)
{
    return cnn_elu_create(layer, of, 1.5);
}

static const struct {
    cnn_status (*create)(cnn_layer **, cnn_context *);
    cnn_layer_kind kind;
    const char *name, *description;
} kinds[] = {
    {leaky_relu, CNN_LEAKY_RELU, "leaky_relu", "leaky_relu 0.125"},
    {cnn_relu6_create, CNN_RELU6, "relu6", "relu6"},
    {cnn_sigmoid_create, CNN_SIGMOID, "sigmoid", "sigmoid"},
    {cnn_tanh_create, CNN_TANH, "tanh", "tanh"},
    {cnn_silu_create, CNN_SILU, "silu", "silu"},
    {cnn_hard_swish_create, CNN_HARD_SWISH, "hard_swish", "hard_swish"},
    {cnn_hard_sigmoid_create, CNN_HARD_SIGMOID, "hard_sigmoid", "hard_sigmoid"},
    {cnn_gelu_create, CNN_GELU, "gelu", "gelu"},
    {elu, CNN_ELU, "elu", "elu 1.5"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

START_TEST(kinds_are_what_they_say)
{
    cnn_layer *layer;
    char text[64];
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(kinds[_i].create(&layer, context));
    ck_assert_int_eq(cnn_layer_get_kind(layer), kinds[_i].kind);
    ck_assert_str_eq(cnn_layer_kind_name(kinds[_i].kind), kinds[_i].name);
    ck_assert_str_eq(cnn_layer_name(layer), kinds[_i].name);
    cnn_layer_describe(layer, text, sizeof text);
    ck_assert_str_eq(text, kinds[_i].description);
    EXPECT_OK(cnn_layer_output_shape(shape, &rank, layer, (const int64_t[]){4, 5, 6}, 3));
    ck_assert(rank == 3 && shape[0] == 4 && shape[1] == 5 && shape[2] == 6);
    EXPECT_OK(cnn_layer_build(layer, (const int64_t[]){7}, 1));
    ck_assert_int_eq(cnn_layer_parameter_count(layer), 0);
    EXPECT_FAILS(cnn_layer_set_initializer(layer, CNN_ZEROS), CNN_ERROR_INVALID,
                 "cnn_layer_set_initializer", kinds[_i].name);
    cnn_layer_free(layer);
    ck_assert_int_eq(kinds[_i].create(&layer, NULL), CNN_ERROR_INVALID);
    ck_assert_ptr_null(layer);
    ck_assert_int_eq(kinds[_i].create(NULL, context), CNN_ERROR_INVALID);
}
END_TEST

START_TEST(parameters_that_cannot_be)
{
    static const double wrong[] = {-1e-9, -1, NAN, INFINITY, -INFINITY, 3.5e38};
    cnn_layer *layer;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT_FAILS(cnn_leaky_relu_create(&layer, context, wrong[i]), CNN_ERROR_INVALID,
                     "cnn_leaky_relu_create", "slope");
        ck_assert_ptr_null(layer);
        EXPECT_FAILS(cnn_elu_create(&layer, context, wrong[i]), CNN_ERROR_INVALID, "cnn_elu_create",
                     "alpha");
        ck_assert_ptr_null(layer);
    }
    EXPECT_OK(cnn_leaky_relu_create(&layer, context, 0));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_elu_create(&layer, context, FLT_MAX));
    cnn_layer_free(layer);
}
END_TEST

/* ---- In a model ---------------------------------------------------------------------------- */

static void take_dense(cnn_model *model, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    model_take(model, layer);
}

static void take_kind(cnn_model *model, int kind)
{
    cnn_layer *layer;
    EXPECT_OK(kinds[kind].create(&layer, context));
    model_take(model, layer);
}

/* A kind behind a dense layer, and another behind that: it may have to leave the first one's output
 * alone. */
static cnn_model *pair(int kind, int other)
{
    cnn_model *model = model_new(context, (const int64_t[]){9}, 1);
    take_dense(model, 11);
    take_kind(model, kind);
    take_kind(model, other);
    take_dense(model, 3);
    return model;
}

/* A session writes over whatever is read no more; a trainer keeps what backward reads. */
START_TEST(predictions_are_the_trainers)
{
    cnn_session *session;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_model *model = pair(_i / KINDS, _i % KINDS);
    cnn_tensor *inputs = model_inputs(model, context, 5, 8);
    cnn_tensor *outputs = model_outputs(model, context, 5);
    cnn_tensor *trained = model_outputs(model, context, 5);
    EXPECT_OK(cnn_session_create(&session, model, 5));
    EXPECT_OK(session_predict(session, outputs, inputs));
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_MEAN_SQUARED_ERROR, 5));
    EXPECT_OK(cnn_trainer_forward(trainer, &trained, 1, &(const cnn_tensor *){inputs}, 1));
    ck_assert(tensors_equal(outputs, trained));
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_session_free(session);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(trained);
    cnn_model_free(model);
}
END_TEST

START_TEST(gradients_of_a_network_are_right)
{
    double error;
    char worst[64];
    cnn_model *model = pair(_i / KINDS, _i % KINDS);
    cnn_tensor *inputs = model_inputs(model, context, 4, 9);
    cnn_tensor *targets = model_outputs(model, context, 4);
    EXPECT_OK(cnn_model_check_gradients(&error, worst, sizeof worst, model, CNN_MEAN_SQUARED_ERROR,
                                        &(const cnn_tensor *){inputs}, 1,
                                        &(const cnn_tensor *){targets}, 1));
    ck_assert_msg(error < 0.05, "%s, %s: %g of %s", kinds[_i / KINDS].name, kinds[_i % KINDS].name,
                  error, worst);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_file_keeps_them)
{
    cnn_model *model = pair(_i / KINDS, _i % KINDS), *loaded;
    size_t size, again;
    char *bytes = model_bytes(model, &size);
    EXPECT_OK(model_from_bytes(&loaded, context, bytes, size));
    char *other = model_bytes(loaded, &again);
    ck_assert_uint_eq(again, size);
    ck_assert_mem_eq(other, bytes, size);
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        char of_a[64], of_b[64];
        cnn_layer_describe(cnn_model_layer(model, i), of_a, sizeof of_a);
        cnn_layer_describe(cnn_model_layer(loaded, i), of_b, sizeof of_b);
        ck_assert_str_eq(of_a, of_b);
    }
    free(bytes);
    free(other);
    cnn_model_free(loaded);
    cnn_model_free(model);
}
END_TEST

/* ---- The same bits ------------------------------------------------------------------------- */

/* [6][6][3] -> conv2d 3x3 (8), each kind behind a depthwise convolution, dense 3, softmax; trained
 * for a few steps in a new context. */
static uint64_t train_anew(int32_t threads)
{
    cnn_context *own;
    cnn_layer *layer;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    double loss = NAN;
    EXPECT_OK(cnn_context_create(&own));
    EXPECT_OK(cnn_context_set_threads(own, threads));
    EXPECT_OK(cnn_context_set_seed(own, 4));
    cnn_model *model = model_new(own, (const int64_t[]){6, 6, 3}, 3);
    for (int kind = -1; kind < KINDS; kind++) {
        EXPECT_OK(cnn_conv2d_create(&layer, own, 83, kind < 0 ? 1 : 3, 3));
        EXPECT_OK(cnn_conv2d_set_padding_same(layer));
        EXPECT_OK(cnn_conv2d_set_groups(layer, kind < 0 ? 1 : 83));
        model_take(model, layer);
        if (kind >= 0) {
            EXPECT_OK(kinds[kind].create(&layer, own));
            model_take(model, layer);
        }
    }
    EXPECT_OK(cnn_flatten_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, own, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, own));
    model_take(model, layer);
    cnn_tensor *inputs = model_inputs(model, own, 7, 3), *targets = tensor_labels(own, 7, 3);
    EXPECT_OK(cnn_sgd_create(&sgd, own, 0.01));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 7));
    for (int step = 0; step < 4; step++)
        EXPECT_OK(trainer_step(&loss, trainer, inputs, targets));
    ck_assert_msg(loss < 2, "the loss is %g", loss);
    const uint64_t hash = model_hash(model, own);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_model_free(model);
    cnn_context_free(own);
    return hash;
}

/* Of every level with fused multiply-add, on every machine. */
static const uint64_t committed_bits = UINT64_C(0xafd8036e9f2ad7da);

START_TEST(training_has_the_same_bits_everywhere)
{
    const bool fused = strcmp(cnn_context_cpu_name(context), "generic") != 0;
    const uint64_t alone = train_anew(1);
    ck_assert_uint_eq(train_anew(3), alone);
    if (fused)
        ck_assert_msg(alone == committed_bits, "%#llx", (unsigned long long)alone);
}
END_TEST

/* A test case with the context, of one test that runs for 0 .. count - 1. */
static void add_case(Suite *suite, const char *name, const TTest *test, int count)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, test, 0, count);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("activations");
    add_case(suite, "layer", kinds_are_what_they_say, KINDS);
    add_case(suite, "layer", parameters_that_cannot_be, 1);
    add_case(suite, "model", predictions_are_the_trainers, KINDS * KINDS);
    add_case(suite, "model", gradients_of_a_network_are_right, KINDS * KINDS);
    add_case(suite, "model", a_file_keeps_them, KINDS * KINDS);
    add_case(suite, "bits", training_has_the_same_bits_everywhere, 1);
    return run_suite(suite);
}
