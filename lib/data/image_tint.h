/* SPDX-License-Identifier: MIT
 * Saturation and hue of a picture's colours. */
#ifndef CNNI_IMAGE_TINT_H
#define CNNI_IMAGE_TINT_H

#include "data/image.h"

/* Multiplies the saturation of each pixel of `image`, which has 3 channels, by `saturation` and
 * turns its hue by `hue` half turns: the plane of colour differences (B - Y, R - Y), scaled to Cb
 * and Cr of ITU-R BT.601, is scaled and turned, the gray level Y stays, and what leaves 0 .. 255 is
 * cut.  The floating-point environment is the default one. */
void cnni_image_tint(const struct cnni_image *image, double saturation, double hue);

#endif
