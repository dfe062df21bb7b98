/* SPDX-License-Identifier: MIT
 * Pictures: from a file's bytes to pixels, uint8 [h][w][c] with c = 3 (red, green, blue) or 1
 * (gray).
 *
 * All functions may be called concurrently with one context. */
#ifndef CNN_IMAGE_H
#define CNN_IMAGE_H

#include "cnn/tensor.h"

CNN_BEGIN_DECLS

/* Decodes a JPEG or PNG, recognised by its first bytes.  `channels` is 3 or 1.  EXIF orientation is
 * applied; gray, palette, 16-bit and CMYK/YCCK pictures are converted; transparent pixels are laid
 * over white.  `bytes` is borrowed for the call.
 * CNN_ERROR_FORMAT: damaged or cut short (but see cnn_context_set_lenient()), empty, or neither
 * JPEG nor PNG.  CNN_ERROR_UNSUPPORTED: a
 * JPEG of another precision or colour space, a picture format recognised as another (WebP, GIF,
 * BMP, TIFF, ...), or a build without that decoder.  CNN_ERROR_LIMIT: larger than the context
 * allows. */
CNN_API cnn_status cnn_image_decode(cnn_tensor **image, cnn_context *context, const void *bytes,
                                    size_t size, int32_t channels);

/* As cnn_image_decode(), for a picture that will be resized to `height` x `width` (at least 1): a
 * JPEG may come out at 1/2, 1/4 or 1/8 of its size, but never smaller than that; several times
 * faster for large photographs. */
CNN_API cnn_status cnn_image_decode_scaled(cnn_tensor **image, cnn_context *context,
                                           const void *bytes, size_t size, int32_t channels,
                                           int64_t height, int64_t width);

/* Reads and decodes the file at `path`; statuses as above, and
 * CNN_ERROR_NOT_FOUND: no such file.  CNN_ERROR_IO: not a regular file, or not readable. */
CNN_API cnn_status cnn_image_load(cnn_tensor **image, cnn_context *context, const char *path,
                                  int32_t channels);

/* The same as cnn_image_decode_scaled() decodes, which is what a loader does for a model of that
 * input size: cnn_model_prepare_image() then gives the same numbers to the bit. */
CNN_API cnn_status cnn_image_load_scaled(cnn_tensor **image, cnn_context *context, const char *path,
                                         int32_t channels, int64_t height, int64_t width);

/* Resizes `image` to the height and width of `resized`, both uint8 [h][w][c]: bilinear, antialiased
 * when it gets smaller (a triangle filter as wide as the scale, as Pillow's BILINEAR).
 * CNN_ERROR_SHAPE: not pictures, or another number of channels. */
CNN_API cnn_status cnn_image_resize(cnn_tensor *resized, const cnn_tensor *image);

CNN_END_DECLS

#endif
