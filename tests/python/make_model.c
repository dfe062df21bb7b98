/* SPDX-License-Identifier: MIT
 * The C side of check_safetensors.py:
 *
 *     make_model write FOLDER    writes model.cnn, and input.bin and output.bin with a prediction,
 *                                and model.ckpt, a checkpoint after a step
 *     make_model read FILE       loads a model and prints "OK", or the status and the text
 *     make_model weights FILE    makes the model, loads FILE as its weights, and saves them there
 *                                as a file for others */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"

enum { SAMPLES = 3 };

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "%s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

static void add(cnn_model *model, cnn_layer *layer)
{
    check(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

/* Strides, paddings, groups, dilation, a branch, and a dense layer behind a flatten: all that the
 * order of weights could be wrong for. */
static cnn_model *make_model(cnn_context *context)
{
    static const char *const classes[] = {"cat", "dog", "\xC3\xA4", "\"4\""};
    cnn_model *model;
    cnn_layer *layer;
    check(cnn_model_create(&model, context, (const int64_t[]){12, 9, 3}, 3));
    check(cnn_conv2d_create(&layer, context, 8, 3, 2));
    check(cnn_conv2d_set_stride(layer, 2, 1));
    check(cnn_conv2d_set_padding_sides(layer, 1, 0, 2, 3));
    add(model, layer);
    check(cnn_relu_create(&layer, context));
    add(model, layer);
    check(cnn_conv2d_create(&layer, context, 8, 3, 3));
    check(cnn_conv2d_set_padding_same(layer));
    check(cnn_conv2d_set_groups(layer, 4));
    check(cnn_conv2d_set_dilation(layer, 1, 2));
    check(cnn_conv2d_set_bias(layer, 0));
    add(model, layer);
    check(cnn_add_create(&layer, context));
    check(cnn_model_add_with_inputs(model, layer, (const int32_t[]){1, 2}, 2));
    cnn_layer_free(layer);
    check(cnn_maxpool2d_create(&layer, context, 3, 2));
    check(cnn_maxpool2d_set_stride(layer, 2, 2));
    check(cnn_maxpool2d_set_padding(layer, 1, 0));
    add(model, layer);
    check(cnn_flatten_create(&layer, context));
    add(model, layer);
    check(cnn_dropout_create(&layer, context, 0.5));
    add(model, layer);
    check(cnn_dense_create(&layer, context, 7));
    add(model, layer);
    check(cnn_relu_create(&layer, context));
    add(model, layer);
    check(cnn_dense_create(&layer, context, 4));
    add(model, layer);
    check(cnn_softmax_create(&layer, context));
    add(model, layer);
    check(cnn_model_set_classes(model, classes, 4));
    return model;
}

static cnn_tensor *new_tensor(cnn_context *context, const int64_t *shape, int32_t rank)
{
    cnn_tensor *tensor;
    check(cnn_tensor_create(&tensor, context, CNN_FLOAT32, shape, rank));
    return tensor;
}

/* Numbers between -1 and 1 without a pattern. */
static void fill(cnn_tensor *tensor, uint32_t seed)
{
    float *values = cnn_tensor_data(tensor);
    for (int64_t i = 0; i < cnn_tensor_count(tensor); i++) {
        seed = seed * 1664525 + 1013904223;
        values[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
}

/* Biases start as zeros, which would hide their absence. */
static void set_parameters(cnn_context *context, cnn_model *model)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        check(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *values = new_tensor(context, shape, rank);
        fill(values, (uint32_t)i);
        check(cnn_model_set_parameter(model, name, values));
        cnn_tensor_free(values);
    }
}

static void write_tensor(const char *folder, const char *name, const cnn_tensor *tensor)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL ||
        fwrite(cnn_tensor_const_data(tensor), cnn_tensor_bytes(tensor), 1, file) != 1 ||
        fclose(file) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(EXIT_FAILURE);
    }
}

/* Trains `model` for a step on black pictures. */
static void write_checkpoint(cnn_context *context, cnn_model *model, const char *folder)
{
    char path[4096];
    cnn_tensor *samples, *labels;
    cnn_dataset *dataset;
    cnn_loader *loader;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    check(cnn_tensor_create(&samples, context, CNN_UINT8, (const int64_t[]){SAMPLES, 12, 9, 3}, 4));
    check(cnn_tensor_create(&labels, context, CNN_INT32, (const int64_t[]){SAMPLES}, 1));
    check(cnn_dataset_from_memory(&dataset, context, samples, labels, 4));
    check(cnn_loader_create(&loader, dataset, model, SAMPLES));
    check(cnn_adam_create(&optimizer, context, 0.01));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    check(cnn_trainer_set_note(trainer, "\xC3\xA4"));
    check(cnn_trainer_fit(trainer, loader, NULL, 1, NULL, NULL));
    snprintf(path, sizeof path, "%s/model.ckpt", folder);
    check(cnn_trainer_save_checkpoint(trainer, loader, path));
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
}

static void write_all(cnn_context *context, const char *folder)
{
    char path[4096];
    cnn_session *session;
    cnn_model *model = make_model(context);
    set_parameters(context, model);
    cnn_tensor *input = new_tensor(context, (const int64_t[]){SAMPLES, 12, 9, 3}, 4);
    cnn_tensor *output = new_tensor(context, (const int64_t[]){SAMPLES, 4}, 2);
    const cnn_tensor *read = input;
    fill(input, 12345);
    check(cnn_session_create(&session, model, SAMPLES));
    check(cnn_session_run(session, &output, 1, &read, 1));
    snprintf(path, sizeof path, "%s/model.cnn", folder);
    check(cnn_model_save(model, path));
    write_tensor(folder, "input.bin", input);
    write_tensor(folder, "output.bin", output);
    cnn_tensor_free(input);
    cnn_tensor_free(output);
    cnn_session_free(session);
    write_checkpoint(context, model, folder);
    cnn_model_free(model);
}

static void read_model(cnn_context *context, const char *path)
{
    cnn_model *model;
    cnn_status status = cnn_model_load(&model, context, path);
    if (status == CNN_OK)
        printf("OK\n");
    else
        printf("%s %s\n", cnn_status_name(status), cnn_error_message());
    cnn_model_free(model);
}

static void rewrite_weights(cnn_context *context, const char *path)
{
    cnn_model *model = make_model(context);
    check(cnn_model_load_weights(model, path, NULL));
    check(cnn_model_save_weights(model, path, NULL));
    cnn_model_free(model);
}

int main(int count, char **arguments)
{
    cnn_context *context;
    check(cnn_context_create(&context));
    if (count == 3 && strcmp(arguments[1], "write") == 0)
        write_all(context, arguments[2]);
    else if (count == 3 && strcmp(arguments[1], "read") == 0)
        read_model(context, arguments[2]);
    else if (count == 3 && strcmp(arguments[1], "weights") == 0)
        rewrite_weights(context, arguments[2]);
    else
        fprintf(stderr, "usage: make_model write FOLDER | read FILE | weights FILE\n");
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
