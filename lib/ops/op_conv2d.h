/* SPDX-License-Identifier: MIT
 * Convolution on raw pointers: cutting into items and tiles, packing, threads.  The arithmetic is
 * in kernels/; options and parameters are in layers/layer_conv2d.c and layer_dense.c (a dense
 * layer is a 1x1 convolution of 1x1 pictures).
 *
 * The letters, here and in all of lib/:
 *   n samples, h w c input rows, columns, channels; k filters (output channels); r s kernel rows
 *   and columns; oh ow output rows and columns; x input, y output, w weights, b bias; d in front:
 *   gradient.
 * Weights are [r][s][c / groups][k], so that k, the vector dimension of the kernels, is
 * contiguous. */
#ifndef CNNI_OP_CONV2D_H
#define CNNI_OP_CONV2D_H

#include "base/base.h"
#include "cnn/context.h"
#include "kernels/activation.h"

struct cnni_conv2d {
    int64_t h, w, c;
    int64_t k, r, s;
    int64_t oh, ow;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left; /* the others follow from oh and ow */
    int64_t dilation_h, dilation_w;
    int64_t groups;

    /* How it is computed: 0 directly, 2 or 4 by Winograd tiles of so many outputs squared; forward
     * and backward-data, and backward-weights.  Set by cnni_conv2d_choose(). */
    int32_t tile, filter_tile;

    /* 2x2 max-pooling with stride 2 is done along with it: y, and the dy that backward gets, are
     * [n][oh / 2][ow / 2][k].  Only with one group. */
    bool pooled;
};

/* Chooses the algorithms for the shape: Winograd tiles of at most `most_tile` (4, 2, or 0) outputs
 * where they do less than half of the multiplications.  Forward and backward-data look at one
 * picture alone, so that a picture's bits do not depend on its batch; backward-weights at `n`. */
void cnni_conv2d_choose(struct cnni_conv2d *conv, int32_t most_tile, int64_t n);

/* What forward was chosen to run: "direct", "depthwise", "Winograd F(4x4)" ...  Borrowed for
 * ever. */
const char *cnni_conv2d_algorithm_name(const struct cnni_conv2d *conv);

/* The sizes of what the calls below need, in floats.  They depend on the shape, the CPU level,
 * the batch and the lanes. */
struct cnni_conv2d_sizes {
    size_t forward_weights;  /* packed weights for forward */
    size_t backward_weights; /* packed weights for backward-data */
    size_t forward;          /* scratch of forward */
    size_t backward_data;
    size_t backward_filter;
};

/* CNN_ERROR_SHAPE when a size does not fit into a size_t.  Not `training`: the sizes for backward
 * are 0. */
cnn_status cnni_conv2d_measure(struct cnni_conv2d_sizes *sizes, cnn_context *context,
                               const struct cnni_conv2d *conv, int64_t max_n, int32_t lanes,
                               bool training, const char *function);

/* Packs weights [r][s][c / groups][k] for forward and for backward-data, on at most `lanes`
 * threads.  With 1 it is done by the caller alone, who may then hold a lock. */
void cnni_conv2d_pack_forward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                              float *packed, const float *w);
void cnni_conv2d_pack_backward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                               float *packed, const float *w);

/* Multiplies packed weights for forward, `floats` as measured, by scale[k]: what stands behind the
 * convolution and is linear in each filter becomes part of it. */
void cnni_conv2d_scale(cnn_context *context, const struct cnni_conv2d *conv, float *packed,
                       size_t floats, const float *scale);

/* What is done to outputs while they are in the caches: the addend, like y, is added, unless it is
 * NULL; then comes an activation, unless its kind is 0. */
struct cnni_conv2d_tail {
    const float *addend;
    struct cnni_activation activation;
};

/* Of all three: `scratch` is 64-byte aligned, of the measured size; `lanes` as measured.  Where
 * pooled, `winners`, one for each of y, say which pixel each came from: forward writes them, or
 * does not where it is NULL, for backward to read. */
struct cnni_conv2d_call {
    cnn_context *context;
    const struct cnni_conv2d *conv;
    int64_t n;
    int32_t lanes;
    float *scratch;
    uint8_t *winners;
    const struct cnni_conv2d_tail *tail; /* of forward, in place of a ReLU, not pooled; or NULL */
};

/* y [n][oh][ow][k] = x [n][h][w][c] * packed weights + b [k] (or NULL), then max(., 0) where
 * `relu`, or the tail, then pooled where the convolution says so.  With a ReLU and pooling, nobody
 * wins a window whose largest value is 0, so that backward is that of the ReLU too. */
void cnni_conv2d_forward(const struct cnni_conv2d_call *call, float *y, const float *x,
                         const float *packed, const float *b, bool relu);

/* dx [n][h][w][c] = gradient by x for dy [n][oh][ow][k]; overwritten. */
void cnni_conv2d_backward_data(const struct cnni_conv2d_call *call, float *dx, const float *dy,
                               const float *packed);

/* The same, which also is the convolution that goes the other way:
 *   y [n][h][w][c] = that of x [n][oh][ow][k], + b [c] (or NULL), then max(., 0) where `relu`. */
void cnni_conv2d_transposed(const struct cnni_conv2d_call *call, float *y, const float *x,
                            const float *packed, const float *b, bool relu);

/* dw [r][s][c / groups][k] and db [k] (or NULL) += gradients by w and b. */
void cnni_conv2d_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                 const float *x, const float *dy);

#endif
