/* SPDX-License-Identifier: MIT
 * Which algorithm a convolution runs, from its shape alone. */
#include "ops/op_conv2d.h"

#include "ops/op_depthwise.h"

enum {
    CHANNELS_LEAST = 32,    /* below, the transforms cost more than the products save */
    TILES_LEAST = 4,        /* of one picture: fewer do not fill the rows of the products */
    SAVING = 2,             /* wanted: so many times fewer multiplications */
    FILTER_TILES_LEAST = 64 /* of the batch: with fewer, backward-weights adds up too short chains
                               to pay for its sums at 16 or 36 points */
};

/* Stride 1, dilation 1, 3x3, one group, and enough channels. */
static bool suits_winograd(const struct cnni_conv2d *conv)
{
    return conv->r == 3 && conv->s == 3 && conv->stride_h == 1 && conv->stride_w == 1 &&
           conv->dilation_h == 1 && conv->dilation_w == 1 && conv->groups == 1 &&
           conv->c >= CHANNELS_LEAST && conv->k >= CHANNELS_LEAST;
}

static int64_t tile_count(int64_t h, int64_t w, int32_t tile)
{
    return cnni_ceil_div(h, tile) * cnni_ceil_div(w, tile);
}

/* Whether tiles of an h x w output do without enough multiplications: 9 are needed for each
 * output, (tile + 2)^2 for each tile, parts of which may lie outside. */
static bool saves(int64_t h, int64_t w, int32_t tile)
{
    const int64_t points = (tile + 2) * (tile + 2), tiles = tile_count(h, w, tile);
    return tiles >= TILES_LEAST && 9 * h * w >= SAVING * points * tiles;
}

void cnni_conv2d_choose(struct cnni_conv2d *conv, int32_t most_tile, int64_t n)
{
    conv->tile = conv->filter_tile = 0;
    if (!suits_winograd(conv))
        return;
    for (int32_t tile = 2; tile <= most_tile; tile += 2)
        if (saves(conv->oh, conv->ow, tile) && saves(conv->h, conv->w, tile))
            conv->tile = tile;
    if (conv->tile > 0 &&
        n >= cnni_ceil_div(FILTER_TILES_LEAST, tile_count(conv->oh, conv->ow, conv->tile)))
        conv->filter_tile = conv->tile;
}

const char *cnni_conv2d_algorithm_name(const struct cnni_conv2d *conv)
{
    if (conv->tile > 0)
        return conv->tile == 2 ? "Winograd F(2x2)" : "Winograd F(4x4)";
    return cnni_depthwise_suits(conv) ? "depthwise" : "direct";
}
