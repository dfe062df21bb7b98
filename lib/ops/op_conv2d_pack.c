/* SPDX-License-Identifier: MIT
 * Packs convolution weights into the panels that the row-tap kernel reads.  Forward and backward-data
 * differ in which of the two channel indices becomes the vector: the strides of one loop. */
#include "ops/op_conv2d_pass.h"

#include <string.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"

int64_t cnni_packed_panel_size(const struct cnni_pass *pass, int32_t width)
{
    const int64_t taps = cnni_size_product(pass->h.taps, pass->w.taps);
    return cnni_size_product(cnni_size_product(taps, pass->source_channels), width);
}

int64_t cnni_packed_pass_size(const struct cnni_pass *pass, int32_t width)
{
    if (pass->depthwise)
        return pass->h.taps * pass->w.taps * pass->groups;
    const int64_t panels = pass->groups * cnni_ceil_div(pass->target_channels, width);
    return cnni_size_product(panels, cnni_packed_panel_size(pass, width));
}

/* The packing of one pass.  An element of the weights is at
 * w[tap * tap_stride + group * group_stride + source channel * source_stride + target channel * target_stride]. */
struct packing {
    const struct cnni_conv2d *conv;
    struct cnni_pass pass;
    int64_t group_stride, source_stride, target_stride;
    int32_t width;
    float *packed;
    const float *w;
};

static const float *tap_weights(const struct packing *packing, int64_t tap)
{
    const struct cnni_axis *h = &packing->pass.h, *w = &packing->pass.w;
    const int64_t r = h->kernel_first + tap / w->taps * h->kernel_step;
    const int64_t s = w->kernel_first + tap % w->taps * w->kernel_step;
    const struct cnni_conv2d *conv = packing->conv;
    return packing->w + (r * conv->s + s) * (conv->c / conv->groups) * conv->k;
}

enum { BLOCK = 64 }; /* of source channels: what is written stays in the L1 cache */

/* [count][width] from rows that lie `source_stride` apart, `filled` columns of them, `target_stride` apart. */
static void pack_block(const struct packing *packing, float *packed, const float *w, int64_t count,
                       int32_t filled)
{
    const int32_t width = packing->width;
    if (filled < width)
        memset(packed, 0, (size_t)(count * width) * sizeof *packed);
    if (packing->target_stride == 1)
        for (int64_t d = 0; d < count; d++)
            memcpy(packed + d * width, w + d * packing->source_stride, (size_t)filled * sizeof *w);
    else
        for (int32_t j = 0; j < filled; j++)
            for (int64_t d = 0; d < count; d++)
                packed[d * width + j] = w[j * packing->target_stride + d * packing->source_stride];
}

static void pack_panel(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const struct cnni_pass *pass = &packing->pass;
    const int64_t panels = cnni_ceil_div(pass->target_channels, packing->width);
    const int64_t group = item / panels, first = item % panels * packing->width;
    const int32_t filled = (int32_t)CNNI_MIN(pass->target_channels - first, packing->width);
    float *packed = packing->packed + item * cnni_packed_panel_size(pass, packing->width);
    for (int64_t tap = 0; tap < pass->h.taps * pass->w.taps; tap++) {
        const float *w = tap_weights(packing, tap) + group * packing->group_stride +
                         first * packing->target_stride;
        for (int64_t c = 0; c < pass->source_channels; c += BLOCK) {
            const int64_t count = CNNI_MIN(pass->source_channels - c, BLOCK);
            pack_block(packing, packed, w + c * packing->source_stride, count, filled);
            packed += count * packing->width;
        }
    }
}

/* Depthwise weights are [tap][channel]: only the order of the taps changes. */
static void pack_depthwise(const struct packing *packing)
{
    const struct cnni_pass *pass = &packing->pass;
    for (int64_t tap = 0; tap < pass->h.taps * pass->w.taps; tap++)
        memcpy(packing->packed + tap * pass->groups, tap_weights(packing, tap),
               (size_t)pass->groups * sizeof *packing->w);
}

static void pack(cnn_context *context, struct packing *packing)
{
    if (packing->pass.depthwise) {
        pack_depthwise(packing);
        return;
    }
    const int64_t panels = cnni_ceil_div(packing->pass.target_channels, packing->width);
    cnni_parallel(context, cnni_lanes(context), packing->pass.groups * panels, pack_panel, packing);
}

void cnni_conv2d_pack_forward(cnn_context *context, const struct cnni_conv2d *conv, float *packed,
                              const float *w)
{
    struct packing packing = {
        .conv = conv,
        .group_stride = conv->k / conv->groups,
        .source_stride = conv->k,
        .target_stride = 1,
        .width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns,
        .packed = packed,
        .w = w,
    };
    cnni_pass_forward(&packing.pass, conv, 1);
    pack(context, &packing);
}

void cnni_conv2d_pack_backward(cnn_context *context, const struct cnni_conv2d *conv, float *packed,
                               const float *w)
{
    struct packing packing = {
        .conv = conv,
        .group_stride = conv->k / conv->groups,
        .source_stride = 1,
        .target_stride = conv->k,
        .width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns,
        .packed = packed,
        .w = w,
    };
    for (int64_t i = 0; i < CNNI_MIN(conv->stride_h, conv->h); i++)
        for (int64_t j = 0; j < CNNI_MIN(conv->stride_w, conv->w); j++) {
            cnni_pass_backward(&packing.pass, conv, 1, i, j);
            pack(context, &packing);
            packing.packed += cnni_packed_pass_size(&packing.pass, packing.width);
        }
}
