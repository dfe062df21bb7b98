/* SPDX-License-Identifier: MIT
 * Explaining a prediction: where in a picture a class was seen. */
#ifndef CNN_EXPLAIN_H
#define CNN_EXPLAIN_H

#include "cnn/model.h"

CNN_BEGIN_DECLS

/* The layer whose pixels tell most: what the last convolution with more than one output pixel makes
 * after the layers behind it that keep its height and width (activations, normalisations, sums).
 * -1 for a model without such a convolution, and for NULL. */
CNN_API int32_t cnn_model_heat_map_layer(const cnn_model *model);

/* Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via
 * Gradient-based Localization"): how much each pixel of a layer's output A speaks for one class.
 * `map` is a new float32 tensor [h][w] of that layer's size,
 *
 *     map[y][x] = max(0, sum over c of alpha[c] A[y][x][c]),
 *     alpha[c]  = mean over the pixels of d score / d A[.][.][c],
 *
 * where the score is the output for `class_index`, or, in a model that ends in a softmax layer, the
 * softmax's input for it.  The map is not normalised: its largest value may be anything from 0 on.
 * `input` is one sample, float32 [1][input shape], the model's output must be [classes], and
 * `layer` one whose output is [h][w][c]; -1: cnn_model_heat_map_layer().
 *
 * The model is run as in predictions (no dropout, no statistics of the batch), and stays as it is;
 * whether layers are frozen makes no difference.  Gradients that its layers had are cleared.  Each
 * call plans the model anew, with the memory of a training step on one sample.
 * CNN_ERROR_SHAPE: shapes or types that do not fit, a layer without pixels, or none for -1.
 * CNN_ERROR_STATE: no layers, a layer whose output nobody takes, a trainer has the model, or
 * somebody is predicting with it or saving it at this moment. */
CNN_API cnn_status cnn_model_heat_map(cnn_tensor **map, cnn_model *model, const cnn_tensor *input,
                                      int32_t class_index, int32_t layer);

CNN_END_DECLS

#endif
