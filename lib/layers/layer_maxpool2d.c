/* SPDX-License-Identifier: MIT
 * Max-pooling, of windows and of whole pictures: options and shape rules.  The work is cut up in
 * ops/op_maxpool2d.c. */
#include "base/error.h"
#include "layers/layer_internal.h"
#include "ops/op_maxpool2d.h"

struct maxpool2d {
    struct cnn_layer layer;
    int64_t window_height, window_width;
    int64_t stride_height, stride_width; /* 0: the window's */
    int64_t padding_height, padding_width;
};

static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(maxpool2d, window_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(maxpool2d, window_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(maxpool2d, stride_height, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(maxpool2d, stride_width, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(maxpool2d, padding_height, 0, 1 << 15, 0),
    CNNI_WHOLE_OPTION(maxpool2d, padding_width, 0, 1 << 15, 0),
};

static const struct maxpool2d *maxpool2d(const cnn_layer *layer)
{
    return (const struct maxpool2d *)layer;
}

bool cnni_is_half_pool(const cnn_layer *layer)
{
    const struct maxpool2d *pool = maxpool2d(layer);
    return layer->class->kind == CNN_MAXPOOL2D && pool->window_height == 2 &&
           pool->window_width == 2 && pool->stride_height % 2 == 0 && pool->stride_height <= 2 &&
           pool->stride_width % 2 == 0 && pool->stride_width <= 2 && pool->padding_height == 0 &&
           pool->padding_width == 0;
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_maxpool2d *made,
                           const struct cnni_shape *input, const char *function)
{
    const struct maxpool2d *pool = maxpool2d(layer);
    char text[CNNI_SHAPE_TEXT];
    if (input->rank != 3)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" gets %s, a maxpool2d takes [h][w][c]", function,
                         layer->name, cnni_shape_text(text, input));
    if (2 * pool->padding_height > pool->window_height ||
        2 * pool->padding_width > pool->window_width)
        return cnni_fail(
            layer->context, CNN_ERROR_SHAPE,
            "%s: layer \"%s\" has padding %lldx%lld, must be at most half of its window "
            "%lldx%lld",
            function, layer->name, (long long)pool->padding_height, (long long)pool->padding_width,
            (long long)pool->window_height, (long long)pool->window_width);
    if (pool->window_height * pool->window_width > INT32_MAX) /* winners have 32-bit numbers */
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has a %lldx%lld window, must have at most %d pixels",
                         function, layer->name, (long long)pool->window_height,
                         (long long)pool->window_width, INT32_MAX);
    int64_t stride_h = pool->stride_height > 0 ? pool->stride_height : pool->window_height;
    int64_t stride_w = pool->stride_width > 0 ? pool->stride_width : pool->window_width;
    int64_t rows = input->dim[0] + 2 * pool->padding_height - pool->window_height;
    int64_t columns = input->dim[1] + 2 * pool->padding_width - pool->window_width;
    if (rows < 0 || columns < 0)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has a %lldx%lld window, larger than its padded input %s",
                         function, layer->name, (long long)pool->window_height,
                         (long long)pool->window_width, cnni_shape_text(text, input));
    *made = (struct cnni_maxpool2d){
        .h = input->dim[0],
        .w = input->dim[1],
        .c = input->dim[2],
        .r = pool->window_height,
        .s = pool->window_width,
        .oh = rows / stride_h + 1,
        .ow = columns / stride_w + 1,
        .stride_h = stride_h,
        .stride_w = stride_w,
        .pad_top = pool->padding_height,
        .pad_left = pool->padding_width,
    };
    return CNN_OK;
}

static cnn_status shape(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function)
{
    struct cnni_maxpool2d pool;
    CNNI_TRY(geometry(layer, &pool, input, function));
    return cnni_shape_set(output, layer->context, (int64_t[]){pool.oh, pool.ow, pool.c}, 3,
                          function);
}

/* The rest of a plan whose geometry has been set. */
static cnn_status keep_winners(struct cnni_layer_plan *plan, const char *function)
{
    size_t bytes = cnni_maxpool2d_winner_bytes(&plan->geometry.pool);
    if (plan->training && !cnni_mul_size(&plan->state, bytes, (size_t)plan->max_n))
        return cnni_fail(plan->layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    return CNN_OK;
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    CNNI_TRY(geometry(plan->layer, &plan->geometry.pool, &plan->input, function));
    return keep_winners(plan, function);
}

static void forward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    cnni_maxpool2d_forward(plan->layer->context, plan->lanes, &plan->geometry.pool, run->n, run->y,
                           plan->training ? run->state : NULL, run->x[0], plan->fused.gate);
}

static void backward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    if (run->dx[0] != NULL)
        cnni_maxpool2d_backward(plan->layer->context, plan->lanes, &plan->geometry.pool, run->n,
                                run->dx[0], run->dy, run->state);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct maxpool2d *pool = maxpool2d(layer);
    const int64_t stride_h = pool->stride_height > 0 ? pool->stride_height : pool->window_height;
    const int64_t stride_w = pool->stride_width > 0 ? pool->stride_width : pool->window_width;
    cnni_append_text(buffer, size, " %lldx%lld", (long long)pool->window_height,
                     (long long)pool->window_width);
    if (stride_h != pool->window_height || stride_w != pool->window_width)
        cnni_append_text(buffer, size, " stride %lldx%lld", (long long)stride_h,
                         (long long)stride_w);
    if (pool->padding_height > 0 || pool->padding_width > 0)
        cnni_append_text(buffer, size, " padding %lldx%lld", (long long)pool->padding_height,
                         (long long)pool->padding_width);
}

const struct cnni_layer_class cnni_maxpool2d_class = {
    .kind = CNN_MAXPOOL2D,
    .name = "maxpool2d",
    .size = sizeof(struct maxpool2d),
    .flags = CNNI_GATES_RELU,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};

cnn_status cnn_maxpool2d_create(cnn_layer **layer, cnn_context *context, int64_t window_height,
                                int64_t window_width)
{
    const struct cnni_setting settings[] = {
        {"window_height", (double)window_height},
        {"window_width", (double)window_width},
    };
    return cnni_layer_create(layer, context, &cnni_maxpool2d_class, settings, 2, __func__);
}

cnn_status cnn_maxpool2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    const struct cnni_setting settings[] = {
        {"stride_height", (double)vertical},
        {"stride_width", (double)horizontal},
    };
    return cnni_layer_set(layer, &cnni_maxpool2d_class, settings, 2, __func__);
}

cnn_status cnn_maxpool2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    const struct cnni_setting settings[] = {
        {"padding_height", (double)vertical},
        {"padding_width", (double)horizontal},
    };
    return cnni_layer_set(layer, &cnni_maxpool2d_class, settings, 2, __func__);
}

/* ---- Whole pictures ---- */

static cnn_status global_shape(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_shape *input, const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    if (input->rank != 3)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" gets %s, a global_maxpool2d takes [h][w][c]", function,
                         layer->name, cnni_shape_text(text, input));
    if (input->dim[0] > INT32_MAX / input->dim[1]) /* winners have 32-bit numbers */
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" gets %s, must have at most %d pixels", function,
                         layer->name, cnni_shape_text(text, input), INT32_MAX);
    *output = (struct cnni_shape){1, {input->dim[2]}};
    return CNN_OK;
}

static cnn_status global_plan(struct cnni_layer_plan *plan, const char *function)
{
    const int64_t h = plan->input.dim[0], w = plan->input.dim[1];
    plan->geometry.pool = (struct cnni_maxpool2d){.h = h,
                                                  .w = w,
                                                  .c = plan->input.dim[2],
                                                  .r = h,
                                                  .s = w,
                                                  .oh = 1,
                                                  .ow = 1,
                                                  .stride_h = h,
                                                  .stride_w = w};
    return keep_winners(plan, function);
}

const struct cnni_layer_class cnni_global_maxpool2d_class = {
    .kind = CNN_GLOBAL_MAXPOOL2D,
    .name = "global_maxpool2d",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_GATES_RELU,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = global_shape,
    .plan = global_plan,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_global_maxpool2d_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_global_maxpool2d_class, NULL, 0, __func__);
}
