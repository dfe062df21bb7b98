/* SPDX-License-Identifier: MIT
 * Depthwise convolution: one filter for each channel.  op_conv2d.c hands it over; the calls are
 * those of op_conv2d.h.  It is bound by memory, not by arithmetic: x is read in place, row by row,
 * and taps outside of the picture are left out. */
#ifndef CNNI_OP_DEPTHWISE_H
#define CNNI_OP_DEPTHWISE_H

#include "ops/op_conv2d.h"

bool cnni_depthwise_suits(const struct cnni_conv2d *conv);

/* Packed weights are the weights [r][s][c] as they are, in both directions. */
int64_t cnni_depthwise_packed_size(const struct cnni_conv2d *conv);
void cnni_depthwise_pack(const struct cnni_conv2d *conv, float *packed, const float *w);

/* Scratch in floats; INT64_MAX: too much. */
int64_t cnni_depthwise_forward_scratch_size(const struct cnni_conv2d *conv);
int64_t cnni_depthwise_backward_scratch_size(const struct cnni_conv2d *conv);
int64_t cnni_depthwise_filter_scratch_size(const struct cnni_conv2d *conv, int64_t n,
                                           int32_t lanes);

void cnni_depthwise_forward(const struct cnni_conv2d_call *call, float *y, const float *x,
                            const float *packed, const float *b, bool relu);
void cnni_depthwise_transposed(const struct cnni_conv2d_call *call, float *y, const float *x,
                               const float *packed, const float *b, bool relu);
void cnni_depthwise_backward_filter(const struct cnni_conv2d_call *call, float *dw, float *db,
                                    const float *x, const float *dy);

#endif
