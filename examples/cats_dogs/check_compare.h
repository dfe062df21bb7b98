/* SPDX-License-Identifier: MIT
 * Whether two files show nearly the same picture. */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#include "check_picture.h"

enum { FREQUENCIES = 8 };

/* What the pictures of a folder have in common: a white ground with something in the middle, say,
 * which makes different pictures look alike.  They are compared without it.  All zero at first. */
struct common {
    int64_t count;
    double pixels[SMALL_PIXELS];           /* their sum; then of length 1, with mean 0 */
    double waves[FREQUENCIES][SMALL_SIDE]; /* for hashes */
};

/* A picture without what is common. */
struct view {
    const struct picture *picture;
    double share;  /* of the common picture in it */
    double length; /* of the rest, as a vector of pixels */
    uint64_t hash; /* similar for similar pictures */
};

/* The hash of a mirror image is that of the picture but for these bits. */
extern const uint64_t mirrored_bits;

/* Adds each of the pictures that are fine, and then finds out what they have in common. */
void common_add(struct common *common, const struct picture *picture);
void common_finish(struct common *common);

/* False for a picture that shows too little without what is common. */
bool view_create(struct view *view, const struct common *common, const struct picture *picture);

/* How much two pictures are alike, from -1 to 1, whatever their brightness and contrast: the
 * correlation of their pixels, or of those of the one and the other's mirror image. */
double view_likeness(const struct view *a, const struct view *b, bool mirrored);

#endif
