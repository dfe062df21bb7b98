/* SPDX-License-Identifier: MIT
 * Between image.c, which recognises a picture's format and finishes what comes out, and the
 * decoders, one file per format.  A new format is a decoder here and a row in image.c. */
#ifndef CNNI_IMAGE_DECODER_H
#define CNNI_IMAGE_DECODER_H

#include "data/image.h"

/* One decoding: the question, and what the decoder fills in. */
struct cnni_decoding {
    cnn_context *context;
    const struct cnni_image_request *request;
    const uint8_t *bytes; /* [size] */
    size_t size;

    struct cnni_image image; /* as it is stored; also after a failure the caller frees it */
    int32_t orientation;     /* EXIF's, 1 to 8; 1 where there is none */
};

/* Decodes to `image`.  The format's first bytes have been checked. */
typedef cnn_status cnni_decode_fn(struct cnni_decoding *decoding);

cnni_decode_fn cnni_jpeg_decode; /* where the build has CNNI_HAVE_JPEG */
cnni_decode_fn cnni_png_decode;  /* where the build has CNNI_HAVE_PNG */

/* For a decoder that has read the size: CNN_ERROR_LIMIT where the context allows less. */
cnn_status cnni_decoding_check_size(const struct cnni_decoding *decoding, int64_t h, int64_t w);

/* Makes the image [h][w][request's channels]. */
cnn_status cnni_decoding_make_image(struct cnni_decoding *decoding, int64_t h, int64_t w);

/* Says what is wrong with the bytes: the status, "damaged JPEG", and how. */
cnn_status cnni_decoding_fail(const struct cnni_decoding *decoding, cnn_status status,
                              const char *what, const char *how);

/* The gray level of a colour (ITU-R BT.601, as JPEG's luma), in 16-bit fixed point. */
static inline uint8_t cnni_luma(const uint8_t rgb[3])
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* The orientation in an EXIF block, which is a TIFF file; 1 where it has none or makes no sense. */
int32_t cnni_exif_orientation(const uint8_t *tiff, size_t size);

/* Whether the orientation exchanges height and width. */
bool cnni_orientation_swaps(int32_t orientation);

/* Copies the pixels of `source`, turned upright, to those of `target`, which has that size. */
void cnni_orient(const struct cnni_image *target, const struct cnni_image *source,
                 int32_t orientation);

#endif
