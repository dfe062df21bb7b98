/* SPDX-License-Identifier: MIT
 * Average pooling, of windows and of whole pictures: options and shape rules.  The work is in
 * ops/op_resample.c and, for the means of whole pictures, ops/op_mean.c. */
#include "base/error.h"
#include "layers/layer_resample.h"
#include "ops/op_mean.h"

struct avgpool2d {
    struct cnn_layer layer;
    int64_t window_height, window_width;
    int64_t stride_height, stride_width; /* 0: the window's */
    int64_t padding_height, padding_width;
    int64_t count_padding; /* 1: zeros outside belong to the mean */
};

static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(avgpool2d, window_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(avgpool2d, window_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(avgpool2d, stride_height, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(avgpool2d, stride_width, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(avgpool2d, padding_height, 0, 1 << 15, 0),
    CNNI_WHOLE_OPTION(avgpool2d, padding_width, 0, 1 << 15, 0),
    CNNI_WHOLE_OPTION(avgpool2d, count_padding, 0, 1, 1),
};

static const struct avgpool2d *avgpool2d(const cnn_layer *layer)
{
    return (const struct avgpool2d *)layer;
}

/* ---- Windows ---- */

/* One of the two directions; where the window does not fit, there are no outputs. */
static struct cnni_resample_axis windows(const struct avgpool2d *pool, int64_t inputs,
                                         int64_t window, int64_t stride, int64_t padding)
{
    const int64_t step = stride > 0 ? stride : window, room = inputs + 2 * padding - window;
    return (struct cnni_resample_axis){
        .rule = pool->count_padding ? CNNI_RESAMPLE_AVERAGE : CNNI_RESAMPLE_PARTIAL,
        .inputs = inputs,
        .outputs = room < 0 ? 0 : room / step + 1,
        .padding = padding,
        .window = window,
        .stride = step,
    };
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_resample2d *map,
                           const struct cnni_shape *input, const char *function)
{
    const struct avgpool2d *pool = avgpool2d(layer);
    char text[CNNI_SHAPE_TEXT];
    CNNI_TRY(cnni_resample_check(layer, input, function));
    if (2 * pool->padding_height > pool->window_height ||
        2 * pool->padding_width > pool->window_width)
        return cnni_fail(
            layer->context, CNN_ERROR_SHAPE,
            "%s: layer \"%s\" has padding %lldx%lld, must be at most half of its window "
            "%lldx%lld",
            function, layer->name, (long long)pool->padding_height, (long long)pool->padding_width,
            (long long)pool->window_height, (long long)pool->window_width);
    map->c = input->dim[2];
    map->rows = windows(pool, input->dim[0], pool->window_height, pool->stride_height,
                        pool->padding_height);
    map->columns =
        windows(pool, input->dim[1], pool->window_width, pool->stride_width, pool->padding_width);
    if (map->rows.outputs == 0 || map->columns.outputs == 0)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has a %lldx%lld window, larger than its padded input %s",
                         function, layer->name, (long long)pool->window_height,
                         (long long)pool->window_width, cnni_shape_text(text, input));
    return CNN_OK;
}

static cnn_status shape(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function)
{
    struct cnni_resample2d map;
    CNNI_TRY(geometry(layer, &map, input, function));
    return cnni_resample_shape(layer, output, &map, function);
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    CNNI_TRY(geometry(plan->layer, &plan->geometry.resample, &plan->input, function));
    return cnni_resample_plan(plan, function);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct avgpool2d *pool = avgpool2d(layer);
    const int64_t stride_h = pool->stride_height > 0 ? pool->stride_height : pool->window_height;
    const int64_t stride_w = pool->stride_width > 0 ? pool->stride_width : pool->window_width;
    cnni_append_text(buffer, size, " %lldx%lld", (long long)pool->window_height,
                     (long long)pool->window_width);
    if (stride_h != pool->window_height || stride_w != pool->window_width)
        cnni_append_text(buffer, size, " stride %lldx%lld", (long long)stride_h,
                         (long long)stride_w);
    if (pool->padding_height > 0 || pool->padding_width > 0)
        cnni_append_text(buffer, size, " padding %lldx%lld%s", (long long)pool->padding_height,
                         (long long)pool->padding_width, pool->count_padding ? "" : " not counted");
}

const struct cnni_layer_class cnni_avgpool2d_class = {
    .kind = CNN_AVGPOOL2D,
    .name = "avgpool2d",
    .size = sizeof(struct avgpool2d),
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .plan = plan,
    .forward = cnni_layer_resample_forward,
    .backward = cnni_layer_resample_backward,
    .describe = describe,
};

cnn_status cnn_avgpool2d_create(cnn_layer **layer, cnn_context *context, int64_t window_height,
                                int64_t window_width)
{
    const struct cnni_setting settings[] = {
        {"window_height", (double)window_height},
        {"window_width", (double)window_width},
    };
    return cnni_layer_create(layer, context, &cnni_avgpool2d_class, settings, 2, __func__);
}

cnn_status cnn_avgpool2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    const struct cnni_setting settings[] = {
        {"stride_height", (double)vertical},
        {"stride_width", (double)horizontal},
    };
    return cnni_layer_set(layer, &cnni_avgpool2d_class, settings, 2, __func__);
}

cnn_status cnn_avgpool2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    const struct cnni_setting settings[] = {
        {"padding_height", (double)vertical},
        {"padding_width", (double)horizontal},
    };
    return cnni_layer_set(layer, &cnni_avgpool2d_class, settings, 2, __func__);
}

cnn_status cnn_avgpool2d_set_count_padding(cnn_layer *layer, int32_t count)
{
    const struct cnni_setting setting = {"count_padding", count};
    return cnni_layer_set(layer, &cnni_avgpool2d_class, &setting, 1, __func__);
}

/* ---- Whole pictures ---- */

static cnn_status global_shape(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_shape *input, const char *function)
{
    CNNI_TRY(cnni_resample_check(layer, input, function));
    *output = (struct cnni_shape){1, {input->dim[2]}};
    return CNN_OK;
}

static struct cnni_resample_axis whole(int64_t inputs)
{
    return (struct cnni_resample_axis){
        .inputs = inputs, .outputs = 1, .window = inputs, .stride = inputs};
}

static cnn_status global_plan(struct cnni_layer_plan *plan, const char *function)
{
    const int64_t h = plan->input.dim[0], w = plan->input.dim[1];
    plan->geometry.resample =
        (struct cnni_resample2d){.rows = whole(h), .columns = whole(w), .c = plan->input.dim[2]};
    CNNI_TRY(cnni_resample_plan(plan, function));
    if (!cnni_mean_scratch_bytes(&plan->forward_scratch, h * w, plan->lanes))
        return cnni_fail(plan->layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    return CNN_OK;
}

static void global_forward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    cnni_mean_forward(plan->layer->context, plan->lanes, run->n,
                      plan->input.dim[0] * plan->input.dim[1], plan->input.dim[2], run->y,
                      run->x[0], run->scratch);
}

const struct cnni_layer_class cnni_global_avgpool2d_class = {
    .kind = CNN_GLOBAL_AVGPOOL2D,
    .name = "global_avgpool2d",
    .size = sizeof(struct cnn_layer),
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = global_shape,
    .plan = global_plan,
    .forward = global_forward,
    .backward = cnni_layer_resample_backward,
};

cnn_status cnn_global_avgpool2d_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_global_avgpool2d_class, NULL, 0, __func__);
}
