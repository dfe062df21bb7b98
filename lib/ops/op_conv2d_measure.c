/* SPDX-License-Identifier: MIT
 * How much memory a convolution needs: packed weights and scratch.  Sizes are worked out with
 * products that stop at the largest number, and checked at the end. */
#include "ops/op_conv2d.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"
#include "ops/op_depthwise.h"
#include "ops/op_winograd.h"

static int64_t pass_scratch_size(const struct cnni_pass *pass, int32_t lanes)
{
    if (pass->strips == 0)
        return 0;
    return cnni_size_sum(
        cnni_pass_offsets_size(pass),
        cnni_size_product(cnni_size_sum(cnni_pass_strip_size(pass), cnni_pass_outputs_size(pass)),
                          lanes));
}

/* As struct cnni_conv2d_sizes; INT64_MAX: too much. */
struct sizes {
    int64_t forward_weights, backward_weights;
    int64_t forward, backward_data, backward_filter;
};

/* Backward-data's sizes are a sum and a maximum over its passes. */
static void measure_direct(struct sizes *sizes, cnn_context *context,
                           const struct cnni_conv2d *conv, int64_t max_n, int32_t lanes,
                           bool training)
{
    const int32_t width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns;
    struct cnni_conv2d flat;
    struct cnni_pass pass;
    int64_t n;
    cnni_conv2d_flatten(&flat, &n, conv, max_n);
    cnni_pass_forward(&pass, &flat, n);
    sizes->forward_weights = cnni_packed_pass_size(&pass, width);
    sizes->forward = pass_scratch_size(&pass, lanes);
    for (int64_t i = 0; training && i < cnni_pass_backward_count(&flat); i++) {
        cnni_pass_backward(&pass, &flat, n, i);
        sizes->backward_weights =
            cnni_size_sum(sizes->backward_weights, cnni_packed_pass_size(&pass, width));
        sizes->backward_data = CNNI_MAX(sizes->backward_data, pass_scratch_size(&pass, lanes));
    }
}

static void measure_winograd(struct sizes *sizes, cnn_context *context,
                             const struct cnni_conv2d *conv, int64_t max_n, int32_t lanes,
                             bool training)
{
    struct cnni_winograd_pass pass;
    cnni_winograd_forward_pass(&pass, conv, max_n);
    sizes->forward_weights = cnni_winograd_packed_size(context, &pass);
    sizes->forward = cnni_winograd_scratch_size(&pass, lanes);
    if (!training)
        return;
    cnni_winograd_backward_pass(&pass, conv, max_n);
    sizes->backward_weights = cnni_winograd_packed_size(context, &pass);
    sizes->backward_data = cnni_winograd_scratch_size(&pass, lanes);
}

static void measure_depthwise(struct sizes *sizes, const struct cnni_conv2d *conv, bool training)
{
    sizes->forward_weights = cnni_depthwise_packed_size(conv);
    sizes->forward = cnni_depthwise_forward_scratch_size(conv);
    if (!training)
        return;
    sizes->backward_weights = cnni_depthwise_packed_size(conv);
    sizes->backward_data = cnni_depthwise_backward_scratch_size(conv);
}

static int64_t measure_filter(cnn_context *context, const struct cnni_conv2d *conv, int64_t max_n,
                              int32_t lanes)
{
    struct cnni_conv2d flat;
    int64_t n;
    if (conv->filter_tile > 0)
        return cnni_winograd_filter_scratch_size(context, conv, max_n, lanes);
    if (cnni_depthwise_suits(conv))
        return cnni_depthwise_filter_scratch_size(conv, max_n, lanes);
    cnni_conv2d_flatten(&flat, &n, conv, max_n);
    return cnni_filter_scratch_size(context, &flat, n, lanes);
}

static bool fit(size_t *size, int64_t floats)
{
    *size = (size_t)floats;
    return floats <= INT64_MAX / (int64_t)sizeof(float);
}

/* Whether the pixels of all inputs and outputs can be counted: what the passes rely on. */
static bool is_countable(const struct cnni_conv2d *conv, int64_t n)
{
    const int64_t pixels =
        CNNI_MAX(cnni_size_product(conv->h, conv->w), cnni_size_product(conv->oh, conv->ow));
    return cnni_size_product(n, pixels) < INT64_MAX;
}

static cnn_status fail_size(cnn_context *context, const struct cnni_conv2d *conv,
                            const char *function)
{
    return cnni_fail(context, CNN_ERROR_SHAPE,
                     "%s: the memory of a convolution of %lld x %lld x %lld inputs does not fit "
                     "into a size_t, wanted a smaller shape",
                     function, (long long)conv->h, (long long)conv->w, (long long)conv->c);
}

cnn_status cnni_conv2d_measure(struct cnni_conv2d_sizes *sizes, cnn_context *context,
                               const struct cnni_conv2d *conv, int64_t max_n, int32_t lanes,
                               bool training, const char *function)
{
    if (!is_countable(conv, max_n))
        return fail_size(context, conv, function);
    struct sizes all = {0};
    if (conv->tile > 0)
        measure_winograd(&all, context, conv, max_n, lanes, training);
    else if (cnni_depthwise_suits(conv))
        measure_depthwise(&all, conv, training);
    else
        measure_direct(&all, context, conv, max_n, lanes, training);
    if (training)
        all.backward_filter = measure_filter(context, conv, max_n, lanes);
    const bool fits = fit(&sizes->forward_weights, all.forward_weights) &&
                      fit(&sizes->backward_weights, all.backward_weights) &&
                      fit(&sizes->forward, all.forward) &&
                      fit(&sizes->backward_data, all.backward_data) &&
                      fit(&sizes->backward_filter, all.backward_filter);
    return fits ? CNN_OK : fail_size(context, conv, function);
}
