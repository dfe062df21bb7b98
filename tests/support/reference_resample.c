/* SPDX-License-Identifier: MIT
 * Up-sampling and padding. */
#include "support/reference_resample.h"

#include <math.h>

/* Where output `o` lies among the `count` inputs of an axis. */
static double place(const struct reference_upsample *of, int64_t o, int64_t factor, int64_t count)
{
    if (of->interpolation == CNN_NEAREST)
        return (double)(o / factor);
    const double at = ((double)o + 0.5) / (double)factor - 0.5;
    return fmin(fmax(at, 0), (double)(count - 1));
}

/* Between the four pixels around it; at the last row or column there is none beyond. */
static double between(const struct reference_upsample *of, const double *x, double row,
                      double column)
{
    const double i = floor(row), j = floor(column), down = row - i, right = column - j;
    const int64_t at = ((int64_t)i * of->w + (int64_t)j) * of->c;
    double sum = (1 - down) * (1 - right) * x[at];
    if (right > 0)
        sum += (1 - down) * right * x[at + of->c];
    if (down > 0)
        sum += down * (1 - right) * x[at + of->w * of->c];
    if (down > 0 && right > 0)
        sum += down * right * x[at + of->w * of->c + of->c];
    return sum;
}

void reference_upsample2d(double *y, const struct reference_upsample *of, const double *x)
{
    for (int64_t n = 0; n < of->n; n++)
        for (int64_t row = 0; row < of->h * of->factor_h; row++)
            for (int64_t column = 0; column < of->w * of->factor_w; column++)
                for (int64_t c = 0; c < of->c; c++)
                    *y++ = between(of, x + n * of->h * of->w * of->c + c,
                                   place(of, row, of->factor_h, of->h),
                                   place(of, column, of->factor_w, of->w));
}

/* Which of the `count` inputs of an axis is seen at `i`; -1: none. */
static int64_t seen(cnn_pad_mode mode, int64_t i, int64_t count)
{
    if (i >= 0 && i < count)
        return i;
    if (mode == CNN_PAD_REFLECT)
        return i < 0 ? -i : 2 * (count - 1) - i;
    if (mode == CNN_PAD_REPLICATE)
        return i < 0 ? 0 : count - 1;
    return -1;
}

void reference_pad2d(double *y, const struct reference_pad *of, const double *x)
{
    for (int64_t n = 0; n < of->n; n++)
        for (int64_t row = -of->top; row < of->h + of->bottom; row++)
            for (int64_t column = -of->left; column < of->w + of->right; column++) {
                const int64_t i = seen(of->mode, row, of->h), j = seen(of->mode, column, of->w);
                const double *pixel = x + ((n * of->h + i) * of->w + j) * of->c;
                for (int64_t c = 0; c < of->c; c++)
                    *y++ = i < 0 || j < 0 ? 0 : pixel[c];
            }
}
