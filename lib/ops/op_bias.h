/* SPDX-License-Identifier: MIT
 * Biases where nothing is added to them, and their gradients: sums of dy over pixels, a chain over
 * each block of pixels and a pairwise tree over the blocks, which rounds far less than one long
 * chain. */
#ifndef CNNI_OP_BIAS_H
#define CNNI_OP_BIAS_H

#include "base/base.h"
#include "cnn/context.h"
#include "kernels/kernels.h"

/* y [pixels][channels] = b [channels], or 0 where it is NULL; then max(., 0) where `relu`. */
void cnni_bias_fill(const struct cnni_kernels *kernels, int64_t pixels, int64_t channels, float *y,
                    const float *b, bool relu);

/* db [channels] += the sums of dy [pixels][channels], on at most `lanes` threads; for layers whose
 * backward-weights does not pass over dy in blocks anyway.  `scratch` has the size below, in
 * floats, for as many pixels or more; INT64_MAX: too much. */
int64_t cnni_bias_scratch_size(int64_t pixels, int64_t channels);
void cnni_bias_gradient(cnn_context *context, int32_t lanes, int64_t pixels, int64_t channels,
                        float *db, const float *dy, float *scratch);

/* ---- The tree ---- */

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
