/* SPDX-License-Identifier: MIT
 * Same bits, as test_same_bits.c has them, of a network of the layers that are not in its own ones:
 * transposed convolution, up-sampling, padding, average and global pooling, products, inputs side
 * by side, and further activations. */
#include <stdbool.h>
#include <string.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { SAMPLES = 6, CLASSES = 3, STEPS = 4 };

/* One number for every level with fused multiply-add, on every machine.  When it may change:
 * test_same_bits.c. */
static const uint64_t bits = UINT64_C(0xbe07d1941a9f88ed);

/* ---- The network --------------------------------------------------------------------------- */

typedef cnn_status create_fn(cnn_layer **layer, cnn_context *context);

/* Adds the layer behind `input`; the number of the layer. */
static int32_t put(cnn_model *model, cnn_layer *layer, int32_t input)
{
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, &input, 1));
    cnn_layer_free(layer);
    return cnn_model_layer_count(model) - 1;
}

static int32_t put_plain(cnn_model *model, cnn_context *context, create_fn *create, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    return put(model, layer, input);
}

/* A layer with two inputs. */
static int32_t put_joint(cnn_model *model, cnn_context *context, create_fn *create, int32_t a,
                         int32_t b)
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){a, b}, 2));
    cnn_layer_free(layer);
    return cnn_model_layer_count(model) - 1;
}

static int32_t put_conv2d(cnn_model *model, cnn_context *context, int64_t filters, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, 3, 3));
    return put(model, layer, input);
}

static int32_t put_transposed(cnn_model *model, cnn_context *context, int64_t filters,
                              int64_t groups, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_transposed_create(&layer, context, filters, 4, 4));
    EXPECT_OK(cnn_conv2d_transposed_set_stride(layer, 2, 2));
    EXPECT_OK(cnn_conv2d_transposed_set_padding(layer, 1, 1));
    EXPECT_OK(cnn_conv2d_transposed_set_groups(layer, groups));
    return put(model, layer, input);
}

static int32_t put_half(cnn_model *model, cnn_context *context, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_avgpool2d_create(&layer, context, 2, 2));
    return put(model, layer, input);
}

static int32_t put_upsample(cnn_model *model, cnn_context *context, int64_t vertical,
                            int64_t horizontal, cnn_interpolation interpolation, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_upsample2d_create(&layer, context, vertical, horizontal));
    EXPECT_OK(cnn_upsample2d_set_interpolation(layer, interpolation));
    return put(model, layer, input);
}

/* Around all of the picture. */
static int32_t put_pad(cnn_model *model, cnn_context *context, cnn_pad_mode mode, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_pad2d_create(&layer, context, 1, 1, 1, 1));
    EXPECT_OK(cnn_pad2d_set_mode(layer, mode));
    return put(model, layer, input);
}

static int32_t put_dense(cnn_model *model, cnn_context *context, int64_t units, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    return put(model, layer, input);
}

static cnn_status elu(cnn_layer **layer, cnn_context *context)
{
    return cnn_elu_create(layer, context, 1);
}

/* Halved and made larger again in three ways, which are put side by side; a gate of the same shape,
 * one for each channel, and both kinds of global pooling. */
static cnn_model *network(cnn_context *context)
{
    cnn_model *model = model_new(context, (int64_t[]){18, 14, 3}, 3);
    int32_t x = put_pad(model, context, CNN_PAD_REFLECT, CNN_MODEL_INPUT);
    x = put_plain(model, context, cnn_hard_swish_create, put_conv2d(model, context, 20, x));
    const int32_t half = put_half(model, context, x); /* [9][7][20] */
    const int32_t turned =
        put_plain(model, context, elu, put_transposed(model, context, 34, 1, half));
    const int32_t grouped =
        put_plain(model, context, cnn_tanh_create, put_transposed(model, context, 20, 20, half));
    const int32_t repeated = put_upsample(model, context, 2, 2, CNN_NEAREST, half);
    x = put_joint(model, context, cnn_concat_create, turned, repeated);
    x = put_pad(model, context, CNN_PAD_REPLICATE, x);
    x = put_conv2d(model, context, 20, x); /* [18][14][20] */
    x = put_joint(model, context, cnn_multiply_create, x, grouped);
    int32_t gate = put_plain(model, context, cnn_global_avgpool2d_create, x);
    gate = put_plain(model, context, cnn_sigmoid_create, put_dense(model, context, 20, gate));
    x = put_joint(model, context, cnn_multiply_create, x, gate);
    const int32_t best = put_plain(model, context, cnn_global_maxpool2d_create, x);
    x = put_upsample(model, context, 1, 3, CNN_BILINEAR, put_half(model, context, x));
    x = put_conv2d(model, context, 12, put_pad(model, context, CNN_PAD_ZEROS, x));
    x = put_plain(model, context, cnn_hard_sigmoid_create, x);
    x = put_plain(model, context, cnn_global_avgpool2d_create, x);
    x = put_joint(model, context, cnn_concat_create, best, x);
    put_dense(model, context, CLASSES, x);
    return model;
}

/* ---- Training ------------------------------------------------------------------------------ */

static void train(cnn_context *context, cnn_model *model, cnn_tensor *inputs)
{
    double loss;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_tensor *classes = tensor_labels(context, SAMPLES, CLASSES);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.05));
    EXPECT_OK(cnn_sgd_set_momentum(optimizer, 0.9));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    for (int32_t i = 0; i < STEPS; i++)
        EXPECT_OK(trainer_step(&loss, trainer, inputs, classes));
    ck_assert_double_lt(loss, 2); /* numbers, and not NaN, which would all be alike */
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_tensor_free(classes);
}

/* Of all samples, in batches of 1, 2, 3 or 6. */
static uint64_t prediction_hash(cnn_context *context, cnn_model *model, cnn_tensor *inputs,
                                int64_t batch)
{
    cnn_session *session;
    uint64_t hash = HASH_START;
    cnn_tensor *x = model_inputs(model, context, batch, 0);
    cnn_tensor *y = model_outputs(model, context, batch);
    EXPECT_OK(cnn_session_create(&session, model, batch));
    for (int64_t first = 0; first < SAMPLES; first += batch) {
        memcpy(floats(x), floats(inputs) + first * cnn_tensor_count(x) / batch,
               cnn_tensor_bytes(x));
        EXPECT_OK(session_predict(session, y, x));
        hash = hash_bytes(hash, cnn_tensor_const_data(y), cnn_tensor_bytes(y));
    }
    cnn_session_free(session);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    return hash;
}

/* A training in a new context: all weights behind it and what they predict, as one number. */
static uint64_t train_anew(int32_t threads, cnn_parallel_for_fn parallel_for)
{
    cnn_context *context;
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, threads));
    EXPECT_OK(cnn_context_set_parallel_for(context, parallel_for, NULL));
    EXPECT_OK(cnn_context_set_seed(context, 3));
    cnn_model *model = network(context);
    cnn_tensor *inputs = model_inputs(model, context, SAMPLES, 1);
    const uint64_t before = model_hash(model, context);
    train(context, model, inputs);
    const uint64_t after = model_hash(model, context);
    const uint64_t predicted = prediction_hash(context, model, inputs, SAMPLES);
    ck_assert(before != after);
    for (int64_t batch = 1; batch <= SAMPLES / 2; batch++)
        ck_assert_msg(prediction_hash(context, model, inputs, batch) == predicted,
                      "other predictions in batches of %d", (int)batch);
    cnn_tensor_free(inputs);
    cnn_model_free(model);
    cnn_context_free(context);
    return hash_bytes(after, &predicted, sizeof predicted);
}

/* From the last item to the first. */
static void backwards(void *user, int64_t count, cnn_task_fn run, void *task)
{
    (void)user;
    for (int64_t i = count - 1; i >= 0; i--)
        run(task, i);
}

START_TEST(bits_do_not_depend_on_threads)
{
    const uint64_t wanted = train_anew(1, NULL);
    for (int32_t threads = 2; threads <= 5; threads++)
        ck_assert_msg(train_anew(threads, NULL) == wanted, "other bits with %d threads", threads);
    ck_assert_msg(train_anew(4, backwards) == wanted, "other bits from the last item to the first");
}
END_TEST

START_TEST(bits_do_not_depend_on_the_instruction_set)
{
    cnn_context *level;
    EXPECT_OK(cnn_context_create(&level));
    const bool fused = strcmp(cnn_context_cpu_name(level), "generic") != 0;
    cnn_context_free(level);
    if (fused)
        ck_assert_uint_eq(train_anew(2, NULL), bits);
}
END_TEST

static Suite *same_bits_layers_suite(void)
{
    Suite *suite = suite_create("same_bits_layers");
    TCase *tcase = tcase_create("same_bits_layers");
    tcase_add_test(tcase, bits_do_not_depend_on_threads);
    tcase_add_test(tcase, bits_do_not_depend_on_the_instruction_set);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(same_bits_layers_suite());
}
