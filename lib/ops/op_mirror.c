/* SPDX-License-Identifier: MIT
 * Mirror images: rows are shared out, pixels copied. */
#include "ops/op_mirror.h"

#include "ops/op_range.h"

enum { ITEM = 64 }; /* rows */

struct mirror {
    int64_t w, c;
    float *y;
    const float *x;
};

static void mirror_rows(void *task, int64_t first, int64_t count)
{
    const struct mirror *mirror = task;
    const int64_t w = mirror->w, c = mirror->c;
    for (int64_t row = first; row < first + count; row++)
        for (int64_t i = 0; i < w; i++)
            for (int64_t j = 0; j < c; j++)
                mirror->y[(row * w + i) * c + j] = mirror->x[(row * w + w - 1 - i) * c + j];
}

void cnni_mirror(cnn_context *context, int32_t lanes, int64_t rows, int64_t w, int64_t c, float *y,
                 const float *x)
{
    struct mirror mirror = {w, c, y, x};
    cnni_parallel_range(context, lanes, rows, ITEM, mirror_rows, &mirror);
}
