/* SPDX-License-Identifier: MIT
 * Pixels to numbers by looking them up.  One sample is too little work to cut among threads: the
 * loader prepares several samples at a time instead. */
#include "ops/op_normalize.h"

#include "base/parallel.h"

void cnni_normalization_set(struct cnni_normalization *normalization, const float *mean,
                            const float *deviation, int32_t channels)
{
    CNNI_ASSERT(channels >= 1 && channels <= CNNI_NORMALIZE_CHANNELS);
    struct cnni_float_state host;
    cnni_float_enter(&host);
    normalization->channels = channels;
    for (int32_t k = 0; k < channels; k++)
        for (int32_t byte = 0; byte < 256; byte++)
            normalization->table[k][byte] =
                (float)((byte / 255.0 - (double)mean[k]) / (double)deviation[k]);
    cnni_float_leave(&host);
}

void cnni_normalize(float *y, const struct cnni_normalization *normalization, const uint8_t *x,
                    int64_t pixels)
{
    const int32_t channels = normalization->channels;
    for (int64_t i = 0; i < pixels; i++, x += channels, y += channels)
        for (int32_t k = 0; k < channels; k++)
            y[k] = normalization->table[k][x[k]];
}
