/* SPDX-License-Identifier: MIT
 * What conv2d and dense layers share: both run the convolution in ops/op_conv2d.h, whose shape is
 * the plan's `geometry.conv`, with their parameters [r][s][c][k] and [k]. */
#ifndef CNNI_LAYER_FILTER_H
#define CNNI_LAYER_FILTER_H

#include "layers/layer_internal.h"

/* The functions of their classes; the geometry has been set. */
cnn_status cnni_filter_plan(struct cnni_layer_plan *plan, const char *function);
void cnni_filter_pack_forward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed);
void cnni_filter_pack_folded(const struct cnni_layer_plan *plan, int32_t lanes, float *packed);
void cnni_filter_pack_backward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed);
const char *cnni_filter_explain(const struct cnni_layer_plan *plan, double *operations);
void cnni_filter_forward(const struct cnni_layer_run *run);
void cnni_filter_backward(const struct cnni_layer_run *run);

#endif
