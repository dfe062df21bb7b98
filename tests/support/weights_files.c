/* SPDX-License-Identifier: MIT
 * Files of weights, and what is expected of loading them. */
#include "support/weights_files.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/networks.h"
#include "support/tensors.h"

char *weights_file(size_t *size, const char *header, const void *values, size_t values_size)
{
    const size_t length = strlen(header);
    char *bytes = malloc(8 + length + values_size);
    for (int32_t i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    if (values_size > 0)
        memcpy(bytes + 8 + length, values, values_size);
    *size = 8 + length + values_size;
    return bytes;
}

cnn_model *weights_model(cnn_context *context)
{
    cnn_model *model = model_new(context, (const int64_t[]){2}, 1);
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, 2));
    EXPECT_OK(cnn_layer_set_name(layer, "last"));
    model_take(model, layer);
    return model;
}

cnn_status weights_load(cnn_model *model, const char *bytes, size_t size, cnn_weights *weights)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    cnn_status status = cnn_model_load_weights_memory(model, copy, size, weights);
    free(copy);
    return status;
}

cnn_status weights_load_made(cnn_model *model, const char *header, const void *values,
                             size_t values_size, cnn_weights *weights)
{
    size_t size;
    char *bytes = weights_file(&size, header, values, values_size);
    cnn_status status = weights_load(model, bytes, size, weights);
    free(bytes);
    return status;
}

void weights_get(cnn_model *model, cnn_context *context, const char *name, float *values,
                 int64_t count)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
    cnn_tensor *tensor = tensor_new(context, CNN_FLOAT32, shape, rank);
    ck_assert_int_eq(cnn_tensor_count(tensor), count);
    EXPECT_OK(cnn_model_get_parameter(model, name, tensor));
    memcpy(values, floats(tensor), (size_t)count * sizeof *values);
    cnn_tensor_free(tensor);
}

cnn_status weights_load_named(cnn_model *model, cnn_weights *weights, const char *weight,
                              const char *bias)
{
    static const float values[] = {1, 2, 3, 4, 5, 6};
    char header[512];
    snprintf(header, sizeof header,
             "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
             "\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}",
             weight, bias);
    return weights_load_made(model, header, values, sizeof values, weights);
}

cnn_model *weights_network(cnn_context *context, const char *conv, const char *dense)
{
    cnn_model *model = model_new(context, (const int64_t[]){8, 6, 3}, 3);
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding(layer, 1, 1));
    if (conv != NULL)
        EXPECT_OK(cnn_layer_set_name(layer, conv));
    model_take(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 5));
    if (dense != NULL)
        EXPECT_OK(cnn_layer_set_name(layer, dense));
    model_take(model, layer);
    return model;
}

void weights_map_network(cnn_weights *weights)
{
    EXPECT_OK(cnn_weights_map_prefix(weights, "features.0.", "conv2d1."));
    EXPECT_OK(cnn_weights_map_prefix(weights, "classifier.1.", "dense1."));
}

cnn_status weights_load_fixture(cnn_model *model, const char *name, cnn_weights *weights)
{
    struct file_bytes file = fixture_read(name);
    cnn_status status = weights_load(model, (const char *)file.bytes, file.size, weights);
    free(file.bytes);
    return status;
}

void expect_weights_loaded(cnn_model *model, cnn_context *context)
{
    float values[6];
    weights_get(model, context, "last.weight", values, 4);
    weights_get(model, context, "last.bias", values + 4, 2);
    for (int32_t i = 0; i < 6; i++)
        ck_assert(values[i] == (float)(i + 1));
}

void expect_outcomes(const cnn_weights *weights, int32_t missing, int32_t unexpected,
                     int32_t mismatched, int32_t skipped, int32_t kept, int32_t loaded)
{
    const int32_t wanted[] = {0, missing, unexpected, mismatched, skipped, kept, loaded};
    for (int32_t i = 0; i < CNNI_COUNT(wanted); i++)
        ck_assert_msg(cnn_weights_count(weights, i) == wanted[i], "%d %s, must be %d",
                      cnn_weights_count(weights, i), cnn_weights_outcome_name(i), wanted[i]);
}

void expect_outcome(const cnn_weights *weights, cnn_weights_outcome outcome, int32_t index,
                    const char *name, const char *text)
{
    ck_assert_str_eq(cnn_weights_name(weights, outcome, index), name);
    ck_assert_str_eq(cnn_weights_text(weights, outcome, index), text);
}
