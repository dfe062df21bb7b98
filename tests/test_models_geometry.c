/* SPDX-License-Identifier: MIT
 * Layers that shape pictures and join branches, in a model: gradients against differences, its
 * file, predictions that are the trainer's and do not depend on the batch, and bits that do not
 * depend on threads or instruction sets.  Values: test_layers_geometry.c. */
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

enum { SAMPLES = 7 };

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

static void take_conv2d(cnn_model *model, cnn_context *own, int64_t filters, int64_t size)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, own, filters, size, size));
    model_take(model, layer);
}

/* Adds a layer with two inputs. */
static void take_joint(cnn_model *model, cnn_layer *layer, int32_t first, int32_t second)
{
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (const int32_t[]){first, second}, 2));
    cnn_layer_free(layer);
}

/* A small U-Net with squeeze and excitation: sizes are no multiples of anything. */
static cnn_model *network(cnn_context *own)
{
    cnn_layer *layer;
    cnn_model *model = model_new(own, (const int64_t[]){12, 8, 3}, 3);
    EXPECT_OK(cnn_pad2d_create(&layer, own, 1, 2, 1, 0));
    EXPECT_OK(cnn_pad2d_set_mode(layer, CNN_PAD_REFLECT));
    model_take(model, layer);
    take_conv2d(model, own, 37, 3); /* 1: [12][8][37] */
    EXPECT_OK(cnn_relu_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_avgpool2d_create(&layer, own, 3, 3));
    EXPECT_OK(cnn_avgpool2d_set_stride(layer, 2, 2));
    EXPECT_OK(cnn_avgpool2d_set_padding(layer, 1, 1));
    EXPECT_OK(cnn_avgpool2d_set_count_padding(layer, 0));
    model_take(model, layer); /* 3: [6][4][37] */
    take_conv2d(model, own, 21, 1);
    EXPECT_OK(cnn_upsample2d_create(&layer, own, 2, 2));
    EXPECT_OK(cnn_upsample2d_set_interpolation(layer, CNN_BILINEAR));
    model_take(model, layer); /* 5: [12][8][21] */
    EXPECT_OK(cnn_concat_create(&layer, own));
    take_joint(model, layer, 5, 2); /* 6: [12][8][58] */
    EXPECT_OK(cnn_global_avgpool2d_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, own, 58));
    model_take(model, layer);
    EXPECT_OK(cnn_sigmoid_create(&layer, own));
    model_take(model, layer); /* 9 */
    EXPECT_OK(cnn_multiply_create(&layer, own));
    take_joint(model, layer, 6, 9);
    EXPECT_OK(cnn_relu_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_global_maxpool2d_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, own, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, own));
    model_take(model, layer);
    return model;
}

START_TEST(gradients_of_a_network_are_right)
{
    double error;
    char worst[64];
    cnn_model *model = network(context);
    cnn_tensor *inputs = model_inputs(model, context, 3, 9),
               *targets = tensor_labels(context, 3, 3);
    EXPECT_OK(cnn_model_check_gradients(&error, worst, sizeof worst, model,
                                        CNN_SOFTMAX_CROSS_ENTROPY, &(const cnn_tensor *){inputs}, 1,
                                        &(const cnn_tensor *){targets}, 1));
    ck_assert_msg(error < 0.05, "%g of %s", error, worst);
    cnn_tensor_free(inputs);
    cnn_tensor_free(targets);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_file_keeps_them)
{
    cnn_model *model = network(context), *loaded;
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

/* Sample `index` of a batch of outputs, predicted alone. */
static void expect_alone(cnn_session *session, const cnn_tensor *inputs, const cnn_tensor *outputs,
                         int64_t index)
{
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 1, 12, 8, 3),
               *y = TENSOR(context, CNN_FLOAT32, 1, 3);
    memcpy(floats(x), (const float *)cnn_tensor_const_data(inputs) + index * cnn_tensor_count(x),
           cnn_tensor_bytes(x));
    EXPECT_OK(session_predict(session, y, x));
    ck_assert_mem_eq(floats(y), (const float *)cnn_tensor_const_data(outputs) + index * 3,
                     cnn_tensor_bytes(y));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
}

START_TEST(predictions_are_the_trainers_and_do_not_depend_on_the_batch)
{
    cnn_session *session, *single;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_model *model = network(context);
    cnn_tensor *inputs = model_inputs(model, context, SAMPLES, 8);
    cnn_tensor *outputs = model_outputs(model, context, SAMPLES);
    cnn_tensor *trained = model_outputs(model, context, SAMPLES);
    EXPECT_OK(cnn_session_create(&session, model, SAMPLES));
    EXPECT_OK(cnn_session_create(&single, model, 1));
    EXPECT_OK(session_predict(session, outputs, inputs));
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_MEAN_SQUARED_ERROR, SAMPLES));
    EXPECT_OK(cnn_trainer_forward(trainer, &trained, 1, &(const cnn_tensor *){inputs}, 1));
    ck_assert(tensors_equal(outputs, trained));
    cnn_trainer_free(trainer);
    for (int64_t i = 0; i < SAMPLES; i++)
        expect_alone(single, inputs, outputs, i);
    cnn_optimizer_free(sgd);
    cnn_session_free(session);
    cnn_session_free(single);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(trained);
    cnn_model_free(model);
}
END_TEST

/* ---- The same bits ------------------------------------------------------------------------- */

static uint64_t train_anew(int32_t threads)
{
    cnn_context *own;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    double loss = NAN;
    EXPECT_OK(cnn_context_create(&own));
    EXPECT_OK(cnn_context_set_threads(own, threads));
    EXPECT_OK(cnn_context_set_seed(own, 4));
    cnn_model *model = network(own);
    cnn_tensor *inputs = model_inputs(model, own, SAMPLES, 3);
    cnn_tensor *targets = tensor_labels(own, SAMPLES, 3);
    EXPECT_OK(cnn_sgd_create(&sgd, own, 0.01));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
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
static const uint64_t committed_bits = UINT64_C(0xb61c6908ebf1b4eb);

START_TEST(training_has_the_same_bits_everywhere)
{
    const bool fused = strcmp(cnn_context_cpu_name(context), "generic") != 0;
    const uint64_t alone = train_anew(1);
    ck_assert_uint_eq(train_anew(3), alone);
    if (fused)
        ck_assert_msg(alone == committed_bits, "%#llx", (unsigned long long)alone);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("models_geometry");
    TCase *tcase = tcase_create("model");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, gradients_of_a_network_are_right);
    tcase_add_test(tcase, a_file_keeps_them);
    tcase_add_test(tcase, predictions_are_the_trainers_and_do_not_depend_on_the_batch);
    tcase_add_test(tcase, training_has_the_same_bits_everywhere);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
