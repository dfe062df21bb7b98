/* SPDX-License-Identifier: MIT
 * Weights to Winograd points, and the gradients of points back to weights. */
#include "ops/op_winograd.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

enum {
    TAPS = 9,
    /* Floats of a point that are put in place together: the points, whose places lie a power of two
     * apart, would else compete for the same few lines of the caches. */
    RUN = 256
};

_Static_assert(RUN % CNNI_TILE_COLUMNS_MAX == 0, "whole rows of panels");

/* ---- Packing ---- */

struct packing {
    const struct cnni_kernels *kernels;
    const struct cnni_conv2d *conv;
    struct cnni_winograd_pass pass;
    bool turned; /* for backward-data, whose source channels are the filters */
    int64_t width, panels;
    float *packed;
    const float *w;
};

/* turned[tap][source][width] of `sources` filters and `targets` input channels of the weights, the
 * taps in reverse. */
static void turn_over(const struct packing *packing, float turned[TAPS][RUN], int64_t first_source,
                      int64_t sources, int64_t first_target, int64_t targets)
{
    const struct cnni_conv2d *conv = packing->conv;
    const struct cnni_transpose matrix = {.rows = targets,
                                          .columns = sources,
                                          .x_pitch = conv->k,
                                          .y_pitch = packing->width,
                                          .size = sizeof(float)};
    for (int64_t tap = 0; tap < TAPS; tap++) {
        const int64_t row = (TAPS - 1 - tap) * conv->c + first_target;
        packing->kernels->transpose(&matrix, turned[tap],
                                    packing->w + row * conv->k + first_source);
    }
}

/* `count` source channels of one panel, RUN / width at most. */
static void pack_panel(const struct packing *packing, int64_t first, int64_t count, int64_t panel)
{
    const struct cnni_winograd_pass *pass = &packing->pass;
    const struct cnni_conv2d *conv = packing->conv;
    const int64_t width = packing->width, target = panel * width;
    const int64_t filled = CNNI_MIN(pass->target_channels - target, width);
    float points[CNNI_WINOGRAD_POINTS_MOST][RUN], turned[TAPS][RUN];
    if (filled < width)
        memset(points, 0, sizeof points);
    if (packing->turned)
        turn_over(packing, turned, first, count, target, filled);
    for (int64_t i = 0; i < count; i++) {
        const float *w[TAPS];
        for (int64_t tap = 0; tap < TAPS; tap++)
            w[tap] = packing->turned ? turned[tap] + i * width
                                     : packing->w + (tap * conv->c + first + i) * conv->k + target;
        const struct cnni_winograd_weights tile = {.w = w,
                                                   .u = points[0] + i * width,
                                                   .point_pitch = RUN,
                                                   .channels = filled,
                                                   .outputs = pass->outputs};
        packing->kernels->winograd_weights(&tile);
    }
    for (int64_t point = 0; point < pass->points; point++) {
        const int64_t row = (point * packing->panels + panel) * pass->source_channels + first;
        memcpy(packing->packed + row * width, points[point],
               (size_t)(count * width) * sizeof *points[0]);
    }
}

static void pack_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const int64_t first = item * (RUN / packing->width);
    const int64_t count = CNNI_MIN(packing->pass.source_channels - first, RUN / packing->width);
    for (int64_t panel = 0; panel < packing->panels; panel++)
        pack_panel(packing, first, count, panel);
}

static void pack(cnn_context *context, int32_t lanes, struct packing *packing)
{
    const struct cnni_winograd_pass *pass = &packing->pass;
    packing->kernels = cnni_kernels(context->cpu);
    packing->width = packing->kernels->conv2d_row_tap_tile.columns;
    packing->panels = cnni_ceil_div(pass->target_channels, packing->width);
    cnni_parallel(context, lanes, cnni_ceil_div(pass->source_channels, RUN / packing->width),
                  pack_item, packing);
}

int64_t cnni_winograd_packed_size(cnn_context *context, const struct cnni_winograd_pass *pass)
{
    const int64_t width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns;
    const int64_t panels = cnni_ceil_div(pass->target_channels, width);
    return cnni_size_product(pass->points * width,
                             cnni_size_product(panels, pass->source_channels));
}

void cnni_winograd_pack_forward(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                                float *packed, const float *w)
{
    struct packing packing = {.conv = conv, .packed = packed, .w = w};
    cnni_winograd_forward_pass(&packing.pass, conv, 1);
    pack(context, lanes, &packing);
}

void cnni_winograd_pack_backward(cnn_context *context, int32_t lanes,
                                 const struct cnni_conv2d *conv, float *packed, const float *w)
{
    struct packing packing = {.conv = conv, .turned = true, .packed = packed, .w = w};
    cnni_winograd_backward_pass(&packing.pass, conv, 1);
    pack(context, lanes, &packing);
}

/* ---- Back to weights ---- */

struct unpacking {
    const struct cnni_kernels *kernels;
    const struct cnni_conv2d *conv;
    float *dw;
    const float *points;
};

/* An item is one input channel. */
static void unpack_item(void *task, int64_t c, int32_t lane)
{
    (void)lane;
    const struct unpacking *unpacking = task;
    const struct cnni_conv2d *conv = unpacking->conv;
    float *dw[TAPS];
    for (int64_t tap = 0; tap < TAPS; tap++)
        dw[tap] = unpacking->dw + (tap * conv->c + c) * conv->k;
    const struct cnni_winograd_filter tile = {
        .u = unpacking->points + c * conv->k,
        .dw = dw,
        .point_pitch = conv->c * conv->k,
        .channels = conv->k,
        .outputs = conv->filter_tile,
    };
    unpacking->kernels->winograd_filter(&tile);
}

void cnni_winograd_unpack(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                          float *dw, const float *points)
{
    struct unpacking unpacking = {cnni_kernels(context->cpu), conv, dw, points};
    cnni_parallel(context, lanes, conv->c, unpack_item, &unpacking);
}
