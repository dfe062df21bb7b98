/* SPDX-License-Identifier: MIT
 * Max-pooling on raw pointers, on at most `lanes` threads.  Letters as in op_conv2d.h; r s are the
 * window. */
#ifndef CNNI_OP_MAXPOOL2D_H
#define CNNI_OP_MAXPOOL2D_H

#include "base/base.h"
#include "cnn/context.h"

struct cnni_maxpool2d {
    int64_t h, w, c;
    int64_t r, s;
    int64_t oh, ow;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left;
};

/* Bytes of the record of winners of one sample: 1 per output, 4 for windows of more than 255. */
size_t cnni_maxpool2d_winner_bytes(const struct cnni_maxpool2d *pool);

/* y [n][oh][ow][c] = largest of each window of x [n][h][w][c]; NaN wins.  `winners` (or NULL)
 * records which, as row * s + column within the window; of equal ones the first.  With `gate`
 * nobody wins a window whose largest value is <= 0: backward through it is then backward through a
 * ReLU before it as well. */
void cnni_maxpool2d_forward(cnn_context *context, int32_t lanes, const struct cnni_maxpool2d *pool,
                            int64_t n, float *y, void *winners, const float *x, bool gate);

/* dx = gradient by x for dy; overwritten. */
void cnni_maxpool2d_backward(cnn_context *context, int32_t lanes, const struct cnni_maxpool2d *pool,
                             int64_t n, float *dx, const float *dy, const void *winners);

#endif
