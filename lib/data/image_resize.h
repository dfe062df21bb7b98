/* SPDX-License-Identifier: MIT
 * Resizing pictures, or a part of one, with a triangle filter: bilinear where it gets larger,
 * antialiased where it gets smaller.  Within one level of Pillow's BILINEAR with the same box. */
#ifndef CNNI_IMAGE_RESIZE_H
#define CNNI_IMAGE_RESIZE_H

#include "data/image.h"

/* A part of a picture.  Pixel (x, y) covers x .. x + 1 and y .. y + 1; edges may lie between
 * pixels.  0 <= left < right <= w, 0 <= top < bottom <= h. */
struct cnni_box {
    double left, top, right, bottom;
};

/* Fills `target`, whose size says what is wanted and whose pixels the caller provides, from `box`
 * (NULL: all) of `source`.  Both have the same number of channels, 3 or 1, and do not overlap.
 * Near the edges of the box the filter reaches pixels outside it, where there are any.  The
 * floating-point environment is the default one.
 * CNN_ERROR_MEMORY: no room for the filter weights and one row of floats. */
cnn_status cnni_image_resize(const struct cnni_image *target, cnn_context *context,
                             const struct cnni_image *source, const struct cnni_box *box,
                             const char *function);

#endif
