/* SPDX-License-Identifier: MIT
 * Picture files for tests: every test program that needs some makes its own, in a temporary folder.
 * A failure to do so ends the test. */
#ifndef TEST_PICTURES_H
#define TEST_PICTURES_H

#include <stdint.h>

#include "support/folders.h"

/* Paints a picture [height][width][3] with colours, edges and noise that depend on `seed`. */
void picture_paint(uint8_t *pixels, int32_t height, int32_t width, uint32_t seed);

/* Writes such a picture to `path`. */
void picture_write_jpeg(const char *path, int32_t height, int32_t width, uint32_t seed);
void picture_write_png(const char *path, int32_t height, int32_t width, uint32_t seed);

#endif
