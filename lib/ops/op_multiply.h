/* SPDX-License-Identifier: MIT
 * Products of arrays, and of all pixels of a picture with one vector of its own. */
#ifndef CNNI_OP_MULTIPLY_H
#define CNNI_OP_MULTIPLY_H

#include "base/base.h"
#include "cnn/context.h"

/* [n][pixels][c] times [n][c], on at most `lanes` threads. */
struct cnni_multiply {
    int64_t n, pixels, c;
};

/* The scratch of cnni_multiply_factors(), in bytes; false where no size_t can hold it. */
bool cnni_multiply_scratch_bytes(size_t *bytes, const struct cnni_multiply *shape, int32_t lanes);

/* y = x * factor, also the gradient by x for dy in its place; y may not overlap x. */
void cnni_multiply(cnn_context *context, int32_t lanes, const struct cnni_multiply *shape, float *y,
                   const float *x, const float *factor);

/* dfactor [n][c] = the sum of dy * x over the pixels: chains over blocks of them, and a pairwise
 * tree over the blocks. */
void cnni_multiply_factors(cnn_context *context, int32_t lanes, const struct cnni_multiply *shape,
                           float *dfactor, const float *dy, const float *x, float *scratch);

#endif
