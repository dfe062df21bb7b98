/* SPDX-License-Identifier: MIT
 * Up-sampling by whole factors: options and shape rule.  The work is in ops/op_resample.c. */
#include "layers/layer_resample.h"

struct upsample2d {
    struct cnn_layer layer;
    int64_t factor_height, factor_width;
    int64_t interpolation;
};

static const struct {
    const char *name;
    cnni_resample_rule rule;
} interpolations[] = {
    [CNN_NEAREST] = {"nearest", CNNI_RESAMPLE_NEAREST},
    [CNN_BILINEAR] = {"bilinear", CNNI_RESAMPLE_LINEAR},
};

static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(upsample2d, factor_height, 1, 1 << 10, 1),
    CNNI_WHOLE_OPTION(upsample2d, factor_width, 1, 1 << 10, 1),
    CNNI_WHOLE_OPTION(upsample2d, interpolation, CNN_NEAREST, CNN_BILINEAR, CNN_NEAREST),
};

static const struct upsample2d *upsample2d(const cnn_layer *layer)
{
    return (const struct upsample2d *)layer;
}

/* Outputs that no number can count are refused as a shape. */
static struct cnni_resample_axis enlarged(const cnn_layer *layer, int64_t inputs, int64_t factor)
{
    int64_t outputs = INT64_MAX;
    cnni_mul_int64(&outputs, inputs, factor);
    return (struct cnni_resample_axis){
        .rule = interpolations[upsample2d(layer)->interpolation].rule,
        .inputs = inputs,
        .outputs = outputs,
        .factor = factor,
    };
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_resample2d *map,
                           const struct cnni_shape *input, const char *function)
{
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    map->c = input->dim[2];
    map->rows = enlarged(layer, input->dim[0], upsample2d(layer)->factor_height);
    map->columns = enlarged(layer, input->dim[1], upsample2d(layer)->factor_width);
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
    const struct upsample2d *up = upsample2d(layer);
    cnni_append_text(buffer, size, " %lldx%lld", (long long)up->factor_height,
                     (long long)up->factor_width);
    if (up->interpolation != CNN_NEAREST)
        cnni_append_text(buffer, size, " %s", interpolations[up->interpolation].name);
}

const struct cnni_layer_class cnni_upsample2d_class = {
    .kind = CNN_UPSAMPLE2D,
    .name = "upsample2d",
    .size = sizeof(struct upsample2d),
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

cnn_status cnn_upsample2d_create(cnn_layer **layer, cnn_context *context, int64_t factor_height,
                                 int64_t factor_width)
{
    const struct cnni_setting settings[] = {
        {"factor_height", (double)factor_height},
        {"factor_width", (double)factor_width},
    };
    return cnni_layer_create(layer, context, &cnni_upsample2d_class, settings, 2, __func__);
}

const char *cnn_interpolation_name(cnn_interpolation interpolation)
{
    const bool known = interpolation >= CNN_NEAREST && interpolation <= CNN_BILINEAR;
    return known ? interpolations[interpolation].name : "unknown interpolation";
}

cnn_status cnn_upsample2d_set_interpolation(cnn_layer *layer, cnn_interpolation interpolation)
{
    const struct cnni_setting setting = {"interpolation", (double)interpolation};
    return cnni_layer_set(layer, &cnni_upsample2d_class, &setting, 1, __func__);
}
