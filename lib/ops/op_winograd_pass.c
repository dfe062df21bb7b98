/* SPDX-License-Identifier: MIT
 * Geometry of Winograd's tiles: how a convolution is cut into them, and where their pixels lie.
 * What is computed on them is in op_winograd.c and op_winograd_grad.c. */
#include "ops/op_winograd.h"

enum {
    BLOCK_FLOATS = 192 * 1024, /* 768 KB of transformed inputs and products: most of an L2 cache */
    BLOCK_LEAST = 24,
    BLOCK_MOST = 192,
    LARGE_WEIGHTS = 512 * 1024, /* so many (2 MB) are worth to be read by large blocks alone */
    BLOCK_MULTIPLE = 12         /* whole tiles of row-tap; or, to expand, whole rows of tiles */
};

static int64_t choose_block(const struct cnni_winograd_pass *pass)
{
    const int64_t channels = pass->source_channels + pass->target_channels;
    const int64_t weights = pass->points * pass->source_channels * pass->target_channels;
    int64_t block = BLOCK_FLOATS / (pass->points * channels);
    if (weights >= LARGE_WEIGHTS)
        block = BLOCK_MOST;
    block = CNNI_MIN(CNNI_MAX(block, BLOCK_LEAST), BLOCK_MOST);
    if (pass->expands)
        return CNNI_MAX(block / pass->across, 1) * pass->across;
    return block / BLOCK_MULTIPLE * BLOCK_MULTIPLE;
}

static void plan(struct cnni_winograd_pass *pass)
{
    pass->points = (pass->outputs + 2) * (pass->outputs + 2);
    pass->down = cnni_ceil_div(pass->target_h, pass->outputs);
    pass->across = cnni_ceil_div(pass->target_w, pass->outputs);
    pass->tiles = pass->n * pass->down * pass->across;
    pass->block = choose_block(pass);
}

void cnni_winograd_forward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                int64_t n)
{
    *pass = (struct cnni_winograd_pass){
        .outputs = conv->tile,
        .n = n,
        .source_h = conv->h,
        .source_w = conv->w,
        .source_channels = conv->c,
        .target_h = conv->oh,
        .target_w = conv->ow,
        .target_channels = conv->k,
        .pad_top = conv->pad_top,
        .pad_left = conv->pad_left,
        .conv = conv,
        .pools = conv->pooled,
    };
    plan(pass);
}

void cnni_winograd_backward_pass(struct cnni_winograd_pass *pass, const struct cnni_conv2d *conv,
                                 int64_t n)
{
    *pass = (struct cnni_winograd_pass){
        .outputs = conv->tile,
        .n = n,
        .source_h = conv->oh,
        .source_w = conv->ow,
        .source_channels = conv->k,
        .target_h = conv->h,
        .target_w = conv->w,
        .target_channels = conv->c,
        .pad_top = 2 - conv->pad_top,
        .pad_left = 2 - conv->pad_left,
        .conv = conv,
        .expands = conv->pooled,
    };
    plan(pass);
}

struct cnni_area cnni_winograd_target_area(const struct cnni_winograd_pass *pass, int64_t tile)
{
    const int64_t per_picture = pass->down * pass->across, within = tile % per_picture;
    return (struct cnni_area){.picture = tile / per_picture,
                              .row = within / pass->across * pass->outputs,
                              .column = within % pass->across * pass->outputs,
                              .rows = pass->outputs,
                              .columns = pass->outputs};
}

/* Its inputs: they may reach over all edges. */
static struct cnni_area source_area(const struct cnni_winograd_pass *pass, int64_t tile)
{
    struct cnni_area area = cnni_winograd_target_area(pass, tile);
    area.row -= pass->pad_top;
    area.column -= pass->pad_left;
    area.rows += 2;
    area.columns += 2;
    return area;
}

/* The pixels of a area of [n][h][w][channels], of which `rows` has those from row `first_row` of
 * all pictures on. */
static void point_at_pixels(const float **pixels, const struct cnni_area *area, const float *rows,
                            int64_t first_row, int64_t h, int64_t w, int64_t channels,
                            const float *outside)
{
    for (int64_t i = area->row; i < area->row + area->rows; i++)
        for (int64_t j = area->column; j < area->column + area->columns; j++) {
            const bool inside = i >= 0 && i < h && j >= 0 && j < w;
            const int64_t row = area->picture * h + i - first_row;
            *pixels++ = inside ? rows + (row * w + j) * channels : outside;
        }
}

void cnni_winograd_source_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const struct cnni_winograd_source *source, const float **pixels)
{
    const struct cnni_area area = source_area(pass, tile);
    point_at_pixels(pixels, &area, source->rows, source->first_row, pass->source_h, pass->source_w,
                    pass->source_channels, source->zeros);
}

void cnni_winograd_source_rows(const struct cnni_winograd_pass *pass, int64_t tile, int64_t count,
                               int64_t *first, int64_t *end)
{
    const struct cnni_area top = source_area(pass, tile);
    const struct cnni_area bottom = source_area(pass, tile + count - 1);
    *first = top.picture * pass->source_h + CNNI_MAX(top.row, 0);
    *end = bottom.picture * pass->source_h + CNNI_MIN(bottom.row + bottom.rows, pass->source_h);
}

void cnni_winograd_target_pixels(const struct cnni_winograd_pass *pass, int64_t tile,
                                 const float *target, const float *outside, const float **pixels)
{
    const struct cnni_area area = cnni_winograd_target_area(pass, tile);
    point_at_pixels(pixels, &area, target, 0, pass->target_h, pass->target_w, pass->target_channels,
                    outside);
}
