/* SPDX-License-Identifier: MIT
 * Decoded pictures as the rest of data/ uses them: plain bytes with their size, not yet tensors.
 * The public functions are in cnn/image.h; what image.c shares with the decoders is in
 * image_decoder.h. */
#ifndef CNNI_IMAGE_H
#define CNNI_IMAGE_H

#include "base/base.h"
#include "cnn/context.h"

/* A picture, c = 3 (red, green, blue) or 1 (gray).  `pixels` comes from cnni_alloc() where a
 * function here made it, and may point anywhere where a function only reads it. */
struct cnni_image {
    uint8_t *pixels; /* [h][w][c] */
    int64_t h, w, c;
};

/* What is wanted of a picture. */
struct cnni_image_request {
    const char *function; /* the public call, for messages */
    int64_t channels;     /* 3 or 1 */
    int64_t min_h, min_w; /* may be scaled by 1/2, 1/4, 1/8, but not below; 0, 0: full size */
    char *note;           /* [CNNI_ERROR_SIZE], "": what a lenient decoder passes over; or NULL */
    size_t root;          /* a file's path may go through symbolic links up to here; 0: all of it */
};

/* Decodes the bytes of a JPEG or PNG, upright.  Statuses as cnn_image_decode(); on failure `image`
 * is all zero. */
cnn_status cnni_image_decode(struct cnni_image *image, cnn_context *context,
                             const struct cnni_image_request *request, const void *bytes,
                             size_t size);

/* The same for a file.  Statuses as cnn_image_load(), with the path in the text. */
cnn_status cnni_image_read(struct cnni_image *image, cnn_context *context,
                           const struct cnni_image_request *request, const char *path);

/* Frees the pixels and clears the struct, which may be all zero. */
void cnni_image_free(cnn_context *context, struct cnni_image *image);

/* How many bytes the pixels are.  The product fits: either they exist, or the picture is to have
 * the size of a model's input, whose shape cnni_shape_set() has accepted. */
static inline size_t cnni_image_bytes(const struct cnni_image *image)
{
    return (size_t)(image->h * image->w * image->c);
}

#endif
