/* SPDX-License-Identifier: MIT
 * Small pictures inside a page. */
#ifndef THUMBNAIL_H
#define THUMBNAIL_H

#include <cnn.h>

#include <stdio.h>

/* The longer side, in pixels. */
enum { THUMBNAIL_SIDE = 128 };

/* Reads a picture, uint8 [h][w][3], and makes it as small as a thumbnail, without distortion. */
cnn_status thumbnail_load(cnn_tensor **thumbnail, cnn_context *context, const char *path);

/* A new picture: `thumbnail` in gray, and over it in colour where `map`, float32 [h][w], is
 * high. */
cnn_status thumbnail_heat(cnn_tensor **heat, cnn_context *context, const cnn_tensor *thumbnail,
                          const cnn_tensor *map);

/* <img/> with the picture inside, as JPEG or, for `exact` pixels, as PNG; CNN_ERROR_MEMORY. */
cnn_status thumbnail_write(FILE *page, const cnn_tensor *thumbnail, const char *alt);
cnn_status thumbnail_write_exact(FILE *page, const uint8_t *pixels, int width, int height,
                                 const char *alt);

#endif
