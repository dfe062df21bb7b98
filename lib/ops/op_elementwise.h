/* SPDX-License-Identifier: MIT
 * One element at a time, long arrays cut among at most `lanes` threads.  Outputs may be the same
 * array as an input, but may not overlap it otherwise. */
#ifndef CNNI_OP_ELEMENTWISE_H
#define CNNI_OP_ELEMENTWISE_H

#include "base/base.h"
#include "cnn/context.h"

/* y = a + b. */
void cnni_add(cnn_context *context, int32_t lanes, int64_t count, float *y, const float *a,
              const float *b);

/* y = 0 with probability `rate`, else x / (1 - rate).  Element i is decided by number i of the
 * random stream (seed, CNNI_RANDOM_DROPOUT, stream, step), so that backward is the same call on
 * dy. */
struct cnni_dropout {
    double rate;
    uint64_t seed;
    uint64_t stream; /* the layer's */
    uint64_t step;   /* of the training */
};
void cnni_dropout(cnn_context *context, int32_t lanes, const struct cnni_dropout *dropout,
                  int64_t count, float *y, const float *x);

#endif
