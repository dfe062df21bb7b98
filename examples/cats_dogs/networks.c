/* SPDX-License-Identifier: MIT
 * Each network is one short function that reads from the picture to the classes; below them stands
 * the table of recipes.  To try a network of your own, add a function and a row. */
#include "networks.h"

#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Building ------------------------------------------------------------------------------ */

/* A model that grows layer by layer.  After the first failure the rest is passed over, so that
 * networks need no error handling of their own. */
struct builder {
    cnn_context *context;
    cnn_model *model;
    cnn_status status;
};

static bool going_well(const struct builder *net)
{
    return net->status == CNN_OK;
}

/* Adds `layer` behind the last one; the model shares it, so that our reference can go. */
static void append(struct builder *net, cnn_layer *layer)
{
    if (going_well(net))
        net->status = cnn_model_add(net->model, layer);
    cnn_layer_free(layer);
}

/* A square convolution with a ring of `padding` zeros around its input, for append(). */
static cnn_layer *create_conv(struct builder *net, int64_t filters, int64_t kernel, int64_t padding)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_conv2d_create(&layer, net->context, filters, kernel, kernel);
    if (going_well(net))
        net->status = cnn_conv2d_set_padding(layer, padding, padding);
    return layer;
}

static void conv(struct builder *net, int64_t filters, int64_t kernel, int64_t padding)
{
    append(net, create_conv(net, filters, kernel, padding));
}

/* The same with all weights 0 at the beginning. */
static void conv_from_zero(struct builder *net, int64_t filters, int64_t kernel, int64_t padding)
{
    cnn_layer *layer = create_conv(net, filters, kernel, padding);

    if (going_well(net))
        net->status = cnn_layer_set_initializer(layer, CNN_ZEROS);
    append(net, layer);
}

/* Adds a layer of a kind that takes no numbers. */
static void append_plain(struct builder *net, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = create(&layer, net->context);
    append(net, layer);
}

static void relu(struct builder *net)
{
    append_plain(net, cnn_relu_create);
}

static void maxpool(struct builder *net, int64_t window)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_maxpool2d_create(&layer, net->context, window, window);
    append(net, layer);
}

/* A window as large as what is left of the picture. */
static void global_maxpool(struct builder *net)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;

    if (going_well(net))
        net->status = cnn_model_output_shape(shape, &rank, net->model);
    if (going_well(net))
        maxpool(net, shape[0]);
}

/* The number of the layer added last. */
static int32_t last_layer(const struct builder *net)
{
    return cnn_model_layer_count(net->model) - 1;
}

/* The sum of the outputs of two layers. */
static void add(struct builder *net, int32_t first, int32_t second)
{
    const int32_t inputs[] = {first, second};
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_add_create(&layer, net->context);
    if (going_well(net))
        net->status = cnn_model_add_with_inputs(net->model, layer, inputs, 2);
    cnn_layer_free(layer);
}

static void flatten(struct builder *net)
{
    append_plain(net, cnn_flatten_create);
}

static void dense(struct builder *net, int64_t units)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_dense_create(&layer, net->context, units);
    append(net, layer);
}

static void dropout(struct builder *net, double rate)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_dropout_create(&layer, net->context, rate);
    append(net, layer);
}

static void softmax(struct builder *net)
{
    append_plain(net, cnn_softmax_create);
}

/* ---- Networks ------------------------------------------------------------------------------ */

/* The network of many a course: 813,346 parameters for two classes. */
static void build_classic(struct builder *net, int32_t classes)
{
    conv(net, 32, 3, 0);
    relu(net);
    maxpool(net, 2);
    conv(net, 32, 3, 0);
    relu(net);
    maxpool(net, 2);
    flatten(net);
    dense(net, 128);
    relu(net);
    dropout(net, 0.5);
    dense(net, classes);
    softmax(net);
}

/* A 3x3 convolution, then half the size. */
static void half(struct builder *net, int64_t filters)
{
    conv(net, filters, 3, 1);
    relu(net);
    maxpool(net, 2);
}

/* Two 3x3 convolutions beside a way past them (He et al. 2016).  The second one starts as all
 * zeros, so that at first only the way past them is there, and a deep network trains without
 * normalisation (Zhang et al. 2019). */
static void residual(struct builder *net, int64_t filters)
{
    const int32_t before = last_layer(net);

    conv(net, filters, 3, 1);
    relu(net);
    conv_from_zero(net, filters, 3, 1);
    add(net, before, last_layer(net));
    relu(net);
}

/* A small residual network whose later stages cost about the same.  The last pooling takes each
 * channel's largest value of the whole picture. */
static void build_default(struct builder *net, int32_t classes)
{
    half(net, 32);
    half(net, 48);
    residual(net, 48);
    half(net, 96);
    residual(net, 96);
    half(net, 192);
    residual(net, 192);
    global_maxpool(net);
    flatten(net);
    dropout(net, 0.3);
    dense(net, classes);
    softmax(net);
}

static const struct network networks[] = {
    {
        .name = "classic",
        .build = build_classic,
        .size = 64,
        .epochs = 25,
        .drawing_epochs = 8,
        .batch = 32,
        .learning_rate = 0.001,
        .warmup_epochs = 0.5,
        .weight_decay = 0.01,
        .clip_norm = 5.0,
        .smallest_crop = 0.6,
        .color = 0.1,
    },
    {
        .name = "default",
        .build = build_default,
        .size = 80,
        .epochs = 24,
        .drawing_epochs = 3,
        .batch = 32,
        .learning_rate = 0.001,
        .warmup_epochs = 1.0,
        .weight_decay = 0.05,
        .clip_norm = 1.0,
        .label_smoothing = 0.05,
        .smallest_crop = 0.4,
        .rotation = 10.0,
        .color = 0.2,
    },
};

const struct network *network_find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
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
    struct builder builder = {.context = context, .model = model};

    network->build(&builder, classes);
    if (builder.status != CNN_ERROR_SHAPE)
        return console_succeeded(builder.status);
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
