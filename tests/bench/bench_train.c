/* SPDX-License-Identifier: MIT
 * Times whole training steps of the two reference networks on random data, through the public
 * interface alone.
 *   bench_train NETWORK [--batch N] [--threads N] [--steps N]      NETWORK: classic or wide
 * Prints one line: the median and the fastest step.  bench_train_torch.py prints the same for
 * PyTorch, and compare_train.sh runs both in turn. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cnn.h"

static void check(cnn_status status)
{
    if (status == CNN_OK)
        return;
    fprintf(stderr, "bench_train: %s\n", cnn_error_message());
    exit(2);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void add(cnn_model *model, cnn_layer *layer)
{
    check(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

/* 3x3 convolution, ReLU, 2x2 max-pooling. */
static void add_block(cnn_model *model, cnn_context *context, int64_t filters, int32_t same)
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

static void add_head(cnn_model *model, cnn_context *context, int64_t units)
{
    cnn_layer *flatten, *hidden, *relu, *logits;
    check(cnn_flatten_create(&flatten, context));
    check(cnn_dense_create(&hidden, context, units));
    check(cnn_relu_create(&relu, context));
    check(cnn_dense_create(&logits, context, 2));
    add(model, flatten);
    add(model, hidden);
    add(model, relu);
    add(model, logits);
}

/* The well-known course network at 64 pixels, and a wider one at 128. */
static const struct network {
    const char *name;
    int64_t size;
    int64_t filters[4]; /* up to the first 0 */
    int32_t same;
    int64_t units;
} networks[] = {
    {"classic", 64, {32, 32}, 0, 128},
    {"wide", 128, {32, 64, 128, 128}, 1, 512},
};

static cnn_model *build(cnn_context *context, const struct network *network)
{
    cnn_model *model;
    const int64_t shape[] = {network->size, network->size, 3};
    check(cnn_model_create(&model, context, shape, 3));
    for (int i = 0; i < 4 && network->filters[i] > 0; i++)
        add_block(model, context, network->filters[i], network->same);
    add_head(model, context, network->units);
    return model;
}

static int by_value(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static const struct network *find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    fprintf(stderr, "bench_train: network is \"%s\", must be classic or wide\n", name);
    exit(2);
}

static int64_t option(int argc, char **argv, const char *name, int64_t preset)
{
    for (int i = 2; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return strtoll(argv[i + 1], NULL, 10);
    return preset;
}

int main(int argc, char **argv)
{
    const struct network *network = find(argc > 1 ? argv[1] : "wide");
    int64_t batch = option(argc, argv, "--batch", 32), steps = option(argc, argv, "--steps", 9);
    cnn_context *context;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_tensor *inputs, *labels;
    check(cnn_context_create(&context));
    check(cnn_context_set_threads(context, (int32_t)option(argc, argv, "--threads", 1)));
    cnn_model *model = build(context, network);
    check(cnn_sgd_create(&optimizer, context, 0.01));
    check(cnn_sgd_set_momentum(optimizer, 0.9));
    check(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, batch));
    const int64_t shape[] = {batch, network->size, network->size, 3};
    check(cnn_tensor_create(&inputs, context, CNN_FLOAT32, shape, 4));
    check(cnn_tensor_create(&labels, context, CNN_INT32, shape, 1));
    float *x = cnn_tensor_data(inputs);
    uint32_t state = 1;
    for (int64_t i = 0; i < cnn_tensor_count(inputs); i++)
        x[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1;
    for (int64_t i = 0; i < batch; i++)
        ((int32_t *)cnn_tensor_data(labels))[i] = (int32_t)(i & 1);

    double *seconds = malloc((size_t)steps * sizeof *seconds), loss = 0;
    const cnn_tensor *input = inputs, *target = labels;
    for (int64_t i = -2; i < steps; i++) { /* the first two warm up */
        double start = now();
        check(cnn_trainer_step(&loss, trainer, &input, 1, &target, 1));
        if (i >= 0)
            seconds[i] = now() - start;
    }
    qsort(seconds, (size_t)steps, sizeof *seconds, by_value);
    double median = seconds[steps / 2];
    printf("libcnn %s %s network=%s batch=%lld threads=%d: median %.2f ms min %.2f ms "
           "%.1f images/s held %.1f MiB loss %.4f\n",
           cnn_version_string(), cnn_context_cpu_name(context), network->name, (long long)batch,
           cnn_context_threads(context), 1e3 * median, 1e3 * seconds[0], (double)batch / median,
           (double)cnn_trainer_bytes(trainer) / (1 << 20), loss);
    free(seconds);
    cnn_tensor_free(inputs);
    cnn_tensor_free(labels);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
    cnn_context_free(context);
    return 0;
}
