/* SPDX-License-Identifier: MIT
 * From a decoded picture to the floats of one sample: random crop, resize, rotation and affine map,
 * flip, saturation and hue, brightness and contrast, normalisation, erasing, in this order, as
 * cnn/loader.h describes them to users.
 * What happens to a sample depends on (seed, epoch, sample) alone. */
#ifndef CNNI_AUGMENT_H
#define CNNI_AUGMENT_H

#include "data/image.h"
#include "ops/op_normalize.h"

/* A part of a picture: shares of its area, and the most that the aspect ratio is changed by. */
struct cnni_region {
    double min_area, max_area, max_ratio;
};

/* The settings, with the meaning and ranges of the cnn_loader_set_random_... functions. */
struct cnni_augment {
    struct cnni_region crop; /* 1, 1, 1: the whole picture */
    double degrees;          /* 0: none, as in all that follow */
    double flip;             /* probability */
    double brightness, contrast;
    double translation, zoom, shear; /* a share, a factor above 1, degrees */
    double saturation, hue;          /* hue in degrees */
    double erasing;                  /* probability */
    struct cnni_region hole;
};

/* No augmentation. */
extern const struct cnni_augment cnni_augment_none;

/* What all samples of a loader have in common. */
struct cnni_preparation {
    int64_t h, w; /* of the sample */
    struct cnni_normalization normalization;
    struct cnni_augment augment;
    uint64_t seed;
};

/* The size below which a picture must not be decoded (min_h and min_w of a cnni_image_request), so
 * that the smallest part that the crop may take still has as many pixels as the sample. */
void cnni_prepare_min_size(int64_t *min_h, int64_t *min_w,
                           const struct cnni_preparation *preparation);

/* Writes the sample: `target` is [h][w][c] with the preparation's h and w; the picture's c is the
 * normalisation's.  0 <= epoch < 2^56, 0 <= sample < 2^32.  May run on several threads at once,
 * with the default floating-point environment.
 * CNN_ERROR_MEMORY: no room for h * w * c bytes, twice, and the scratch of cnni_image_resize(). */
cnn_status cnni_prepare(float *target, cnn_context *context,
                        const struct cnni_preparation *preparation,
                        const struct cnni_image *picture, int64_t epoch, int64_t sample,
                        const char *function);

#endif
