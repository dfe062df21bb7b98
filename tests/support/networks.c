/* SPDX-License-Identifier: MIT
 * Small models, tensors and datasets for tests. */
#include "support/networks.h"

#include <string.h>

#include "support/expect.h"
#include "support/tensors.h"

/* ---- Tensors ------------------------------------------------------------------------------- */

cnn_tensor *tensor_noise(cnn_context *context, const int64_t *shape, int32_t rank, uint32_t seed)
{
    cnn_tensor *tensor = tensor_new(context, CNN_FLOAT32, shape, rank);
    fill_tensor(tensor, seed);
    return tensor;
}

cnn_tensor *tensor_labels(cnn_context *context, int64_t n, int32_t classes)
{
    cnn_tensor *tensor = TENSOR(context, CNN_INT32, n);
    for (int64_t i = 0; i < n; i++)
        labels(tensor)[i] = (int32_t)(i % classes);
    return tensor;
}

int tensors_equal(const cnn_tensor *a, const cnn_tensor *b)
{
    return cnn_tensor_bytes(a) == cnn_tensor_bytes(b) &&
           memcmp(cnn_tensor_const_data(a), cnn_tensor_const_data(b), cnn_tensor_bytes(a)) == 0;
}

/* ---- Models -------------------------------------------------------------------------------- */

cnn_model *model_new(cnn_context *context, const int64_t *shape, int32_t rank)
{
    cnn_model *model;
    EXPECT_OK(cnn_model_create(&model, context, shape, rank));
    return model;
}

void model_take(cnn_model *model, cnn_layer *layer)
{
    EXPECT_OK(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

static void take_conv2d(cnn_model *model, cnn_context *context, int64_t filters, int32_t same)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, 3, 3));
    if (same)
        EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    model_take(model, layer);
}

static void take_relu(cnn_model *model, cnn_context *context)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
}

/* Flatten, perhaps dropout, dense 3. */
static void take_head(cnn_model *model, cnn_context *context, double rate)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    if (rate > 0) {
        EXPECT_OK(cnn_dropout_create(&layer, context, rate));
        model_take(model, layer);
    }
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    model_take(model, layer);
}

static cnn_model *chain(cnn_context *context, double rate)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 3}, 3);
    take_conv2d(model, context, 4, 0);
    take_relu(model, context);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    take_head(model, context, rate);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    return model;
}

cnn_model *model_chain(cnn_context *context)
{
    return chain(context, 0);
}

cnn_model *model_dropout(cnn_context *context)
{
    return chain(context, 0.5);
}

cnn_model *model_residual(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 4}, 3);
    take_conv2d(model, context, 4, 1);
    take_relu(model, context);
    take_conv2d(model, context, 4, 1);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){2, CNN_MODEL_INPUT}, 2));
    cnn_layer_free(layer);
    take_relu(model, context);
    take_head(model, context, 0);
    return model;
}

static void take_batch_norm(cnn_model *model, cnn_context *context)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_batch_norm_create(&layer, context));
    model_take(model, layer);
}

cnn_model *model_normalized(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 4}, 3);
    take_conv2d(model, context, 4, 1);
    take_batch_norm(model, context);
    take_relu(model, context);
    take_conv2d(model, context, 4, 1);
    take_batch_norm(model, context);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){2, 4}, 2));
    cnn_layer_free(layer);
    take_relu(model, context);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    take_head(model, context, 0);
    return model;
}

cnn_model *model_front(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 3}, 3);
    for (int32_t i = 0; i < 3; i++) {
        take_conv2d(model, context, 4, 1);
        take_relu(model, context);
    }
    for (int32_t i = 0; i < 2; i++) {
        EXPECT_OK(cnn_flatten_create(&layer, context));
        EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){i == 0 ? 5 : 1}, 1));
        cnn_layer_free(layer);
        EXPECT_OK(cnn_dense_create(&layer, context, 300));
        model_take(model, layer);
    }
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){7, 9}, 2));
    cnn_layer_free(layer);
    return model;
}

/* A tensor [n][sample] of noise. */
static cnn_tensor *batch(cnn_context *context, int64_t n, const int64_t *sample, int32_t rank,
                         uint32_t seed)
{
    int64_t shape[CNN_MAX_RANK] = {n};
    memcpy(shape + 1, sample, (size_t)rank * sizeof *sample);
    return tensor_noise(context, shape, rank + 1, seed);
}

void model_copy_parameters(cnn_model *to, const cnn_model *from, cnn_context *context)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(from); i++) {
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        const char *name = cnn_model_parameter_name(from, i);
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, from, name));
        cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
        EXPECT_OK(cnn_model_get_parameter(from, name, values));
        EXPECT_OK(cnn_model_set_parameter(to, name, values));
        cnn_tensor_free(values);
    }
}

cnn_tensor *model_inputs(cnn_model *model, cnn_context *context, int64_t n, uint32_t seed)
{
    int64_t sample[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_input_shape(sample, &rank, model));
    return batch(context, n, sample, rank, seed);
}

cnn_tensor *model_outputs(cnn_model *model, cnn_context *context, int64_t n)
{
    int64_t sample[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_output_shape(sample, &rank, model));
    return batch(context, n, sample, rank, 0);
}

uint64_t model_hash(cnn_model *model, cnn_context *context)
{
    uint64_t hash = HASH_START;
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
        EXPECT_OK(cnn_model_get_parameter(model, name, values));
        hash = hash_bytes(hash, cnn_tensor_const_data(values), cnn_tensor_bytes(values));
        cnn_tensor_free(values);
    }
    return hash;
}

/* ---- Running ------------------------------------------------------------------------------- */

cnn_status session_predict(cnn_session *session, cnn_tensor *outputs, const cnn_tensor *inputs)
{
    return cnn_session_run(session, &outputs, 1, &inputs, 1);
}

cnn_status trainer_step(double *loss, cnn_trainer *trainer, const cnn_tensor *inputs,
                        const cnn_tensor *targets)
{
    return cnn_trainer_step(loss, trainer, &inputs, 1, &targets, 1);
}

cnn_dataset *dataset_pictures(cnn_context *context, int64_t count)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, count, 8, 8, 3);
    cnn_tensor *classes = tensor_labels(context, count, 3);
    uint8_t *bytes = cnn_tensor_data(samples);
    for (int64_t i = 0; i < cnn_tensor_count(samples); i++)
        bytes[i] = (uint8_t)(i * 2654435761 % 127 + i / 192 % 3 * 60);
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, classes, 3));
    cnn_tensor_free(samples);
    cnn_tensor_free(classes);
    return dataset;
}
