/* SPDX-License-Identifier: MIT
 * Weights to Winograd points, and the gradients of points back to weights. */
#include "ops/op_winograd.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

enum { TAPS = 9, BLOCK = 16 /* channels that are turned over together */ };

/* ---- Packing ---- */

struct packing {
    const struct cnni_kernels *kernels;
    const struct cnni_conv2d *conv;
    struct cnni_winograd_pass pass;
    int64_t width, panels;
    float *packed;
    const float *w;
};

/* The points of one source channel and some target channels, whose weights w[tap] point at, into
 * their place in a panel. */
static void pack_run(const struct packing *packing, const float *const *w, int64_t source,
                     int64_t target, int64_t count)
{
    const struct cnni_winograd_pass *pass = &packing->pass;
    const int64_t panel = target / packing->width;
    const struct cnni_winograd_weights tile = {
        .w = w,
        .u = packing->packed + (panel * pass->source_channels + source) * packing->width +
             target % packing->width,
        .point_pitch = packing->panels * pass->source_channels * packing->width,
        .channels = count,
        .outputs = pass->outputs,
    };
    packing->kernels->winograd_weights(&tile);
}

/* An item is one source channel: a row of each tap of the weights. */
static void pack_forward_item(void *task, int64_t source, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const struct cnni_conv2d *conv = packing->conv;
    for (int64_t k = 0; k < conv->k; k += packing->width) {
        const float *w[TAPS];
        for (int64_t tap = 0; tap < TAPS; tap++)
            w[tap] = packing->w + (tap * conv->c + source) * conv->k + k;
        pack_run(packing, w, source, k, CNNI_MIN(conv->k - k, packing->width));
    }
}

/* turned[tap][k][c] of BLOCK x BLOCK channels of the weights, the taps in reverse. */
static void turn_over(const struct packing *packing, float turned[TAPS][BLOCK][BLOCK],
                      int64_t first_c, int64_t c_count, int64_t first_k, int64_t k_count)
{
    const struct cnni_conv2d *conv = packing->conv;
    for (int64_t tap = 0; tap < TAPS; tap++)
        for (int64_t c = 0; c < c_count; c++) {
            const float *w =
                packing->w + ((TAPS - 1 - tap) * conv->c + first_c + c) * conv->k + first_k;
            for (int64_t k = 0; k < k_count; k++)
                turned[tap][k][c] = w[k];
        }
}

/* Of backward-data the source channels are the filters.  An item is BLOCK of them. */
static void pack_backward_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const struct cnni_conv2d *conv = packing->conv;
    const int64_t first_k = item * BLOCK, k_count = CNNI_MIN(conv->k - first_k, BLOCK);
    float turned[TAPS][BLOCK][BLOCK];
    for (int64_t c = 0; c < conv->c; c += BLOCK) {
        const int64_t c_count = CNNI_MIN(conv->c - c, BLOCK);
        turn_over(packing, turned, c, c_count, first_k, k_count);
        for (int64_t k = 0; k < k_count; k++) {
            const float *w[TAPS];
            for (int64_t tap = 0; tap < TAPS; tap++)
                w[tap] = turned[tap][k];
            pack_run(packing, w, first_k + k, c, c_count);
        }
    }
}

/* The last panel's columns beyond the target channels are 0; item: a source channel of a point. */
static void clear_rest(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const int64_t sources = packing->pass.source_channels, width = packing->width;
    const int64_t filled = packing->pass.target_channels - (packing->panels - 1) * width;
    const int64_t point = item / sources, source = item % sources;
    float *row = packing->packed +
                 ((point * packing->panels + packing->panels - 1) * sources + source) * width;
    memset(row + filled, 0, (size_t)(width - filled) * sizeof *row);
}

static void pack(cnn_context *context, int32_t lanes, struct packing *packing, int64_t items,
                 cnni_item_fn *item)
{
    const struct cnni_winograd_pass *pass = &packing->pass;
    packing->kernels = cnni_kernels(context->cpu);
    packing->width = packing->kernels->conv2d_row_tap_tile.columns;
    packing->panels = cnni_ceil_div(pass->target_channels, packing->width);
    cnni_parallel(context, lanes, items, item, packing);
    if (pass->target_channels % packing->width != 0)
        cnni_parallel(context, lanes, pass->points * pass->source_channels, clear_rest, packing);
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
    pack(context, lanes, &packing, conv->c, pack_forward_item);
}

void cnni_winograd_pack_backward(cnn_context *context, int32_t lanes,
                                 const struct cnni_conv2d *conv, float *packed, const float *w)
{
    struct packing packing = {.conv = conv, .packed = packed, .w = w};
    cnni_winograd_backward_pass(&packing.pass, conv, 1);
    pack(context, lanes, &packing, cnni_ceil_div(conv->k, BLOCK), pack_backward_item);
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
