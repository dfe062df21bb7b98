/* SPDX-License-Identifier: MIT
 * Pixels to numbers: (byte / 255 - mean) / deviation, by tables of all 256 results, so that the
 * loader and cnn_model_prepare_image() agree to the bit. */
#ifndef CNNI_OP_NORMALIZE_H
#define CNNI_OP_NORMALIZE_H

#include "base/base.h"

/* Pictures have 3 channels or 1. */
enum { CNNI_NORMALIZE_CHANNELS = 3 };

struct cnni_normalization {
    int32_t channels;
    float table[CNNI_NORMALIZE_CHANNELS][256]; /* [channel][byte] */
};

/* Fills the tables for `channels` (3 or 1) means and deviations; computed in double precision and
 * rounded once. */
void cnni_normalization_set(struct cnni_normalization *normalization, const float *mean,
                            const float *deviation, int32_t channels);

/* y [pixels][channels] = the table's values for x [pixels][channels]. */
void cnni_normalize(float *y, const struct cnni_normalization *normalization, const uint8_t *x,
                    int64_t pixels);

#endif
