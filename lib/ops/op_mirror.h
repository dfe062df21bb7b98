/* SPDX-License-Identifier: MIT
 * Mirror images. */
#ifndef CNNI_OP_MIRROR_H
#define CNNI_OP_MIRROR_H

#include "base/base.h"
#include "cnn/context.h"

/* y[row][i] = x[row][w - 1 - i], `c` floats each, for `rows` rows of `w` pixels, on at most `lanes`
 * threads.  The arrays do not overlap. */
void cnni_mirror(cnn_context *context, int32_t lanes, int64_t rows, int64_t w, int64_t c, float *y,
                 const float *x);

#endif
