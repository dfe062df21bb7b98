/* SPDX-License-Identifier: MIT
 * Two-dimensional convolution: options, shape rule, parameters.  The work is cut up in
 * ops/op_conv2d.c. */
#include "base/error.h"
#include "layers/layer_filter.h"

struct conv2d {
    struct cnn_layer layer;
    int64_t filters, kernel_height, kernel_width;
    int64_t stride_height, stride_width;
    int64_t padding_top, padding_left, padding_bottom, padding_right;
    int64_t padding_same; /* 1: the four above follow from the input */
    int64_t dilation_height, dilation_width;
    int64_t groups;
    int64_t bias;
    int64_t algorithm;
};

static const struct {
    const char *name;
    int32_t most_tile; /* of Winograd's outputs */
} algorithms[] = {
    [CNN_EXACT] = {"exact", 0},
    [CNN_BALANCED] = {"balanced", 2},
    [CNN_FAST] = {"fast", 4},
};

/* Sizes are bounded so that no sum or product of a few of them can leave an int64_t. */
static const struct cnni_option options[] = {
    CNNI_WHOLE_OPTION(conv2d, filters, 1, 1 << 24, 1),
    CNNI_WHOLE_OPTION(conv2d, kernel_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, kernel_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, stride_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, stride_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, padding_top, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(conv2d, padding_left, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(conv2d, padding_bottom, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(conv2d, padding_right, 0, 1 << 16, 0),
    CNNI_WHOLE_OPTION(conv2d, padding_same, 0, 1, 0),
    CNNI_WHOLE_OPTION(conv2d, dilation_height, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, dilation_width, 1, 1 << 16, 1),
    CNNI_WHOLE_OPTION(conv2d, groups, 1, 1 << 24, 1),
    CNNI_WHOLE_OPTION(conv2d, bias, 0, 1, 1),
    CNNI_WHOLE_OPTION(conv2d, algorithm, CNN_EXACT, CNN_FAST, CNN_FAST),
};

static const struct conv2d *conv2d(const cnn_layer *layer)
{
    return (const struct conv2d *)layer;
}

/* One of the two directions: how many outputs there are, and how many zeros come before the input.
 * Returns false when the window does not fit. */
static bool measure(int64_t *output, int64_t *before, int64_t input, int64_t kernel, int64_t stride,
                    int64_t dilation, int64_t padding_before, int64_t padding_after, bool same)
{
    int64_t window = dilation * (kernel - 1) + 1;
    if (same) {
        *output = cnni_ceil_div(input, stride);
        *before = CNNI_MAX((*output - 1) * stride + window - input, 0) / 2;
        return true;
    }
    int64_t room = input + padding_before + padding_after - window;
    *output = room < 0 ? 0 : room / stride + 1;
    *before = padding_before;
    return room >= 0;
}

static cnn_status geometry(const cnn_layer *layer, struct cnni_conv2d *made,
                           const struct cnni_shape *input, const char *function)
{
    const struct conv2d *conv = conv2d(layer);
    char text[CNNI_SHAPE_TEXT];
    CNNI_TRY(cnni_layer_check_picture(layer, input, function));
    int64_t h = input->dim[0], w = input->dim[1], c = input->dim[2];
    if (c % conv->groups != 0 || conv->filters % conv->groups != 0)
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" has %lld groups, which must divide both its %lld input "
                         "channels and its %lld filters",
                         function, layer->name, (long long)conv->groups, (long long)c,
                         (long long)conv->filters);
    *made = (struct cnni_conv2d){
        .h = h,
        .w = w,
        .c = c,
        .k = conv->filters,
        .r = conv->kernel_height,
        .s = conv->kernel_width,
        .stride_h = conv->stride_height,
        .stride_w = conv->stride_width,
        .dilation_h = conv->dilation_height,
        .dilation_w = conv->dilation_width,
        .groups = conv->groups,
    };
    bool same = conv->padding_same != 0;
    bool rows = measure(&made->oh, &made->pad_top, h, made->r, made->stride_h, made->dilation_h,
                        conv->padding_top, conv->padding_bottom, same);
    bool columns = measure(&made->ow, &made->pad_left, w, made->s, made->stride_w, made->dilation_w,
                           conv->padding_left, conv->padding_right, same);
    if (rows && columns)
        return CNN_OK;
    return cnni_fail(
        layer->context, CNN_ERROR_SHAPE,
        "%s: layer \"%s\" has a %lldx%lld kernel (dilation %lldx%lld), larger than its "
        "padded input %s",
        function, layer->name, (long long)made->r, (long long)made->s, (long long)made->dilation_h,
        (long long)made->dilation_w, cnni_shape_text(text, input));
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
    return cnni_shape_set(output, layer->context, (int64_t[]){conv.oh, conv.ow, conv.k}, 3,
                          function);
}

static int32_t parameters(const cnn_layer *layer, struct cnni_parameter *parameter,
                          const struct cnni_shape *input, const struct cnni_shape *origin)
{
    (void)origin;
    const struct conv2d *conv = conv2d(layer);
    int64_t k = conv->filters, r = conv->kernel_height, s = conv->kernel_width;
    int64_t c = input->dim[2] / conv->groups;
    /* In files [k][c][r][s], in memory [r][s][c][k]. */
    parameter[CNN_WEIGHT] = (struct cnni_parameter){
        .shape = {4, {k, c, r, s}},
        .axis = {k, c, r, s},
        .step = {1, k, s * c * k, c * k},
        .fan_in = c * r * s,
        .fan_out = k / conv->groups * r * s,
    };
    parameter[CNN_BIAS] =
        (struct cnni_parameter){.shape = {1, {k}}, .axis = {k, 1, 1, 1}, .step = {1, 0, 0, 0}};
    return conv->bias ? 2 : 1;
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    CNNI_TRY(geometry(plan->layer, &plan->geometry.conv, &plan->input, function));
    cnni_conv2d_choose(&plan->geometry.conv, algorithms[conv2d(plan->layer)->algorithm].most_tile,
                       plan->max_n);
    plan->geometry.conv.pooled = plan->fused.pool;
    return cnni_filter_plan(plan, function);
}

static bool takes_pool(const cnn_layer *layer)
{
    return conv2d(layer)->groups == 1;
}

static void describe_padding(const struct conv2d *conv, char *buffer, size_t size)
{
    const long long top = conv->padding_top, left = conv->padding_left;
    const long long bottom = conv->padding_bottom, right = conv->padding_right;
    if (conv->padding_same)
        cnni_append_text(buffer, size, " padding same");
    else if (top != bottom || left != right)
        cnni_append_text(buffer, size, " padding top %lld left %lld bottom %lld right %lld", top,
                         left, bottom, right);
    else if (top > 0 || left > 0)
        cnni_append_text(buffer, size, " padding %lldx%lld", top, left);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct conv2d *conv = conv2d(layer);
    cnni_append_text(buffer, size, " %lld %lldx%lld", (long long)conv->filters,
                     (long long)conv->kernel_height, (long long)conv->kernel_width);
    cnni_append_pair(buffer, size, "stride", conv->stride_height, conv->stride_width, 1);
    cnni_append_pair(buffer, size, "dilation", conv->dilation_height, conv->dilation_width, 1);
    describe_padding(conv, buffer, size);
    if (conv->groups != 1)
        cnni_append_text(buffer, size, " groups %lld", (long long)conv->groups);
    if (!conv->bias)
        cnni_append_text(buffer, size, " no bias");
    if (conv->algorithm != CNN_FAST)
        cnni_append_text(buffer, size, " %s", algorithms[conv->algorithm].name);
}

const struct cnni_layer_class cnni_conv2d_class = {
    .kind = CNN_CONV2D,
    .name = "conv2d",
    .size = sizeof(struct conv2d),
    .flags = CNNI_BACKWARD_READS_INPUT | CNNI_TAKES_RELU | CNNI_TAKES_NORM,
    .takes_pool = takes_pool,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = shape,
    .parameters = parameters,
    .plan = plan,
    .pack_forward = cnni_filter_pack_forward,
    .pack_folded = cnni_filter_pack_folded,
    .pack_backward = cnni_filter_pack_backward,
    .forward = cnni_filter_forward,
    .backward = cnni_filter_backward,
    .explain = cnni_filter_explain,
    .describe = describe,
};

cnn_status cnn_conv2d_create(cnn_layer **layer, cnn_context *context, int64_t filters,
                             int64_t kernel_height, int64_t kernel_width)
{
    const struct cnni_setting settings[] = {
        {"filters", (double)filters},
        {"kernel_height", (double)kernel_height},
        {"kernel_width", (double)kernel_width},
    };
    return cnni_layer_create(layer, context, &cnni_conv2d_class, settings, 3, __func__);
}

cnn_status cnn_conv2d_set_stride(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_class, "stride", vertical, horizontal, __func__);
}

static cnn_status set_padding(cnn_layer *layer, int64_t top, int64_t left, int64_t bottom,
                              int64_t right, const char *function)
{
    const struct cnni_setting settings[] = {
        {"padding_top", (double)top},
        {"padding_left", (double)left},
        {"padding_bottom", (double)bottom},
        {"padding_right", (double)right},
        {"padding_same", 0},
    };
    return cnni_layer_set(layer, &cnni_conv2d_class, settings, 5, function);
}

cnn_status cnn_conv2d_set_padding(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return set_padding(layer, vertical, horizontal, vertical, horizontal, __func__);
}

cnn_status cnn_conv2d_set_padding_sides(cnn_layer *layer, int64_t top, int64_t left, int64_t bottom,
                                        int64_t right)
{
    return set_padding(layer, top, left, bottom, right, __func__);
}

cnn_status cnn_conv2d_set_padding_same(cnn_layer *layer)
{
    const struct cnni_setting settings[] = {
        {"padding_top", 0},   {"padding_left", 0}, {"padding_bottom", 0},
        {"padding_right", 0}, {"padding_same", 1},
    };
    return cnni_layer_set(layer, &cnni_conv2d_class, settings, 5, __func__);
}

cnn_status cnn_conv2d_set_dilation(cnn_layer *layer, int64_t vertical, int64_t horizontal)
{
    return cnni_layer_set_pair(layer, &cnni_conv2d_class, "dilation", vertical, horizontal,
                               __func__);
}

cnn_status cnn_conv2d_set_groups(cnn_layer *layer, int64_t groups)
{
    const struct cnni_setting setting = {"groups", (double)groups};
    return cnni_layer_set(layer, &cnni_conv2d_class, &setting, 1, __func__);
}

cnn_status cnn_conv2d_set_bias(cnn_layer *layer, int32_t bias)
{
    const struct cnni_setting setting = {"bias", (double)bias};
    return cnni_layer_set(layer, &cnni_conv2d_class, &setting, 1, __func__);
}

/* ---- Algorithms ---- */

const char *cnn_algorithm_name(cnn_algorithm algorithm)
{
    const bool known = algorithm >= CNN_EXACT && algorithm <= CNN_FAST;
    return known ? algorithms[algorithm].name : "unknown algorithm";
}

cnn_status cnn_conv2d_set_algorithm(cnn_layer *layer, cnn_algorithm algorithm)
{
    const struct cnni_setting setting = {"algorithm", (double)algorithm};
    return cnni_layer_set(layer, &cnni_conv2d_class, &setting, 1, __func__);
}

void cnni_conv2d_allow(cnn_layer *layer, cnn_algorithm algorithm)
{
    if (layer->class == &cnni_conv2d_class)
        ((struct conv2d *)layer)->algorithm = algorithm;
}
