/* SPDX-License-Identifier: MIT
 * The network of many a course: 813,346 parameters for two classes of 64x64 pictures. */
#include "net.h"
#include "networks.h"

cnn_status network_classic(cnn_model *model, cnn_context *context, int64_t classes)
{
    struct net net = net_begin(context, model);

    for (int i = 0; i < 2; i++) {
        net_valid_conv(&net, 32, 3);
        net_relu(&net);
        net_maxpool(&net, 2, 2, 0);
    }
    net_flatten(&net);
    net_dense(&net, 128);
    net_relu(&net);
    net_dropout(&net, 0.5);
    net_dense(&net, classes);
    net_softmax(&net);
    return net.status;
}
