/* SPDX-License-Identifier: MIT
 * Packs convolution weights into the panels that the row-tap kernel reads.  An item of parallel
 * work is some input channels of one tap: whole rows of the weights, which are read in order.
 * For forward they become some rows of every panel of filters; for backward-data, whose vector
 * runs over input channels, they become one panel, turned over. */
#include "ops/op_conv2d_pass.h"

#include <string.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_depthwise.h"
#include "ops/op_winograd.h"

enum { COPY = 16 /* floats that are copied at once */ };

int64_t cnni_packed_panel_size(const struct cnni_pass *pass, int32_t width)
{
    const int64_t taps = cnni_size_product(pass->h.taps, pass->w.taps);
    return cnni_size_product(cnni_size_product(taps, pass->source_channels), width);
}

int64_t cnni_packed_pass_size(const struct cnni_pass *pass, int32_t width)
{
    const int64_t panels = pass->groups * cnni_ceil_div(pass->target_channels, width);
    return cnni_size_product(panels, cnni_packed_panel_size(pass, width));
}

/* The packing of one pass. */
struct packing {
    const struct cnni_kernels *kernels;
    const struct cnni_conv2d *conv;
    struct cnni_pass pass;
    int32_t width;
    int64_t panel_size;
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

/* Copies `count` of `width` floats; the rest is 0. */
static void copy_row(float *packed, const float *w, int64_t count, int64_t width)
{
    int64_t i = 0;
    for (; i + COPY <= count; i += COPY)
        memcpy(packed + i, w + i, COPY * sizeof *w);
    for (; i < width; i++)
        packed[i] = i < count ? w[i] : 0;
}

/* Input channel `channel` of a tap: one row of each panel. */
static void pack_row(const struct packing *packing, int64_t tap, int64_t channel, const float *w)
{
    const struct cnni_pass *pass = &packing->pass;
    float *packed = packing->packed + (tap * pass->source_channels + channel) * packing->width;
    for (int64_t group = 0; group < pass->groups; group++, w += pass->target_channels)
        for (int64_t k = 0; k < pass->target_channels; k += packing->width) {
            copy_row(packed, w + k, CNNI_MIN(pass->target_channels - k, packing->width),
                     packing->width);
            packed += packing->panel_size;
        }
}

static void pack_forward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const int64_t channels = packing->pass.source_channels;
    const int64_t blocks = cnni_ceil_div(channels, packing->width);
    const int64_t tap = item / blocks, first = item % blocks * packing->width;
    const float *w = tap_weights(packing, tap);
    for (int64_t c = first; c < CNNI_MIN(first + packing->width, channels); c++)
        pack_row(packing, tap, c, w + c * packing->conv->k);
}

/* [count filters][width] from `filled` rows of w that lie `pitch` apart; the rest is 0. */
static void turn_over(const struct packing *packing, float *packed, const float *w, int64_t count,
                      int64_t filled)
{
    const struct cnni_transpose matrix = {.rows = filled,
                                          .columns = count,
                                          .x_pitch = packing->conv->k,
                                          .y_pitch = packing->width,
                                          .size = sizeof(float)};
    packing->kernels->transpose(&matrix, packed, w);
    for (int64_t k = 0; k < count && filled < packing->width; k++)
        memset(packed + k * packing->width + filled, 0,
               (size_t)(packing->width - filled) * sizeof *packed);
}

static void pack_backward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const struct cnni_pass *pass = &packing->pass;
    const int64_t width = packing->width;
    const int64_t panels = cnni_ceil_div(pass->target_channels, width);
    const int64_t tap = item / panels, panel = item % panels;
    const int64_t filled = CNNI_MIN(pass->target_channels - panel * width, width);
    const float *w = tap_weights(packing, tap) + panel * width * packing->conv->k;
    for (int64_t group = 0; group < pass->groups; group++, w += pass->source_channels) {
        float *packed = packing->packed + tap * pass->source_channels * width +
                        (group * panels + panel) * packing->panel_size;
        turn_over(packing, packed, w, pass->source_channels, filled);
    }
}

/* `channels`, input channels of the convolution, are shared out by the panel. */
static void pack(cnn_context *context, int32_t lanes, struct packing *packing, int64_t channels,
                 cnni_item_fn *item)
{
    packing->panel_size = cnni_packed_panel_size(&packing->pass, packing->width);
    const int64_t taps = packing->pass.h.taps * packing->pass.w.taps;
    cnni_parallel(context, lanes, taps * cnni_ceil_div(channels, packing->width), item, packing);
}

static struct packing start(cnn_context *context, const struct cnni_conv2d *conv, float *packed,
                            const float *w)
{
    const struct cnni_kernels *kernels = cnni_kernels(context->cpu);
    return (struct packing){.kernels = kernels,
                            .conv = conv,
                            .width = kernels->conv2d_row_tap_tile.columns,
                            .packed = packed,
                            .w = w};
}

void cnni_conv2d_pack_forward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                              float *packed, const float *w)
{
    if (conv->tile > 0) {
        cnni_winograd_pack_forward(context, lanes, conv, packed, w);
        return;
    }
    if (cnni_depthwise_suits(conv)) {
        cnni_depthwise_pack(conv, packed, w);
        return;
    }
    struct packing packing = start(context, conv, packed, w);
    cnni_pass_forward(&packing.pass, conv, 1);
    pack(context, lanes, &packing, packing.pass.source_channels, pack_forward_item);
}

/* A unit is a panel, or a panel of one Winograd point; a depthwise convolution has a single one, of
 * all channels. */
void cnni_conv2d_scale(cnn_context *context, const struct cnni_conv2d *conv, float *packed,
                       size_t floats, const float *scale)
{
    const bool depthwise = cnni_depthwise_suits(conv);
    const int64_t groups = depthwise ? 1 : conv->groups, filters = conv->k / groups;
    const int64_t width =
        depthwise ? filters : cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns;
    const int64_t panels = cnni_ceil_div(filters, width), inputs = conv->tile + 2;
    const int64_t units = panels * (conv->tile > 0 ? inputs * inputs : groups);
    const int64_t rows = (int64_t)floats / (units * width);
    for (int64_t unit = 0; unit < units; unit++) {
        const int64_t group = unit / panels % groups, first = unit % panels * width;
        const int64_t columns = CNNI_MIN(filters - first, width);
        for (int64_t row = 0; row < rows; row++, packed += width)
            for (int64_t i = 0; i < columns; i++)
                packed[i] *= scale[group * filters + first + i];
    }
}

void cnni_conv2d_pack_backward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                               float *packed, const float *w)
{
    if (conv->tile > 0) {
        cnni_winograd_pack_backward(context, lanes, conv, packed, w);
        return;
    }
    if (cnni_depthwise_suits(conv)) {
        cnni_depthwise_pack(conv, packed, w);
        return;
    }
    struct packing packing = start(context, conv, packed, w);
    for (int64_t i = 0; i < cnni_pass_backward_count(conv); i++) {
        cnni_pass_backward(&packing.pass, conv, 1, i);
        pack(context, lanes, &packing, packing.pass.target_channels, pack_backward_item);
        packing.packed += cnni_packed_pass_size(&packing.pass, packing.width);
    }
}
