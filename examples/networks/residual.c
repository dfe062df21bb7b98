/* SPDX-License-Identifier: MIT
 * A small residual network that halves its pictures by max-pooling, and whose later stages cost
 * about the same. */
#include "net.h"
#include "networks.h"

static void conv(struct net *net, int64_t filters)
{
    net_bare_conv(net, filters, 3, 1, 1);
    net_batch_norm(net);
    net_relu(net);
}

/* Half the size, another number of channels. */
static void half(struct net *net, int64_t filters)
{
    conv(net, filters);
    net_maxpool(net, 2, 2, 0);
}

/* Two convolutions beside a way past them (He et al. 2016), to which they can only add: no ReLU
 * comes behind the sum. */
static void block(struct net *net, int64_t filters)
{
    const int32_t input = net->at;

    conv(net, filters);
    conv(net, filters);
    net_add(net, input);
}

cnn_status network_residual(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    half(&net, 32);
    half(&net, 64);
    block(&net, 64);
    half(&net, 128);
    block(&net, 128);
    half(&net, 256);
    block(&net, 256);
    net_global_avgpool(&net);
    net_dense(&net, classes);
    net_softmax(&net);
    return net.status;
}
