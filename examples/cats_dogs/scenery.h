/* SPDX-License-Identifier: MIT
 * What is around the animals: rooms and gardens behind, toys in front, and the camera. */
#ifndef SCENERY_H
#define SCENERY_H

#include "canvas.h"

/* Paints everything behind the animal. */
void draw_background(struct canvas *canvas, struct dice *dice);

/* Puts a ball or a few blades of grass in front, or, most often, nothing. */
void draw_foreground(struct canvas *canvas, struct dice *dice);

/* Light, focus and noise: what a camera does to the whole picture. */
void take_photo(struct canvas *canvas, struct dice *dice);

#endif
