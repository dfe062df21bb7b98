/* SPDX-License-Identifier: MIT
 * Gradients of biases: sums of dy over pixels, a chain over each block of pixels and a pairwise
 * tree over the blocks, which rounds far less than one long chain. */
#ifndef CNNI_OP_BIAS_H
#define CNNI_OP_BIAS_H

#include "base/base.h"
#include "cnn/context.h"
#include "kernels/kernels.h"

enum { CNNI_BIAS_BLOCK = 128 /* pixels */ };

/* Level l holds the sum of 2^l blocks where bit l of their number is set. */
struct cnni_bias_tree {
    const struct cnni_kernels *kernels;
    int64_t filters;
    float *levels; /* [cnni_bias_levels(pixels)][filters] */
    int64_t blocks;
};

int64_t cnni_bias_levels(int64_t pixels);

/* Adds the sums of one block, [filters]; they are lost. */
void cnni_bias_add(struct cnni_bias_tree *tree, float *sums);

/* Writes the sum of all blocks. */
void cnni_bias_total(const struct cnni_bias_tree *tree, float *sums);

#endif
