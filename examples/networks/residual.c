/* SPDX-License-Identifier: MIT
 * A small residual network without normalisation, whose later stages cost about the same. */
#include "net.h"
#include "networks.h"

/* A 3x3 convolution, then half the size. */
static void half(struct net *net, int64_t filters)
{
    net_conv(net, filters, 3);
    net_relu(net);
    net_maxpool(net, 2, 2, 0);
}

/* Two 3x3 convolutions beside a way past them (He et al. 2016).  The second one starts as all
 * zeros, so that at first only the way past them is there, and a deep network trains without
 * normalisation (Zhang et al. 2019). */
static void block(struct net *net, int64_t filters)
{
    const int32_t input = net->at;

    net_conv(net, filters, 3);
    net_relu(net);
    net_conv_from_zero(net, filters, 3);
    net_add(net, input);
    net_relu(net);
}

cnn_status network_residual(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    half(&net, 32);
    half(&net, 48);
    block(&net, 48);
    half(&net, 96);
    block(&net, 96);
    half(&net, 192);
    block(&net, 192);
    net_global_maxpool(&net);
    net_dropout(&net, 0.3);
    net_dense(&net, classes);
    net_softmax(&net);
    return net.status;
}
