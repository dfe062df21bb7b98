/* SPDX-License-Identifier: MIT
 * Writes pictures as real JPEG and PNG files. */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

#include "memory_file.h"

#include <stdbool.h>
#include <stdint.h>

/* What a JPEG can vary in. */
struct jpeg_style {
    int quality;      /* 1 .. 100 */
    bool full_chroma; /* 4:4:4 in place of 4:2:0 */
    bool progressive;
};

/* Writes `pixels`, [height][width][3], as a file.  False, with the reason in errno, when it cannot;
 * what had been written until then is removed. */
bool write_jpeg(const char *path, const uint8_t *pixels, int width, int height,
                struct jpeg_style style);
bool write_png(const char *path, const uint8_t *pixels, int width, int height);

/* The same into memory, whose bytes the caller frees; false without that. */
bool encode_jpeg(struct memory_file *memory, const uint8_t *pixels, int width, int height,
                 struct jpeg_style style);
bool encode_png(struct memory_file *memory, const uint8_t *pixels, int width, int height);

#endif
