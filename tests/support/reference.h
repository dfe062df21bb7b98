/* SPDX-License-Identifier: MIT
 * The tests' own forward passes in double precision, written from the formulas in cnn/layer.h
 * and cnn/trainer.h: the plainest loops there are, no tiles, no packing.  Layout as in the
 * library, NHWC; parameters as users see them, [k][c / groups][r][s] and [units][features].
 * Gradients come from these by central differences: gradcheck.h. */
#ifndef SUPPORT_REFERENCE_H
#define SUPPORT_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

struct reference_window {
    int64_t n, h, w, c;
    int64_t k, r, s; /* filters (for pooling the channels), rows and columns of the window */
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t dilation_h, dilation_w;
    int64_t groups;
};

/* Rows and columns of the output. */
int64_t reference_rows(const struct reference_window *window);
int64_t reference_columns(const struct reference_window *window);

/* `b` may be NULL. */
void reference_conv2d(double *y, const struct reference_window *window, const double *x,
                      const double *w, const double *b);
void reference_maxpool2d(double *y, const struct reference_window *window, const double *x);
/* `counts`: zeros of the padding belong to the means. */
void reference_avgpool2d(double *y, const struct reference_window *window, bool counts,
                         const double *x);
void reference_dense(double *y, int64_t n, int64_t units, int64_t features, const double *x,
                     const double *w, const double *b);
void reference_relu(double *y, int64_t count, const double *x);
void reference_softmax(double *y, int64_t rows, int64_t columns, const double *x);
void reference_add(double *y, int64_t count, const double *a, const double *b);
/* Mean and variance, which divides by the number of pixels, of each channel of [pixels][channels];
 * and what batch normalisation makes of them. */
void reference_moments(double *mean, double *variance, int64_t pixels, int64_t channels,
                       const double *x);
void reference_batch_norm(double *y, int64_t pixels, int64_t channels, const double *x,
                          const double *mean, const double *variance, double epsilon,
                          const double *w, const double *b);

/* The columns of a dense layer's weights behind a flatten of [h][w][c]: from c, h, w order, that of
 * files, to h, w, c order, that of the flattened values. */
void reference_columns_to_hwc(double *hwc, int64_t units, int64_t h, int64_t w, int64_t c,
                              const double *chw);

/* Losses: means over the samples.  `targets` are [n][outputs], probabilities for the first. */
double reference_cross_entropy(int64_t n, int64_t outputs, const double *z, const double *targets,
                               double smoothing);
double reference_binary_cross_entropy(int64_t n, int64_t outputs, const double *z,
                                      const double *targets);
double reference_squared_error(int64_t n, int64_t outputs, const double *y, const double *targets);

#endif
