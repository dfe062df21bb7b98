/* SPDX-License-Identifier: MIT
 * The C side of check_torch_weights.py:
 *
 *     torch_weights NETWORK WEIGHTS INPUT OUTPUT SAVED
 *
 * makes the network, loads WEIGHTS, a file of PyTorch's, reads samples from INPUT, writes what it
 * predicts to OUTPUT (both raw floats), and the weights as a file for PyTorch to SAVED. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "networks/networks.h"

enum { MOST_SAMPLES = 64, MOST_RULES = 8 };

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "%s\n", cnn_error_message());
    exit(EXIT_FAILURE);
}

/* ---- Networks ------------------------------------------------------------------------------ */

static void add(cnn_model *model, cnn_layer *layer)
{
    check(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

/* The names that layers get by themselves; a flatten whose order matters. */
static cnn_model *make_small(cnn_context *context)
{
    cnn_model *model;
    cnn_layer *layer;
    check(cnn_model_create(&model, context, (const int64_t[]){10, 7, 3}, 3));
    check(cnn_conv2d_create(&layer, context, 6, 3, 3));
    check(cnn_conv2d_set_padding(layer, 1, 1));
    add(model, layer);
    check(cnn_relu_create(&layer, context));
    add(model, layer);
    check(cnn_conv2d_create(&layer, context, 8, 3, 2));
    check(cnn_conv2d_set_groups(layer, 2));
    check(cnn_conv2d_set_bias(layer, 0));
    add(model, layer);
    check(cnn_relu_create(&layer, context));
    add(model, layer);
    check(cnn_maxpool2d_create(&layer, context, 2, 2));
    add(model, layer);
    check(cnn_flatten_create(&layer, context));
    add(model, layer);
    check(cnn_dense_create(&layer, context, 5));
    add(model, layer);
    check(cnn_softmax_create(&layer, context));
    add(model, layer);
    return model;
}

static cnn_model *make_resnet18(cnn_context *context)
{
    cnn_model *model;
    check(cnn_model_create(&model, context, (int64_t[]){64, 64, 3}, 3));
    check(network_resnet18(model, context, 10));
    return model;
}

static cnn_model *make_mobilenet_v2(cnn_context *context)
{
    cnn_model *model;
    check(cnn_model_create(&model, context, (int64_t[]){64, 64, 3}, 3));
    check(network_mobilenet_v2(model, context, 10));
    return model;
}

static const struct network {
    const char *name;
    cnn_model *(*make)(cnn_context *context);
    const char *rules[MOST_RULES][2]; /* prefixes in the file and in the model */
} networks[] = {
    {"small",
     make_small,
     {{"features.0.", "conv2d1."}, {"features.2.", "conv2d2."}, {"classifier.1.", "dense1."}}},
    {"resnet18", make_resnet18, {{NULL}}}, /* these two have torchvision's names */
    {"mobilenet_v2", make_mobilenet_v2, {{NULL}}},
};

static const struct network *find_network(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    fprintf(stderr, "no network %s\n", name);
    exit(EXIT_FAILURE);
}

/* ---- Predicting ---------------------------------------------------------------------------- */

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file != NULL)
        return file;
    fprintf(stderr, "cannot open %s\n", path);
    exit(EXIT_FAILURE);
}

/* A tensor of `samples` samples of a shape. */
static cnn_tensor *make_batch(cnn_context *context, int64_t samples, const int64_t *shape,
                              int32_t rank)
{
    cnn_tensor *tensor;
    int64_t whole[CNN_MAX_RANK] = {samples};
    memcpy(whole + 1, shape, (size_t)rank * sizeof *shape);
    check(cnn_tensor_create(&tensor, context, CNN_FLOAT32, whole, rank + 1));
    return tensor;
}

static cnn_tensor *read_batch(cnn_context *context, const cnn_model *model, const char *path)
{
    cnn_tensor *one, *batch;
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    FILE *file = open_file(path, "rb");
    check(cnn_model_input_shape(shape, &rank, model));
    one = make_batch(context, 1, shape, rank);
    fseek(file, 0, SEEK_END);
    batch = make_batch(context, ftell(file) / (long)cnn_tensor_bytes(one), shape, rank);
    rewind(file);
    if (fread(cnn_tensor_data(batch), cnn_tensor_bytes(batch), 1, file) != 1)
        exit(EXIT_FAILURE);
    fclose(file);
    cnn_tensor_free(one);
    return batch;
}

static void predict(cnn_context *context, cnn_model *model, const char *from, const char *to)
{
    cnn_session *session;
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_tensor *inputs = read_batch(context, model, from);
    const cnn_tensor *read = inputs;
    check(cnn_model_output_shape(shape, &rank, model));
    cnn_tensor *outputs = make_batch(context, cnn_tensor_dim(inputs, 0), shape, rank);
    check(cnn_session_create(&session, model, MOST_SAMPLES));
    check(cnn_session_run(session, &outputs, 1, &read, 1));
    FILE *file = open_file(to, "wb");
    if (fwrite(cnn_tensor_data(outputs), cnn_tensor_bytes(outputs), 1, file) != 1 ||
        fclose(file) != 0)
        exit(EXIT_FAILURE);
    cnn_session_free(session);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
}

/* ---- The whole ----------------------------------------------------------------------------- */

/* The line of counts. */
static void describe(const cnn_weights *weights)
{
    char text[200];
    cnn_weights_describe(weights, text, sizeof text);
    printf("%.*s\n", (int)strcspn(text, "\n"), text);
}

int main(int count, char **arguments)
{
    cnn_context *context;
    cnn_weights *weights;
    if (count != 6) {
        fprintf(stderr, "usage: torch_weights NETWORK WEIGHTS INPUT OUTPUT SAVED\n");
        return EXIT_FAILURE;
    }
    const struct network *network = find_network(arguments[1]);
    check(cnn_context_create(&context));
    cnn_model *model = network->make(context);
    check(cnn_weights_create(&weights, context));
    for (int32_t i = 0; i < MOST_RULES && network->rules[i][0] != NULL; i++)
        check(cnn_weights_map_prefix(weights, network->rules[i][0], network->rules[i][1]));
    check(cnn_model_load_weights(model, arguments[2], weights));
    describe(weights);
    predict(context, model, arguments[3], arguments[4]);
    check(cnn_model_save_weights(model, arguments[5], weights));
    cnn_weights_free(weights);
    cnn_model_free(model);
    cnn_context_free(context);
    return EXIT_SUCCESS;
}
