/* SPDX-License-Identifier: MIT
 * draw_arrows FOLDER COUNT: arrows of several sizes in any place, in FOLDER/train and FOLDER/test,
 * whose classes, left and right, are mirror images of each other. */
#include "dice.h"

#include <png.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SIDE = 32, TRAINING_PER_TEST = 4 };

static const char *const classes[] = {"left", "right"};

struct arrow {
    int x, y;      /* of its tip */
    int size;      /* of its head; the shaft is as long again */
    bool to_right; /* its tip is its right end */
};

static bool is_inside(const struct arrow *arrow, int x, int y)
{
    const int behind = arrow->to_right ? arrow->x - x : x - arrow->x; /* the tip */
    const int aside = abs(y - arrow->y);

    return behind >= 0 &&
           (behind < arrow->size ? aside <= behind : behind < 2 * arrow->size && aside <= 1);
}

static void draw(uint8_t *pixels, bool to_right, struct dice *dice)
{
    const int size = 5 + dice_below(dice, 4);
    const int margin = dice_below(dice, SIDE - 2 * size);
    const struct arrow arrow = {.x = to_right ? SIDE - 1 - margin : margin,
                                .y = size + dice_below(dice, SIDE - 2 * size),
                                .size = size,
                                .to_right = to_right};
    const int ink = 160 + dice_below(dice, 90);
    const int paper = dice_below(dice, 90);

    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++, pixels += 3) {
            for (int c = 0; c < 3; c++)
                pixels[c] =
                    (uint8_t)((is_inside(&arrow, x, y) ? ink : paper) + dice_below(dice, 6));
        }
    }
}

static bool draw_part(const char *folder, const char *part, int first, int count)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB};
    uint8_t pixels[SIDE * SIDE * 3];
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, part);
    mkdir(path, 0777);
    for (int i = 0; i < count; i++) {
        struct dice dice = dice_for(0, (uint64_t)(first + i));
        snprintf(path, sizeof path, "%s/%s/%s", folder, part, classes[i % 2]);
        mkdir(path, 0777);
        snprintf(path, sizeof path, "%s/%s/%s/%04d.png", folder, part, classes[i % 2], i);
        draw(pixels, i % 2, &dice);
        if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL) == 0) {
            fprintf(stderr, "%s: %s\n", path, image.message);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    const int count = argc == 3 ? atoi(argv[2]) : 0;

    if (count <= 0) {
        fputs("wanted: draw_arrows FOLDER COUNT\n", stderr);
        return 2;
    }
    mkdir(argv[1], 0777);
    return draw_part(argv[1], "train", 0, count) &&
                   draw_part(argv[1], "test", count, count / TRAINING_PER_TEST)
               ? 0
               : 1;
}
