/* SPDX-License-Identifier: MIT
 * 3x3 weights to Winograd points, G g G', and the gradients of points back to weights, G' u G.
 * Plain additions and multiplications in one order, so that every level has the same bits. */
#include "ops/op_winograd.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

enum { TAPS = 3, SIDE_MOST = 6, COLUMNS = 16 /* filters that are transformed together */ };

/* ---- One column ---- */

/* u = G g */
static void point_column(float *u, const float *g, int32_t outputs)
{
    const float even = g[0] + g[2];
    u[0] = g[0];
    if (outputs == 2) {
        u[1] = 0.5f * (even + g[1]);
        u[2] = 0.5f * (even - g[1]);
        u[3] = g[2];
        return;
    }
    const float wide = 0.25f * g[0] + g[2], half = 0.5f * g[1];
    u[0] = 0.25f * g[0];
    u[1] = (-1.0f / 6) * (even + g[1]);
    u[2] = (-1.0f / 6) * (even - g[1]);
    u[3] = (1.0f / 6) * (wide + half);
    u[4] = (1.0f / 6) * (wide - half);
    u[5] = g[2];
}

/* g = G' u */
static void tap_column(float *g, const float *u, int32_t outputs)
{
    const float near = u[1] + u[2], slope = u[1] - u[2];
    if (outputs == 2) {
        g[0] = u[0] + 0.5f * near;
        g[1] = 0.5f * slope;
        g[2] = u[3] + 0.5f * near;
        return;
    }
    const float far = u[3] + u[4], far_slope = u[3] - u[4];
    g[0] = 0.25f * u[0] - (1.0f / 6) * (near - 0.25f * far);
    g[1] = (1.0f / 6) * (0.5f * far_slope - slope);
    g[2] = u[5] + (1.0f / 6) * (far - near);
}

/* ---- Packing ---- */

struct packing {
    const struct cnni_conv2d *conv;
    struct cnni_winograd_pass pass;
    int64_t width, panels;
    float *packed;
    const float *w;
    bool turned; /* the taps, and source and target channels: backward-data */
};

/* The points of one pair of channels. */
static void transform(const struct packing *packing, float *u, const float *w)
{
    const int32_t outputs = packing->pass.outputs, side = outputs + 2;
    const int64_t step = packing->conv->c * packing->conv->k;
    float columns[TAPS][SIDE_MOST];
    for (int32_t j = 0; j < TAPS; j++) {
        float g[TAPS];
        for (int32_t i = 0; i < TAPS; i++) {
            const int32_t tap = i * TAPS + j;
            g[i] = w[(packing->turned ? TAPS * TAPS - 1 - tap : tap) * step];
        }
        point_column(columns[j], g, outputs);
    }
    for (int32_t i = 0; i < side; i++) {
        const float row[TAPS] = {columns[0][i], columns[1][i], columns[2][i]};
        point_column(u + i * side, row, outputs);
    }
}

/* An item is one source channel of one panel. */
static void pack_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct packing *packing = task;
    const struct cnni_winograd_pass *pass = &packing->pass;
    const int64_t source = item / packing->panels, panel = item % packing->panels;
    const int64_t first = panel * packing->width;
    const int64_t pitch = packing->panels * pass->source_channels * packing->width;
    float *packed = packing->packed + (panel * pass->source_channels + source) * packing->width;
    for (int64_t j = 0; j < packing->width; j++) {
        const int64_t target = first + j;
        float u[CNNI_WINOGRAD_POINTS_MOST] = {0};
        if (target < pass->target_channels)
            transform(packing, u,
                      packing->w + (packing->turned ? target * packing->conv->k + source
                                                    : source * packing->conv->k + target));
        for (int32_t point = 0; point < pass->points; point++)
            packed[point * pitch + j] = u[point];
    }
}

static void pack(cnn_context *context, int32_t lanes, struct packing *packing)
{
    packing->width = cnni_kernels(context->cpu)->conv2d_row_tap_tile.columns;
    packing->panels = cnni_ceil_div(packing->pass.target_channels, packing->width);
    cnni_parallel(context, lanes, packing->pass.source_channels * packing->panels, pack_item,
                  packing);
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
    struct packing packing = {.conv = conv, .packed = packed, .w = w, .turned = true};
    cnni_winograd_backward_pass(&packing.pass, conv, 1);
    pack(context, lanes, &packing);
}

/* ---- Back to weights ---- */

struct unpacking {
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
    const int32_t outputs = conv->filter_tile, side = outputs + 2;
    const int64_t step = conv->c * conv->k;
    for (int64_t k = 0; k < conv->k; k++) {
        const int64_t place = c * conv->k + k;
        float columns[SIDE_MOST][TAPS];
        for (int32_t j = 0; j < side; j++) {
            float u[SIDE_MOST];
            for (int32_t i = 0; i < side; i++)
                u[i] = unpacking->points[(i * side + j) * step + place];
            tap_column(columns[j], u, outputs);
        }
        for (int32_t i = 0; i < TAPS; i++) {
            float u[SIDE_MOST], g[TAPS];
            for (int32_t j = 0; j < side; j++)
                u[j] = columns[j][i];
            tap_column(g, u, outputs);
            for (int32_t j = 0; j < TAPS; j++)
                unpacking->dw[(i * TAPS + j) * step + place] += g[j];
        }
    }
}

void cnni_winograd_unpack(cnn_context *context, int32_t lanes, const struct cnni_conv2d *conv,
                          float *dw, const float *points)
{
    struct unpacking unpacking = {conv, dw, points};
    cnni_parallel(context, lanes, conv->c, unpack_item, &unpacking);
}
