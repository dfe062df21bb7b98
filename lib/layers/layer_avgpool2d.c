/* SPDX-License-Identifier: MIT
 * Average pooling, of windows and of whole pictures: options and shape rules.  The work is in
 * ops/op_resample.c and, for the means of whole pictures, ops/op_mean.c. */
#include "base/error.h"
#include "layers/layer_pooling.h"
#include "layers/layer_resample.h"
#include "ops/op_mean.h"

struct avgpool2d {
    struct cnni_pooling pooling;
    int64_t count_padding; /* 1: zeros outside belong to the mean */
};

static const struct cnni_option options[] = {
    CNNI_POOLING_OPTIONS,
    CNNI_WHOLE_OPTION(avgpool2d, count_padding, 0, 1, 1),
};

static const struct avgpool2d *avgpool2d(const cnn_layer *layer)
{
    return (const struct avgpool2d *)layer;
}

/* ---- Windows ---- */

static cnn_status geometry(const cnn_layer *layer, struct cnni_resample2d *map,
                           const struct cnni_shape *input, const char *function)
{
    struct cnni_pooling_windows windows;
    CNNI_TRY(cnni_pooling_measure(layer, &windows, input, function));
    const bool counts = avgpool2d(layer)->count_padding != 0;
    const struct cnni_resample_axis axis = {
        .rule = counts ? CNNI_RESAMPLE_AVERAGE : CNNI_RESAMPLE_PARTIAL,
    };
    map->c = input->dim[2];
    map->rows = map->columns = axis;
    map->rows.inputs = input->dim[0];
    map->rows.outputs = windows.oh;
    map->rows.padding = windows.pad_top;
    map->rows.window = windows.r;
    map->rows.stride = windows.stride_h;
    map->columns.inputs = input->dim[1];
    map->columns.outputs = windows.ow;
    map->columns.padding = windows.pad_left;
    map->columns.window = windows.s;
    map->columns.stride = windows.stride_w;
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
    cnni_pooling_describe(layer, buffer, size);
    if (!avgpool2d(layer)->count_padding)
        cnni_append_text(buffer, size, " not counted");
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
    return cnni_layer_set_pair(layer, &cnni_avgpool2d_class, "stride", vertical, horizontal,
                               __func__);
}

cnn_status cnn_avgpool2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_avgpool2d_class, "padding", vertical, horizontal,
                               __func__);
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
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
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
