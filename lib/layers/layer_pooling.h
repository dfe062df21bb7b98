/* SPDX-License-Identifier: MIT
 * The windows that average and max pooling share: their options and shape rules. */
#ifndef CNNI_LAYER_POOLING_H
#define CNNI_LAYER_POOLING_H

#include "layers/layer_internal.h"

/* The start of both layers. */
struct cnni_pooling {
    struct cnn_layer layer;
    int64_t window_height, window_width;
    int64_t stride_height, stride_width; /* 0: the window's */
    int64_t padding_height, padding_width;
};

/* Their first options. */
#define CNNI_POOLING_OPTIONS                                                                       \
    CNNI_WHOLE_OPTION(cnni_pooling, window_height, 1, 1 << 16, 1),                                 \
        CNNI_WHOLE_OPTION(cnni_pooling, window_width, 1, 1 << 16, 1),                              \
        CNNI_WHOLE_OPTION(cnni_pooling, stride_height, 0, 1 << 16, 0),                             \
        CNNI_WHOLE_OPTION(cnni_pooling, stride_width, 0, 1 << 16, 0),                              \
        CNNI_WHOLE_OPTION(cnni_pooling, padding_height, 0, 1 << 15, 0),                            \
        CNNI_WHOLE_OPTION(cnni_pooling, padding_width, 0, 1 << 15, 0)

static inline const struct cnni_pooling *cnni_pooling(const cnn_layer *layer)
{
    return (const struct cnni_pooling *)layer;
}

/* What the windows do to a picture, as far as both say it alike: the window, its strides, the
 * padding, and the size of the output. */
struct cnni_pooling_windows {
    int64_t r, s;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left;
    int64_t oh, ow;
};

/* CNN_ERROR_SHAPE for what is no picture, for a window that is larger than the padded picture, and
 * for padding that is more than half of the window. */
cnn_status cnni_pooling_measure(const cnn_layer *layer, struct cnni_pooling_windows *windows,
                                const struct cnni_shape *input, const char *function);

void cnni_pooling_describe(const cnn_layer *layer, char *buffer, size_t size);

#endif
