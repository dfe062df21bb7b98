/* SPDX-License-Identifier: MIT
 * What can be seen of one picture without knowing any other. */
#ifndef CHECK_PICTURE_H
#define CHECK_PICTURE_H

#include <cnn.h>

#include <stdbool.h>

/* Pictures are compared in gray, squeezed to so many pixels a side. */
enum { SMALL_SIDE = 32, SMALL_PIXELS = SMALL_SIDE * SMALL_SIDE };

enum picture_state {
    NOT_SEEN,
    FINE,
    DAMAGED,   /* some of it could be decoded, but not all */
    UNREADABLE /* nothing could */
};

struct picture {
    enum picture_state state;
    char *problem;      /* why it is not fine; NULL */
    const char *format; /* by its contents, "JPEG" or "PNG"; "" for others */
    int64_t size;       /* bytes of the file */
    uint64_t digest;    /* of those bytes */
    /* Where it is fine: */
    int64_t height, width;       /* or a half, quarter or eighth of large ones */
    double contrast;             /* standard deviation of the color that varies most, 0 to 127.5 */
    int64_t sum, squares;        /* of `small` */
    uint8_t small[SMALL_PIXELS]; /* in gray, for comparisons */
};

/* What is needed to look at pictures, one after the other. */
struct lens {
    cnn_context *strict, *lenient;
    cnn_tensor *small; /* uint8 [SMALL_SIDE][SMALL_SIDE][3] */
    int64_t side;      /* height and width below this are exact */
};

/* False, after a message, when it cannot; to be freed in any case. */
bool lens_create(struct lens *lens, int64_t side);
void lens_free(struct lens *lens);

/* Looks at the file at `path`, which must not be a link.  False without memory. */
bool picture_look(struct picture *picture, struct lens *lens, const char *path);

/* Whether a file is called as a picture that training takes, and as a PNG. */
bool is_picture_name(const char *name);
bool is_png_name(const char *name);

/* The format of a file by its first bytes, at least 12 of it where it has as many; "" for none. */
const char *picture_format(const unsigned char *bytes, size_t size);

#endif
