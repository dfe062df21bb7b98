/* SPDX-License-Identifier: MIT
 * The table of recipes.  To try a network of your own, add a function beside those of ../networks
 * and a row here. */
#include "networks.h"

#include "../networks/networks.h"
#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct network networks[] = {
    {
        .name = "classic",
        .build = network_classic,
        .size = 64,
        .epochs = 25,
        .drawing_epochs = 8,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.001,
        .warmup_epochs = 0.5,
        .weight_decay = 0.01,
        .clip_norm = 5.0,
        .smallest_crop = 0.6,
        .color = 0.1,
    },
    {
        .name = "default",
        .build = network_residual,
        .size = 64,
        .predict_size = 88,
        .epochs = 100,
        .drawing_epochs = 2,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.003,
        .warmup_epochs = 2.0,
        .weight_decay = 0.05,
        .clip_norm = 5.0,
        .label_smoothing = 0.1,
        .average = 0.999,
        .flips = true,
        .smallest_crop = 0.35,
        .rotation = 10.0,
        .color = 0.2,
        .mixup = 0.2,
    },
    {
        .name = "resnet",
        .build = network_resnet_small,
        .size = 80,
        .predict_size = 112,
        .epochs = 72,
        .drawing_epochs = 4,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.002,
        .warmup_epochs = 2.0,
        .weight_decay = 0.05,
        .clip_norm = 5.0,
        .label_smoothing = 0.1,
        .average = 0.999,
        .flips = true,
        .smallest_crop = 0.35,
        .rotation = 10.0,
        .color = 0.2,
        .mixup = 0.2,
    },
    {
        .name = "vgg",
        .build = network_vgg,
        .size = 64,
        .epochs = 24,
        .drawing_epochs = 3,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.001,
        .warmup_epochs = 1.0,
        .weight_decay = 0.05,
        .clip_norm = 5.0,
        .label_smoothing = 0.1,
        .smallest_crop = 0.4,
        .rotation = 10.0,
        .color = 0.2,
    },
    {
        .name = "resnet18",
        .build = network_resnet18,
        .size = 128,
        .epochs = 24,
        .drawing_epochs = 3,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.001,
        .warmup_epochs = 2.0,
        .weight_decay = 0.05,
        .clip_norm = 5.0,
        .label_smoothing = 0.1,
        .smallest_crop = 0.4,
        .rotation = 10.0,
        .color = 0.2,
    },
    {
        .name = "mobilenet_v2",
        .build = network_mobilenet_v2,
        .size = 128,
        .epochs = 32,
        .drawing_epochs = 4,
        .batch = 32,
        .optimizer = "adamw",
        .learning_rate = 0.002,
        .warmup_epochs = 2.0,
        .weight_decay = 0.02,
        .clip_norm = 5.0,
        .label_smoothing = 0.1,
        .smallest_crop = 0.4,
        .rotation = 10.0,
        .color = 0.2,
    },
};

enum { NETWORKS = sizeof networks / sizeof networks[0] };

const struct network *network_find(const char *name)
{
    for (int i = 0; i < NETWORKS; i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
}

void network_names(char *text, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < NETWORKS && used < size; i++) {
        const char *before = i == 0 ? "" : i < NETWORKS - 1 ? ", " : " or ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", before, networks[i].name);
    }
}

/* ---- The model ----------------------------------------------------------------------------- */

/* Gives the model the class names of the dataset, in the same order. */
static bool name_classes(cnn_model *model, const cnn_dataset *dataset)
{
    const int32_t count = cnn_dataset_class_count(dataset);
    const char **names = calloc((size_t)count, sizeof *names);

    if (names == NULL) {
        console_error("no memory for the names of %d classes", (int)count);
        return false;
    }
    for (int32_t i = 0; i < count; i++)
        names[i] = cnn_dataset_class_name(dataset, i);
    const bool named = console_succeeded(cnn_model_set_classes(model, names, count));
    free(names);
    return named;
}

static bool build(cnn_model *model, cnn_context *context, const struct network *network,
                  int64_t size, int32_t classes)
{
    const cnn_status status = network->build(model, context, classes);

    if (status != CNN_ERROR_SHAPE)
        return console_succeeded(status);
    console_error("--size %lld does not fit the network %s: %s", (long long)size, network->name,
                  console_library_reason());
    return false;
}

bool network_create(cnn_model **model, cnn_context *context, const struct network *network,
                    int64_t size, const cnn_dataset *dataset)
{
    const int64_t shape[] = {size, size, 3};

    return console_succeeded(cnn_model_create(model, context, shape, 3)) &&
           build(*model, context, network, size, cnn_dataset_class_count(dataset)) &&
           name_classes(*model, dataset);
}

cnn_status network_save(const cnn_model *model, int64_t size, const char *path)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *resized = NULL;
    cnn_status status = cnn_model_input_shape(shape, &rank, model);

    if (status == CNN_OK && shape[0] == size)
        return cnn_model_save(model, path);
    if (status == CNN_OK)
        status = cnn_model_create_resized(&resized, model, (int64_t[]){size, size, 3}, 3);
    if (status == CNN_OK)
        status = cnn_model_save(resized, path);
    cnn_model_free(resized);
    return status;
}

/* ---- The table ----------------------------------------------------------------------------- */

/* "62 x 62 x 32" */
static void format_shape(char *text, size_t size, const int64_t *shape, int32_t rank)
{
    size_t used = 0;

    text[0] = '\0';
    for (int32_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i > 0 ? " x " : "",
                                 (long long)shape[i]);
}

/* "813,346" */
static void format_count(char *text, size_t size, int64_t count)
{
    if (count < 1000)
        snprintf(text, size, "%d", (int)count);
    else if (count < 1000000)
        snprintf(text, size, "%d,%03d", (int)(count / 1000), (int)(count % 1000));
    else
        snprintf(text, size, "%lld,%03d,%03d", (long long)(count / 1000000),
                 (int)(count / 1000 % 1000), (int)(count % 1000));
}

static void print_row(const char *layer, const int64_t *shape, int32_t rank, int64_t parameters)
{
    char output[96];
    char count[32];

    format_shape(output, sizeof output, shape, rank);
    format_count(count, sizeof count, parameters);
    console_line("  %-28s  %-16s  %12s", layer, output, count);
}

void network_print(cnn_model *model)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;

    console_line("  %-28s  %-16s  %12s", "layer", "output", "parameters");
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        char layer[128];
        cnn_layer_describe(cnn_model_layer(model, i), layer, sizeof layer);
        if (cnn_model_layer_shape(shape, &rank, model, i) == CNN_OK)
            print_row(layer, shape, rank, cnn_model_layer_parameters(model, i));
    }
    print_row("total", shape, 0, cnn_model_parameters(model));
}
