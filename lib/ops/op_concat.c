/* SPDX-License-Identifier: MIT
 * Copies of columns: rows, several to an item of parallel work. */
#include "ops/op_concat.h"

#include <string.h>

#include "ops/op_range.h"

enum { ITEM_FLOATS = 16 * 1024 };

struct work {
    const struct cnni_columns *columns;
    float *to;
    const float *from;
};

static void copy_rows(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const struct cnni_columns *columns = work->columns;
    for (int64_t row = first; row < first + count; row++)
        memcpy(work->to + row * columns->to_pitch, work->from + row * columns->from_pitch,
               (size_t)columns->columns * sizeof *work->to);
}

void cnni_copy_columns(cnn_context *context, int32_t lanes, const struct cnni_columns *columns,
                       float *to, const float *from)
{
    struct work work = {columns, to, from};
    cnni_parallel_range(context, lanes, columns->rows, CNNI_MAX(ITEM_FLOATS / columns->columns, 1),
                        copy_rows, &work);
}
