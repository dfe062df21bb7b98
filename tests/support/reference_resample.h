/* SPDX-License-Identifier: MIT
 * Up-sampling and padding in double precision, written from the formulas in cnn/layer.h. */
#ifndef SUPPORT_REFERENCE_RESAMPLE_H
#define SUPPORT_REFERENCE_RESAMPLE_H

#include "cnn/layer.h"

struct reference_upsample {
    int64_t n, h, w, c; /* of the input */
    int64_t factor_h, factor_w;
    cnn_interpolation interpolation;
};

struct reference_pad {
    int64_t n, h, w, c;               /* of the input */
    int64_t top, left, bottom, right; /* below 0: cut off */
    cnn_pad_mode mode;
};

/* y [n][h * factor_h][w * factor_w][c]; y [n][top + h + bottom][left + w + right][c]. */
void reference_upsample2d(double *y, const struct reference_upsample *of, const double *x);
void reference_pad2d(double *y, const struct reference_pad *of, const double *x);

#endif
