/* SPDX-License-Identifier: MIT
 * A pass: what the row-tap kernel can do in one go, and how it is cut into strips.  Forward is
 * one pass.  Backward-data is one pass per phase: the pixels of dx whose row and column leave the
 * same remainder by the stride read dy like a convolution of stride 1 with every stride-th row
 * and column of the kernel.  A phase that no row or column of the kernel reaches is all 0.
 *
 * A strip is some rows of one picture, or several whole pictures.  Where windows reach over the
 * border, the strip's part of the source is copied, with zeros around it, into scratch memory
 * that fits the L2 cache; otherwise it is read in place.  Cutting never changes a bit of forward
 * and backward-data, and depends on the shape alone. */
#ifndef CNNI_OP_CONV2D_PASS_H
#define CNNI_OP_CONV2D_PASS_H

#include "ops/op_conv2d.h"

struct cnni_span {
    int64_t first, end;
};

/* One of the two axes.  Output g reads the source at g * step + tap_first + t * tap_step, for
 * each tap t, and is written to the target at target_first + g * target_step. */
struct cnni_axis {
    int64_t grid; /* number of outputs */
    int64_t step;
    int64_t source;
    int64_t taps, tap_first, tap_step;
    int64_t kernel_first, kernel_step; /* tap t is row (column) kernel_first + t * kernel_step */
    int64_t target, target_first, target_step;
};

struct cnni_pass {
    struct cnni_axis h, w;
    int64_t n;
    int64_t groups;
    int64_t source_channels, target_channels; /* per group */
    const struct cnni_conv2d *conv;
    bool pools, expands; /* the target is to be pooled; the source is a pooled gradient */

    /* How the source is read: floats from pixel to pixel, row to row, picture to picture. */
    bool copied;
    int64_t pitch, row_pitch, picture_pitch;
    int64_t tap_count, depth; /* runs of `depth` floats, in each group */

    /* How it is cut.  pictures > 1 only where rows == h.grid. */
    int64_t most_pictures, most_rows; /* for any n: what memory is measured by */
    int64_t pictures, rows;
    int64_t strips;
    int64_t pooled_rows; /* of a strip, that are pooled at a time */
};

/* Replaces a convolution that looks at single pixels by one on n * h * w pictures of one pixel,
 * which fills tiles best. */
void cnni_conv2d_flatten(struct cnni_conv2d *flat, int64_t *flat_n, const struct cnni_conv2d *conv,
                         int64_t n);

/* The pass of forward; and of backward-data number `index` of those that reach something.  They
 * are cut for n pictures. */
void cnni_pass_forward(struct cnni_pass *pass, const struct cnni_conv2d *conv, int64_t n);
void cnni_pass_backward(struct cnni_pass *pass, const struct cnni_conv2d *conv, int64_t n,
                        int64_t index);
int64_t cnni_pass_backward_count(const struct cnni_conv2d *conv);

/* Whether the passes of backward-data write every pixel; the others are 0. */
bool cnni_pass_backward_is_whole(const struct cnni_conv2d *conv);

/* Offsets, all in floats: of each pixel of a strip from its first, in the source as it is read
 * and in the target; and of each tap.  All strips share them. */
struct cnni_offsets {
    ptrdiff_t *source; /* [pixels of the largest strip] */
    ptrdiff_t *target;
    ptrdiff_t *taps; /* [tap_count] */
};

void cnni_pass_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass, float *memory);

/* The same in an order of one's own: first all but the pixels; then those of some rows and columns
 * of the strip's pictures, to places from `pixel` on, of which the one behind is returned. */
void cnni_pass_place_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass,
                             float *memory);
int64_t cnni_pass_fill_pixels(struct cnni_offsets *offsets, int64_t pixel,
                              const struct cnni_pass *pass, struct cnni_span rows,
                              struct cnni_span columns);

/* Strip number `index`. */
struct cnni_strip {
    int64_t picture, pictures;
    int64_t row, rows;
    int64_t pixels;
};
struct cnni_strip cnni_pass_strip(const struct cnni_pass *pass, int64_t index);

/* What a pass reads: [n][h][w][channels], or the pooled gradient of such, with its winners. */
struct cnni_source {
    const struct cnni_kernels *kernels;
    const float *values;
    const uint8_t *winners;
};

/* Where the strip's first pixel lies: copies into `memory` where the pass says so. */
const float *cnni_strip_source(const struct cnni_pass *pass, const struct cnni_strip *strip,
                               const struct cnni_source *source, float *memory);
float *cnni_strip_target(const struct cnni_pass *pass, const struct cnni_strip *strip,
                         float *target);

/* Does what a tail says to `count` outputs from number `place` of the batch's y on. */
void cnni_conv2d_finish(const struct cnni_kernels *kernels, const struct cnni_conv2d_tail *tail,
                        float *y, int64_t place, int64_t count);

/* ---- Memory that the files op_conv2d_*.c agree on, in floats; INT64_MAX: too much ---- */

/* Room for the offsets, for one strip, and for the outputs that are pooled at a time; multiples of
 * 16. */
int64_t cnni_pass_offsets_size(const struct cnni_pass *pass);
int64_t cnni_pass_strip_size(const struct cnni_pass *pass);
int64_t cnni_pass_outputs_size(const struct cnni_pass *pass);

/* Products and sums that stop at INT64_MAX; operands are >= 0. */
int64_t cnni_size_product(int64_t a, int64_t b);
int64_t cnni_size_sum(int64_t a, int64_t b);

/* Takes `count` floats, in whole cache lines, at *used, and returns where they begin. */
int64_t cnni_size_take(int64_t *used, int64_t count);

/* Packed weights are, for each pass, group and panel (as many filters as the row-tap kernel's
 * tile is wide, the last one filled up with zeros), [taps][channels][width].  The size of a panel
 * and of a pass. */
int64_t cnni_packed_panel_size(const struct cnni_pass *pass, int32_t width);
int64_t cnni_packed_pass_size(const struct cnni_pass *pass, int32_t width);

/* Scratch of backward-weights for at most the pass's n pictures. */
int64_t cnni_filter_scratch_size(cnn_context *context, const struct cnni_conv2d *conv, int64_t n,
                                 int32_t lanes);

#endif
