/* SPDX-License-Identifier: MIT
 * MobileNetV2 (Sandler et al. 2018): blocks that widen their input by a 1x1 convolution, look at
 * each channel alone with a 3x3 one, and narrow it again without an activation; where the shapes
 * agree, the input is added.  Layers have the names of torchvision's mobilenet_v2. */
#include "net.h"
#include "networks.h"

#include <stdio.h>

/* A convolution, "PREFIX.0", its normalisation, "PREFIX.1", and a ReLU6. */
static void conv_norm_relu(struct net *net, const char *prefix, int64_t filters, int64_t kernel,
                           int64_t stride, int64_t groups)
{
    net_name(net, "%s.0", prefix);
    net_bare_conv(net, filters, kernel, stride, groups);
    net_name(net, "%s.1", prefix);
    net_batch_norm(net);
    net_relu6(net);
}

/* Block number `number` of torchvision's "features", from `channels` to `filters`. */
static void block(struct net *net, int number, int64_t channels, int64_t filters, int64_t expansion,
                  int64_t stride)
{
    const int32_t input = net->at;
    const int64_t wide = channels * expansion;
    char prefix[32];
    int part = 0;

    if (expansion != 1) {
        snprintf(prefix, sizeof prefix, "features.%d.conv.%d", number, part++);
        conv_norm_relu(net, prefix, wide, 1, 1, 1);
    }
    snprintf(prefix, sizeof prefix, "features.%d.conv.%d", number, part++);
    conv_norm_relu(net, prefix, wide, 3, stride, wide);
    net_name(net, "features.%d.conv.%d", number, part);
    net_bare_conv(net, filters, 1, 1, 1);
    net_name(net, "features.%d.conv.%d", number, part + 1);
    net_batch_norm(net);
    if (stride == 1 && channels == filters)
        net_add(net, input);
}

cnn_status network_mobilenet_v2(cnn_model *model, cnn_context *context, int64_t classes)
{
    static const struct {
        int64_t expansion, filters;
        int blocks;
        int64_t stride; /* of the first one */
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    struct net net = net_begin(context, model);
    int64_t channels = 32;
    int number = 1;

    conv_norm_relu(&net, "features.0", channels, 3, 2, 1);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        for (int j = 0; j < stages[i].blocks; j++, channels = stages[i].filters)
            block(&net, number++, channels, stages[i].filters, stages[i].expansion,
                  j == 0 ? stages[i].stride : 1);
    conv_norm_relu(&net, "features.18", 1280, 1, 1, 1);
    net_global_avgpool(&net);
    net_dropout(&net, 0.2);
    net_name(&net, "classifier.1");
    net_dense(&net, classes);
    net_softmax(&net);
    return net.status;
}
