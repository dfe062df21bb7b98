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
    CNN_ADD = 8,
    CNN_BATCH_NORM = 9,
    CNN_AVGPOOL2D = 10,
    CNN_GLOBAL_AVGPOOL2D = 11,
    CNN_GLOBAL_MAXPOOL2D = 12,
    CNN_UPSAMPLE2D = 13,
    CNN_PAD2D = 14,
    CNN_CONCAT = 15,
    CNN_MULTIPLY = 16,
    CNN_LEAKY_RELU = 20,
    CNN_RELU6 = 21,
    CNN_SIGMOID = 22,
    CNN_TANH = 23,
    CNN_SILU = 24,
    CNN_HARD_SWISH = 25,
    CNN_HARD_SIGMOID = 26,
    CNN_GELU = 27,
    CNN_ELU = 28,
    CNN_CONV2D_TRANSPOSED = 30
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
 * One of 1x1 without bias multiplies each channel by a factor that is learned (the "layer scale" of
 * Touvron et al. 2021), whose weight [c][1][1][1] are the factors, for c input channels:
 *   cnn_conv2d_create(&scale, context, c, 1, 1), cnn_conv2d_set_groups(scale, c),
 *   cnn_conv2d_set_bias(scale, 0), then cnn_layer_set_parameter(scale, CNN_WEIGHT, factors), 1 or
 *   1e-6 for instance, once it is in its model.
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

/* Transposed convolution (Dumoulin and Visin 2016), which spreads each input over a window of the
 * output, and so is the gradient of a convolution by its input:
 *   y[oh][ow][f] = bias[f] + sum over r, s, c of x[i][j][c] * w[c][f][r][s],
 *       i * stride = oh + padding - r * dilation, j * stride = ow + padding - s * dilation
 *   for those r and s where i and j are whole numbers inside of the input.
 * Input [h][w][c], output [oh][ow][filters] with
 *   oh = (h - 1) * stride - 2 * padding + dilation * (kernel_height - 1) + output padding + 1.
 * Defaults: stride 1, no padding, dilation 1, one group, with bias, weights by He's normal
 * initialisation, whose fan_in is the c * kernel_height * kernel_width / (strides' product) inputs
 * that reach an output.  Computed by direct sums. */
CNN_API cnn_status cnn_conv2d_transposed_create(cnn_layer **layer, cnn_context *context,
                                                int64_t filters, int64_t kernel_height,
                                                int64_t kernel_width);

/* The step between the windows of the output.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_stride(cnn_layer *layer, int64_t vertical,
                                                    int64_t horizontal);

/* Rows taken away above and below, and columns left and right of the output.
 * CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_padding(cnn_layer *layer, int64_t vertical,
                                                     int64_t horizontal);

/* Rows added below and columns added to the right of the output, fewer than stride or dilation:
 * which of the sizes that a convolution with that stride makes the input's is wanted.
 * CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_output_padding(cnn_layer *layer, int64_t bottom,
                                                            int64_t right);

/* The distance between the taps of a kernel.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_dilation(cnn_layer *layer, int64_t vertical,
                                                      int64_t horizontal);

/* Splits input channels and filters into `groups` that do not see each other.  `groups` must
 * divide both.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_groups(cnn_layer *layer, int64_t groups);

/* Whether a bias is added: 1 (default) or 0.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_conv2d_transposed_set_bias(cnn_layer *layer, int32_t bias);

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

/* The mean of each window, channel by channel.  Input [h][w][c]; output sizes as for conv2d.
 * Defaults: stride equal to the window, no padding.  Zeros outside of the input count, so that each
 * sum is divided by the window's size (PyTorch's count_include_pad): see
 * cnn_avgpool2d_set_count_padding().  Windows are 1 to 65536 high and wide.
 * CNN_ERROR_INVALID: others, or `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of memory. */
CNN_API cnn_status cnn_avgpool2d_create(cnn_layer **layer, cnn_context *context,
                                        int64_t window_height, int64_t window_width);

/* The step between windows, up to 65536; 0 stands for the window's size.
 * CNN_ERROR_INVALID: another number, or another kind of layer.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_avgpool2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal);

/* Rows of zeros above and below and columns left and right of the input, up to 32768; more than
 * half a window is CNN_ERROR_SHAPE when the layer is built.
 * CNN_ERROR_INVALID: another number, or another kind of layer.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_avgpool2d_set_padding(cnn_layer *layer, int64_t vertical,
                                             int64_t horizontal);

/* Whether padding counts: 1 (default), or 0: each mean is that of the input's pixels alone.
 * CNN_ERROR_INVALID: another number, or another kind of layer.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_avgpool2d_set_count_padding(cnn_layer *layer, int32_t count);

/* The mean of all pixels, channel by channel (Lin et al. 2013): [h][w][c] to [c].  Sums run over
 * blocks of 128 pixels and a pairwise tree over the blocks.
 * CNN_ERROR_INVALID: `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of memory. */
CNN_API cnn_status cnn_global_avgpool2d_create(cnn_layer **layer, cnn_context *context);

/* The largest value of all pixels, channel by channel: [h][w][c] to [c].  NaN wins over everything;
 * of equal values the first in reading order gets the gradient.  More than 2147483647 pixels are
 * CNN_ERROR_SHAPE once the layer is built.
 * CNN_ERROR_INVALID: `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of memory. */
CNN_API cnn_status cnn_global_maxpool2d_create(cnn_layer **layer, cnn_context *context);

/* Larger pictures: [h][w][c] to [h * factor_height][w * factor_width][c], with whole factors of 1
 * to 1024.  Default: each pixel repeated.
 * CNN_ERROR_INVALID: other factors, or `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of
 * memory. */
CNN_API cnn_status cnn_upsample2d_create(cnn_layer **layer, cnn_context *context,
                                         int64_t factor_height, int64_t factor_width);

/* What lies between pixels. */
typedef int32_t cnn_interpolation;

enum {
    CNN_NEAREST = 1, /* the nearest pixel.  The default. */
    CNN_BILINEAR = 2 /* a straight line between neighbours in each direction: the output's pixel o
                        lies at (o + 0.5) / factor - 0.5 of the input, no less than 0 and no more
                        than its last (PyTorch's align_corners=False) */
};

/* The name of `interpolation`, "nearest"; "unknown interpolation" for any other number.  Borrowed
 * for ever. */
CNN_API const char *cnn_interpolation_name(cnn_interpolation interpolation);

/* How the layer interpolates.
 * CNN_ERROR_INVALID: no such interpolation, or another kind of layer.  CNN_ERROR_STATE once
 * built. */
CNN_API cnn_status cnn_upsample2d_set_interpolation(cnn_layer *layer,
                                                    cnn_interpolation interpolation);

/* Pixels around the input, zeros by default: [h][w][c] to [top + h + bottom][left + w + right][c].
 * Numbers are -65536 to 65536; those below 0 cut off so many rows or columns.  Where no pixel of
 * the input would be left, building the layer is CNN_ERROR_SHAPE.
 * CNN_ERROR_INVALID: other numbers, or `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of
 * memory. */
CNN_API cnn_status cnn_pad2d_create(cnn_layer **layer, cnn_context *context, int64_t top,
                                    int64_t left, int64_t bottom, int64_t right);

/* What pixels around the input are. */
typedef int32_t cnn_pad_mode;

enum {
    CNN_PAD_ZEROS = 1,    /* The default. */
    CNN_PAD_REFLECT = 2,  /* the input mirrored at its outermost pixels, which are not repeated */
    CNN_PAD_REPLICATE = 3 /* the outermost pixels repeated */
};

/* The name of `mode`, "zeros"; "unknown pad mode" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_pad_mode_name(cnn_pad_mode mode);

/* What the layer adds.  Reflecting as many rows or columns as the input has, or more, is
 * CNN_ERROR_SHAPE when the layer is built.
 * CNN_ERROR_INVALID: no such mode, or another kind of layer.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_pad2d_set_mode(cnn_layer *layer, cnn_pad_mode mode);

/* Fully connected: y[u] = bias[u] + sum over f of x[f] * w[u][f].  Input [features], output
 * [units].  Defaults: with bias, weights by Glorot's uniform initialisation. */
CNN_API cnn_status cnn_dense_create(cnn_layer **layer, cnn_context *context, int64_t units);

/* Whether a bias is added: 1 (default) or 0.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_dense_set_bias(cnn_layer *layer, int32_t bias);

/* max(x, 0), element by element; NaN stays NaN.  Any shape. */
CNN_API cnn_status cnn_relu_create(cnn_layer **layer, cnn_context *context);

/* Other activations, element by element, of any shape.  NaN stays NaN; for infinite x they have
 * their limits, 0 for instance where silu, hard-swish and gelu get -infinity.  None overflows. */

/* x where x > 0, else slope * x (Maas et al. 2013).  PyTorch's default is 0.01.
 * CNN_ERROR_INVALID: `slope` is negative or not finite as a float. */
CNN_API cnn_status cnn_leaky_relu_create(cnn_layer **layer, cnn_context *context, double slope);

/* min(max(x, 0), 6). */
CNN_API cnn_status cnn_relu6_create(cnn_layer **layer, cnn_context *context);

/* 1 / (1 + exp(-x)). */
CNN_API cnn_status cnn_sigmoid_create(cnn_layer **layer, cnn_context *context);

/* (exp(2 x) - 1) / (exp(2 x) + 1). */
CNN_API cnn_status cnn_tanh_create(cnn_layer **layer, cnn_context *context);

/* x * sigmoid(x), also called swish (Ramachandran et al. 2017). */
CNN_API cnn_status cnn_silu_create(cnn_layer **layer, cnn_context *context);

/* x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). */
CNN_API cnn_status cnn_hard_swish_create(cnn_layer **layer, cnn_context *context);

/* min(max(x + 3, 0), 6) / 6. */
CNN_API cnn_status cnn_hard_sigmoid_create(cnn_layer **layer, cnn_context *context);

/* x * (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016): the exact form, which is PyTorch's
 * default, not the approximation by tanh. */
CNN_API cnn_status cnn_gelu_create(cnn_layer **layer, cnn_context *context);

/* x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016).  PyTorch's default is 1.
 * CNN_ERROR_INVALID: `alpha` is negative or not finite as a float. */
CNN_API cnn_status cnn_elu_create(cnn_layer **layer, cnn_context *context, double alpha);

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

/* Inputs side by side along the last dimension, the channels, in their order (branches of
 * Inception, skip connections of U-Net): [h][w][c1] and [h][w][c2] to [h][w][c1 + c2].  Two or
 * more inputs of any rank, whose other dimensions agree, or the layer gives CNN_ERROR_SHAPE when
 * it is added or run.
 * CNN_ERROR_INVALID: `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of memory. */
CNN_API cnn_status cnn_concat_create(cnn_layer **layer, cnn_context *context);

/* The product of two inputs, element by element: the second has the first one's shape, or is a
 * vector of a factor for each of its channels, [h][w][c] times [c] (squeeze and excitation: Hu et
 * al. 2018).  Other shapes are CNN_ERROR_SHAPE when the layer is added or run.
 * CNN_ERROR_INVALID: `layer` or `context` is NULL.  CNN_ERROR_MEMORY: out of memory. */
CNN_API cnn_status cnn_multiply_create(cnn_layer **layer, cnn_context *context);

/* Batch normalisation (Ioffe and Szegedy 2015), channel by channel, the last dimension being the
 * channels c; any shape:
 *   y = (x - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c]
 * While training, mean and variance are those of the batch (of all its samples and pixels; the
 * variance divides by their number), and the running ones move towards them:
 *   running = (1 - momentum) * running + momentum * (that of the batch),
 * with the variance that divides by one less.  When predicting they are the running ones, which
 * begin as 0 and 1, and a convolution before it does it in passing.  Parameters: weight (1 at
 * first), bias (0), running_mean and running_var.  All as PyTorch's BatchNorm2d. */
CNN_API cnn_status cnn_batch_norm_create(cnn_layer **layer, cnn_context *context);

/* What is added to the variance, 1e-12 .. 1, default 1e-5; and how far the running statistics move
 * with each batch, 0 .. 1, default 0.1.  CNN_ERROR_STATE once built. */
CNN_API cnn_status cnn_batch_norm_set_epsilon(cnn_layer *layer, double epsilon);
CNN_API cnn_status cnn_batch_norm_set_momentum(cnn_layer *layer, double momentum);

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
    /* conv2d: [filters][c / groups][kernel_height][kernel_width]; conv2d_transposed:
     * [c][filters / groups][kernel_height][kernel_width]; dense: [units][features]; batch_norm:
     * [c] */
    CNN_WEIGHT = 0,
    /* conv2d, conv2d_transposed: [filters]; dense: [units]; batch_norm: [c] */
    CNN_BIAS = 1,
    /* batch_norm: [c], as PyTorch keeps them; measured in training steps, without gradients */
    CNN_RUNNING_MEAN = 2,
    CNN_RUNNING_VARIANCE = 3
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
 * are not computed, nor is anything below the lowest layer that is trained.  A frozen batch_norm
 * normalises by its running statistics, which stay, too.  May change between steps, also in a
 * model, and clears the layer's gradients then; an optimizer's averages begin with the first step
 * that moves the layer.  Not kept in model files.
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
 * (room for 8) and `output_rank`.  A layer with several inputs is given as few as it takes, all of
 * that shape.  Builds nothing.
 * CNN_ERROR_SHAPE: the layer cannot take such an input. */
CNN_API cnn_status cnn_layer_output_shape(int64_t *output, int32_t *output_rank,
                                          const cnn_layer *layer, const int64_t *shape,
                                          int32_t rank);

/* Runs the layer on `input_count` inputs (1; for CNN_ADD and CNN_CONCAT 2 or more, for CNN_MULTIPLY
 * 2), float32, batch first, into `output`, which has the output shape and memory of its own.  With
 * `training` 1 dropout acts, and the layer shares the tensors until the next forward, for
 * cnn_layer_backward(); with 0 it predicts and keeps nothing.
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
