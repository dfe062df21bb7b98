/* SPDX-License-Identifier: MIT
 * Padding and cropping: options and shape rule.  The work is in ops/op_resample.c. */
#include "base/error.h"
#include "layers/layer_resample.h"

struct pad2d {
    struct cnn_layer layer;
    int64_t top, left, bottom, right; /* below 0: cut off */
    int64_t mode;
};

static const struct {
    const char *name;
    cnni_resample_rule rule;
} modes[] = {
    [CNN_PAD_ZEROS] = {"zeros", CNNI_RESAMPLE_SHIFT},
    [CNN_PAD_REFLECT] = {"reflect", CNNI_RESAMPLE_REFLECT},
    [CNN_PAD_REPLICATE] = {"replicate", CNNI_RESAMPLE_REPLICATE},
};

static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(pad2d, top, -(1 << 16), 1 << 16, 0),
    CNNI_WHOLE_OPTION(pad2d, left, -(1 << 16), 1 << 16, 0),
    CNNI_WHOLE_OPTION(pad2d, bottom, -(1 << 16), 1 << 16, 0),
    CNNI_WHOLE_OPTION(pad2d, right, -(1 << 16), 1 << 16, 0),
    CNNI_WHOLE_OPTION(pad2d, mode, CNN_PAD_ZEROS, CNN_PAD_REPLICATE, CNN_PAD_ZEROS),
};

static const struct pad2d *pad2d(const cnn_layer *layer)
{
    return (const struct pad2d *)layer;
}

/* One of the two directions; false where nothing is left, or a mirror reaches beyond the input. */
static bool extend(struct cnni_resample_axis *axis, const struct pad2d *pad, int64_t inputs,
                   int64_t before, int64_t after)
{
    *axis = (struct cnni_resample_axis){.rule = modes[pad->mode].rule,
                                        .inputs = inputs,
                                        .outputs = inputs + before + after,
                                        .padding = before};
    const bool mirrors = pad->mode != CNN_PAD_REFLECT || CNNI_MAX(before, after) < inputs;
    return mirrors && before > -inputs && after > -inputs && axis->outputs > 0;
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_resample2d *map,
                           const struct cnni_shape *input, const char *function)
{
    const struct pad2d *pad = pad2d(layer);
    char text[CNNI_SHAPE_TEXT];
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    map->c = input->dim[2];
    if (extend(&map->rows, pad, input->dim[0], pad->top, pad->bottom) &&
        extend(&map->columns, pad, input->dim[1], pad->left, pad->right))
        return CNN_OK;
    return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                     "%s: layer \"%s\" adds %lld, %lld, %lld, %lld at the top, left, bottom and "
                     "right of %s; something must be left, and reflections be smaller than it",
                     function, layer->name, (long long)pad->top, (long long)pad->left,
                     (long long)pad->bottom, (long long)pad->right, cnni_shape_text(text, input));
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
    const struct pad2d *pad = pad2d(layer);
    cnni_append_text(buffer, size, " %lld %lld %lld %lld", (long long)pad->top,
                     (long long)pad->left, (long long)pad->bottom, (long long)pad->right);
    if (pad->mode != CNN_PAD_ZEROS)
        cnni_append_text(buffer, size, " %s", modes[pad->mode].name);
}

const struct cnni_layer_class cnni_pad2d_class = {
    .kind = CNN_PAD2D,
    .name = "pad2d",
    .size = sizeof(struct pad2d),
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

cnn_status cnn_pad2d_create(cnn_layer **layer, cnn_context *context, int64_t top, int64_t left,
                            int64_t bottom, int64_t right)
{
    const struct cnni_setting settings[] = {
        {"top", (double)top},
        {"left", (double)left},
        {"bottom", (double)bottom},
        {"right", (double)right},
    };
    return cnni_layer_create(layer, context, &cnni_pad2d_class, settings, 4, __func__);
}

const char *cnn_pad_mode_name(cnn_pad_mode mode)
{
    const bool known = mode >= CNN_PAD_ZEROS && mode <= CNN_PAD_REPLICATE;
    return known ? modes[mode].name : "unknown pad mode";
}

cnn_status cnn_pad2d_set_mode(cnn_layer *layer, cnn_pad_mode mode)
{
    const struct cnni_setting setting = {"mode", (double)mode};
    return cnni_layer_set(layer, &cnni_pad2d_class, &setting, 1, __func__);
}
