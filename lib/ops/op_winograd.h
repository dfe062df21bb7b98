/* SPDX-License-Identifier: MIT
 * Winograd's convolution (Lavin and Gray 2016) of 3x3 kernels with stride 1: the output is cut into
 * tiles of 2x2 or 4x4; a tile's inputs are transformed to 16 or 36 points, at each of which a
 * matrix product over the channels, row-tap with one tap, takes the place of 9 taps: 2.25 or 4
 * times fewer multiplications.  Backward-data is the same with the kernel turned over;
 * backward-weights is its transpose.
 *
 * Called by op_conv2d*.c alone, where conv->tile or conv->filter_tile says so. */
#ifndef CNNI_OP_WINOGRAD_H
#define CNNI_OP_WINOGRAD_H

#include "ops/op_conv2d_pool.h"

enum { CNNI_WINOGRAD_POINTS_MOST = 36, CNNI_WINOGRAD_PIXELS_MOST = 16 };

/* Forward; or backward-data, whose source is dy and whose target is dx. */
struct cnni_winograd_pass {
    int32_t outputs, points; /* 2 and 16, or 4 and 36 */
    int64_t n;
    int64_t source_h, source_w, source_channels;
    int64_t target_h, target_w, target_channels;
    int64_t pad_top, pad_left; /* the first tile's inputs begin so far outside the source */
    int64_t down, across;      /* tiles of one picture */
    int64_t tiles;             /* of all pictures */
    int64_t block;             /* tiles that are worked on together */
    const struct cnni_conv2d *conv;
    bool pools, expands; /* the target is to be pooled; the source is a pooled gradient */
};

void cnni_winograd_forward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                int64_t n);
void cnni_winograd_backward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                 int64_t n);

/* Rows of the source, counted over all pictures, from number `first_row` on. */
struct cnni_winograd_source {
    const float *rows; /* [w][channels] each */
    int64_t first_row;
    const float *zeros; /* [channels]: what is outside the pictures */
};

/* Where the inputs x inputs pixels of tile number `tile` lie. */
void cnni_winograd_source_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const struct cnni_winograd_source *source, const float **pixels);

/* The rows of the source, counted over all pictures, that `count` tiles from number `tile` on read:
 * *first to *end - 1. */
void cnni_winograd_source_rows(const struct cnni_winograd_pass *pass, int64_t tile, int64_t count,
                               int64_t *first, int64_t *end);

/* Its outputs: they may reach over the right and lower edges. */
struct cnni_area cnni_winograd_target_area(const struct cnni_winograd_pass *pass, int64_t tile);

/* Where its outputs x outputs pixels lie in the target; `outside` where there are none. */
void cnni_winograd_target_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const float *target, const float *outside, const float **pixels);

/* ---- Weights: [point][panel][source channel][width], a panel as wide as row-tap's tile ---- */

int64_t cnni_winograd_packed_size(cnn_context *context, const struct cnni_winograd_pass *pass);
void cnni_winograd_pack_forward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                                float *packed, const float *w);
void cnni_winograd_pack_backward(cnn_context *context, int32_t lanes,
                                 const struct cnni_conv2d *conv, float *packed, const float *w);

/* dw [3][3][c][k] += the gradients `points` [point][c][k] transformed back. */
void cnni_winograd_unpack(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                          float *dw, const float *points);

/* ---- Running; scratch in floats ---- */

int64_t cnni_winograd_scratch_size(const struct cnni_winograd_pass *pass, int32_t lanes);
void cnni_winograd_run(const struct cnni_conv2d_call *call, const struct cnni_winograd_pass *pass,
                       float *target, const float *source, const float *packed, const float *bias,
                       bool relu);

/* dw and db (or NULL) as cnni_conv2d_backward_filter(). */
int64_t cnni_winograd_filter_scratch_size(cnn_context *context, const struct cnni_conv2d *conv,
                                          int64_t n, int32_t lanes);
void cnni_winograd_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                   const float *x, const float *dy);

#endif
