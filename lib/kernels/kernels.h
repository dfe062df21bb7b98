/* SPDX-License-Identifier: MIT
 * The kernels: one tile of work on one core.  Here is the contract of each slot, once for all
 * instruction sets; which functions fill the slots is in kernel_list.h.  How problems are cut
 * into tiles is in ops/.
 *
 * Rules for all: pointers need only the alignment of their type; nothing outside the stated
 * ranges is read or written; outputs do not overlap inputs unless it says that they may be the
 * same; no allocation, no global state, no changes to rounding or denormals.
 *
 * Same bits on every level that has fused multiply-add: "chain" means one accumulator, one fused
 * multiply-add after another, in the stated order.  On the level `generic` each link is a
 * multiplication and an addition.  NaN propagates everywhere.
 *
 * Letters as in ops/op_conv2d.h.  A pixel is the run of its channels. */
#ifndef CNNI_KERNELS_H
#define CNNI_KERNELS_H

#include "base/base.h"
#include "base/cpu.h"
#include "kernels/activation.h"
#include "kernels/optimizer_step.h"

/* No kernel has tiles larger than this. */
enum { CNNI_TILE_ROWS_MAX = 12, CNNI_TILE_COLUMNS_MAX = 64 };

/* ---- Convolution ---- */

/* A tap: where its input lies from the output's pixel, and its weights from the first. */
struct cnni_conv2d_tap {
    ptrdiff_t x, w;
};

/* Row-tap: `rows` pixels of the output, any number, and `columns` filters of each, at most as many
 * as the tile of the table's row is wide.  With P this width, and y(i, j) = y[y_offsets[i] + j],
 *   y(i, j) = chain over t, then d, of x[x_offsets[i] + taps[t].x + d] * w[taps[t].w + d * P + j]
 * that starts with y(i, j) itself where `resume`, else with bias[j], or with 0 where bias is
 * NULL.  So a reduction may be cut in pieces without changing a bit.  Where `relu`, values <= 0
 * become +0.
 *
 * `stream` may send y past the caches.  It asks for `columns` to be a multiple of 16 and for each
 * y(i, 0) to be aligned to 64 bytes; the caller makes a fence before another thread reads y.
 *
 * While it works on row i, it may fetch the ahead_step bytes from ahead + i * ahead_step on into
 * the caches: memory that will be wanted next.  It never reads it; any number will do. */
struct cnni_conv2d_tile {
    const float *x;
    const ptrdiff_t *x_offsets;         /* [rows] */
    const struct cnni_conv2d_tap *taps; /* [tap_count] */
    int64_t tap_count, depth;
    const float *w;    /* of each tap [depth][P] */
    const float *bias; /* [columns] or NULL */
    float *y;
    const ptrdiff_t *y_offsets; /* [rows] */
    int64_t rows;
    int32_t columns;
    bool resume, relu, stream;
    uintptr_t ahead, ahead_step; /* addresses as numbers, in bytes */
};
typedef void cnni_conv2d_row_tap_fn(const struct cnni_conv2d_tile *tile);

/* Backward-weights: `rows` rows of the filter gradient, each a (tap, channel) pair whose input is
 * at x[i], and `columns` filters.  With P the tile's width in the table,
 *   dw[i * dw_pitch + j] += chain from 0 over p of x[i][x_offsets[p]] * dy[p * P + j];
 * What dy holds beyond the columns is read, but has no effect.
 * While it works on pixel p, it may fetch ahead + p * ahead_step into the caches: memory that will
 * be wanted next.  It never reads it; any number will do. */
struct cnni_conv2d_filter_tile {
    const float *x[CNNI_TILE_ROWS_MAX];
    const ptrdiff_t *x_offsets; /* [pixels] */
    const float *dy;            /* [pixels][P] */
    int64_t pixels;
    float *dw;
    int64_t dw_pitch;
    int32_t rows, columns;
    uintptr_t ahead, ahead_step; /* addresses as numbers, in bytes */
};
typedef void cnni_conv2d_filter_fn(const struct cnni_conv2d_filter_tile *tile);

/* A panel of dy for backward-weights, and its share of the bias gradient, from `columns` columns,
 * at most the width P in the table, the same as backward-weights', of dy [pixels][pitch]:
 *   panel[p * P + j] = dy[p * pitch + j], or 0 from j = columns to the next multiple of 16; what
 *   is there beyond is not said, and where panel is NULL nothing is written;
 *   sums[j] = 0 + dy[j] + dy[pitch + j] + dy[2 * pitch + j] + ... in this order, for j < columns.
 */
typedef void cnni_conv2d_panel_fn(float *panel, float *sums, const float *dy, int64_t pixels,
                                  int64_t pitch, int32_t columns);

/* Memory that will be wanted next: while a kernel works on pixel p, it may fetch `step` bytes from
 * first + p * step into the caches.  It never reads them; any numbers will do. */
struct cnni_ahead {
    uintptr_t first, step; /* addresses as numbers, in bytes */
};

/* Depthwise: `pixels` neighbours in a row, with the same rows x columns taps, each channel for
 * itself.  With x(i, j) = x[i * x_row_step + j * x_tap_step], w and dw alike,
 *   y[p * y_step + c] = chain over i, then j, of x(i, j)[p * x_step + c] * w(i, j)[c]
 * that starts with bias[c], or 0 where bias is NULL.  The first pixel lacks the taps of the first
 * column where `first_short`, and the last one those of the last column where `last_short`; then
 * there are more pixels than that.  `relu` as above.  `stream`, as above, asks
 * for the channels and y_step to be multiples of 16 and for y to be aligned to 64 bytes. */
struct cnni_conv2d_depthwise {
    int64_t pixels, channels;
    int64_t rows, columns; /* of taps */
    bool first_short, last_short;
    const float *x;
    ptrdiff_t x_step, x_tap_step, x_row_step;
    const float *w;
    ptrdiff_t w_tap_step, w_row_step;
    const float *bias; /* [channels] or NULL */
    float *y;
    ptrdiff_t y_step;
    bool relu, stream;
    struct cnni_ahead ahead;
};
typedef void cnni_conv2d_depthwise_fn(const struct cnni_conv2d_depthwise *run);

/* Depthwise backward-weights, of pixels and taps as above:
 *   dw(i, j)[c] = chain over p of x(i, j)[p * x_step + c] * dy[p * channels + c]
 * that starts with dw(i, j)[c] itself, and db[c] = db[c] + dy[c] + dy[channels + c] + ...  in this
 * order. */
struct cnni_conv2d_depthwise_filter {
    int64_t pixels, channels;
    int64_t rows, columns; /* of taps */
    bool first_short, last_short;
    const float *x;
    ptrdiff_t x_step, x_tap_step, x_row_step;
    const float *dy; /* [pixels][channels] */
    float *dw;
    ptrdiff_t dw_tap_step, dw_row_step;
    float *db; /* [channels] */
    struct cnni_ahead x_ahead, dy_ahead;
};
typedef void cnni_conv2d_depthwise_filter_fn(const struct cnni_conv2d_depthwise_filter *run);

/* ---- Dense layers ---- */

/* One sample:  y[j] = chain over c of x[c] * w[c * w_pitch + j]  that starts with bias[j], or 0
 * where bias is NULL, for j < columns.  `relu` as above.  Weights of later rows may be fetched into
 * the caches, beyond the last row as well. */
struct cnni_dense_row {
    const float *x; /* [channels] */
    const float *w;
    int64_t w_pitch;
    const float *bias; /* [columns] or NULL */
    float *y;          /* [columns] */
    int64_t channels, columns;
    bool relu;
};
typedef void cnni_dense_row_fn(const struct cnni_dense_row *row);

/* ---- Winograd ---- */

/* Tiles of outputs x outputs, 2 or 4, from inputs x inputs with inputs = outputs + 2.  The matrices
 * A, B and G are in winograd_body.h.  A tile is transformed in all its channels; the numbers of a
 * channel, one for each of inputs x inputs points, lie point_pitch apart. */

/* v[point * point_pitch + c] = (B' x B) of the channel c of the pixels. */
struct cnni_winograd_input {
    const float *const *x; /* [inputs * inputs], each [channels] */
    float *v;
    int64_t point_pitch, channels;
    int32_t outputs;
};
typedef void cnni_winograd_input_fn(const struct cnni_winograd_input *tile);

/* y[pixel][c] = (A' m A) + bias[c] of m[point * point_pitch + c].  `relu` as above. */
struct cnni_winograd_output {
    const float *m;
    float *const *y;   /* [outputs * outputs], each [channels], or NULL: not wanted */
    const float *bias; /* [channels] or NULL */
    int64_t point_pitch, channels;
    int32_t outputs;
    bool relu;
};
typedef void cnni_winograd_output_fn(const struct cnni_winograd_output *tile);

/* For backward-weights: z[point * point_pitch + c / width * panel_pitch + c % width] = (A dy A')
 * of the channel c of the pixels, and up to the next multiple of 16 channels 0.  `width` is a
 * multiple of 16. */
struct cnni_winograd_gradient {
    const float *const *dy; /* [outputs * outputs], each [channels] */
    float *z;
    int64_t point_pitch, panel_pitch, width, channels;
    int32_t outputs;
};
typedef void cnni_winograd_gradient_fn(const struct cnni_winograd_gradient *tile);

/* u[point * point_pitch + c] = (G g G') of g = w[tap][c], the taps row by row. */
struct cnni_winograd_weights {
    const float *const *w; /* [9], each [channels] */
    float *u;
    int64_t point_pitch, channels;
    int32_t outputs;
};
typedef void cnni_winograd_weights_fn(const struct cnni_winograd_weights *tile);

/* dw[tap][c] += (G' u G) of u[point * point_pitch + c]. */
struct cnni_winograd_filter {
    const float *u;
    float *const *dw; /* [9], each [channels] */
    int64_t point_pitch, channels;
    int32_t outputs;
};
typedef void cnni_winograd_filter_fn(const struct cnni_winograd_filter *tile);

/* ---- Max-pooling ---- */

/* The number of a window that nobody won, as byte and as word. */
enum { CNNI_NO_WINNER_BYTE = 255, CNNI_NO_WINNER_WORD = -1 };

/* `windows` windows of `rows` x `columns` pixels, beside each other; y and winners are
 * [windows][channels].  A window's pixel (i, j) is at x + window * x_step + i * row_pitch + j *
 * channels and has the number first + i * number_pitch + j, number_pitch >= columns.  The winner
 * is the first that no later one is greater than, or the first NaN; where `gate`, nobody wins a
 * window whose largest value is <= 0.  `winners` are uint8_t where winner_size is 1, int32_t where
 * it is 4; with 0 they are not written. */
struct cnni_maxpool2d_windows {
    int64_t windows, channels;
    int64_t rows, columns;
    int64_t x_step, row_pitch;
    int32_t first, number_pitch;
    int32_t winner_size;
    bool gate;   /* of forward */
    bool stream; /* of backward */
};
typedef void cnni_maxpool2d_forward_fn(const struct cnni_maxpool2d_windows *shape, float *y,
                                       void *winners, const float *x);

/* The pixel of dx whose number won gets + dy, and the others + 0; where `overwrite`, they are set
 * to dy and 0.  `stream`, only with `overwrite`, may send dx past the caches: it asks for dx to
 * be aligned to 64 bytes and for the channels to be a multiple of 16; the caller makes a fence
 * before another thread reads dx. */
typedef void cnni_maxpool2d_backward_fn(const struct cnni_maxpool2d_windows *shape, float *dx,
                                        const float *dy, const void *winners, bool overwrite);

/* ---- Resampling ---- */

/* A row or column of pixels that an output reads: where it begins, in floats, and its share. */
struct cnni_resample_tap {
    int64_t x;
    float weight;
};

/* A row of outputs y [pixels][channels], each a weighted sum of pixels of x: with the taps t of
 * `columns` from first[p] to first[p + 1] - 1,
 *   y[p * channels + c] = chain over i, then t, of
 *     x[rows[i].x + columns[t].x + c] * (rows[i].weight * columns[t].weight)
 * that starts with the first product; without taps it is 0. */
struct cnni_resample {
    int64_t pixels, channels;
    const struct cnni_resample_tap *rows; /* [row_count] */
    int64_t row_count;
    const struct cnni_resample_tap *columns; /* [first[pixels]] */
    const int64_t *first;                    /* [pixels + 1] */
};
typedef void cnni_resample_fn(const struct cnni_resample *row, float *y, const float *x);

/* ---- Arrays ---- */

/* y = a + b; y may be either. */
typedef void cnni_vector_add_fn(int64_t count, float *y, const float *a, const float *b);

/* a += rest * (w - a), in one fused multiply-add: an average that moves. */
typedef void cnni_vector_average_fn(int64_t count, float *a, const float *w, float rest);

/* Sum of x^2 in double precision: lane j of 16 adds up elements j, j + 16, ...; then lanes j and
 * j + 8 are added, j and j + 4, j + 2, j + 1. */
typedef double cnni_vector_sum_squares_fn(int64_t count, const float *x);

/* ---- Batch normalisation ---- */

/* `pixels` pixels of `channels`, one behind the other.  What stands behind the normalisation in the
 * same pass cuts its values to low .. high; -INFINITY and INFINITY cut none. */
struct cnni_norm {
    int64_t pixels, channels;
    const float *scale, *shift;         /* [channels] */
    const float *mean, *slope, *offset; /* [channels], of backward */
    float low, high;
};

/* sums[c] = 0 + x[c] + x[channels + c] + ... in this order; squares[c] = chain from 0 over the
 * pixels of (x - m)^2 with m = sums[c] / pixels. */
typedef void cnni_norm_moments_fn(const struct cnni_norm *norm, float *sums, float *squares,
                                  const float *x);

/* y = x * scale + shift, rounded once, plus the addend where that is not NULL, cut to low .. high.
 * y may be x or the addend. */
typedef void cnni_norm_apply_fn(const struct cnni_norm *norm, float *y, const float *x,
                                const float *addend);

/* With v = y, or, where that is NULL, x * scale + shift rounded once, and g = dy, or 0 where
 * v <= low or v >= high:
 *   sums[c] = 0 + g[c] + g[channels + c] + ... in this order;
 *   products[c] = chain from 0 over the pixels of g * (x - mean[c]).
 * g is also written to `gated`, unless that is NULL; it may be dy. */
typedef void cnni_norm_gradient_fn(const struct cnni_norm *norm, float *sums, float *products,
                                   float *gated, const float *dy, const float *x, const float *y);

/* dx = g * scale + ((x - mean) * slope + offset), each sum rounded once, with g as above; dx may be
 * dy. */
typedef void cnni_norm_backward_fn(const struct cnni_norm *norm, float *dx, const float *dy,
                                   const float *x, const float *y);
/* ---- Activations: functions in activation.h ---- */

/* y = f(x), within 4 ULP where the exponential is in it; gelu within 8, and on the level `generic`,
 * which rounds x^2, within x^2 more.  y may be x. */
typedef void cnni_activation_forward_fn(const struct cnni_activation *activation, int64_t count,
                                        float *y, const float *x);

/* dx = dy * f'(x), `value` being x or y, whichever the kind reads; dx may be dy. */
typedef void cnni_activation_backward_fn(const struct cnni_activation *activation, int64_t count,
                                         float *dx, const float *dy, const float *value);

/* ---- Layout ---- */

/* Transposes a matrix [rows][columns] of elements of `size` bytes, 4 or 1, bit by bit:
 *   y[j * y_pitch + i] = x[i * x_pitch + j]. */
struct cnni_transpose {
    int64_t rows, columns;
    int64_t x_pitch, y_pitch; /* in elements */
    int32_t size;
};
typedef void cnni_transpose_fn(const struct cnni_transpose *matrix, void *y, const void *x);

/* ---- Softmax ---- */

/* y = exp(x - *max), of one row; *max is the largest x that is not NaN, *sum the sum of y in 16
 * lanes, added as above.  exp is within 4 ULP.  y may be x. */
typedef void cnni_softmax_exp_fn(int64_t count, float *y, float *max, float *sum, const float *x);

/* dx = y * (dy - s), s the sum of y * dy in 16 lanes, each a chain, added as above; dx may be
 * dy. */
typedef void cnni_softmax_backward_fn(int64_t count, float *dx, const float *dy, const float *y);

/* ---- Optimizers: one step; g becomes 0 ---- */

/* With h = g * gradient_scale + weight_decay * w:  v = h where `first`, else momentum * v + h;
 * w -= learning_rate * d, where d is h + momentum * v with Nesterov, else v.  v NULL: d = h. */
typedef void cnni_optimizer_sgd_fn(const struct cnni_sgd_step *step, int64_t count, float *w,
                                   float *g, float *v);

/* With h = g * gradient_scale + weight_decay * w:  m = beta1 m + rest1 h; v = beta2 v + rest2 h^2;
 * w = shrink * w - step_size * (m / (sqrt(v) / root_correction + epsilon)). */
typedef void cnni_optimizer_adam_fn(const struct cnni_adam_step *step, int64_t count, float *w,
                                    float *g, float *m, float *v);

/* ---- The table ---- */

/* The size of the largest tile that a kernel takes. */
struct cnni_tile {
    int32_t rows, columns;
};

/* The kernels of one level. */
struct cnni_kernels {
    cnni_conv2d_row_tap_fn *conv2d_row_tap;
    struct cnni_tile conv2d_row_tap_tile;
    cnni_conv2d_filter_fn *conv2d_filter;
    struct cnni_tile conv2d_filter_tile;
    cnni_conv2d_panel_fn *conv2d_panel;
    struct cnni_tile conv2d_panel_tile;
    cnni_conv2d_depthwise_fn *conv2d_depthwise;
    cnni_conv2d_depthwise_filter_fn *conv2d_depthwise_filter;
    cnni_dense_row_fn *dense_row;
    cnni_winograd_input_fn *winograd_input;
    cnni_winograd_output_fn *winograd_output;
    cnni_winograd_gradient_fn *winograd_gradient;
    cnni_winograd_weights_fn *winograd_weights;
    cnni_winograd_filter_fn *winograd_filter;
    cnni_maxpool2d_forward_fn *maxpool2d_forward;
    cnni_maxpool2d_backward_fn *maxpool2d_backward;
    cnni_resample_fn *resample;
    cnni_vector_add_fn *vector_add;
    cnni_vector_average_fn *vector_average;
    cnni_vector_sum_squares_fn *vector_sum_squares;
    cnni_norm_moments_fn *norm_moments;
    cnni_norm_apply_fn *norm_apply;
    cnni_norm_gradient_fn *norm_gradient;
    cnni_norm_backward_fn *norm_backward;
    cnni_activation_forward_fn *activation_forward;
    cnni_activation_backward_fn *activation_backward;
    cnni_transpose_fn *transpose;
    cnni_softmax_exp_fn *softmax_exp;
    cnni_softmax_backward_fn *softmax_backward;
    cnni_optimizer_sgd_fn *optimizer_sgd;
    cnni_optimizer_adam_fn *optimizer_adam;
};

/* The kernels of `level`, which this build has; borrowed for ever. */
const struct cnni_kernels *cnni_kernels(cnni_cpu level);

#define CNNI_KERNEL(slot, level, function)                     cnni_##slot##_fn function;
#define CNNI_TILE_KERNEL(slot, level, function, rows, columns) cnni_##slot##_fn function;
#include "kernels/kernel_list.h"

#endif
