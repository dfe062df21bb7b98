/* SPDX-License-Identifier: MIT
 * Transposed convolution: the convolution of the same kernel that goes from this layer's output to
 * its input, run the other way.  Forward is that one's backward-data, and backward its forward; in
 * `geometry.conv`, therefore, h, w and c are the output's, oh, ow and k the input's.  The work is
 * cut up in ops/op_conv2d.c. */
#include "base/error.h"
#include "layers/layer_filter.h"
#include "layers/layer_internal.h"
#include "ops/op_bias.h"

struct transposed {
    struct cnn_layer layer;
    int64_t filters, kernel_height, kernel_width;
    int64_t stride_height, stride_width;
    int64_t padding_height, padding_width;
    int64_t output_padding_height, output_padding_width;
    int64_t dilation_height, dilation_width;
    int64_t groups;
    int64_t bias;
};

/* Sizes are bounded so that no sum or product of a few of them can leave an int64_t. */
static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(transposed, filters, 1, 1 << 24, 1),
    CNNI_WHOLE_OPTION(transposed, kernel_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, kernel_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, stride_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, stride_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, padding_height, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(transposed, padding_width, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(transposed, output_padding_height, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(transposed, output_padding_width, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(transposed, dilation_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, dilation_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(transposed, groups, 1, 1 << 24, 1),
    CNNI_WHOLE_OPTION(transposed, bias, 0, 1, 1),
};

static const struct transposed *transposed(const cnn_layer *layer)
{
    return (const struct transposed *)layer;
}

/* ---- Shapes -------------------------------------------------------------------------------- */

/* One of the two directions: how many outputs there are.  Returns false for none, or more than can
 * be counted. */
static bool measure(int64_t *output, int64_t input, int64_t kernel, int64_t stride,
                    int64_t dilation, int64_t padding, int64_t output_padding)
{
    int64_t steps;
    const int64_t window = dilation * (kernel - 1) + 1;
    if (!cnni_mul_int64(&steps, input - 1, stride) ||
        !cnni_add_int64(output, steps, window + output_padding - 2 * padding))
        return false;
    return *output >= 1;
}

static cnn_status check_options(const cnn_layer *layer, const struct cnni_shape *input,
                                const char *function)
{
    const struct transposed *t = transposed(layer);
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    if (input->dim[2] % t->groups != 0 || t->filters % t->groups != 0)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has %lld groups, which must divide both its %lld input "
                         "channels and its %lld filters",
                         function, layer->name, (long long)t->groups, (long long)input->dim[2],
                         (long long)t->filters);
    if (t->output_padding_height >= CNNI_MAX(t->stride_height, t->dilation_height) ||
        t->output_padding_width >= CNNI_MAX(t->stride_width, t->dilation_width))
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has an output padding of %lldx%lld, which must be less "
                         "than its stride or its dilation",
                         function, layer->name, (long long)t->output_padding_height,
                         (long long)t->output_padding_width);
    return CNN_OK;
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_conv2d *made,
                           const struct cnni_shape *input, const char *function)
{
    const struct transposed *t = transposed(layer);
    char text[CNNI_SHAPE_TEXT];
    CNNI_TRY(check_options(layer, input, function));
    *made = (struct cnni_conv2d){
        .c = t->filters,
        .k = input->dim[2],
        .r = t->kernel_height,
        .s = t->kernel_width,
        .oh = input->dim[0],
        .ow = input->dim[1],
        .stride_h = t->stride_height,
        .stride_w = t->stride_width,
        .pad_top = t->padding_height,
        .pad_left = t->padding_width,
        .dilation_h = t->dilation_height,
        .dilation_w = t->dilation_width,
        .groups = t->groups,
    };
    if (measure(&made->h, made->oh, made->r, made->stride_h, made->dilation_h, made->pad_top,
                t->output_padding_height) &&
        measure(&made->w, made->ow, made->s, made->stride_w, made->dilation_w, made->pad_left,
                t->output_padding_width))
        return CNN_OK;
    return cnni_fail(
        layer->context, CNN_ERROR_SHAPE,
        "%s: layer \"%s\" makes no picture, or too large a one, of %s: padding %lldx%lld "
        "takes away from each side",
        function, layer->name, cnni_shape_text(text, input), (long long)t->padding_height,
        (long long)t->padding_width);
}

static cnn_status shape(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function)
{
    struct cnni_conv2d conv;
    struct cnni_shape weights;
    CNNI_TRY(geometry(layer, &conv, input, function));
    CNNI_TRY(cnni_shape_set(&weights, layer->context,
                            (int64_t[]){conv.k, conv.c / conv.groups, conv.r, conv.s}, 4,
                            function));
    return cnni_shape_set(output, layer->context, (int64_t[]){conv.h, conv.w, conv.c}, 3, function);
}

static int32_t parameters(const cnn_layer *layer, struct cnni_parameter parameter[2],
                          const struct cnni_shape *input, const struct cnni_shape *origin)
{
    (void)origin;
    const struct transposed *t = transposed(layer);
    const int64_t r = t->kernel_height, s = t->kernel_width;
    const int64_t k = input->dim[2], c = t->filters / t->groups;
    const int64_t reaching = k / t->groups * r * s / (t->stride_height * t->stride_width);
    /* In files [k][c][r][s], in memory [r][s][c][k]. */
    parameter[CNN_WEIGHT] = (struct cnni_parameter){
        .shape = {4, {k, c, r, s}},
        .axis = {k, c, r, s},
        .step = {1, k, s * c * k, c * k},
        .fan_in = CNNI_MAX(reaching, 1),
        .fan_out = c * r * s,
    };
    parameter[CNN_BIAS] = (struct cnni_parameter){
        .shape = {1, {t->filters}}, .axis = {t->filters, 1, 1, 1}, .step = {1, 0, 0, 0}};
    return t->bias ? 2 : 1;
}

/* ---- Running ------------------------------------------------------------------------------- */

/* Pixels of `n` outputs; INT64_MAX: too many. */
static int64_t output_pixels(const struct cnni_conv2d *conv, int64_t n)
{
    int64_t pixels;
    return cnni_mul_int64(&pixels, conv->h * conv->w, n) ? pixels : INT64_MAX;
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    struct cnni_conv2d_sizes floats;
    struct cnni_conv2d *conv = &plan->geometry.conv;
    cnn_context *context = plan->layer->context;
    CNNI_TRY(geometry(plan->layer, conv, &plan->input, function));
    CNNI_TRY(cnni_conv2d_measure(&floats, context, conv, plan->max_n, plan->lanes, true, function));
    const int64_t bias = cnni_bias_scratch_size(output_pixels(conv, plan->max_n), conv->c);
    const size_t backward =
        CNNI_MAX(CNNI_MAX(floats.forward, floats.backward_filter), (size_t)bias);
    if (!cnni_mul_size(&plan->packed_forward, floats.backward_weights, sizeof(float)) ||
        !cnni_mul_size(&plan->forward_scratch, floats.backward_data, sizeof(float)) ||
        !cnni_mul_size(&plan->packed_backward, plan->training ? floats.forward_weights : 0,
                       sizeof(float)) ||
        !cnni_mul_size(&plan->backward_scratch, backward, sizeof(float)))
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    return CNN_OK;
}

static void pack_forward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    cnni_conv2d_pack_backward(plan->layer->context, lanes, &plan->geometry.conv, packed,
                              plan->layer->parameter[CNN_WEIGHT].value);
}

static void pack_backward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    cnni_conv2d_pack_forward(plan->layer->context, lanes, &plan->geometry.conv, packed,
                             plan->layer->parameter[CNN_WEIGHT].value);
}

static struct cnni_conv2d_call call_for(const struct cnni_layer_run *run)
{
    return (struct cnni_conv2d_call){
        .context = run->plan->layer->context,
        .conv = &run->plan->geometry.conv,
        .n = run->n,
        .lanes = run->plan->lanes,
        .scratch = run->scratch,
    };
}

static void forward(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_conv2d_call call = call_for(run);
    const float *bias = layer->parameter_count > CNN_BIAS ? layer->parameter[CNN_BIAS].value : NULL;
    cnni_conv2d_transposed(&call, run->y, run->x[0], layer->forward.weights, bias,
                           run->plan->fused.activation.kind == CNN_RELU);
}

static void backward(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_conv2d_call call = call_for(run);
    if (!run->frozen)
        cnni_conv2d_backward_filter(&call, layer->parameter[CNN_WEIGHT].gradient, NULL, run->dy,
                                    run->x[0]);
    if (!run->frozen && layer->parameter_count > CNN_BIAS)
        cnni_bias_gradient(call.context, call.lanes, output_pixels(call.conv, run->n), call.conv->c,
                           layer->parameter[CNN_BIAS].gradient, run->dy, run->scratch);
    if (run->dx[0] != NULL)
        cnni_conv2d_forward(&call, run->dx[0], run->dy, layer->backward.weights, NULL, false);
}

/* ---- Descriptions -------------------------------------------------------------------------- */

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct transposed *t = transposed(layer);
    cnni_append_text(buffer, size, " %lld %lldx%lld", (long long)t->filters,
                     (long long)t->kernel_height, (long long)t->kernel_width);
    cnni_append_pair(buffer, size, "stride", t->stride_height, t->stride_width, 1);
    cnni_append_pair(buffer, size, "dilation", t->dilation_height, t->dilation_width, 1);
    cnni_append_pair(buffer, size, "padding", t->padding_height, t->padding_width, 0);
    cnni_append_pair(buffer, size, "output padding", t->output_padding_height,
                     t->output_padding_width, 0);
    if (t->groups != 1)
        cnni_append_text(buffer, size, " groups %lld", (long long)t->groups);
    if (!t->bias)
        cnni_append_text(buffer, size, " no bias");
}

const struct cnni_layer_class cnni_conv2d_transposed_class = {
    .kind = CNN_CONV2D_TRANSPOSED,
    .name = "conv2d_transposed",
    .size = sizeof(struct transposed),
    .flags = CNNI_BACKWARD_READS_INPUT | CNNI_TAKES_RELU,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .parameters = parameters,
    .plan = plan,
    .pack_forward = pack_forward,
    .pack_backward = pack_backward,
    .forward = forward,
    .backward = backward,
    .explain = cnni_filter_explain,
    .describe = describe,
};

/* ---- Creating and setting ------------------------------------------------------------------ */

cnn_status cnn_conv2d_transposed_create(cnn_layer **layer, cnn_context *context, int64_t filters,
                                        int64_t kernel_height, int64_t kernel_width)
{
    const struct cnni_setting settings[] = {
        {"filters", (double)filters},
        {"kernel_height", (double)kernel_height},
        {"kernel_width", (double)kernel_width},
    };
    return cnni_layer_create(layer, context, &cnni_conv2d_transposed_class, settings, 3, __func__);
}

cnn_status cnn_conv2d_transposed_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_transposed_class, "stride", vertical, horizontal,
                               __func__);
}

cnn_status cnn_conv2d_transposed_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_transposed_class, "padding", vertical,
                               horizontal, __func__);
}

cnn_status cnn_conv2d_transposed_set_output_padding(cnn_layer *layer, int64_t bottom, int64_t right)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_transposed_class, "output_padding", bottom,
                               right, __func__);
}

cnn_status cnn_conv2d_transposed_set_dilation(cnn_layer *layer, int64_t vertical,
                                              int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_transposed_class, "dilation", vertical,
                               horizontal, __func__);
}

cnn_status cnn_conv2d_transposed_set_groups(cnn_layer *layer, int64_t groups)
{
    const struct cnni_setting setting = {"groups", (double)groups};
    return cnni_layer_set(layer, &cnni_conv2d_transposed_class, &setting, 1, __func__);
}

cnn_status cnn_conv2d_transposed_set_bias(cnn_layer *layer, int32_t bias)
{
    const struct cnni_setting setting = {"bias", (double)bias};
    return cnni_layer_set(layer, &cnni_conv2d_transposed_class, &setting, 1, __func__);
}
