/* SPDX-License-Identifier: MIT
 * A dense layer on one sample: nothing but reading its weights, once, in the order in which they
 * lie.  They are not packed, and so not held twice.  Of several samples, op_conv2d.c does more for
 * each weight that it reads. */
#ifndef CNNI_OP_DENSE_H
#define CNNI_OP_DENSE_H

#include "base/base.h"
#include "cnn/context.h"

struct cnni_dense {
    int64_t c, k;   /* features and units */
    const float *w; /* [c][k] */
    const float *b; /* [k] or NULL */
};

/* y [k] = x [c] * w + b, then max(., 0) where `relu`; on at most `lanes` threads.  The same bits as
 * those of a 1x1 convolution. */
void cnni_dense_forward(cnn_context *context, int32_t lanes, const struct cnni_dense *dense,
                        float *y, const float *x, bool relu);

#endif
