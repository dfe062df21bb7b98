/* SPDX-License-Identifier: MIT
 * Counting files by class and part. */
#include "check_classes.h"

#include "console.h"

#include <stdio.h>
#include <string.h>

/* How many classes are printed unless all are asked for. */
enum { MOST_CLASSES = 20 };

/* Above it the small class is hardly learnt: calling everything the large one is 3 times in 4
 * right. */
static const double most_unbalanced = 3;

/* By tenths, 2 of so many are set aside for the test, and 2 for validation: from fewer, nothing can
 * be said about a class. */
enum { FEWEST_FILES = 20 };

static int64_t count_files(const struct check_folder *folder, int part)
{
    int64_t count = 0;

    for (int64_t i = 0; i < folder->class_count; i++)
        count += folder->classes[i].files[part];
    return count;
}

/* Compares the classes of a part with those of the training. */
static void check_missing(const struct check_folder *folder, struct findings *findings, int part)
{
    for (int64_t i = 0; i < folder->class_count; i++) {
        const struct check_class *class = &folder->classes[i];
        const int found = class->is_there[TRAIN] ? TRAIN : part;
        if (class->is_there[TRAIN] != class->is_there[part])
            findings_add(findings, FOUND_CLASSES, "%s: in %s with %lld pictures, not in %s",
                         class->name, part_name(found), (long long)class->files[found],
                         part_name(found == TRAIN ? part : TRAIN));
    }
}

/* Compares the largest class of a part with the smallest that has pictures. */
static void check_balance(const struct check_folder *folder, struct findings *findings, int part)
{
    const struct check_class *least = NULL;
    const struct check_class *most = NULL;

    for (int64_t i = 0; i < folder->class_count; i++) {
        const struct check_class *class = &folder->classes[i];
        if (class->files[part] == 0)
            continue;
        if (least == NULL || class->files[part] < least->files[part])
            least = class;
        if (most == NULL || class->files[part] > most->files[part])
            most = class;
    }
    if (least == NULL)
        return;
    const double ratio = (double)most->files[part] / (double)least->files[part];
    if (ratio > most_unbalanced)
        findings_add(findings, FOUND_CLASSES, "%s: %lld pictures of %s, %lld of %s: 1 to %.1f",
                     part_name(part), (long long)least->files[part], least->name,
                     (long long)most->files[part], most->name, ratio);
}

/* Classes with too few pictures to learn from; those without any are found in the folder. */
static void check_small(const struct check_folder *folder, struct findings *findings)
{
    for (int64_t i = 0; i < folder->class_count; i++) {
        const int64_t files = folder->classes[i].files[TRAIN];
        if (files > 0 && files < FEWEST_FILES)
            findings_add(findings, FOUND_CLASSES, "%s: %lld picture%s of %s, fewer than %d",
                         part_name(TRAIN), (long long)files, files == 1 ? "" : "s",
                         folder->classes[i].name, FEWEST_FILES);
    }
}

void check_classes(const struct check_folder *folder, struct findings *findings)
{
    for (int part = 0; part < PARTS; part++) {
        if (folder->has[part])
            check_missing(folder, findings, part);
    }
    check_small(folder, findings);
    for (int part = 0; part < PARTS; part++)
        check_balance(folder, findings, part);
}

/* Of the columns, which are right-aligned. */
static const int widths[PARTS] = {[TRAIN] = 8, [VALIDATION] = 12, [TEST] = 10};

/* A folder of classes and nothing else has one column. */
static bool has_parts(const struct check_folder *folder)
{
    return folder->has[VALIDATION] || folder->has[TEST];
}

static void print_title(const struct check_folder *folder)
{
    char title[64] = "";

    for (int part = 0; part < PARTS; part++) {
        if (folder->has[part])
            snprintf(title + strlen(title), sizeof title - strlen(title), "%*s", widths[part],
                     part_name(part));
    }
    console_line("%s  class", has_parts(folder) ? title : "pictures");
}

/* Names come last: how many columns one takes need not be known. */
static void print_counts(const struct check_folder *folder, const int64_t counts[PARTS],
                         const char *name)
{
    char columns[64] = "";
    char shown[256];

    for (int part = 0; part < PARTS; part++) {
        if (folder->has[part])
            snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%*lld",
                     widths[part], (long long)counts[part]);
    }
    snprintf(shown, sizeof shown, "%s", name);
    findings_make_harmless(shown);
    console_line("%s  %s", columns, shown);
}

void check_classes_print(const struct check_folder *folder, bool all)
{
    const int64_t count = folder->class_count;
    const int64_t shown = all || count < MOST_CLASSES ? count : MOST_CLASSES;
    int64_t sums[PARTS];

    print_title(folder);
    for (int64_t i = 0; i < shown; i++)
        print_counts(folder, folder->classes[i].files, folder->classes[i].name);
    if (shown < count)
        console_line("and %lld classes more; --all shows them", (long long)(count - shown));
    for (int part = 0; part < PARTS; part++)
        sums[part] = count_files(folder, part);
    print_counts(folder, sums, "(all)");
}
