/* SPDX-License-Identifier: MIT
 * Transposing matrices: what NCHW <-> NHWC is, a sample being [c][h * w] or [h * w][c]. */
#ifndef CNNI_OP_TRANSPOSE_H
#define CNNI_OP_TRANSPOSE_H

#include "base/base.h"
#include "cnn/context.h"

/* y [planes][columns][rows] = x [planes][rows][columns], each plane transposed; elements of `size`
 * bytes, 4 or 1.  y and x do not overlap. */
void cnni_transpose_planes(cnn_context *context, int32_t lanes, int64_t planes, int64_t rows,
                           int64_t columns, int32_t size, void *y, const void *x);

#endif
