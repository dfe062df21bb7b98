/* SPDX-License-Identifier: MIT
 * What average pooling, up-sampling and padding share: all run the operation in ops/op_resample.h,
 * which is the plan's `geometry.resample`. */
#ifndef CNNI_LAYER_RESAMPLE_H
#define CNNI_LAYER_RESAMPLE_H

#include "layers/layer_internal.h"

/* The output of a map as a shape. */
cnn_status cnni_resample_shape(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_resample2d *map, const char *function);

/* The functions of their classes; the geometry has been set. */
cnn_status cnni_resample_plan(struct cnni_layer_plan *plan, const char *function);
void cnni_layer_resample_forward(const struct cnni_layer_run *run);
void cnni_layer_resample_backward(const struct cnni_layer_run *run);

#endif
