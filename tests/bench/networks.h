/* SPDX-License-Identifier: MIT
 * What bench_train and bench_predict share: the networks, their data, the options of the command
 * line, medians.  Through the public interface alone. */
#ifndef CNN_BENCH_NETWORKS_H
#define CNN_BENCH_NETWORKS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cnn.h"
#include "networks/networks.h"

static inline void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "bench: %s\n", cnn_error_message());
    exit(2);
}

static inline void add(cnn_model *model, cnn_layer *layer)
{
    check(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

/* 3x3 convolution, ReLU, 2x2 max-pooling. */
static inline void add_block(cnn_model *model, cnn_context *context, int64_t filters, int32_t same)
{
    cnn_layer *conv, *relu, *pool;
    check(cnn_conv2d_create(&conv, context, filters, 3, 3));
    if (same)
        check(cnn_conv2d_set_padding_same(conv));
    check(cnn_relu_create(&relu, context));
    check(cnn_maxpool2d_create(&pool, context, 2, 2));
    add(model, conv);
    add(model, relu);
    add(model, pool);
}

static inline void add_head(cnn_model *model, cnn_context *context, int64_t units, int64_t classes)
{
    cnn_layer *flatten, *hidden, *relu, *logits;
    check(cnn_flatten_create(&flatten, context));
    check(cnn_dense_create(&hidden, context, units));
    check(cnn_relu_create(&relu, context));
    check(cnn_dense_create(&logits, context, classes));
    add(model, flatten);
    add(model, hidden);
    add(model, relu);
    add(model, logits);
}

/* The well-known course network at 64 pixels, a wider one at 128, and what people train, of the
 * examples. */
static const struct network {
    const char *name;
    int64_t size, classes;
    /* All layers, or else what follows. */
    cnn_status (*ready)(cnn_model *model, cnn_context *context, int64_t classes);
    int64_t filters[4]; /* up to the first 0 */
    int32_t same;
    int64_t units;
} networks[] = {
    {"classic", 64, 2, NULL, {32, 32}, 0, 128},
    {"wide", 128, 2, NULL, {32, 64, 128, 128}, 1, 512},
    {"resnet18", 224, 1000, network_resnet18, {0}, 0, 0},
    {"mobilenet_v2", 224, 1000, network_mobilenet_v2, {0}, 0, 0},
    {"resnet_small", 96, 2, network_resnet_small, {0}, 0, 0},
};

static inline cnn_model *build(cnn_context *context, const struct network *network)
{
    cnn_model *model;
    const int64_t shape[] = {network->size, network->size, 3};
    check(cnn_model_create(&model, context, shape, 3));
    if (network->ready) {
        check(network->ready(model, context, network->classes));
        return model;
    }
    for (int i = 0; i < 4 && network->filters[i] > 0; i++)
        add_block(model, context, network->filters[i], network->same);
    add_head(model, context, network->units, network->classes);
    return model;
}

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline int by_value(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static inline const struct network *find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    fprintf(stderr, "bench: network is \"%s\", must be one of", name);
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        fprintf(stderr, " %s", networks[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

static inline int64_t option(int argc, char **argv, const char *name, int64_t preset)
{
    for (int i = 2; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return strtoll(argv[i + 1], NULL, 10);
    return preset;
}

/* A batch of noise. */
static inline cnn_tensor *noise(cnn_context *context, const struct network *network, int64_t batch)
{
    cnn_tensor *inputs;
    const int64_t shape[] = {batch, network->size, network->size, 3};
    check(cnn_tensor_create(&inputs, context, CNN_FLOAT32, shape, 4));
    float *x = cnn_tensor_data(inputs);
    uint32_t state = 1;
    for (int64_t i = 0; i < cnn_tensor_count(inputs); i++)
        x[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1;
    return inputs;
}

/* 0, 1, 0, 1 ... */
static inline cnn_tensor *alternating_labels(cnn_context *context, int64_t batch)
{
    cnn_tensor *labels;
    check(cnn_tensor_create(&labels, context, CNN_INT32, &batch, 1));
    for (int64_t i = 0; i < batch; i++)
        ((int32_t *)cnn_tensor_data(labels))[i] = (int32_t)(i & 1);
    return labels;
}

#endif
