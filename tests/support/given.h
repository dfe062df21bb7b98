/* SPDX-License-Identifier: MIT
 * What networks are compared with PyTorch on: weights and pictures that both sides compute, with no
 * rounding, by the formulas of fixtures/make_torch_networks.py; and what PyTorch answers. */
#ifndef SUPPORT_GIVEN_H
#define SUPPORT_GIVEN_H

#include "cnn.h"

/* GIVEN_SIZE: of all but few. */
enum { GIVEN_SAMPLES = 4, GIVEN_SIZE = 64, GIVEN_CLASSES = 5 };

/* The seed of the noise that belongs to a name. */
uint64_t given_seed(const char *name);

/* The values of the parameter `name`, in PyTorch's layout: noise around where training begins. */
void given_fill(cnn_tensor *values, const char *name);

/* The same, but for the normalisations before MobileNetV2's ReLU6: what they make is spread around
 * 3, so that hardly a thousandth of it is cut. */
void given_fill_smooth(cnn_tensor *values, const char *name);

/* A new network of examples/networks for GIVEN_CLASSES and pictures [size][size][3], with those
 * values. */
typedef cnn_status given_build_fn(cnn_model *model, cnn_context *context, int64_t classes);
typedef void given_fill_fn(cnn_tensor *values, const char *name);
cnn_model *given_model(cnn_context *context, given_build_fn *build, given_fill_fn *fill,
                       int64_t size);

/* A new batch [GIVEN_SAMPLES][size][size][3]: the pictures that PyTorch had for `network`, of the
 * file "networks", which torch_open() has opened; others, of a seed. */
cnn_tensor *given_pictures(cnn_context *context, const char *network, int64_t size);
cnn_tensor *given_noise(cnn_context *context, int64_t size, uint64_t seed);

/* A new tensor with what `model` predicts of them. */
cnn_tensor *given_predict(cnn_model *model, cnn_context *context, const cnn_tensor *pictures);

/* Fails the test unless all answers [GIVEN_SAMPLES][GIVEN_CLASSES] are within `tolerance` of
 * PyTorch's: `name` of `network`. */
void expect_given_answers(const char *network, const char *name, cnn_tensor *answers,
                          double tolerance);

#endif
