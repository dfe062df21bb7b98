/* SPDX-License-Identifier: MIT
 * Layers.
 *
 * A layer is created with what defines it, refined by setters, and built, that is given its
 * parameters, by the first input shape it meets: when it is added to a model, run by
 * cnn_layer_forward(), or explicitly by cnn_layer_build().  From then on setters that would change
 * its shape are refused with CNN_ERROR_STATE.
 *
 * Shapes below leave out the leading batch dimension n: a picture-shaped input is [h][w][c], a
 * vector-shaped one [features]. */
#ifndef CNN_LAYER_H
#define CNN_LAYER_H

#include "cnn/tensor.h"

CNN_BEGIN_DECLS

typedef struct cnn_layer cnn_layer;

/* What a layer computes. */
typedef int32_t cnn_layer_kind;

enum {
    CNN_CONV2D = 1,
    CNN_MAXPOOL2D = 2,
    CNN_DENSE = 3,
    CNN_RELU = 4,
    CNN_SOFTMAX = 5,
    CNN_FLATTEN = 6,
    CNN_DROPOUT = 7,
    CNN_ADD = 8
};

/* The name of `kind`, "conv2d"; "unknown layer" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_layer_kind_name(cnn_layer_kind kind);

/* ---- Kinds -------------------------------------------------------------------------------- */

/* Two-dimensional convolution (cross-correlation, as in every framework):
 *   y[oh][ow][k] = bias[k] + sum over r, s, c of x[i][j][c] * w[k][c][r][s],
 *       i = oh * stride - padding + r * dilation, j = ow * stride - padding + s * dilation
 * Input [h][w][c], output [oh][ow][filters] with
 *   oh = (h + paddings - dilation * (kernel_height - 1) - 1) / stride + 1, rounded down.
 * Defaults: stride 1, no padding, dilation 1, one group, with bias, weights by He's normal
 * initialisation. */
CNN_API cnn_status cnn_conv2d_create(cnn_layer **layer, cnn_context *context, int64_t filters,
                                     int64_t kernel_height, int64_t kernel_width);

/* The step between windows.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal);

/* Zeros around the input: `vertical` rows above and below, `horizontal` columns left and right.
 * CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal);

/* Zeros around the input, each side for itself.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_padding_sides(cnn_layer *layer, int64_t top, int64_t left,
                                                int64_t bottom, int64_t right);

/* As many zeros as make the output ceil(input / stride); where their number is odd, the bottom and
 * the right side get one more (ONNX's SAME_UPPER).  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_padding_same(cnn_layer *layer);

/* The distance between the taps of a kernel.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_dilation(cnn_layer *layer, int64_t vertical, int64_t horizontal);

/* Splits input channels and filters into `groups` that do not see each other.  `groups` must
 * divide both; as many groups as input channels is a depthwise convolution.
 * CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_groups(cnn_layer *layer, int64_t groups);

/* Whether a bias is added: 1 (default) or 0.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_set_bias(cnn_layer *layer, int32_t bias);

/* How far a convolution may trade accuracy for speed. */
typedef int32_t cnn_algorithm;

enum {
    CNN_EXACT = 1,    /* direct sums only; errors of some 1e-7 of the largest output */
    CNN_BALANCED = 2, /* Winograd's F(2x2, 3x3) where it is faster; some 1e-6 */
    CNN_FAST = 3      /* F(4x4, 3x3) where it is faster; some 1e-5.  The default. */
};

/* The name of `algorithm`, "exact"; "unknown algorithm" for any other number.  Borrowed for
 * ever. */
CNN_API const char *cnn_algorithm_name(cnn_algorithm algorithm);

/* Which algorithms the layer may use.  Winograd (Lavin and Gray 2016) is for 3x3 kernels of stride
 * 1, dilation 1 and one group, with at least 32 input channels and filters, and is chosen by the
 * shape alone.
 * CNN_ERROR_INVALID: no such algorithm.  CNN_ERROR_STATE once built: see
 * cnn_model_set_algorithm(). */
CNN_API cnn_status cnn_conv2d_set_algorithm(cnn_layer *layer, cnn_algorithm algorithm);

/* The largest value of each window, channel by channel.  Input [h][w][c]; output sizes as for
 * conv2d.  Defaults: stride equal to the window, no padding.  Padding never wins, not even over
 * negative values; NaN wins over everything.  Of equal values the first in reading order gets the
 * gradient.  A window of more than 2147483647 pixels is CNN_ERROR_SHAPE once the layer is built. */
CNN_API cnn_status cnn_maxpool2d_create(cnn_layer **layer, cnn_context *context,
                                        int64_t window_height, int64_t window_width);

/* The step between windows; 0 stands for the window's size.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_maxpool2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal);

/* Rows above and below and columns left and right that are outside the input, at most half a
 * window, so that each window has a value.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_maxpool2d_set_padding(cnn_layer *layer, int64_t vertical,
                                             int64_t horizontal);

/* Fully connected: y[u] = bias[u] + sum over f of x[f] * w[u][f].  Input [features], output
 * [units].  Defaults: with bias, weights by Glorot's uniform initialisation. */
CNN_API cnn_status cnn_dense_create(cnn_layer **layer, cnn_context *context, int64_t units);

/* Whether a bias is added: 1 (default) or 0.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_dense_set_bias(cnn_layer *layer, int32_t bias);

/* max(x, 0), element by element; NaN stays NaN.  Any shape. */
CNN_API cnn_status cnn_relu_create(cnn_layer **layer, cnn_context *context);

/* exp(x) / sum of exp(x) over the last dimension, computed without overflow.  Any shape. */
CNN_API cnn_status cnn_softmax_create(cnn_layer **layer, cnn_context *context);

/* Makes a vector of all dimensions but the batch: [h][w][c] to [h * w * c]. */
CNN_API cnn_status cnn_flatten_create(cnn_layer **layer, cnn_context *context);

/* While training, sets each element to 0 with probability `rate` (0 <= rate < 1) and divides the
 * others by 1 - rate; when predicting, changes nothing (Srivastava et al. 2014, "inverted").  Which
 * elements depends on the context's seed, the layer, the training step and the place alone. */
CNN_API cnn_status cnn_dropout_create(cnn_layer **layer, cnn_context *context, double rate);

/* The sum of two or more inputs of one shape, element by element (residual connections). */
CNN_API cnn_status cnn_add_create(cnn_layer **layer, cnn_context *context);

/* ---- What all have ------------------------------------------------------------------------ */

CNN_API void cnn_layer_free(cnn_layer *layer);

/* What the layer computes; 0 for NULL. */
CNN_API cnn_layer_kind cnn_layer_get_kind(const cnn_layer *layer);

/* Names the layer; its parameters are "NAME.weight" and "NAME.bias".  1 to 200 bytes of UTF-8
 * without control characters.  Default: its kind, and in a model its kind and a number, "conv2d1".
 * CNN_ERROR_STATE: the layer is in a model. */
CNN_API cnn_status cnn_layer_set_name(cnn_layer *layer, const char *name);

/* The name.  Borrowed until the layer is renamed or freed. */
CNN_API const char *cnn_layer_name(const cnn_layer *layer);

/* Writes what the layer is, with the options that differ from the defaults,
 * "conv2d 32 3x3 padding 1x1", into `buffer` of `size` bytes, cut short
 * if need be and always ended by a zero byte. */
CNN_API void cnn_layer_describe(const cnn_layer *layer, char *buffer, size_t size);

/* How a layer's weights are drawn; biases start as 0. */
typedef int32_t cnn_initializer;

enum {
    CNN_HE_NORMAL = 1,      /* variance 2 / fan_in: He et al. 2015 */
    CNN_HE_UNIFORM = 2,     /* the same variance, from a bounded range */
    CNN_GLOROT_NORMAL = 3,  /* variance 2 / (fan_in + fan_out): Glorot and Bengio 2010 */
    CNN_GLOROT_UNIFORM = 4, /* the same variance, from a bounded range */
    CNN_ZEROS = 5           /* all 0 */
};

/* The name of `initializer`, "he_normal"; "unknown initializer" for any other number.  Borrowed for
 * ever. */
CNN_API const char *cnn_initializer_name(cnn_initializer initializer);

/* Chooses how the weights are drawn when the layer is built.  CNN_ERROR_STATE once built.
 * CNN_ERROR_INVALID: a layer without weights, or no initializer. */
CNN_API cnn_status cnn_layer_set_initializer(cnn_layer *layer, cnn_initializer initializer);

/* Gives the layer its parameters for inputs of `shape`, without the batch dimension.  Done by
 * adding to a model and by the first forward; useful before cnn_layer_set_parameter().
 * CNN_ERROR_SHAPE: the layer cannot take such an input; for a layer already built, one that its
 * parameters do not fit.  CNN_ERROR_STATE: the layer is in a model. */
CNN_API cnn_status cnn_layer_build(cnn_layer *layer, const int64_t *shape, int32_t rank);

/* ---- Parameters --------------------------------------------------------------------------- */

/* Which parameter of a layer. */
typedef int32_t cnn_parameter;

enum {
    /* conv2d: [filters][c / groups][kernel_height][kernel_width]; dense: [units][features] */
    CNN_WEIGHT = 0,
    /* conv2d: [filters]; dense: [units] */
    CNN_BIAS = 1
};

/* The name of `parameter`, "weight"; "unknown parameter" for any other number.  Borrowed for
 * ever. */
CNN_API const char *cnn_parameter_name(cnn_parameter parameter);

/* The layouts above are PyTorch's and those of model files; the columns of a dense layer that
 * stands behind a flatten in a model are in c, h, w order.  Values are copied, never shared. */

/* How many parameters the layer has: 0 before it is built and for layers without any. */
CNN_API int32_t cnn_layer_parameter_count(const cnn_layer *layer);

/* Writes the shape of `parameter` into `shape` (room for 8) and its rank into `rank`.
 * CNN_ERROR_NOT_FOUND: the layer has no such parameter. */
CNN_API cnn_status cnn_layer_parameter_shape(int64_t *shape, int32_t *rank, const cnn_layer *layer,
                                             cnn_parameter parameter);

/* Copies a parameter into `values`, a float32 tensor of its shape, or from it; copies the gradient
 * that backward passes have added up.
 * CNN_ERROR_NOT_FOUND: no such parameter.  CNN_ERROR_SHAPE: `values` has another shape or type.
 * CNN_ERROR_STATE: (set) the layer's model is in the middle of a training step, or somebody is
 * predicting with it or saving it at this moment; (gradient) there is none: no backward pass of the
 * layer on its own has run, and its model has no trainer. */
CNN_API cnn_status cnn_layer_get_parameter(const cnn_layer *layer, cnn_parameter parameter,
                                           cnn_tensor *values);
CNN_API cnn_status cnn_layer_set_parameter(cnn_layer *layer, cnn_parameter parameter,
                                           const cnn_tensor *values);
CNN_API cnn_status cnn_layer_get_gradient(const cnn_layer *layer, cnn_parameter parameter,
                                          cnn_tensor *values);

/* Sets the gradients of all parameters to 0. */
CNN_API cnn_status cnn_layer_clear_gradients(cnn_layer *layer);

/* ---- How it is trained -------------------------------------------------------------------- */

/* Whether trainers move the layer's parameters: 1 (default) or 0, frozen.  A frozen layer's
 * parameters stay to the bit: no step, no weight decay; its gradients do not count in clipping and
 * are not computed, nor is anything below the lowest layer that is trained.  What layers learn
 * without gradients (running statistics) goes on.  May change between steps, also in a model, and
 * clears the layer's gradients then; an optimizer's averages begin with the first step that moves
 * the layer.  Not kept in model files.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_STATE: the layer's model is in the middle of a
 * training step. */
CNN_API cnn_status cnn_layer_set_trained(cnn_layer *layer, int32_t trained);

/* What was set; 0 for NULL. */
CNN_API int32_t cnn_layer_trained(const cnn_layer *layer);

/* Multiplies the optimizer's learning rate, or weight decay, for this layer: finite and at least 0,
 * default 1.  May change between steps, also in a model.  Not kept in model files.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_STATE: as above. */
CNN_API cnn_status cnn_layer_set_learning_rate(cnn_layer *layer, double factor);
CNN_API cnn_status cnn_layer_set_weight_decay(cnn_layer *layer, double factor);

/* ---- A layer on its own ------------------------------------------------------------------- */

/* Writes the output shape for an input of `shape` (both without the batch dimension) into `output`
 * (room for 8) and `output_rank`.  For CNN_ADD: the shape of each of its inputs.  Builds nothing.
 * CNN_ERROR_SHAPE: the layer cannot take such an input. */
CNN_API cnn_status cnn_layer_output_shape(int64_t *output, int32_t *output_rank,
                                          const cnn_layer *layer, const int64_t *shape,
                                          int32_t rank);

/* Runs the layer on `input_count` inputs (1; for CNN_ADD 2 or more), float32, batch first, into
 * `output`, which has the output shape and memory of its own.  With `training` 1 dropout acts, and
 * the layer shares the tensors until the next forward, for cnn_layer_backward(); with 0 it predicts
 * and keeps nothing.
 * CNN_ERROR_SHAPE: an input or the output has the wrong shape or type.  CNN_ERROR_STATE: the layer
 * belongs to a model. */
CNN_API cnn_status cnn_layer_forward(cnn_layer *layer, cnn_tensor *output,
                                     cnn_tensor *const *inputs, int32_t input_count,
                                     int32_t training);

/* Back-propagates through the latest forward with `training` 1, whose tensors must not have been
 * changed: overwrites `input_gradients[i]` (each may be NULL for "not wanted") with the gradient of
 * input i, and adds to the gradients of the parameters.  `output_gradient` has the output's shape.
 * An input gradient has memory of its own, apart from all other tensors of both calls.
 * CNN_ERROR_STATE: no such forward came before, or the layer belongs to a model.
 * CNN_ERROR_SHAPE: a gradient has the wrong shape or type. */
CNN_API cnn_status cnn_layer_backward(cnn_layer *layer, cnn_tensor *const *input_gradients,
                                      int32_t input_count, const cnn_tensor *output_gradient);

CNN_END_DECLS

#endif
