/* SPDX-License-Identifier: MIT
 * Portraits of cats, dogs and rabbits.  No two are alike, and what the kinds share (fur, light,
 * backgrounds, toys in front) is drawn alike, so that only the animal tells which it is. */
#ifndef ANIMALS_H
#define ANIMALS_H

#include "canvas.h"

/* Paints a whole picture over `canvas`. */
void draw_cat(struct canvas *canvas, struct dice *dice);
void draw_dog(struct canvas *canvas, struct dice *dice);
void draw_rabbit(struct canvas *canvas, struct dice *dice);

#endif
