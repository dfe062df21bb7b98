/* SPDX-License-Identifier: MIT
 * Transposes in portable C, also for what the other levels leave over: elements one by one, along
 * the longer side.  Contracts: kernels.h. */
#include "kernels/kernels.h"

#include <string.h>

#include "kernels/unroll.h"

/* One side of the matrix, its steps in bytes. */
struct side {
    int64_t count, x_step, y_step;
};

CNNI_INLINE void walk(char *y, const char *x, struct side outer, struct side inner,
                      const size_t size)
{
    for (int64_t i = 0; i < outer.count; i++, x += outer.x_step, y += outer.y_step)
        for (int64_t j = 0; j < inner.count; j++)
            memcpy(y + j * inner.y_step, x + j * inner.x_step, size);
}

/* Pictures have three channels: a number that the compiler is told. */
CNNI_INLINE void walk_longer(char *y, const char *x, struct side longer, struct side shorter,
                             const size_t size)
{
    if (shorter.count == 3)
        walk(y, x, longer, (struct side){3, shorter.x_step, shorter.y_step}, size);
    else
        walk(y, x, longer, shorter, size);
}

CNNI_INLINE void transpose(char *y, const char *x, const struct cnni_transpose *matrix,
                           const int32_t size)
{
    const struct side rows = {matrix->rows, matrix->x_pitch * size, size};
    const struct side columns = {matrix->columns, size, matrix->y_pitch * size};
    if (rows.count > columns.count)
        walk_longer(y, x, rows, columns, (size_t)size);
    else
        walk_longer(y, x, columns, rows, (size_t)size);
}

void cnni_transpose_generic(const struct cnni_transpose *matrix, void *y, const void *x)
{
    if (matrix->size == sizeof(float))
        transpose(y, x, matrix, sizeof(float));
    else
        transpose(y, x, matrix, 1);
}
