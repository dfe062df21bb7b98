/* SPDX-License-Identifier: MIT
 * Writes the drawings of animals.c into folders of classes, as files that differ as the photographs
 * of many cameras do: in size, in format, in how hard they were compressed. */
#include "drawings.h"

#include "animals.h"
#include "console.h"
#include "interrupt.h"
#include "picture_file.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A side of a picture, in pixels; one picture for testing for so many for training. */
enum { SMALLEST = 96, LARGEST = 144, TRAINING_PER_TEST = 6 };

static const struct {
    const char *folder;
    const char *name;
    void (*draw)(struct canvas *canvas, struct dice *dice);
} classes[MOST_KINDS] = {
    {"cats", "cat", draw_cat},
    {"dogs", "dog", draw_dog},
    {"rabbits", "rabbit", draw_rabbit},
};

/* What is drawn, and where to. */
struct order {
    const char *folder;
    int kinds;
    uint64_t seed;
};

/* Two parts of one data set: different folders, and different numbers for the dice. */
struct part {
    const char *folder;
    uint64_t first;
};

static const struct part training_part = {"train", 0};
static const struct part test_part = {"test", UINT64_C(1) << 32};

static bool complain_about(const char *path)
{
    console_error("%s: %s", path, strerror(errno));
    return false;
}

/* ---- One picture --------------------------------------------------------------------------- */

/* One in six is a PNG, the others are JPEGs of all qualities.  `stem` gets its ending here. */
static bool write_picture(const char *stem, const uint8_t *pixels, const struct canvas *canvas,
                          struct dice *dice)
{
    const bool png = dice_chance(dice, 1.0f / 6.0f);
    const struct jpeg_style style = {
        .quality = 50 + dice_below(dice, 46),
        .full_chroma = dice_chance(dice, 0.3f),
        .progressive = dice_chance(dice, 0.2f),
    };
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%s.%s", stem, png ? "png" : "jpg") >= sizeof path) {
        errno = ENAMETOOLONG;
        return complain_about(stem);
    }
    if (!(png ? write_png(path, pixels, canvas->width, canvas->height)
              : write_jpeg(path, pixels, canvas->width, canvas->height, style)))
        return complain_about(path);
    return true;
}

static bool draw_picture_file(const struct order *order, const struct part *part, int64_t index)
{
    const int kind = (int)(index % order->kinds);
    struct dice dice = dice_for(order->seed, part->first + (uint64_t)index);
    const int width = SMALLEST + dice_below(&dice, LARGEST - SMALLEST + 1);
    const int height = SMALLEST + dice_below(&dice, LARGEST - SMALLEST + 1);
    uint8_t pixels[LARGEST * LARGEST * 3];
    char stem[PATH_MAX];
    struct canvas canvas;

    snprintf(stem, sizeof stem, "%s/%s/%s/%s.%05lld", order->folder, part->folder,
             classes[kind].folder, classes[kind].name, (long long)(index / order->kinds + 1));
    if (!canvas_create(&canvas, width, height))
        return complain_about(stem);
    classes[kind].draw(&canvas, &dice);
    canvas_to_bytes(&canvas, pixels);
    const bool written = write_picture(stem, pixels, &canvas, &dice);
    canvas_free(&canvas);
    return written;
}

/* ---- Folders ------------------------------------------------------------------------------- */

/* FOLDER, FOLDER/part or FOLDER/part/class. */
static bool create_folder(const char *folder, const char *part, const char *class_folder)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%s/%s/%s", folder, part, class_folder) >=
        sizeof path) {
        errno = ENAMETOOLONG;
        return complain_about(folder);
    }
    return mkdir(path, 0777) == 0 || complain_about(path);
}

static bool draw_part(const struct order *order, const struct part *part, int64_t count)
{
    if (!create_folder(order->folder, part->folder, ""))
        return false;
    for (int kind = 0; kind < order->kinds; kind++) {
        if (!create_folder(order->folder, part->folder, classes[kind].folder))
            return false;
    }
    for (int64_t index = 0; index < count; index++) {
        if (interrupt_seen()) {
            console_error("interrupted; the drawings were removed");
            return false;
        }
        if (!draw_picture_file(order, part, index))
            return false;
    }
    return true;
}

/* Fills a folder that was just made, or removes it. */
static bool fill(const struct order *order, int64_t count)
{
    const int64_t test_count = (count + TRAINING_PER_TEST - 1) / TRAINING_PER_TEST;

    if (draw_part(order, &training_part, count) && draw_part(order, &test_part, test_count))
        return true;
    drawings_remove(order->folder);
    return false;
}

bool drawings_create(const char *folder, int kinds, int64_t count, uint64_t seed)
{
    const struct order order = {folder, kinds, seed};

    if (mkdir(folder, 0777) != 0) {
        console_error("%s: %s, wanted the name of a new folder", folder, strerror(errno));
        return false;
    }
    return fill(&order, count);
}

bool drawings_create_temporary(char *folder, size_t size, int64_t count, uint64_t seed)
{
    const struct order order = {folder, FEWEST_KINDS, seed};
    const char *parent = getenv("TMPDIR");

    if (parent == NULL || parent[0] == '\0')
        parent = "/tmp";
    if ((size_t)snprintf(folder, size, "%s/cats-dogs-XXXXXX", parent) >= size) {
        errno = ENAMETOOLONG;
        return complain_about(parent);
    }
    if (mkdtemp(folder) == NULL)
        return complain_about(parent);
    return fill(&order, count);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void drawings_remove(const char *folder)
{
    enum { OPEN_FOLDERS = 8 };

    nftw(folder, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
