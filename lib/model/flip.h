/* SPDX-License-Identifier: MIT
 * Predicting pictures and their mirror images: the memory that a plan needs besides for that. */
#ifndef CNNI_FLIP_H
#define CNNI_FLIP_H

#include "model/plan.h"

struct cnni_flip {
    float *mirrored; /* [max_n][h][w][c]; NULL: it is not done */
    float *outputs;  /* [max_n][outputs], of one of the two runs */
    size_t bytes;
};

/* Begins it for a plan whose outputs are `output`, or ends it.  CNN_ERROR_INVALID: `on` is neither
 * 0 nor 1.  CNN_ERROR_SHAPE: the model takes no pictures, or puts out no vectors. */
cnn_status cnni_flip_set(struct cnni_flip *flip, const struct cnni_plan *plan,
                         const struct cnni_shape *output, int32_t on, const char *function);
void cnni_flip_free(struct cnni_flip *flip, cnn_context *context);

/* Writes the mirror images of `n` pictures into `mirrored`. */
void cnni_flip_mirror(const struct cnni_flip *flip, const struct cnni_plan *plan, int64_t n,
                      const float *input);

/* y[i] = the mean of y[i] and outputs[i]. */
void cnni_flip_mean(const struct cnni_flip *flip, int64_t count, float *y);

#endif
