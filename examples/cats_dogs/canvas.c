/* SPDX-License-Identifier: MIT
 * Shapes are signed distances: negative inside, growing by one pixel per pixel across the border,
 * so that 0.5 - distance, cut to 0 .. 1, is the share of a pixel that the shape covers.
 *
 * What is drawn with these shapes is in animals.c. */
#include "canvas.h"

#include <math.h>
#include <stdlib.h>

static float clamp(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static struct point minus(struct point a, struct point b)
{
    return (struct point){a.x - b.x, a.y - b.y};
}

static float dot(struct point a, struct point b)
{
    return a.x * b.x + a.y * b.y;
}

struct color color_mix(struct color a, struct color b, float share)
{
    return (struct color){
        a.red + (b.red - a.red) * share,
        a.green + (b.green - a.green) * share,
        a.blue + (b.blue - a.blue) * share,
    };
}

bool canvas_create(struct canvas *canvas, int width, int height)
{
    *canvas = (struct canvas){.width = width, .height = height, .frame = {.unit = 1.0f}};
    canvas->pixels = calloc((size_t)width * (size_t)height, sizeof *canvas->pixels);
    return canvas->pixels != NULL;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->pixels);
    canvas->pixels = NULL;
}

/* ---- Shapes -------------------------------------------------------------------------------- */

/* A shape by its points, widened by `radius`: all in the frame's units. */
struct shape {
    struct point points[3];
    float radius;
    float (*distance)(const struct shape *shape, struct point at);
};

/* Points: centre, radii, (cosine, sine) of its angle.  Near the border, this usual estimate of the
 * distance to an ellipse is exact to the second order. */
static float ellipse_distance(const struct shape *shape, struct point at)
{
    const struct point offset = minus(at, shape->points[0]);
    const struct point radii = shape->points[1];
    const struct point turn = shape->points[2];
    const struct point local = {turn.x * offset.x + turn.y * offset.y,
                                turn.x * offset.y - turn.y * offset.x};
    const struct point scaled = {local.x / radii.x, local.y / radii.y};
    const struct point slope = {scaled.x / radii.x, scaled.y / radii.y};
    const float length = sqrtf(dot(scaled, scaled));

    if (length < 1e-6f)
        return -fminf(radii.x, radii.y);
    return length * (length - 1.0f) / sqrtf(dot(slope, slope));
}

static float segment_distance(struct point from, struct point to, struct point at)
{
    const struct point along = minus(to, from);
    const struct point offset = minus(at, from);
    const float share = clamp(dot(offset, along) / fmaxf(dot(along, along), 1e-12f), 0.0f, 1.0f);
    const struct point gap = {offset.x - share * along.x, offset.y - share * along.y};

    return sqrtf(dot(gap, gap));
}

static float line_distance(const struct shape *shape, struct point at)
{
    return segment_distance(shape->points[0], shape->points[1], at);
}

/* Inside, `at` is on the same side of all three edges. */
static float triangle_distance(const struct shape *shape, struct point at)
{
    float nearest = INFINITY;
    int left = 0;

    for (int i = 0; i < 3; i++) {
        const struct point from = shape->points[i];
        const struct point to = shape->points[(i + 1) % 3];
        const struct point along = minus(to, from);
        const struct point offset = minus(at, from);
        nearest = fminf(nearest, segment_distance(from, to, at));
        left += along.x * offset.y - along.y * offset.x < 0.0f;
    }
    return left == 0 || left == 3 ? -nearest : nearest;
}

static struct point to_pixels(const struct frame *frame, struct point at)
{
    const float c = cosf(frame->angle) * frame->unit;
    const float s = sinf(frame->angle) * frame->unit;

    return (struct point){frame->origin.x + c * at.x - s * at.y,
                          frame->origin.y + s * at.x + c * at.y};
}

/* Paints `shape`, which lies within `reach` of `centre`. */
static void paint(struct canvas *canvas, struct color color, const struct shape *shape,
                  struct point centre, float reach)
{
    const struct frame frame = canvas->frame;
    const float c = cosf(frame.angle) / frame.unit;
    const float s = sinf(frame.angle) / frame.unit;
    const struct point middle = to_pixels(&frame, centre);
    const float extent = (reach + shape->radius) * frame.unit + 1.0f;
    const int left = (int)clamp(floorf(middle.x - extent), 0.0f, (float)canvas->width);
    const int right = (int)clamp(ceilf(middle.x + extent), 0.0f, (float)canvas->width);
    const int top = (int)clamp(floorf(middle.y - extent), 0.0f, (float)canvas->height);
    const int bottom = (int)clamp(ceilf(middle.y + extent), 0.0f, (float)canvas->height);

    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            const struct point offset =
                minus((struct point){(float)x + 0.5f, (float)y + 0.5f}, frame.origin);
            const struct point at = {c * offset.x + s * offset.y, c * offset.y - s * offset.x};
            const float distance = (shape->distance(shape, at) - shape->radius) * frame.unit;
            struct color *pixel = &canvas->pixels[y * canvas->width + x];
            *pixel = color_mix(*pixel, color, clamp(0.5f - distance, 0.0f, 1.0f));
        }
    }
}

void canvas_ellipse(struct canvas *canvas, struct color color, struct point centre,
                    struct point radii, float angle)
{
    const struct shape shape = {
        .points = {centre, radii, {cosf(angle), sinf(angle)}},
        .distance = ellipse_distance,
    };
    paint(canvas, color, &shape, centre, fmaxf(radii.x, radii.y));
}

void canvas_triangle(struct canvas *canvas, struct color color, const struct point corners[3],
                     float rounding)
{
    const struct shape shape = {
        .points = {corners[0], corners[1], corners[2]},
        .radius = rounding,
        .distance = triangle_distance,
    };
    const struct point centre = {(corners[0].x + corners[1].x + corners[2].x) / 3.0f,
                                 (corners[0].y + corners[1].y + corners[2].y) / 3.0f};
    float reach = 0.0f;

    for (int i = 0; i < 3; i++) {
        const struct point offset = minus(corners[i], centre);
        reach = fmaxf(reach, sqrtf(dot(offset, offset)));
    }
    paint(canvas, color, &shape, centre, reach);
}

void canvas_line(struct canvas *canvas, struct color color, struct point from, struct point to,
                 float thickness)
{
    const struct shape shape = {
        .points = {from, to},
        .radius = thickness / 2.0f,
        .distance = line_distance,
    };
    const struct point along = minus(to, from);

    paint(canvas, color, &shape, (struct point){(from.x + to.x) / 2.0f, (from.y + to.y) / 2.0f},
          sqrtf(dot(along, along)) / 2.0f);
}

void canvas_curve(struct canvas *canvas, struct color color, struct point from,
                  struct point towards, struct point to, float thickness)
{
    enum { PIECES = 8 };
    struct point last = from;

    for (int i = 1; i <= PIECES; i++) {
        const float t = (float)i / PIECES;
        const float u = 1.0f - t;
        const struct point next = {u * u * from.x + 2.0f * u * t * towards.x + t * t * to.x,
                                   u * u * from.y + 2.0f * u * t * towards.y + t * t * to.y};
        canvas_line(canvas, color, last, next, thickness);
        last = next;
    }
}

/* ---- The whole picture --------------------------------------------------------------------- */

void canvas_gradient(struct canvas *canvas, struct color top, struct color bottom)
{
    for (int y = 0; y < canvas->height; y++) {
        const struct color color = color_mix(top, bottom, (float)y / (float)canvas->height);
        for (int x = 0; x < canvas->width; x++)
            canvas->pixels[y * canvas->width + x] = color;
    }
}

/* One pass of 1 2 1 over a row or column of `count` pixels, `step` apart. */
static void blur_run(struct color *run, int count, int step)
{
    struct color before = run[0];

    for (int i = 0; i < count; i++) {
        struct color *pixel = &run[i * step];
        const struct color here = *pixel;
        const struct color after = i + 1 < count ? pixel[step] : here;
        *pixel = color_mix(color_mix(before, after, 0.5f), here, 0.5f);
        before = here;
    }
}

void canvas_blur(struct canvas *canvas, int times)
{
    for (int pass = 0; pass < times; pass++) {
        for (int y = 0; y < canvas->height; y++)
            blur_run(canvas->pixels + y * canvas->width, canvas->width, 1);
        for (int x = 0; x < canvas->width; x++)
            blur_run(canvas->pixels + x, canvas->height, canvas->width);
    }
}

static void brighten(struct color *pixel, float factor)
{
    pixel->red *= factor;
    pixel->green *= factor;
    pixel->blue *= factor;
}

/* Smooth noise: random values on a grid, interpolated in between. */
static float mottle(const float grid[8][8], float x, float y)
{
    const int column = (int)x;
    const int row = (int)y;
    const float across = x - (float)column;
    const float upper = grid[row][column] + across * (grid[row][column + 1] - grid[row][column]);
    const float lower =
        grid[row + 1][column] + across * (grid[row + 1][column + 1] - grid[row + 1][column]);

    return upper + (y - (float)row) * (lower - upper);
}

void canvas_light(struct canvas *canvas, struct dice *dice, float strength)
{
    const float angle = dice_between(dice, 0.0f, 6.2832f);
    const float slope_x = cosf(angle) * strength / (float)canvas->width;
    const float slope_y = sinf(angle) * strength / (float)canvas->height;
    float grid[8][8];

    for (int i = 0; i < 64; i++)
        grid[i / 8][i % 8] = dice_between(dice, -0.4f, 0.4f) * strength;
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            const float spot = mottle(grid, 7.0f * (float)x / (float)canvas->width,
                                      7.0f * (float)y / (float)canvas->height);
            const float side = slope_x * (float)(x - canvas->width / 2) +
                               slope_y * (float)(y - canvas->height / 2);
            brighten(&canvas->pixels[y * canvas->width + x], 1.0f + side + spot);
        }
    }
}

void canvas_noise(struct canvas *canvas, struct dice *dice, float strength)
{
    for (int i = 0; i < canvas->width * canvas->height; i++) {
        canvas->pixels[i].red += dice_between(dice, -strength, strength);
        canvas->pixels[i].green += dice_between(dice, -strength, strength);
        canvas->pixels[i].blue += dice_between(dice, -strength, strength);
    }
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

void canvas_to_bytes(const struct canvas *canvas, uint8_t *bytes)
{
    for (int i = 0; i < canvas->width * canvas->height; i++) {
        bytes[3 * i] = to_byte(canvas->pixels[i].red);
        bytes[3 * i + 1] = to_byte(canvas->pixels[i].green);
        bytes[3 * i + 2] = to_byte(canvas->pixels[i].blue);
    }
}
