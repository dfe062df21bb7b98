/* SPDX-License-Identifier: MIT
 * alter_picture IN OUT CHANGE...: reads a picture, changes it, and writes it as a JPEG, or as a PNG
 * where OUT ends in .png: copies that a check of a data set has to recognise, and odd pictures. */
#include <cnn.h>

#include "picture_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cnn_context *context;

static cnn_tensor *create(int64_t height, int64_t width)
{
    const int64_t shape[] = {height, width, 3};
    cnn_tensor *image = NULL;

    if (cnn_tensor_create(&image, context, CNN_UINT8, shape, 3) != CNN_OK) {
        fprintf(stderr, "alter_picture: %s\n", cnn_error_message());
        exit(1);
    }
    return image;
}

/* `image` resized, or squeezed. */
static cnn_tensor *resize(const cnn_tensor *image, int64_t height, int64_t width)
{
    cnn_tensor *resized = create(height, width);

    if (cnn_image_resize(resized, image) != CNN_OK)
        exit(1);
    return resized;
}

/* The part of `image` without `top` rows and `left` columns, mirrored or not. */
static cnn_tensor *cut(const cnn_tensor *image, int64_t top, int64_t left, int mirrored)
{
    const int64_t height = cnn_tensor_dim(image, 0) - top;
    const int64_t width = cnn_tensor_dim(image, 1);
    cnn_tensor *result = create(height, width - left);
    const uint8_t *from = cnn_tensor_const_data(image);
    uint8_t *to = cnn_tensor_data(result);

    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = left; x < width; x++, to += 3)
            memcpy(to, from + 3 * ((y + top) * width + (mirrored ? width - 1 - x : x)), 3);
    }
    return result;
}

static cnn_tensor *half(const cnn_tensor *image)
{
    return resize(image, cnn_tensor_dim(image, 0) / 2, cnn_tensor_dim(image, 1) / 2);
}

static cnn_tensor *tiny(const cnn_tensor *image)
{
    return resize(image, 40, 50);
}

static cnn_tensor *narrow(const cnn_tensor *image)
{
    return resize(image, 70, 280);
}

static cnn_tensor *mirror(const cnn_tensor *image)
{
    return cut(image, 0, 0, 1);
}

/* Without 2 per cent of both sides. */
static cnn_tensor *crop(const cnn_tensor *image)
{
    return cut(image, cnn_tensor_dim(image, 0) / 50, cnn_tensor_dim(image, 1) / 50, 0);
}

static cnn_tensor *each_value(const cnn_tensor *image, int percent, int least)
{
    cnn_tensor *result = cut(image, 0, 0, 0);
    uint8_t *values = cnn_tensor_data(result);

    for (int64_t i = 0; i < cnn_tensor_count(result); i++) {
        const int value = values[i] * percent / 100 + least;
        values[i] = (uint8_t)(value > 255 ? 255 : value);
    }
    return result;
}

static cnn_tensor *brighten(const cnn_tensor *image)
{
    return each_value(image, 120, 0);
}

static cnn_tensor *plain(const cnn_tensor *image)
{
    return each_value(image, 0, 90);
}

static const struct {
    const char *name;
    cnn_tensor *(*change)(const cnn_tensor *image);
} changes[] = {{"half", half}, {"tiny", tiny},   {"narrow", narrow},    {"mirror", mirror},
               {"crop", crop}, {"plain", plain}, {"brighten", brighten}};

static cnn_tensor *change(cnn_tensor *image, const char *name)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (strcmp(changes[i].name, name) == 0) {
            cnn_tensor *changed = changes[i].change(image);
            cnn_tensor_free(image);
            return changed;
        }
    }
    fprintf(stderr, "alter_picture: no change is called %s\n", name);
    exit(1);
}

static int write(const char *path, const cnn_tensor *image)
{
    const struct jpeg_style style = {.quality = 70};
    const char *ending = strrchr(path, '.');
    const int height = (int)cnn_tensor_dim(image, 0);
    const int width = (int)cnn_tensor_dim(image, 1);
    const uint8_t *pixels = cnn_tensor_const_data(image);

    return ending != NULL && strcmp(ending, ".png") == 0
               ? write_png(path, pixels, width, height)
               : write_jpeg(path, pixels, width, height, style);
}

int main(int argc, char **argv)
{
    cnn_tensor *image = NULL;

    if (argc < 3 || cnn_context_create(&context) != CNN_OK ||
        cnn_image_load(&image, context, argv[1], 3) != CNN_OK) {
        fprintf(stderr, "alter_picture: %s\n", argc < 3 ? "wanted IN OUT" : cnn_error_message());
        return 1;
    }
    for (int i = 3; i < argc; i++)
        image = change(image, argv[i]);
    const int written = write(argv[2], image);
    cnn_tensor_free(image);
    cnn_context_free(context);
    return written ? 0 : 1;
}
