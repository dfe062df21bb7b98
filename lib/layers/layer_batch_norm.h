/* SPDX-License-Identifier: MIT
 * What a convolution needs to know of the batch normalisation behind it, to be done along with it
 * when predicting. */
#ifndef CNNI_LAYER_BATCH_NORM_H
#define CNNI_LAYER_BATCH_NORM_H

#include "layers/layer_internal.h"
#include "ops/op_batch_norm.h"

/* y = x * scale + shift, as the running statistics say. */
void cnni_batch_norm_fold(const cnn_layer *layer, int64_t channel, double *scale, double *shift);

#endif
