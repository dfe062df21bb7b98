/* SPDX-License-Identifier: MIT
 * JPEG through libjpeg-turbo, PNG through libpng's simplified interface.
 *
 * libjpeg reports errors by a callback that must not return: setjmp() and longjmp() stay inside
 * this file.  Both writers go through a stdio stream of ours, so that errno tells why a disk
 * refused. */
#include "picture_file.h"

#include <stdio.h> /* first: jpeglib.h needs FILE and size_t */

#include <jpeglib.h>
#include <png.h>

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

/* Writes `file`'s buffers and closes it; what is not complete is removed. */
static bool finish(const char *path, FILE *file, bool written)
{
    const int reason = errno;
    const bool closed = fclose(file) == 0;

    if (written && closed)
        return true;
    if (!written)
        errno = reason;
    const int kept = errno;
    unlink(path);
    errno = kept;
    return false;
}

/* ---- JPEG ---------------------------------------------------------------------------------- */

struct jpeg_failure {
    struct jpeg_error_mgr manager; /* first, so that libjpeg's pointer to it is one to this */
    jmp_buf escape;
};

static void jump_out(j_common_ptr info)
{
    struct jpeg_failure *failure = (struct jpeg_failure *)info->err;

    longjmp(failure->escape, 1);
}

static void stay_silent(j_common_ptr info)
{
    (void)info;
}

static void describe_picture(struct jpeg_compress_struct *info, int width, int height,
                             struct jpeg_style style)
{
    info->image_width = (JDIMENSION)width;
    info->image_height = (JDIMENSION)height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, style.quality, TRUE);
    if (style.full_chroma) {
        info->comp_info[0].h_samp_factor = 1;
        info->comp_info[0].v_samp_factor = 1;
    }
    if (style.progressive)
        jpeg_simple_progression(info);
}

static bool compress_to(FILE *file, const uint8_t *pixels, int width, int height,
                        struct jpeg_style style)
{
    struct jpeg_compress_struct info;
    struct jpeg_failure failure;

    memset(&info, 0, sizeof info);
    info.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = jump_out;
    failure.manager.output_message = stay_silent;
    if (setjmp(failure.escape) != 0) {
        jpeg_destroy_compress(&info);
        return false;
    }
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    describe_picture(&info, width, height, style);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        const uint8_t *row = pixels + (size_t)info.next_scanline * (size_t)width * 3;
        /* libjpeg declares rows without const, but only reads them. */
        JSAMPROW rows[] = {(JSAMPROW)(uintptr_t)row};
        jpeg_write_scanlines(&info, rows, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return true;
}

bool write_jpeg(const char *path, const uint8_t *pixels, int width, int height,
                struct jpeg_style style)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return false;
    return finish(path, file, compress_to(file, pixels, width, height, style));
}

bool encode_jpeg(struct memory_file *memory, const uint8_t *pixels, int width, int height,
                 struct jpeg_style style)
{
    FILE *file = memory_file_open(memory);

    return file != NULL &&
           memory_file_close(memory, file, compress_to(file, pixels, width, height, style));
}

/* ---- PNG ----------------------------------------------------------------------------------- */

static bool write_png_to(FILE *file, const uint8_t *pixels, int width, int height)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = PNG_FORMAT_RGB,
    };

    return png_image_write_to_stdio(&image, file, 0, pixels, 0, NULL) != 0;
}

bool write_png(const char *path, const uint8_t *pixels, int width, int height)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return false;
    return finish(path, file, write_png_to(file, pixels, width, height));
}

bool encode_png(struct memory_file *memory, const uint8_t *pixels, int width, int height)
{
    FILE *file = memory_file_open(memory);

    return file != NULL &&
           memory_file_close(memory, file, write_png_to(file, pixels, width, height));
}
