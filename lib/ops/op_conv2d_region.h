/* SPDX-License-Identifier: MIT
 * Regions: the pixels of a strip that read the same part of the kernel.  At a picture's borders
 * windows reach over it; what lies outside is 0, and its taps are left out of the chains.  That
 * saves a fifth of a 3x3 convolution of 7x7 pictures, and of finite numbers it changes no bit but
 * the sign of a zero.  What is left out follows from the shape of one picture alone. */
#ifndef CNNI_OP_CONV2D_REGION_H
#define CNNI_OP_CONV2D_REGION_H

#include "kernels/kernels.h"
#include "ops/op_conv2d_pass.h"

/* Outputs of an axis, and the taps that reach the source from some of them. */
struct cnni_band {
    struct cnni_span grid, taps;
};

/* At the first border, in the middle, and at the last border. */
enum { CNNI_BANDS_MOST = 3, CNNI_REGIONS_MOST = CNNI_BANDS_MOST * CNNI_BANDS_MOST };

struct cnni_bands {
    struct cnni_band h[CNNI_BANDS_MOST], w[CNNI_BANDS_MOST];
    int32_t h_count, w_count;
};

void cnni_bands_find(struct cnni_bands *bands, const struct cnni_pass *pass);

/* As cnni_pass_offsets(), but with the pixels of each region side by side. */
void cnni_bands_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass,
                        const struct cnni_bands *bands, float *memory);

/* In the letters of a pass: of each tap (row, column) the floats of a run, of which the pass has
 * `depth`. */
struct cnni_region {
    struct cnni_span pixels; /* in the order of cnni_bands_offsets() */
    struct cnni_span rows, columns, run;
};

/* Returns how many regions the strip has. */
int32_t cnni_strip_regions(struct cnni_region regions[CNNI_REGIONS_MOST],
                           const struct cnni_pass *pass, const struct cnni_bands *bands,
                           const struct cnni_strip *strip);

/* A piece of the chains of a pass: some floats of the runs of some taps. */
struct cnni_piece {
    const struct cnni_pass *pass;
    const struct cnni_offsets *offsets;
    int32_t width; /* of packed panels */
    struct cnni_span taps, run;
};

/* A region's share of a piece: what the kernel is given, and whether its chains begin or end with
 * it. */
struct cnni_share {
    int64_t tap_count, depth;
    bool begins, ends;
};

/* Fills in `taps`, at most those of the piece.  False where the region has no share. */
bool cnni_region_share(struct cnni_share *share, struct cnni_conv2d_tap *taps,
                       const struct cnni_region *region, const struct cnni_piece *piece);

#endif
