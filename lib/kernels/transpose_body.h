/* SPDX-License-Identifier: MIT
 * The body of the kernels transpose_*.c of the levels with vectors: a file includes its
 * lanes_<level>.h, whose vec_...() it is written in, then this.  Contracts: kernels.h.
 *
 * Squares of VECTOR x VECTOR floats are transposed in registers.  Strips too thin for squares, and
 * bytes, which only pictures of three channels consist of, are left to the generic kernel. */
#ifndef CNNI_TRANSPOSE_BODY_H
#define CNNI_TRANSPOSE_BODY_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

static inline void square(float *y, int64_t y_pitch, const float *x, int64_t x_pitch)
{
    vec line[VECTOR];
    CNNI_UNROLL
    for (int i = 0; i < VECTOR; i++)
        line[i] = vec_load(x + i * x_pitch, VECTOR);
    vec_transpose(line);
    CNNI_UNROLL
    for (int j = 0; j < VECTOR; j++)
        vec_store(y + j * y_pitch, line[j], VECTOR);
}

/* The rows and columns from (i, j) on; there may be none. */
static inline void rest(struct cnni_transpose matrix, float *y, const float *x, int64_t i,
                        int64_t j)
{
    matrix.rows -= i;
    matrix.columns -= j;
    cnni_transpose_generic(&matrix, y + j * matrix.y_pitch + i, x + i * matrix.x_pitch + j);
}

static inline void transpose_floats(struct cnni_transpose matrix, float *y, const float *x)
{
    const int64_t rows = matrix.rows / VECTOR * VECTOR;
    const int64_t columns = matrix.columns / VECTOR * VECTOR;
    for (int64_t j = 0; j < columns; j += VECTOR)
        for (int64_t i = 0; i < rows; i += VECTOR)
            square(y + j * matrix.y_pitch + i, matrix.y_pitch, x + i * matrix.x_pitch + j,
                   matrix.x_pitch);
    rest(matrix, y, x, 0, columns);
    matrix.columns = columns;
    rest(matrix, y, x, rows, 0);
}

static inline void transpose_run(const struct cnni_transpose *matrix, void *y, const void *x)
{
    if (matrix->size == sizeof(float))
        transpose_floats(*matrix, y, x);
    else
        cnni_transpose_generic(matrix, y, x);
}

#endif
