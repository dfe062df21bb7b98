/* SPDX-License-Identifier: MIT
 * Cats have pointed ears, slit pupils, a small nose and whiskers; dogs a long muzzle, a large nose,
 * round eyes, ears that mostly hang, and sometimes their tongue out; rabbits very long ears, dark
 * eyes far apart and two teeth.
 *
 * All coordinates are in units of half a head's width, from the middle of the head, x to the right
 * and y downwards.  The scenery is in scenery.c. */
#include "animals.h"

#include "scenery.h"

static const struct color furs[] = {
    {0.16f, 0.15f, 0.16f}, /* black */
    {0.45f, 0.44f, 0.45f}, /* gray */
    {0.85f, 0.53f, 0.24f}, /* ginger */
    {0.48f, 0.32f, 0.20f}, /* brown */
    {0.88f, 0.78f, 0.60f}, /* cream */
    {0.92f, 0.91f, 0.89f}, /* white */
    {0.70f, 0.58f, 0.42f}, /* sand */
};

static const struct color black = {0.07f, 0.06f, 0.07f};
static const struct color white = {0.97f, 0.96f, 0.94f};
static const struct color pink = {0.90f, 0.60f, 0.60f};
static const struct color tongue = {0.88f, 0.42f, 0.46f};

/* What an animal's fur is made of. */
struct coat {
    struct color fur;   /* most of it */
    struct color shade; /* stripes, and ears that are darker */
    struct color patch; /* muzzle and chest */
    bool marked;        /* with stripes or spots */
};

static struct coat any_coat(struct dice *dice)
{
    const struct color fur = furs[dice_below(dice, COUNT(furs))];
    const struct color other = furs[dice_below(dice, COUNT(furs))];

    return (struct coat){
        .fur = color_mix(fur, other, dice_between(dice, 0.0f, 0.25f)),
        .shade = color_mix(fur, black, dice_between(dice, 0.25f, 0.55f)),
        .patch = color_mix(fur, white, dice_between(dice, 0.15f, 0.9f)),
        .marked = dice_chance(dice, 0.5f),
    };
}

/* The same shape on both sides of the face: `side` is -1 or 1. */
static void oval(struct canvas *canvas, struct color color, int side, float x, float y, float width,
                 float height, float angle)
{
    canvas_ellipse(canvas, color, (struct point){(float)side * x, y}, (struct point){width, height},
                   (float)side * angle);
}

/* Neck and chest, on down out of the picture. */
static void draw_body(struct canvas *canvas, struct dice *dice, const struct coat *coat,
                      float width)
{
    const float lean = dice_between(dice, -0.5f, 0.5f);

    canvas_ellipse(canvas, color_mix(coat->fur, black, 0.12f), (struct point){lean, 2.1f},
                   (struct point){width, 1.7f}, 0.0f);
    if (dice_chance(dice, 0.6f))
        canvas_ellipse(canvas, coat->patch, (struct point){lean * 0.6f, 1.7f},
                       (struct point){width * 0.45f, 0.9f}, 0.0f);
}

static void draw_highlight(struct canvas *canvas, int side, float x, float y, float radius)
{
    oval(canvas, white, side, x, y, radius, radius, 0.0f);
}

/* ---- Cats ---------------------------------------------------------------------------------- */

static void draw_cat_ear(struct canvas *canvas, const struct coat *coat, int side, float height,
                         float spread)
{
    const float s = (float)side;
    const struct point outer[3] = {
        {s * 0.85f, -0.25f}, {s * 0.15f, -0.72f}, {s * (0.55f + spread), -0.6f - height}};
    const struct point inner[3] = {
        {s * 0.72f, -0.45f}, {s * 0.34f, -0.72f}, {s * (0.55f + spread), -0.45f - height}};

    canvas_triangle(canvas, coat->marked ? coat->shade : coat->fur, outer, 0.06f);
    canvas_triangle(canvas, color_mix(pink, coat->shade, 0.3f), inner, 0.02f);
}

/* A tail that curls up beside the body. */
static void draw_tail(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const float side = dice_chance(dice, 0.5f) ? 1.0f : -1.0f;
    const float height = dice_between(dice, -0.3f, 0.9f);

    canvas_curve(canvas, coat->shade, (struct point){side * 0.7f, 2.6f},
                 (struct point){side * 2.3f, 2.2f}, (struct point){side * 1.5f, height}, 0.32f);
}

/* A tabby's forehead and cheeks. */
static void draw_stripes(struct canvas *canvas, const struct coat *coat)
{
    for (int i = -1; i <= 1; i++)
        canvas_line(canvas, coat->shade, (struct point){0.2f * (float)i, -0.72f},
                    (struct point){0.14f * (float)i, -0.4f}, 0.09f);
    for (int side = -1; side <= 1; side += 2) {
        const float s = (float)side;
        canvas_line(canvas, coat->shade, (struct point){s * 0.95f, 0.05f},
                    (struct point){s * 0.7f, 0.12f}, 0.08f);
        canvas_line(canvas, coat->shade, (struct point){s * 0.9f, 0.3f},
                    (struct point){s * 0.66f, 0.3f}, 0.08f);
    }
}

static void draw_cat_eyes(struct canvas *canvas, struct dice *dice)
{
    static const struct color irises[] = {
        {0.55f, 0.70f, 0.30f}, {0.88f, 0.72f, 0.25f}, {0.45f, 0.68f, 0.82f}, {0.75f, 0.50f, 0.18f}};
    const struct color iris = irises[dice_below(dice, COUNT(irises))];
    const float size = dice_between(dice, 0.85f, 1.2f);
    const float slit = dice_between(dice, 0.04f, 0.13f);
    const float slant = dice_between(dice, -0.35f, 0.0f);

    for (int side = -1; side <= 1; side += 2) {
        oval(canvas, black, side, 0.42f, -0.08f, 0.27f * size, 0.22f * size, slant);
        oval(canvas, iris, side, 0.42f, -0.08f, 0.23f * size, 0.18f * size, slant);
        oval(canvas, black, side, 0.42f, -0.08f, slit * size, 0.17f * size, 0.0f);
        draw_highlight(canvas, side, 0.36f, -0.16f, 0.05f);
    }
}

static void draw_cat_mouth(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const struct color nose = dice_chance(dice, 0.7f) ? pink : color_mix(coat->shade, black, 0.6f);
    const struct point corners[3] = {{-0.11f, 0.2f}, {0.11f, 0.2f}, {0.0f, 0.31f}};

    for (int side = -1; side <= 1; side += 2)
        oval(canvas, coat->patch, side, 0.19f, 0.42f, 0.26f, 0.21f, 0.0f);
    oval(canvas, coat->patch, 1, 0.0f, 0.58f, 0.17f, 0.13f, 0.0f);
    canvas_triangle(canvas, color_mix(nose, black, 0.1f), corners, 0.03f);
    for (int side = -1; side <= 1; side += 2)
        canvas_curve(canvas, black, (struct point){0.0f, 0.33f},
                     (struct point){(float)side * 0.05f, 0.55f},
                     (struct point){(float)side * 0.27f, 0.48f}, 0.04f);
}

static void draw_whiskers(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const float light = (coat->fur.red + coat->fur.green + coat->fur.blue) / 3.0f;
    const struct color color = light > 0.6f ? color_mix(coat->shade, black, 0.4f) : white;
    const float length = dice_between(dice, 0.6f, 1.0f);

    for (int side = -1; side <= 1; side += 2) {
        for (int i = -1; i <= 1; i++) {
            const float s = (float)side;
            const float y = 0.42f + 0.08f * (float)i;
            canvas_curve(canvas, color, (struct point){s * 0.3f, y},
                         (struct point){s * (0.3f + 0.5f * length), y + 0.05f * (float)i},
                         (struct point){s * (0.3f + length), y + 0.2f * (float)i + 0.05f}, 0.025f);
        }
    }
}

static void draw_cat_portrait(struct canvas *canvas, struct dice *dice)
{
    const struct coat coat = any_coat(dice);
    const float ear_height = dice_between(dice, 0.45f, 0.8f);
    const float ear_spread = dice_between(dice, 0.0f, 0.25f);
    const float width = dice_between(dice, 0.92f, 1.06f);

    if (dice_chance(dice, 0.5f))
        draw_tail(canvas, dice, &coat);
    draw_body(canvas, dice, &coat, dice_between(dice, 0.8f, 1.1f));
    draw_cat_ear(canvas, &coat, -1, ear_height, ear_spread);
    draw_cat_ear(canvas, &coat, 1, ear_height + dice_between(dice, -0.1f, 0.1f), ear_spread);
    oval(canvas, coat.fur, 1, 0.0f, 0.0f, width, dice_between(dice, 0.8f, 0.9f), 0.0f);
    for (int side = -1; side <= 1; side += 2)
        oval(canvas, coat.fur, side, 0.6f, 0.35f, 0.42f, 0.34f, 0.3f);
    if (coat.marked)
        draw_stripes(canvas, &coat);
    draw_cat_eyes(canvas, dice);
    draw_cat_mouth(canvas, dice, &coat);
    if (dice_chance(dice, 0.8f))
        draw_whiskers(canvas, dice, &coat);
}

/* ---- Dogs ---------------------------------------------------------------------------------- */

/* Hangs down beside the head, as a spaniel's. */
static void draw_hanging_ear(struct canvas *canvas, struct dice *dice, struct color color, int side)
{
    const float length = dice_between(dice, 0.55f, 0.9f);

    oval(canvas, color, side, 0.88f, -0.4f + 0.75f * length, 0.3f, length, -0.15f);
}

/* Stands up and folds over halfway, as a terrier's. */
static void draw_folded_ear(struct canvas *canvas, struct dice *dice, struct color color, int side)
{
    const float s = (float)side;
    const float tip = dice_between(dice, -0.45f, -0.15f);
    const struct point upright[3] = {{s * 0.3f, -0.75f}, {s * 0.85f, -0.45f}, {s * 0.72f, -1.0f}};
    const struct point fold[3] = {{s * 0.6f, -1.02f}, {s * 0.86f, -0.92f}, {s * 1.0f, tip}};

    canvas_triangle(canvas, color, upright, 0.08f);
    canvas_triangle(canvas, color_mix(color, black, 0.25f), fold, 0.1f);
}

/* Stands up, as a shepherd's: narrower than a cat's, and further apart. */
static void draw_pricked_ear(struct canvas *canvas, struct dice *dice, struct color color, int side)
{
    const float s = (float)side;
    const float height = dice_between(dice, 0.65f, 0.85f);
    const struct point outer[3] = {
        {s * 0.3f, -0.75f}, {s * 0.8f, -0.4f}, {s * 0.72f, -0.75f - height}};
    const struct point inner[3] = {
        {s * 0.45f, -0.75f}, {s * 0.7f, -0.6f}, {s * 0.68f, -0.55f - height}};

    canvas_triangle(canvas, color, outer, 0.08f);
    canvas_triangle(canvas, color_mix(color, pink, 0.35f), inner, 0.03f);
}

static void draw_dog_ears(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    static void (*const ears[])(struct canvas *, struct dice *, struct color, int) = {
        draw_hanging_ear, draw_hanging_ear, draw_folded_ear, draw_pricked_ear};
    const int which = dice_below(dice, COUNT(ears));
    const struct color color = dice_chance(dice, 0.7f) ? coat->shade : coat->fur;

    for (int side = -1; side <= 1; side += 2)
        ears[which](canvas, dice, color, side);
}

/* A dark patch around one eye, and freckles on the cheeks. */
static void draw_spots(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const int side = dice_chance(dice, 0.5f) ? 1 : -1;

    oval(canvas, coat->shade, side, 0.4f, -0.15f, 0.32f, 0.36f, 0.3f);
    for (int i = 0; i < 4; i++)
        oval(canvas, coat->shade, -side, dice_between(dice, 0.3f, 0.75f),
             dice_between(dice, -0.6f, 0.4f), 0.06f, 0.05f, 0.0f);
}

static void draw_dog_eyes(struct canvas *canvas, struct dice *dice)
{
    static const struct color irises[] = {
        {0.30f, 0.18f, 0.10f}, {0.45f, 0.28f, 0.12f}, {0.50f, 0.70f, 0.82f}};
    const struct color iris = irises[dice_chance(dice, 0.1f) ? 2 : dice_below(dice, 2)];
    const float size = dice_between(dice, 0.13f, 0.19f);
    const float y = dice_between(dice, -0.22f, -0.1f);

    for (int side = -1; side <= 1; side += 2) {
        oval(canvas, white, side, 0.36f, y, size * 1.3f, size * 1.15f, 0.0f);
        oval(canvas, iris, side, 0.36f, y, size, size, 0.0f);
        oval(canvas, black, side, 0.36f, y, size * 0.6f, size * 0.6f, 0.0f);
        draw_highlight(canvas, side, 0.31f, y - 0.06f, 0.05f);
    }
}

static void draw_muzzle(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const float length = dice_between(dice, 0.85f, 1.15f);
    const float top = 0.52f * length;

    if (dice_chance(dice, 0.5f))
        canvas_ellipse(canvas, tongue, (struct point){dice_between(dice, -0.1f, 0.1f), top + 0.42f},
                       (struct point){0.15f, 0.27f}, 0.0f);
    oval(canvas, coat->patch, 1, 0.0f, top, 0.42f, 0.42f * length, 0.0f);
    for (int side = -1; side <= 1; side += 2)
        oval(canvas, coat->patch, side, 0.22f, top + 0.14f, 0.27f, 0.25f, 0.0f);
    oval(canvas, black, 1, 0.0f, top - 0.2f, 0.2f, 0.14f, 0.0f);
    draw_highlight(canvas, 1, -0.06f, top - 0.26f, 0.045f);
    canvas_line(canvas, black, (struct point){0.0f, top - 0.1f}, (struct point){0.0f, top + 0.14f},
                0.04f);
    for (int side = -1; side <= 1; side += 2)
        canvas_curve(canvas, black, (struct point){0.0f, top + 0.14f},
                     (struct point){(float)side * 0.16f, top + 0.34f},
                     (struct point){(float)side * 0.38f, top + 0.16f}, 0.045f);
}

static void draw_dog_portrait(struct canvas *canvas, struct dice *dice)
{
    const struct coat coat = any_coat(dice);
    const bool ears_behind = dice_chance(dice, 0.5f);

    draw_body(canvas, dice, &coat, dice_between(dice, 0.85f, 1.2f));
    if (ears_behind)
        draw_dog_ears(canvas, dice, &coat);
    oval(canvas, coat.fur, 1, 0.0f, -0.05f, dice_between(dice, 0.82f, 0.98f),
         dice_between(dice, 0.88f, 1.0f), 0.0f);
    oval(canvas, coat.fur, 1, 0.0f, 0.4f, 0.62f, 0.55f, 0.0f);
    if (coat.marked)
        draw_spots(canvas, dice, &coat);
    if (!ears_behind)
        draw_dog_ears(canvas, dice, &coat);
    draw_dog_eyes(canvas, dice);
    draw_muzzle(canvas, dice, &coat);
}

/* ---- Rabbits ------------------------------------------------------------------------------- */

static void draw_rabbit_ears(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const float length = dice_between(dice, 0.65f, 0.9f);
    const float spread = dice_between(dice, 0.05f, 0.4f);

    for (int side = -1; side <= 1; side += 2) {
        const float angle = spread + dice_between(dice, -0.1f, 0.15f);
        const float x = 0.36f + 0.6f * angle;
        oval(canvas, coat->marked ? coat->shade : coat->fur, side, x, -0.6f - length, 0.23f, length,
             angle);
        oval(canvas, color_mix(pink, coat->shade, 0.3f), side, x, -0.58f - length, 0.12f,
             0.8f * length, angle);
    }
}

static void draw_rabbit_face(struct canvas *canvas, struct dice *dice, const struct coat *coat)
{
    const float size = dice_between(dice, 0.14f, 0.2f);
    const struct point nose[3] = {{-0.1f, 0.26f}, {0.1f, 0.26f}, {0.0f, 0.36f}};

    for (int side = -1; side <= 1; side += 2) {
        oval(canvas, black, side, 0.55f, -0.1f, size, size * 1.15f, 0.0f);
        draw_highlight(canvas, side, 0.5f, -0.18f, 0.05f);
        oval(canvas, white, side, 0.07f, 0.66f, 0.065f, 0.13f, 0.0f);
        oval(canvas, coat->patch, side, 0.2f, 0.47f, 0.26f, 0.2f, 0.0f);
    }
    canvas_triangle(canvas, pink, nose, 0.03f);
    canvas_line(canvas, black, (struct point){0.0f, 0.36f}, (struct point){0.0f, 0.52f}, 0.03f);
}

static void draw_rabbit_portrait(struct canvas *canvas, struct dice *dice)
{
    const struct coat coat = any_coat(dice);

    draw_body(canvas, dice, &coat, dice_between(dice, 0.8f, 1.1f));
    draw_rabbit_ears(canvas, dice, &coat);
    oval(canvas, coat.fur, 1, 0.0f, 0.0f, dice_between(dice, 0.78f, 0.92f),
         dice_between(dice, 0.86f, 0.98f), 0.0f);
    draw_rabbit_face(canvas, dice, &coat);
    if (dice_chance(dice, 0.5f))
        draw_whiskers(canvas, dice, &coat);
}

/* ---- Whole pictures ------------------------------------------------------------------------ */

/* Anywhere near the middle, near or far, with the head tilted. */
static struct frame any_pose(const struct canvas *canvas, struct dice *dice)
{
    const float side = (float)(canvas->width < canvas->height ? canvas->width : canvas->height);

    return (struct frame){
        .origin = {(float)canvas->width * dice_between(dice, 0.36f, 0.64f),
                   (float)canvas->height * dice_between(dice, 0.4f, 0.58f)},
        .unit = side * dice_between(dice, 0.19f, 0.32f),
        .angle = dice_between(dice, -0.35f, 0.35f),
    };
}

static void draw_picture(struct canvas *canvas, struct dice *dice,
                         void (*draw_portrait)(struct canvas *, struct dice *))
{
    const struct frame whole = canvas->frame;

    draw_background(canvas, dice);
    canvas->frame = any_pose(canvas, dice);
    draw_portrait(canvas, dice);
    canvas->frame = whole;
    draw_foreground(canvas, dice);
    take_photo(canvas, dice);
}

void draw_cat(struct canvas *canvas, struct dice *dice)
{
    draw_picture(canvas, dice, draw_cat_portrait);
}

void draw_dog(struct canvas *canvas, struct dice *dice)
{
    draw_picture(canvas, dice, draw_dog_portrait);
}

void draw_rabbit(struct canvas *canvas, struct dice *dice)
{
    draw_picture(canvas, dice, draw_rabbit_portrait);
}
