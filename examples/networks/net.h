/* SPDX-License-Identifier: MIT
 * A model that grows layer by layer.  After the first failure the rest is passed over, so that
 * networks need no error handling of their own; the status is looked at once, at the end. */
#ifndef NET_H
#define NET_H

#include <cnn.h>

struct net {
    cnn_context *context;
    cnn_model *model;
    cnn_status status;
    int32_t at;     /* number of the layer that the next one reads; branches change it */
    char name[200]; /* of the next layer, "": by default */
};

/* Begins at the model's input. */
struct net net_begin(cnn_context *context, cnn_model *model);

/* Names the next layer. */
void net_name(struct net *net, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A square convolution with a bias and without padding. */
void net_valid_conv(struct net *net, int64_t filters, int64_t kernel);

/* The same with as many zeros around its input as keep the size, with strides and groups, and
 * without a bias: for a batch normalisation behind it, which has one. */
void net_bare_conv(struct net *net, int64_t filters, int64_t kernel, int64_t stride,
                   int64_t groups);

void net_batch_norm(struct net *net);
void net_relu(struct net *net);
void net_relu6(struct net *net);
void net_maxpool(struct net *net, int64_t window, int64_t stride, int64_t padding);
void net_global_avgpool(struct net *net);
void net_flatten(struct net *net);
void net_dense(struct net *net, int64_t units);
void net_dropout(struct net *net, double rate);
void net_softmax(struct net *net);

/* The sum of what was added last and of the output of layer `other`. */
void net_add(struct net *net, int32_t other);

#endif
