/* SPDX-License-Identifier: MIT
 * A pairwise tree over the sums of blocks, which all kinds of backward-weights have from passing
 * over dy. */
#include "ops/op_bias.h"

#include <string.h>

int64_t cnni_bias_levels(int64_t pixels)
{
    int64_t levels = 1;
    for (; pixels > 1; pixels /= 2)
        levels++;
    return levels;
}

void cnni_bias_add(struct cnni_bias_tree *tree, float *sums)
{
    float *level = tree->levels;
    for (int64_t bits = tree->blocks; bits & 1; bits >>= 1, level += tree->filters)
        tree->kernels->vector_add(tree->filters, sums, level, sums);
    memcpy(level, sums, (size_t)tree->filters * sizeof *sums);
    tree->blocks++;
}

void cnni_bias_total(const struct cnni_bias_tree *tree, float *sums)
{
    const float *level = tree->levels;
    memset(sums, 0, (size_t)tree->filters * sizeof *sums);
    for (int64_t bits = tree->blocks; bits != 0; bits >>= 1, level += tree->filters)
        if (bits & 1)
            tree->kernels->vector_add(tree->filters, sums, level, sums);
}
