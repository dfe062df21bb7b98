/* SPDX-License-Identifier: MIT
 * Transposed convolution in double precision. */
#include "support/reference_transposed.h"

static int64_t size_of(int64_t input, int64_t kernel, int64_t stride, int64_t padding, int64_t more,
                       int64_t dilation)
{
    return (input - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
}

/* The input row (column) whose tap falls on output `at`; -1 for none. */
static int64_t place(int64_t at, int64_t tap, int64_t stride, int64_t padding, int64_t dilation,
                     int64_t input)
{
    const int64_t steps = at + padding - tap * dilation;
    return steps >= 0 && steps % stride == 0 && steps / stride < input ? steps / stride : -1;
}

static double sum_at(const struct reference_transposed *of, const double *picture, const double *w,
                     int64_t row, int64_t column, int64_t k)
{
    const int64_t filters = of->k / of->groups, channels = of->c / of->groups;
    const int64_t first = k / filters * channels;
    double sum = 0;
    for (int64_t r = 0; r < of->r; r++)
        for (int64_t s = 0; s < of->s; s++) {
            const int64_t i = place(row, r, of->stride_h, of->pad_h, of->dilation_h, of->h);
            const int64_t j = place(column, s, of->stride_w, of->pad_w, of->dilation_w, of->w);
            for (int64_t c = first; i >= 0 && j >= 0 && c < first + channels; c++)
                sum += picture[(i * of->w + j) * of->c + c] *
                       w[((c * filters + k % filters) * of->r + r) * of->s + s];
        }
    return sum;
}

void reference_transposed(double *y, const struct reference_transposed *of, const double *x,
                          const double *w, const double *b)
{
    const int64_t rows = size_of(of->h, of->r, of->stride_h, of->pad_h, of->more_h, of->dilation_h);
    const int64_t columns =
        size_of(of->w, of->s, of->stride_w, of->pad_w, of->more_w, of->dilation_w);
    for (int64_t n = 0; n < of->n; n++, x += of->h * of->w * of->c)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                for (int64_t k = 0; k < of->k; k++)
                    *y++ = sum_at(of, x, w, row, column, k) + (b ? b[k] : 0);
}
