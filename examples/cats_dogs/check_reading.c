/* SPDX-License-Identifier: MIT
 * What is seen of a file is kept with it, so that findings are in the order of the files whichever
 * thread was faster. */
#include "check_reading.h"

#include "console.h"
#include "crew.h"

#include <string.h>

/* Above it, a square shows a picture squeezed beyond recognition. */
static const double most_narrow = 3;

/* A standard deviation of each colour, of 127.5 at most, below which there is nothing to see. */
static const double least_contrast = 4;

/* ---- Reading ------------------------------------------------------------------------------- */

struct reading {
    struct check_folder *folder;
    struct lens lenses[CREW_MOST]; /* one for each thread */
};

static bool read_file(void *user, int64_t member, int64_t index)
{
    struct reading *reading = user;
    struct check_file *file = &reading->folder->files[index];

    return picture_look(&file->picture, &reading->lenses[member], file->path);
}

static bool read_all(struct reading *reading, int64_t threads)
{
    const struct crew crew = {.what = "reading",
                              .count = reading->folder->file_count,
                              .threads = threads,
                              .work = read_file,
                              .user = reading};
    const enum crew_end end = crew_run(&crew);

    if (end != CREW_DONE)
        console_error(end == CREW_FAILED ? "no memory to read all pictures"
                                         : "interrupted before all pictures were read");
    return end == CREW_DONE;
}

bool check_reading(struct check_folder *folder, int64_t side, int64_t threads)
{
    struct reading reading = {.folder = folder};
    bool done = true;

    for (int64_t i = 0; done && i < threads; i++)
        done = lens_create(&reading.lenses[i], side);
    done = done && read_all(&reading, threads);
    for (int64_t i = 0; i < threads; i++)
        lens_free(&reading.lenses[i]);
    return done;
}

/* ---- Findings ------------------------------------------------------------------------------ */

static void check_name(const struct check_file *file, struct findings *findings)
{
    const char *found = file->picture.format;
    const char *named = is_png_name(file->path) ? "PNG" : "JPEG";

    if (strcmp(found, named) != 0)
        findings_add(findings, FOUND_MISNAMED, "%s: a %s", file->path, found);
}

static void check_shape(const struct check_file *file, struct findings *findings, int64_t side)
{
    const int64_t height = file->picture.height;
    const int64_t width = file->picture.width;
    const int64_t shorter = height < width ? height : width;
    const int64_t longer = height < width ? width : height;
    const double ratio = (double)longer / (double)shorter;

    if (shorter < side)
        findings_add(findings, FOUND_TINY, "%s: %lld x %lld pixels", file->path, (long long)width,
                     (long long)height);
    if (ratio > most_narrow)
        findings_add(findings, FOUND_NARROW, "%s: %.1f times as %s", file->path, ratio,
                     width > height ? "wide as high" : "high as wide");
}

static void check_picture(const struct check_file *file, struct findings *findings, int64_t side)
{
    const struct picture *picture = &file->picture;

    if (picture->state == UNREADABLE)
        findings_add(findings, FOUND_UNREADABLE, "%s: %s", file->path, picture->problem);
    else if (picture->state == DAMAGED)
        findings_add(findings, FOUND_DAMAGED, "%s: %s", file->path, picture->problem);
    else {
        check_name(file, findings);
        check_shape(file, findings, side);
        if (picture->contrast < least_contrast)
            findings_add(findings, FOUND_PLAIN, "%s: one colour", file->path);
    }
}

void check_pictures(const struct check_folder *folder, struct findings *findings, int64_t side)
{
    for (int64_t i = 0; i < folder->file_count; i++)
        check_picture(&folder->files[i], findings, side);
}
