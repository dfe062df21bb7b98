/* SPDX-License-Identifier: MIT
 * Small models, tensors and datasets that several test programs need.  A failure to make one ends
 * the test. */
#ifndef SUPPORT_NETWORKS_H
#define SUPPORT_NETWORKS_H

#include "cnn.h"

/* A new float32 tensor of noise: support/tensors.h. */
cnn_tensor *tensor_noise(cnn_context *context, const int64_t *shape, int32_t rank, uint32_t seed);

/* int32 labels [n]: i % classes. */
cnn_tensor *tensor_labels(cnn_context *context, int64_t n, int32_t classes);

/* A model for inputs of `shape` without layers. */
cnn_model *model_new(cnn_context *context, const int64_t *shape, int32_t rank);

/* Adds `layer`, which gives up the caller's reference. */
void model_take(cnn_model *model, cnn_layer *layer);

/* [8][8][3] -> conv2d 3x3 (4), relu, maxpool2d 2x2, flatten, dense 3, softmax. */
cnn_model *model_chain(cnn_context *context);

/* The same with dropout before the dense layer. */
cnn_model *model_dropout(cnn_context *context);

/* [8][8][4] -> conv2d "same", relu, conv2d "same", add of that and the input, relu, flatten, dense
 * 3. */
cnn_model *model_residual(cnn_context *context);

/* [8][8][4] -> conv2d "same" (4), batch_norm, relu, conv2d "same", batch_norm, add of that and the
 * relu, relu, maxpool2d 2x2, flatten, dense 3. */
cnn_model *model_normalized(cnn_context *context);

/* [8][8][3] -> three times conv2d "same" (4), relu; then flatten, dense 300; and from the first
 * relu flatten, dense 300; their sum.  The first 7 layers have few weights and predict on 16
 * samples for each thread at a time; those behind read what two of them made of all. */
cnn_model *model_front(cnn_context *context);

/* Gives `to` the values of all parameters of `from`, by name. */
void model_copy_parameters(cnn_model *to, const cnn_model *from, cnn_context *context);

/* An input batch of `n` for `model`, and room for its outputs. */
cnn_tensor *model_inputs(cnn_model *model, cnn_context *context, int64_t n, uint32_t seed);
cnn_tensor *model_outputs(cnn_model *model, cnn_context *context, int64_t n);

/* One run of a session on `n` samples; a step of a trainer with labels of three classes. */
cnn_status session_predict(cnn_session *session, cnn_tensor *outputs, const cnn_tensor *inputs);
cnn_status trainer_step(double *loss, cnn_trainer *trainer, const cnn_tensor *inputs,
                        const cnn_tensor *targets);

/* `count` pictures uint8 [8][8][3] of three classes. */
cnn_dataset *dataset_pictures(cnn_context *context, int64_t count);

/* All parameters of `model` as one number, to see whether anything changed. */
uint64_t model_hash(cnn_model *model, cnn_context *context);

/* Whether two tensors hold the same bytes. */
int tensors_equal(const cnn_tensor *a, const cnn_tensor *b);

#endif
