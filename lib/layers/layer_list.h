/* SPDX-License-Identifier: MIT
 * Every kind of layer, one line each: layer_internal.h takes its declarations from this list,
 * layer.c its table.  No include guard: define CNNI_LAYER(class), include, and it is undefined
 * again. */
CNNI_LAYER(cnni_conv2d_class)
CNNI_LAYER(cnni_conv2d_transposed_class)
CNNI_LAYER(cnni_dense_class)
CNNI_LAYER(cnni_batch_norm_class)
CNNI_LAYER(cnni_maxpool2d_class)
CNNI_LAYER(cnni_global_maxpool2d_class)
CNNI_LAYER(cnni_avgpool2d_class)
CNNI_LAYER(cnni_global_avgpool2d_class)
CNNI_LAYER(cnni_upsample2d_class)
CNNI_LAYER(cnni_pad2d_class)

CNNI_LAYER(cnni_relu_class)
CNNI_LAYER(cnni_leaky_relu_class)
CNNI_LAYER(cnni_relu6_class)
CNNI_LAYER(cnni_sigmoid_class)
CNNI_LAYER(cnni_tanh_class)
CNNI_LAYER(cnni_silu_class)
CNNI_LAYER(cnni_hard_swish_class)
CNNI_LAYER(cnni_hard_sigmoid_class)
CNNI_LAYER(cnni_gelu_class)
CNNI_LAYER(cnni_elu_class)
CNNI_LAYER(cnni_softmax_class)
CNNI_LAYER(cnni_dropout_class)

CNNI_LAYER(cnni_flatten_class)
CNNI_LAYER(cnni_add_class)
CNNI_LAYER(cnni_concat_class)
CNNI_LAYER(cnni_multiply_class)
#undef CNNI_LAYER
