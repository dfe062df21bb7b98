/* SPDX-License-Identifier: MIT
 * Cuts transposes into items: parts of a plane along its longer side, small enough that what is
 * read in one order and written in another stays in the caches in between. */
#include "ops/op_transpose.h"

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

/* An item's elements, about; its part of the longer side is a multiple of STEP, whole lines. */
enum { ITEM = 16 * 1024, STEP = 16 };

struct work {
    cnni_transpose_fn *transpose;
    struct cnni_transpose plane;
    int64_t parts, part; /* of a plane; rows or columns of a part */
    char *y;
    const char *x;
};

static void run_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct work *work = task;
    const int64_t first = item % work->parts * work->part;
    const int64_t plane = item / work->parts * work->plane.rows * work->plane.columns;
    struct cnni_transpose matrix = work->plane;
    int64_t x = plane, y = plane;
    if (matrix.rows > matrix.columns) {
        matrix.rows = CNNI_MIN(matrix.rows - first, work->part);
        x += first * matrix.x_pitch;
        y += first;
    } else {
        matrix.columns = CNNI_MIN(matrix.columns - first, work->part);
        x += first;
        y += first * matrix.y_pitch;
    }
    work->transpose(&matrix, work->y + y * matrix.size, work->x + x * matrix.size);
}

void cnni_transpose_planes(cnn_context *context, int32_t lanes, int64_t planes, int64_t rows,
                           int64_t columns, int32_t size, void *y, const void *x)
{
    const int64_t longer = CNNI_MAX(rows, columns), shorter = CNNI_MIN(rows, columns);
    struct work work = {
        .transpose = cnni_kernels(context->cpu)->transpose,
        .plane = {rows, columns, .x_pitch = columns, .y_pitch = rows, .size = size},
        .part = CNNI_MAX(ITEM / shorter / STEP, 1) * STEP,
        .y = y,
        .x = x,
    };
    work.parts = cnni_ceil_div(longer, work.part);
    cnni_parallel(context, lanes, planes * work.parts, run_item, &work);
}
