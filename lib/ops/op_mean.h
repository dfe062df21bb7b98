/* SPDX-License-Identifier: MIT
 * The mean of all pixels of a picture, channel by channel.  Its gradient is a resampling:
 * op_resample.h. */
#ifndef CNNI_OP_MEAN_H
#define CNNI_OP_MEAN_H

#include "base/base.h"
#include "cnn/context.h"

/* The scratch of cnni_mean_forward(), in bytes; false where no size_t can hold it. */
bool cnni_mean_scratch_bytes(size_t *bytes, int64_t pixels, int32_t lanes);

/* y [n][c] from x [n][pixels][c].  Sums run over blocks of pixels and a pairwise tree over the
 * blocks, as those of biases do: op_bias.h. */
void cnni_mean_forward(cnn_context *context, int32_t lanes, int64_t n, int64_t pixels, int64_t c,
                       float *y, const float *x, float *scratch);

#endif
