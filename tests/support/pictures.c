/* SPDX-License-Identifier: MIT
 * Writes test pictures through libjpeg and libpng, whose own errors stop the program. */
#include "support/pictures.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* These need <stdio.h> before them. */
#include <jpeglib.h>
#include <png.h>

void picture_paint(uint8_t *pixels, int32_t height, int32_t width, uint32_t seed)
{
    uint32_t noise = seed * 2654435761u + 1;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            for (int32_t c = 0; c < 3; c++) {
                int32_t slope = (x * (c + 1) * 200 / width + y * (3 - c) * 100 / height);
                int32_t edge = (x / 7 + y / 5 + (int32_t)(seed % 3)) % 2 * 60;
                noise = noise * 1664525u + 1013904223u;
                int32_t value = slope + edge + (int32_t)(noise >> 27) + (int32_t)(seed * 37 % 256);
                *pixels++ = (uint8_t)(value % 256);
            }
}

static uint8_t *paint_new(int32_t height, int32_t width, uint32_t seed)
{
    uint8_t *pixels = malloc((size_t)height * (size_t)width * 3);
    ck_assert_ptr_nonnull(pixels);
    picture_paint(pixels, height, width, seed);
    return pixels;
}

void picture_write_jpeg(const char *path, int32_t height, int32_t width, uint32_t seed)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t *pixels = paint_new(height, width, seed);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int32_t y = 0; y < height; y++) {
        JSAMPROW row = pixels + (size_t)y * (size_t)width * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ck_assert_int_eq(fclose(file), 0);
    free(pixels);
}

void picture_write_png(const char *path, int32_t height, int32_t width, uint32_t seed)
{
    uint8_t *pixels = paint_new(height, width, seed);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    ck_assert_int_ne(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), 0);
    free(pixels);
}
