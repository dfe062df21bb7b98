/* SPDX-License-Identifier: MIT
 * What the tests of augmentation have in common: pictures that show what was done to them, and
 * preparations that leave bytes as they are. */
#ifndef SUPPORT_PREPARING_H
#define SUPPORT_PREPARING_H

#include "data/augment.h"
#include "support/accounts.h"

/* Of the running test; the context's memory is counted. */
extern struct accounts preparing_accounts;
extern cnn_context *preparing_context;

/* Checked fixtures. */
void preparing_set_up(void);
void preparing_tear_down(void);

/* Pictures, whose pixels are freed by free(): black; noise; red the column and green the row; gray,
 * `left` in its left half and `right` in its right one. */
struct cnni_image make_image(int64_t h, int64_t w, int64_t c);
struct cnni_image make_noise(int64_t h, int64_t w, int64_t c);
struct cnni_image make_coordinates(int64_t h, int64_t w);
struct cnni_image make_halves(int64_t h, int64_t w, uint8_t left, uint8_t right);

/* No augmentation yet.  Bytes stay what they are: their floats are 0 .. 255, up to rounding. */
struct cnni_preparation make_preparation(int64_t h, int64_t w, int32_t channels);

void prepare(float *target, const struct cnni_preparation *preparation,
             const struct cnni_image *picture, int64_t epoch, int64_t sample);

#endif
