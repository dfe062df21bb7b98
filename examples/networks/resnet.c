/* SPDX-License-Identifier: MIT
 * Residual networks (He et al. 2016) of basic blocks: two 3x3 convolutions, to whose result the
 * block's input is added.  Layers have the names of torchvision's resnet18, so that its weights fit
 * as they are. */
#include "net.h"
#include "networks.h"

#include <stdio.h>

/* A convolution and its normalisation: "PREFIXconvNUMBER" and "PREFIXbnNUMBER". */
static void conv_norm(struct net *net, const char *prefix, int number, int64_t filters,
                      int64_t kernel, int64_t stride)
{
    net_name(net, "%sconv%d", prefix, number);
    net_bare_conv(net, filters, kernel, stride, 1);
    net_name(net, "%sbn%d", prefix, number);
    net_batch_norm(net);
}

/* The way past a block whose output has another shape than its input. */
static void downsample(struct net *net, const char *prefix, int64_t filters, int64_t stride)
{
    net_name(net, "%sdownsample.0", prefix);
    net_bare_conv(net, filters, 1, stride, 1);
    net_name(net, "%sdownsample.1", prefix);
    net_batch_norm(net);
}

static void block(struct net *net, const char *prefix, int64_t filters, int64_t stride, int changes)
{
    const int32_t input = net->at;
    int32_t residual;

    conv_norm(net, prefix, 1, filters, 3, stride);
    net_relu(net);
    conv_norm(net, prefix, 2, filters, 3, 1);
    residual = net->at;
    net->at = input;
    if (changes)
        downsample(net, prefix, filters, stride);
    net_add(net, residual);
    net_relu(net);
}

/* The first block of all stages but the first halves the size. */
static void stages(struct net *net, const int blocks[4], int64_t filters, int64_t stem)
{
    for (int i = 0; i < 4; i++, filters *= 2)
        for (int j = 0; j < blocks[i]; j++) {
            char prefix[32];
            const int64_t stride = i > 0 && j == 0 ? 2 : 1;
            snprintf(prefix, sizeof prefix, "layer%d.%d.", i + 1, j);
            block(net, prefix, filters, stride, stride == 2 || (i + j == 0 && filters != stem));
        }
}

static cnn_status end(struct net *net, int64_t classes)
{
    net_global_avgpool(net);
    net_name(net, "fc");
    net_dense(net, classes);
    net_softmax(net);
    return net->status;
}

cnn_status network_resnet18(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    conv_norm(&net, "", 1, 64, 7, 2);
    net_relu(&net);
    net_maxpool(&net, 3, 2, 1);
    stages(&net, (const int[]){2, 2, 2, 2}, 64, 64);
    return end(&net, classes);
}

cnn_status network_resnet_small(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    conv_norm(&net, "", 1, 32, 5, 2);
    net_relu(&net);
    stages(&net, (const int[]){1, 2, 2, 1}, 32, 32);
    return end(&net, classes);
}
