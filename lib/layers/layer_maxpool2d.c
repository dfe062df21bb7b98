/* SPDX-License-Identifier: MIT
 * Max-pooling, of windows and of whole pictures: options and shape rules.  The work is cut up in
 * ops/op_maxpool2d.c. */
#include "base/error.h"
#include "layers/layer_pooling.h"
#include "ops/op_maxpool2d.h"

static const struct cnni_option options[] = {CNNI_POOLING_OPTIONS};

bool cnni_is_half_pool(const cnn_layer *layer)
{
    const struct cnni_pooling *pool = cnni_pooling(layer);
    return layer->class->kind == CNN_MAXPOOL2D && pool->window_height == 2 &&
           pool->window_width == 2 && pool->stride_height % 2 == 0 && pool->stride_height <= 2 &&
           pool->stride_width % 2 == 0 && pool->stride_width <= 2 && pool->padding_height == 0 &&
           pool->padding_width == 0;
}

/* The winner of a window is kept as a 32-bit number. */
static cnn_status check_winners(const cnn_layer *layer, int64_t r, int64_t s, const char *function)
{
    if (r <= INT32_MAX / s)
        return CNN_OK;
    return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                     "%s: layer \"%s\" has a %lldx%lld window, must have at most %d pixels",
                     function, layer->name, (long long)r, (long long)s, INT32_MAX);
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_maxpool2d *made,
                           const struct cnni_shape *input, const char *function)
{
    struct cnni_pooling_windows windows;
    CNNI_TRY(cnni_pooling_measure(layer, &windows, input, function));
    CNNI_TRY(check_winners(layer, windows.r, windows.s, function));
    *made = (struct cnni_maxpool2d){
        .h = input->dim[0],
        .w = input->dim[1],
        .c = input->dim[2],
        .r = windows.r,
        .s = windows.s,
        .oh = windows.oh,
        .ow = windows.ow,
        .stride_h = windows.stride_h,
        .stride_w = windows.stride_w,
        .pad_top = windows.pad_top,
        .pad_left = windows.pad_left,
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

const struct cnni_layer_class cnni_maxpool2d_class = {
    .kind = CNN_MAXPOOL2D,
    .name = "maxpool2d",
    .size = sizeof(struct cnni_pooling),
    .flags = CNNI_GATES_RELU,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .describe = cnni_pooling_describe,
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
    return cnni_layer_set_pair(layer, &cnni_maxpool2d_class, "stride", vertical, horizontal,
                               __func__);
}

cnn_status cnn_maxpool2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_maxpool2d_class, "padding", vertical, horizontal,
                               __func__);
}

/* ---- Whole pictures ---- */

static cnn_status global_shape(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_shape *input, const char *function)
{
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    CNNI_TRY(check_winners(layer, input->dim[0], input->dim[1], function));
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
