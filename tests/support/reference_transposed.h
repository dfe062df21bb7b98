/* SPDX-License-Identifier: MIT
 * Transposed convolution in double precision, written from the formula in cnn/layer.h. */
#ifndef SUPPORT_REFERENCE_TRANSPOSED_H
#define SUPPORT_REFERENCE_TRANSPOSED_H

#include <stdint.h>

struct reference_transposed {
    int64_t n, h, w, c; /* of the input */
    int64_t k, r, s;    /* filters, rows and columns of the kernel */
    int64_t stride_h, stride_w;
    int64_t pad_h, pad_w;
    int64_t more_h, more_w; /* output padding */
    int64_t dilation_h, dilation_w;
    int64_t groups;
};

/* y [n][oh][ow][k] for x [n][h][w][c], w [c][k / groups][r][s] and b [k] or NULL. */
void reference_transposed(double *y, const struct reference_transposed *of, const double *x,
                          const double *w, const double *b);

#endif
