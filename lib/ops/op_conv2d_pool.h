/* SPDX-License-Identifier: MIT
 * 2x2 max-pooling with stride 2 that is done along with a convolution: its outputs are pooled while
 * they are in the caches, and expanded again where backward reads the gradient by them; neither is
 * ever stored whole.  A last odd row or column belongs to no window: its gradient is 0. */
#ifndef CNNI_OP_CONV2D_POOL_H
#define CNNI_OP_CONV2D_POOL_H

#include "kernels/kernels.h"
#include "ops/op_conv2d.h"

/* Pixels of one picture of the outputs, [rows][columns][k] from (row, column) on.  They may reach
 * over its right and lower edges. */
struct cnni_area {
    int64_t picture, row, column;
    int64_t rows, columns;
};

/* Pools the area `outputs`, which begins at an even row and column, into the batch's y and, where
 * `winners` is not NULL, winners, both [n][oh / 2][ow / 2][k].  `gate` as in
 * cnni_maxpool2d_forward(). */
void cnni_conv2d_pool(const struct cnni_kernels *kernels, const struct cnni_conv2d *conv,
                      const struct cnni_area *area, float *y, uint8_t *winners,
                      const float *outputs, bool gate);

/* Writes the gradient by the area's outputs for the batch's dy and winners. */
void cnni_conv2d_expand(const struct cnni_kernels *kernels, const struct cnni_conv2d *conv,
                        const struct cnni_area *area, float *gradient, const float *dy,
                        const uint8_t *winners);

#endif
