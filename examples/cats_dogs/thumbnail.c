/* SPDX-License-Identifier: MIT
 * Making thumbnails, and laying heat over them. */
#include "thumbnail.h"

#include "html.h"
#include "picture_file.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* ---- Reading ------------------------------------------------------------------------------- */

/* `side` in proportion, at least one pixel. */
static int64_t scaled(int64_t side, int64_t longest)
{
    const int64_t pixels = (side * THUMBNAIL_SIDE + longest / 2) / longest;

    return pixels > 0 ? pixels : 1;
}

cnn_status thumbnail_load(cnn_tensor **thumbnail, cnn_context *context, const char *path)
{
    cnn_tensor *image = NULL;
    cnn_status status =
        cnn_image_load_scaled(&image, context, path, 3, THUMBNAIL_SIDE, THUMBNAIL_SIDE);

    *thumbnail = NULL;
    if (status == CNN_OK) {
        const int64_t height = cnn_tensor_dim(image, 0);
        const int64_t width = cnn_tensor_dim(image, 1);
        const int64_t longest = height > width ? height : width;
        const int64_t shape[] = {scaled(height, longest), scaled(width, longest), 3};
        status = cnn_tensor_create(thumbnail, context, CNN_UINT8, shape, 3);
    }
    if (status == CNN_OK)
        status = cnn_image_resize(*thumbnail, image);
    cnn_tensor_free(image);
    return status;
}

/* ---- Heat ---------------------------------------------------------------------------------- */

/* From nothing over violet and orange to bright yellow: also brightness grows, for those who do not
 * see the colours. */
static const float colors[][3] = {{30, 0, 60},    {106, 20, 130}, {188, 48, 96},
                                  {240, 120, 30}, {252, 190, 40}, {255, 250, 160}};
enum { COLORS = sizeof colors / sizeof colors[0] };

static float color_at(float heat, int channel)
{
    const float place = heat * (COLORS - 1);
    const int below = place < COLORS - 2 ? (int)place : COLORS - 2;

    return colors[below][channel] +
           (colors[below + 1][channel] - colors[below][channel]) * (place - (float)below);
}

/* The place of pixel `index` of `count` among `cells`: the cell before it, and how far beyond. */
static int64_t between(float *beyond, int64_t index, int64_t count, int64_t cells)
{
    const float place =
        ((float)index + 0.5f) * (float)cells / (float)count - 0.5f; /* middles of cells */
    const float inside = fminf(fmaxf(place, 0), (float)(cells - 1));
    const int64_t before = (int64_t)inside < cells - 1 ? (int64_t)inside : cells - 1;

    *beyond = inside - (float)before;
    return before;
}

/* The map at a pixel of a height x width picture, bilinear. */
static float map_at(const cnn_tensor *map, int64_t y, int64_t x, int64_t height, int64_t width)
{
    const int64_t rows = cnn_tensor_dim(map, 0);
    const int64_t columns = cnn_tensor_dim(map, 1);
    const float *values = cnn_tensor_const_data(map); /* [rows][columns] */
    float down, right;
    const int64_t row = between(&down, y, height, rows);
    const int64_t column = between(&right, x, width, columns);
    const float *above = values + row * columns;
    const float *below = row + 1 < rows ? above + columns : above;
    const int64_t next = column + 1 < columns ? column + 1 : column;

    return (1 - down) * ((1 - right) * above[column] + right * above[next]) +
           down * ((1 - right) * below[column] + right * below[next]);
}

static float largest(const cnn_tensor *map)
{
    const float *values = cnn_tensor_const_data(map);
    float most = 0;

    for (int64_t i = 0; i < cnn_tensor_count(map); i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

/* One pixel: gray, and the more of the colour the hotter it is. */
static void mix(uint8_t to[3], const uint8_t from[3], float heat)
{
    const float gray =
        0.85f * (0.299f * (float)from[0] + 0.587f * (float)from[1] + 0.114f * (float)from[2]);
    const float share = 0.8f * sqrtf(heat);

    for (int i = 0; i < 3; i++)
        to[i] = (uint8_t)(gray + (color_at(heat, i) - gray) * share + 0.5f);
}

cnn_status thumbnail_heat(cnn_tensor **heat, cnn_context *context, const cnn_tensor *thumbnail,
                          const cnn_tensor *map)
{
    const int64_t height = cnn_tensor_dim(thumbnail, 0);
    const int64_t width = cnn_tensor_dim(thumbnail, 1);
    const int64_t shape[] = {height, width, 3};
    const uint8_t *from = cnn_tensor_const_data(thumbnail);
    const float most = largest(map);
    const cnn_status status = cnn_tensor_create(heat, context, CNN_UINT8, shape, 3);

    if (status != CNN_OK)
        return status;
    uint8_t *to = cnn_tensor_data(*heat);
    for (int64_t i = 0; i < height * width; i++) {
        const float value = map_at(map, i / width, i % width, height, width);
        mix(to + 3 * i, from + 3 * i, most > 0 ? value / most : 0);
    }
    return CNN_OK;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Writes what is in `memory`, and frees it. */
static void write_image(FILE *page, const char *type, struct memory_file *memory, int width,
                        int height, const char *alt)
{
    fprintf(page, "<img width=\"%d\" height=\"%d\"", width, height);
    html_attribute(page, "alt", alt);
    fputs(" src=\"", page);
    html_data_uri(page, type, (const unsigned char *)memory->bytes, memory->size);
    fputs("\"/>", page);
    free(memory->bytes);
}

cnn_status thumbnail_write(FILE *page, const cnn_tensor *thumbnail, const char *alt)
{
    const struct jpeg_style style = {.quality = 82};
    const int height = (int)cnn_tensor_dim(thumbnail, 0);
    const int width = (int)cnn_tensor_dim(thumbnail, 1);
    struct memory_file memory;

    if (!encode_jpeg(&memory, cnn_tensor_const_data(thumbnail), width, height, style))
        return CNN_ERROR_MEMORY;
    write_image(page, "image/jpeg", &memory, width, height, alt);
    return CNN_OK;
}

cnn_status thumbnail_write_exact(FILE *page, const uint8_t *pixels, int width, int height,
                                 const char *alt)
{
    struct memory_file memory;

    if (!encode_png(&memory, pixels, width, height))
        return CNN_ERROR_MEMORY;
    write_image(page, "image/png", &memory, width, height, alt);
    return CNN_OK;
}
