/* SPDX-License-Identifier: MIT
 * Backgrounds, toys and the camera's faults, the same for all animals, so that nothing here gives
 * away which of them is in the picture. */
#include "scenery.h"

static const struct color walls[] = {
    {0.85f, 0.80f, 0.72f}, {0.62f, 0.74f, 0.82f}, {0.75f, 0.83f, 0.70f}, {0.88f, 0.70f, 0.66f},
    {0.55f, 0.50f, 0.62f}, {0.93f, 0.88f, 0.62f}, {0.40f, 0.52f, 0.55f}, {0.70f, 0.66f, 0.64f},
};

static const struct color toys[] = {
    {0.85f, 0.22f, 0.20f}, {0.20f, 0.45f, 0.80f}, {0.95f, 0.78f, 0.20f},
    {0.45f, 0.72f, 0.30f}, {0.75f, 0.40f, 0.70f},
};

static const struct color grass = {0.36f, 0.55f, 0.24f};
static const struct color white = {1.0f, 1.0f, 1.0f};
static const struct color black = {0.0f, 0.0f, 0.0f};

static struct color any_wall(struct dice *dice)
{
    return walls[dice_below(dice, COUNT(walls))];
}

static struct point any_point(struct dice *dice, const struct canvas *canvas)
{
    return (struct point){dice_between(dice, 0.0f, (float)canvas->width),
                          dice_between(dice, 0.0f, (float)canvas->height)};
}

/* Blades of grass from `bottom` upwards, `height` pixels tall. */
static void draw_blades(struct canvas *canvas, struct dice *dice, int count, float bottom,
                        float height)
{
    for (int i = 0; i < count; i++) {
        const struct color color =
            color_mix(grass, i % 2 ? white : black, dice_between(dice, 0.0f, 0.3f));
        const float x = dice_between(dice, 0.0f, (float)canvas->width);
        const float lean = dice_between(dice, -0.4f, 0.4f) * height;
        const float tip = bottom - dice_between(dice, 0.4f, 1.0f) * height;
        canvas_curve(canvas, color, (struct point){x, bottom}, (struct point){x, tip},
                     (struct point){x + lean, tip}, 1.5f);
    }
}

/* ---- Backgrounds --------------------------------------------------------------------------- */

/* A wall, and a floor below it. */
static void draw_room(struct canvas *canvas, struct dice *dice)
{
    const struct color wall = any_wall(dice);
    const float width = (float)canvas->width;
    const float floor = (float)canvas->height * dice_between(dice, 0.6f, 0.9f);
    const float thickness = (float)canvas->height;

    canvas_gradient(canvas, wall, color_mix(wall, black, 0.2f));
    canvas_line(canvas, color_mix(any_wall(dice), black, 0.35f),
                (struct point){-width, floor + thickness / 2.0f},
                (struct point){2.0f * width, floor + thickness / 2.0f}, thickness);
}

/* Striped wallpaper. */
static void draw_wallpaper(struct canvas *canvas, struct dice *dice)
{
    const struct color paper = any_wall(dice);
    const struct color stripe = color_mix(paper, dice_chance(dice, 0.5f) ? white : black, 0.25f);
    const float step = dice_between(dice, 8.0f, 20.0f);
    const float lean = dice_between(dice, -30.0f, 30.0f);

    canvas_gradient(canvas, paper, paper);
    for (float x = -30.0f; x < (float)canvas->width + 30.0f; x += step)
        canvas_line(canvas, stripe, (struct point){x, -2.0f},
                    (struct point){x + lean, (float)canvas->height + 2.0f}, step * 0.45f);
}

/* Sky above, grass below. */
static void draw_garden(struct canvas *canvas, struct dice *dice)
{
    const struct color sky = {0.60f, 0.78f, dice_between(dice, 0.75f, 0.98f)};

    canvas_gradient(canvas, sky, grass);
    for (float row = 0.55f; row <= 1.05f; row += 0.1f)
        draw_blades(canvas, dice, canvas->width / 4, row * (float)canvas->height,
                    (float)canvas->height * 0.18f);
}

/* Spots of light, far out of focus. */
static void draw_lights(struct canvas *canvas, struct dice *dice)
{
    const struct color dusk = color_mix(any_wall(dice), black, 0.5f);

    canvas_gradient(canvas, dusk, color_mix(dusk, black, 0.3f));
    for (int i = 0; i < 14; i++) {
        const float radius = dice_between(dice, 0.03f, 0.12f) * (float)canvas->width;
        canvas_ellipse(canvas, color_mix(dusk, any_wall(dice), dice_between(dice, 0.2f, 0.7f)),
                       any_point(dice, canvas), (struct point){radius, radius}, 0.0f);
    }
}

void draw_background(struct canvas *canvas, struct dice *dice)
{
    static void (*const places[])(struct canvas *, struct dice *) = {draw_room, draw_wallpaper,
                                                                     draw_garden, draw_lights};

    places[dice_below(dice, COUNT(places))](canvas, dice);
}

/* ---- In front ------------------------------------------------------------------------------ */

/* A ball with a stripe and a highlight, lying near the lower border. */
static void draw_ball(struct canvas *canvas, struct dice *dice)
{
    const struct color color = toys[dice_below(dice, COUNT(toys))];
    const float radius = dice_between(dice, 0.08f, 0.15f) * (float)canvas->width;
    const float x = dice_between(dice, 0.1f, 0.9f) * (float)canvas->width;
    const float y = dice_between(dice, 0.8f, 0.95f) * (float)canvas->height;
    const float spin = dice_between(dice, -1.0f, 1.0f);

    canvas_ellipse(canvas, color, (struct point){x, y}, (struct point){radius, radius}, 0.0f);
    canvas_ellipse(canvas, color_mix(color, white, 0.6f), (struct point){x, y},
                   (struct point){radius, 0.3f * radius}, spin);
    canvas_ellipse(canvas, white, (struct point){x - 0.4f * radius, y - 0.5f * radius},
                   (struct point){0.15f * radius, 0.12f * radius}, 0.0f);
}

void draw_foreground(struct canvas *canvas, struct dice *dice)
{
    if (dice_chance(dice, 0.2f))
        draw_ball(canvas, dice);
    if (dice_chance(dice, 0.15f))
        draw_blades(canvas, dice, canvas->width / 3, (float)canvas->height + 2.0f,
                    0.25f * (float)canvas->height);
}

void take_photo(struct canvas *canvas, struct dice *dice)
{
    canvas_light(canvas, dice, dice_between(dice, 0.1f, 0.6f));
    canvas_blur(canvas, dice_below(dice, 3));
    canvas_noise(canvas, dice, dice_between(dice, 0.0f, 0.09f));
}
