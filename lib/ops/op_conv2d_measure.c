/* SPDX-License-Identifier: MIT
 * How much memory a convolution needs: packed weights and scratch.  Sizes are worked out with
 * products that stop at the largest number, and checked at the end. */
#include "ops/op_conv2d.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

static int64_t pass_scratch_size(const struct cnni_pass *pass, int32_t lanes)
{
    if (pass->strips == 0)
        return 0;
    return cnni_size_sum(cnni_pass_offsets_size(pass),
                         cnni_size_product(cnni_pass_strip_size(pass), lanes));
}

/* Both sizes of backward-data, which are a sum and a maximum over its passes. */
static void measure_backward(int64_t *weights, int64_t *scratch, const struct cnni_conv2d *conv,
                             int64_t n, int32_t lanes, int32_t width)
{
    *weights = *scratch = 0;
    for (int64_t i = 0; i < cnni_pass_backward_count(conv); i++) {
        struct cnni_pass pass;
        cnni_pass_backward(&pass, conv, n, i);
        *weights = cnni_size_sum(*weights, cnni_packed_pass_size(&pass, width));
        *scratch = CNNI_MAX(*scratch, pass_scratch_size(&pass, lanes));
    }
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
    struct cnni_conv2d flat;
    int64_t n, backward_weights = 0, backward_data = 0, backward_filter = 0;
    if (!is_countable(conv, max_n))
        return fail_size(context, conv, function);
    cnni_conv2d_flatten(&flat, &n, conv, max_n);
    const int32_t width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns;
    struct cnni_pass pass;
    cnni_pass_forward(&pass, &flat, n);
    if (training) {
        measure_backward(&backward_weights, &backward_data, &flat, n, lanes, width);
        backward_filter = cnni_filter_scratch_size(context, &flat, n, lanes);
    }
    const int64_t all[] = {cnni_packed_pass_size(&pass, width), backward_weights,
                           pass_scratch_size(&pass, lanes), backward_data, backward_filter};
    for (int32_t i = 0; i < CNNI_COUNT(all); i++)
        if (all[i] > INT64_MAX / (int64_t)sizeof(float))
            return fail_size(context, conv, function);
    *sizes = (struct cnni_conv2d_sizes){(size_t)all[0], (size_t)all[1], (size_t)all[2],
                                        (size_t)all[3], (size_t)all[4]};
    return CNN_OK;
}
