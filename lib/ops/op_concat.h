/* SPDX-License-Identifier: MIT
 * Columns of one matrix copied to columns of another: what puts inputs side by side, and takes
 * gradients apart again. */
#ifndef CNNI_OP_CONCAT_H
#define CNNI_OP_CONCAT_H

#include "base/base.h"
#include "cnn/context.h"

/* to[i * to_pitch + j] = from[i * from_pitch + j] for i < rows, j < columns, on at most `lanes`
 * threads. */
struct cnni_columns {
    int64_t rows, columns;
    int64_t to_pitch, from_pitch;
};
void cnni_copy_columns(cnn_context *context, int32_t lanes, const struct cnni_columns *columns,
                       float *to, const float *from);

#endif
