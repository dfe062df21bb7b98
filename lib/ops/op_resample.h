/* SPDX-License-Identifier: MIT
 * Pictures whose pixels are weighted sums of another's: average pooling, up-sampling and padding
 * are one operation, whose rows and columns have taps each for itself.  Backward is the same
 * operation with the taps turned round: each pixel of dx gathers from dy, in a fixed order.
 * Letters as in op_conv2d.h. */
#ifndef CNNI_OP_RESAMPLE_H
#define CNNI_OP_RESAMPLE_H

#include "base/base.h"
#include "cnn/context.h"

/* What an output reads along an axis. */
typedef int32_t cnni_resample_rule;
enum {
    CNNI_RESAMPLE_AVERAGE,   /* the mean of its window, what is outside being 0 */
    CNNI_RESAMPLE_PARTIAL,   /* the mean of what of its window is inside */
    CNNI_RESAMPLE_NEAREST,   /* input o / factor */
    CNNI_RESAMPLE_LINEAR,    /* inputs on both sides of (o + 0.5) / factor - 0.5 */
    CNNI_RESAMPLE_SHIFT,     /* input o - padding, 0 outside */
    CNNI_RESAMPLE_REFLECT,   /* the same, mirrored outside, the border not repeated */
    CNNI_RESAMPLE_REPLICATE, /* the same, the border repeated */
};

struct cnni_resample_axis {
    cnni_resample_rule rule;
    int64_t inputs, outputs;
    int64_t padding;        /* of AVERAGE, PARTIAL and the SHIFTs; these: may be negative */
    int64_t window, stride; /* of AVERAGE, PARTIAL */
    int64_t factor;         /* of NEAREST, LINEAR */
};

struct cnni_resample2d {
    struct cnni_resample_axis rows, columns;
    int64_t c;
};

/* The scratch that both directions need, in bytes; false where no size_t can hold it. */
bool cnni_resample_scratch_bytes(size_t *bytes, const struct cnni_resample2d *map);

/* y [n][rows.outputs][columns.outputs][c] from x [n][rows.inputs][columns.inputs][c]. */
void cnni_resample_forward(cnn_context *context, int32_t lanes, const struct cnni_resample2d *map,
                           int64_t n, float *y, const float *x, void *scratch);

/* dx = gradient by x for dy; overwritten. */
void cnni_resample_backward(cnn_context *context, int32_t lanes, const struct cnni_resample2d *map,
                            int64_t n, float *dx, const float *dy, void *scratch);

#endif
