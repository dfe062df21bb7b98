/* SPDX-License-Identifier: MIT
 * A VGG-style network: nothing but 3x3 convolutions, normalised, and pooling between the stages. */
#include "net.h"
#include "networks.h"

static void stage(struct net *net, int convs, int64_t filters)
{
    for (int i = 0; i < convs; i++) {
        net_bare_conv(net, filters, 3, 1, 1);
        net_batch_norm(net);
        net_relu(net);
    }
    net_maxpool(net, 2, 2, 0);
}

cnn_status network_vgg(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    stage(&net, 1, 32);
    stage(&net, 2, 64);
    stage(&net, 2, 128);
    stage(&net, 2, 256);
    net_global_avgpool(&net);
    net_dropout(&net, 0.2);
    net_dense(&net, classes);
    net_softmax(&net);
    return net.status;
}
