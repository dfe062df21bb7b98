/* SPDX-License-Identifier: MIT
 * Makes pictures and prepares samples. */
#include "support/preparing.h"

#include <check.h>
#include <stdlib.h>

struct accounts preparing_accounts;
cnn_context *preparing_context;

void preparing_set_up(void)
{
    preparing_context = accounts_context(&preparing_accounts);
}

void preparing_tear_down(void)
{
    cnn_context_free(preparing_context);
    ck_assert_int_eq(preparing_accounts.blocks, 0);
}

struct cnni_image make_image(int64_t h, int64_t w, int64_t c)
{
    return (struct cnni_image){calloc((size_t)(h * w * c), 1), h, w, c};
}

struct cnni_image make_noise(int64_t h, int64_t w, int64_t c)
{
    struct cnni_image image = make_image(h, w, c);
    for (size_t i = 0; i < cnni_image_bytes(&image); i++)
        image.pixels[i] = (uint8_t)(i * i * 2654435761u >> 13);
    return image;
}

struct cnni_image make_coordinates(int64_t h, int64_t w)
{
    struct cnni_image image = make_image(h, w, 3);
    for (int64_t i = 0; i < h * w; i++) {
        image.pixels[3 * i] = (uint8_t)(i % w);
        image.pixels[3 * i + 1] = (uint8_t)(i / w);
    }
    return image;
}

struct cnni_image make_halves(int64_t h, int64_t w, uint8_t left, uint8_t right)
{
    struct cnni_image image = make_image(h, w, 1);
    for (int64_t i = 0; i < h * w; i++)
        image.pixels[i] = i % w < w / 2 ? left : right;
    return image;
}

struct cnni_preparation make_preparation(int64_t h, int64_t w, int32_t channels)
{
    static const float mean[] = {0, 0, 0}, deviation[] = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f};
    struct cnni_preparation preparation = {.h = h, .w = w, .augment = cnni_augment_none, .seed = 7};
    cnni_normalization_set(&preparation.normalization, mean, deviation, channels);
    return preparation;
}

void prepare(float *target, const struct cnni_preparation *preparation,
             const struct cnni_image *picture, int64_t epoch, int64_t sample)
{
    ck_assert_int_eq(
        cnni_prepare(target, preparing_context, preparation, picture, epoch, sample, "cnn_test"),
        CNN_OK);
}
