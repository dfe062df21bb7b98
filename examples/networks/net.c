/* SPDX-License-Identifier: MIT
 * Every function creates a layer, sets its options, and has the model share it. */
#include "net.h"

#include <stdarg.h>
#include <stdio.h>

struct net net_begin(cnn_context *context, cnn_model *model)
{
    return (struct net){.context = context, .model = model, .at = CNN_MODEL_INPUT};
}

void net_name(struct net *net, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(net->name, sizeof net->name, format, arguments);
    va_end(arguments);
}

static int going_well(const struct net *net)
{
    return net->status == CNN_OK;
}

/* Adds `layer` and gives up our reference to it, which may be NULL after a failure. */
static void add(struct net *net, cnn_layer *layer, const int32_t *inputs, int32_t count)
{
    if (going_well(net) && net->name[0] != '\0')
        net->status = cnn_layer_set_name(layer, net->name);
    if (going_well(net))
        net->status = cnn_model_add_with_inputs(net->model, layer, inputs, count);
    cnn_layer_free(layer);
    net->at = cnn_model_layer_count(net->model) - 1;
    net->name[0] = '\0';
}

static void append(struct net *net, cnn_layer *layer)
{
    add(net, layer, &net->at, 1);
}

/* Appends a layer of a kind that takes no numbers. */
static void append_plain(struct net *net, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = create(&layer, net->context);
    append(net, layer);
}

static cnn_layer *create_conv(struct net *net, int64_t filters, int64_t kernel, int64_t padding)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_conv2d_create(&layer, net->context, filters, kernel, kernel);
    if (going_well(net))
        net->status = cnn_conv2d_set_padding(layer, padding, padding);
    return layer;
}

void net_valid_conv(struct net *net, int64_t filters, int64_t kernel)
{
    append(net, create_conv(net, filters, kernel, 0));
}

void net_bare_conv(struct net *net, int64_t filters, int64_t kernel, int64_t stride, int64_t groups)
{
    cnn_layer *layer = create_conv(net, filters, kernel, kernel / 2);

    if (going_well(net))
        net->status = cnn_conv2d_set_stride(layer, stride, stride);
    if (going_well(net))
        net->status = cnn_conv2d_set_groups(layer, groups);
    if (going_well(net))
        net->status = cnn_conv2d_set_bias(layer, 0);
    append(net, layer);
}

void net_batch_norm(struct net *net)
{
    append_plain(net, cnn_batch_norm_create);
}

void net_relu(struct net *net)
{
    append_plain(net, cnn_relu_create);
}

void net_relu6(struct net *net)
{
    append_plain(net, cnn_relu6_create);
}

void net_maxpool(struct net *net, int64_t window, int64_t stride, int64_t padding)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_maxpool2d_create(&layer, net->context, window, window);
    if (going_well(net))
        net->status = cnn_maxpool2d_set_stride(layer, stride, stride);
    if (going_well(net))
        net->status = cnn_maxpool2d_set_padding(layer, padding, padding);
    append(net, layer);
}

void net_global_avgpool(struct net *net)
{
    append_plain(net, cnn_global_avgpool2d_create);
}

void net_flatten(struct net *net)
{
    append_plain(net, cnn_flatten_create);
}

void net_dense(struct net *net, int64_t units)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_dense_create(&layer, net->context, units);
    append(net, layer);
}

void net_dropout(struct net *net, double rate)
{
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_dropout_create(&layer, net->context, rate);
    append(net, layer);
}

void net_softmax(struct net *net)
{
    append_plain(net, cnn_softmax_create);
}

void net_add(struct net *net, int32_t other)
{
    const int32_t inputs[] = {net->at, other};
    cnn_layer *layer = NULL;

    if (going_well(net))
        net->status = cnn_add_create(&layer, net->context);
    add(net, layer, inputs, 2);
}
