/* SPDX-License-Identifier: MIT
 * Fully connected layer: a 1x1 convolution of 1x1 pictures, whose channels are the features; but
 * where single samples are predicted, the weights are read as they are: ops/op_dense.c. */
#include "base/error.h"
#include "layers/layer_filter.h"
#include "ops/op_dense.h"

struct dense {
    struct cnn_layer layer;
    int64_t units;
    int64_t bias;
};

static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(dense, units, 1, 1 << 24, 1),
    CNNI_WHOLE_OPTION(dense, bias, 0, 1, 1),
};

static const struct dense *dense(const cnn_layer *layer)
{
    return (const struct dense *)layer;
}

static cnn_status shape(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function)
{
    struct cnni_shape weights;
    char text[CNNI_SHAPE_TEXT];
    if (input->rank != 1)
        return cnni_fail(
            layer->context, CNN_ERROR_SHAPE,
            "%s: layer \"%s\" gets %s, a dense takes [features]: put a flatten before it", function,
            layer->name, cnni_shape_text(text, input));
    CNNI_TRY(cnni_shape_set(&weights, layer->context,
                            (int64_t[]){dense(layer)->units, input->dim[0]}, 2, function));
    *output = (struct cnni_shape){1, {dense(layer)->units}};
    return CNN_OK;
}

static int32_t parameters(const cnn_layer *layer, struct cnni_parameter *parameter,
                          const struct cnni_shape *input, const struct cnni_shape *origin)
{
    int64_t units = dense(layer)->units, features = input->dim[0];
    /* The features in the order of files, channel by channel, where they come from pictures
     * [h][w][c]. */
    bool pictures = origin->rank == 3;
    int64_t h = pictures ? origin->dim[0] : 1, w = pictures ? origin->dim[1] : 1;
    int64_t c = pictures ? origin->dim[2] : features;
    /* In files [units][c][h][w], in memory [h][w][c][units]. */
    parameter[CNN_WEIGHT] = (struct cnni_parameter){
        .shape = {2, {units, features}},
        .axis = {units, c, h, w},
        .step = {1, units, w * c * units, c * units},
        .fan_in = features,
        .fan_out = units,
    };
    parameter[CNN_BIAS] = (struct cnni_parameter){
        .shape = {1, {units}}, .axis = {units, 1, 1, 1}, .step = {1, 0, 0, 0}};
    return dense(layer)->bias ? 2 : 1;
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    plan->geometry.conv = (struct cnni_conv2d){
        .h = 1,
        .w = 1,
        .c = plan->input.dim[0],
        .k = dense(plan->layer)->units,
        .r = 1,
        .s = 1,
        .oh = 1,
        .ow = 1,
        .stride_h = 1,
        .stride_w = 1,
        .dilation_h = 1,
        .dilation_w = 1,
        .groups = 1,
    };
    const bool single = plan->max_n == 1 && !plan->training;
    return single ? CNN_OK : cnni_filter_plan(plan, function);
}

static void forward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    const cnn_layer *layer = plan->layer;
    if (plan->packed_forward > 0) {
        cnni_filter_forward(run);
        return;
    }
    const struct cnni_dense weights = {
        .c = plan->geometry.conv.c,
        .k = plan->geometry.conv.k,
        .w = layer->parameter[CNN_WEIGHT].value,
        .b = layer->parameter_count > CNN_BIAS ? layer->parameter[CNN_BIAS].value : NULL,
    };
    cnni_dense_forward(layer->context, plan->lanes, &weights, run->y, run->x[0],
                       plan->fused.activation.kind == CNN_RELU);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    cnni_append_text(buffer, size, " %lld%s", (long long)dense(layer)->units,
                     dense(layer)->bias ? "" : " no bias");
}

const struct cnni_layer_class cnni_dense_class = {
    .kind = CNN_DENSE,
    .name = "dense",
    .size = sizeof(struct dense),
    .flags = CNNI_BACKWARD_READS_INPUT | CNNI_TAKES_RELU,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .parameters = parameters,
    .plan = plan,
    .pack_forward = cnni_filter_pack_forward,
    .pack_backward = cnni_filter_pack_backward,
    .forward = forward,
    .backward = cnni_filter_backward,
    .explain = cnni_filter_explain,
    .describe = describe,
};

cnn_status cnn_dense_create(cnn_layer **layer, cnn_context *context, int64_t units)
{
    const struct cnni_setting setting = {"units", (double)units};
    return cnni_layer_create(layer, context, &cnni_dense_class, &setting, 1, __func__);
}

cnn_status cnn_dense_set_bias(cnn_layer *layer, int32_t bias)
{
    const struct cnni_setting setting = {"bias", (double)bias};
    return cnni_layer_set(layer, &cnni_dense_class, &setting, 1, __func__);
}
