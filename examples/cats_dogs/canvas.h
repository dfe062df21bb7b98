/* SPDX-License-Identifier: MIT
 * A small painter: antialiased shapes in a coordinate system that can be moved, turned and scaled.
 *
 * x grows to the right, y downwards.  Shapes are given in units of the current frame, so that a
 * figure is described once and placed anywhere. */
#ifndef CANVAS_H
#define CANVAS_H

#include "dice.h"

/* Red, green and blue from 0 to 1. */
struct color {
    float red, green, blue;
};

struct point {
    float x, y;
};

/* Where the origin of the drawing's coordinates is, in pixels; how many pixels their unit is; how
 * far they are turned clockwise, in radians. */
struct frame {
    struct point origin;
    float unit;
    float angle;
};

struct canvas {
    int width, height;
    struct color *pixels; /* [height][width] */
    struct frame frame;
};

/* A blend of two colors: `share` of `b`, the rest `a`. */
struct color color_mix(struct color a, struct color b, float share);

/* Allocates the pixels; false when there is no memory.  The frame is that of the pixels. */
bool canvas_create(struct canvas *canvas, int width, int height);
void canvas_free(struct canvas *canvas);

/* ---- Shapes -------------------------------------------------------------------------------- */

/* An ellipse with these radii, turned by `angle`. */
void canvas_ellipse(struct canvas *canvas, struct color color, struct point centre,
                    struct point radii, float angle);

/* A triangle whose corners are rounded off by a circle of radius `rounding`. */
void canvas_triangle(struct canvas *canvas, struct color color, const struct point corners[3],
                     float rounding);

/* A line with round ends. */
void canvas_line(struct canvas *canvas, struct color color, struct point from, struct point to,
                 float thickness);

/* A line bent towards `towards` (a quadratic Bezier curve). */
void canvas_curve(struct canvas *canvas, struct color color, struct point from,
                  struct point towards, struct point to, float thickness);

/* ---- The whole picture --------------------------------------------------------------------- */

/* Fills everything from `top` to `bottom`. */
void canvas_gradient(struct canvas *canvas, struct color top, struct color bottom);

/* Softens edges like a lens out of focus: a binomial 3x3 filter, `times` times. */
void canvas_blur(struct canvas *canvas, int times);

/* Makes the picture brighter or darker towards one side and mottles it, as light and fur do. */
void canvas_light(struct canvas *canvas, struct dice *dice, float strength);

/* Adds the noise of a camera's sensor. */
void canvas_noise(struct canvas *canvas, struct dice *dice, float strength);

/* Writes the picture as bytes, [height][width][3]. */
void canvas_to_bytes(const struct canvas *canvas, uint8_t *bytes);

#endif
