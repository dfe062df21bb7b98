/* SPDX-License-Identifier: MIT
 * Ready networks.  Each is a function that adds all layers to `model`, a new one for pictures
 * [h][w][c], from the first convolution to the softmax over `classes`, and returns the first
 * failure.  Those that torchvision has too have its names, so that its weights fit as they are:
 * cnn_model_load_weights(). */
#ifndef NETWORKS_NETWORKS_H
#define NETWORKS_NETWORKS_H

#include <cnn.h>

/* Two convolutions and two dense layers, for 64x64 pictures: the network of many a course. */
cnn_status network_classic(cnn_model *model, cnn_context *context, int64_t classes);

/* A small residual network for 32 to 128 pixels, with batch normalisation, that halves pictures by
 * max-pooling. */
cnn_status network_residual(cnn_model *model, cnn_context *context, int64_t classes);

/* Stages of 3x3 convolutions, each half as large and twice as deep as the one before (Simonyan and
 * Zisserman 2015), with batch normalisation; for 32 to 128 pixels. */
cnn_status network_vgg(cnn_model *model, cnn_context *context, int64_t classes);

/* ResNet-18 (He et al. 2016), torchvision's resnet18; made for 224x224. */
cnn_status network_resnet18(cnn_model *model, cnn_context *context, int64_t classes);

/* A small ResNet for 32 to 128 pixels: a stem that halves the picture, and stages of 1, 2, 2 and 1
 * basic blocks of 32 to 256 filters. */
cnn_status network_resnet_small(cnn_model *model, cnn_context *context, int64_t classes);

/* MobileNetV2 (Sandler et al. 2018), torchvision's mobilenet_v2; made for 224x224. */
cnn_status network_mobilenet_v2(cnn_model *model, cnn_context *context, int64_t classes);

#endif
