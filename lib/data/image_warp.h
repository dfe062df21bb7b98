/* SPDX-License-Identifier: MIT
 * Turning, moving, scaling and shearing a picture in one pass: bilinear, and what comes from
 * outside repeats the border. */
#ifndef CNNI_IMAGE_WARP_H
#define CNNI_IMAGE_WARP_H

#include "data/image.h"

/* Where pixels come from: the target's pixel at (dx, dy) from the middle is what lies at
 * (x + x_dx * dx + x_dy * dy, y + y_dx * dx + y_dy * dy) from the middle of the source. */
struct cnni_affine {
    double x, x_dx, x_dy;
    double y, y_dx, y_dy;
};

/* Fills `target` from `source`, which has its size and channels and does not overlap it.  The
 * floating-point environment is the default one. */
void cnni_image_warp(const struct cnni_image *target, const struct cnni_image *source,
                     const struct cnni_affine *map);

#endif
