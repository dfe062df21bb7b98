/* SPDX-License-Identifier: MIT
 * Which taps the rows and columns of a depthwise target have inside of the source.  The passes of
 * op_conv2d_pass.h, one for forward, one per phase for backward-data, are laid over each other
 * here, so that a row of the target is made in one go, while the rows that it reads are in the
 * caches. */
#ifndef CNNI_OP_DEPTHWISE_ROWS_H
#define CNNI_OP_DEPTHWISE_ROWS_H

#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

/* `count` taps inside of the source, along one axis: the first is row (column) `kernel` of the
 * kernel, and at row (column) `source`.  The next are tap_step and kernel_step from there. */
struct cnni_depthwise_taps {
    int64_t source, kernel, count;
};

/* Pixels of a row of the target that have the same taps: target, target + target_step, ...  The
 * first may lack its first tap, the last its last one: first_short and last_short of kernels.h. */
struct cnni_depthwise_run {
    struct cnni_depthwise_taps taps; /* of the first; the others read `step` further each */
    int64_t target, pixels;
    bool first_short, last_short;
};

struct cnni_depthwise_rows {
    struct cnni_axis h, w; /* their steps and sizes are those of all phases */
    int64_t channels, kernel_columns;
    bool whole;                       /* the runs of rows with taps reach every pixel */
    struct cnni_depthwise_taps *rows; /* [h.target]; no taps: no kernel row reaches it */
    struct cnni_depthwise_run *runs;  /* [run_count], of every row */
    int64_t run_count, longest;
};

/* Memory for the two tables, in floats; a multiple of 16. */
int64_t cnni_depthwise_rows_size(int64_t target_h, int64_t target_w);

void cnni_depthwise_forward_rows(struct cnni_depthwise_rows *rows, const struct cnni_conv2d *conv,
                                 float *memory);
void cnni_depthwise_backward_rows(struct cnni_depthwise_rows *rows, const struct cnni_conv2d *conv,
                                  float *memory);

/* The part of the source that the row after row `number` of all pictures' reads and this one does
 * not, for run `run` to fetch. */
struct cnni_ahead cnni_depthwise_ahead(const struct cnni_depthwise_rows *rows, const float *source,
                                       int64_t number, int64_t run);

#endif
