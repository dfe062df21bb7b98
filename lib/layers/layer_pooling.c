/* SPDX-License-Identifier: MIT
 * Windows of average and max pooling: shape rules and descriptions. */
#include "layers/layer_pooling.h"

#include "base/error.h"

static cnn_status check_padding(const cnn_layer *layer, const char *function)
{
    const struct cnni_pooling *pool = cnni_pooling(layer);
    if (2 * pool->padding_height <= pool->window_height &&
        2 * pool->padding_width <= pool->window_width)
        return CNN_OK;
    return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                     "%s: layer \"%s\" has padding %lldx%lld, must be at most half of its window "
                     "%lldx%lld",
                     function, layer->name, (long long)pool->padding_height,
                     (long long)pool->padding_width, (long long)pool->window_height,
                     (long long)pool->window_width);
}

cnn_status cnni_pooling_measure(const cnn_layer *layer, struct cnni_pooling_windows *windows,
                                const struct cnni_shape *input, const char *function)
{
    const struct cnni_pooling *pool = cnni_pooling(layer);
    char text[CNNI_SHAPE_TEXT];
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    CNNI_TRY(check_padding(layer, function));
    const int64_t r = pool->window_height, s = pool->window_width;
    const int64_t stride_h = pool->stride_height > 0 ? pool->stride_height : r;
    const int64_t stride_w = pool->stride_width > 0 ? pool->stride_width : s;
    const int64_t rows = input->dim[0] + 2 * pool->padding_height - r;
    const int64_t columns = input->dim[1] + 2 * pool->padding_width - s;
    if (rows < 0 || columns < 0)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has a %lldx%lld window, larger than its padded input %s",
                         function, layer->name, (long long)r, (long long)s,
                         cnni_shape_text(text, input));
    *windows = (struct cnni_pooling_windows){
        .r = r,
        .s = s,
        .stride_h = stride_h,
        .stride_w = stride_w,
        .pad_top = pool->padding_height,
        .pad_left = pool->padding_width,
        .oh = rows / stride_h + 1,
        .ow = columns / stride_w + 1,
    };
    return CNN_OK;
}

void cnni_pooling_describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct cnni_pooling *pool = cnni_pooling(layer);
    const int64_t r = pool->window_height, s = pool->window_width;
    const int64_t stride_h = pool->stride_height > 0 ? pool->stride_height : r;
    const int64_t stride_w = pool->stride_width > 0 ? pool->stride_width : s;
    cnni_append_text(buffer, size, " %lldx%lld", (long long)r, (long long)s);
    if (stride_h != r || stride_w != s)
        cnni_append_pair(buffer, size, "stride", stride_h, stride_w, 0);
    cnni_append_pair(buffer, size, "padding", pool->padding_height, pool->padding_width, 0);
}
