/* SPDX-License-Identifier: MIT
 * Counting files by class and part. */
#include "check_classes.h"

#include "console.h"

#include <stdio.h>

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

static void check_missing(const struct check_folder *folder, struct findings *findings)
{
    for (int64_t i = 0; i < folder->class_count; i++) {
        const struct check_class *class = &folder->classes[i];
        const int part = class->is_there[TRAIN] ? TRAIN : TEST;
        if (!class->is_there[TRAIN] || !class->is_there[TEST])
            findings_add(findings, FOUND_CLASSES, "%s: in %s with %lld pictures, not in %s",
                         class->name, part_name(part), (long long)class->files[part],
                         part_name(part == TRAIN ? TEST : TRAIN));
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
    if (folder->has_test)
        check_missing(folder, findings);
    check_small(folder, findings);
    check_balance(folder, findings, TRAIN);
    check_balance(folder, findings, TEST);
}

/* Names come last: how many columns one takes need not be known. */
static void print_counts(const struct check_folder *folder, int64_t train, int64_t test,
                         const char *name)
{
    char shown[256];

    snprintf(shown, sizeof shown, "%s", name);
    findings_make_harmless(shown);
    if (folder->has_test)
        console_line("%8lld  %8lld  %s", (long long)train, (long long)test, shown);
    else
        console_line("%8lld  %s", (long long)train, shown);
}

void check_classes_print(const struct check_folder *folder, bool all)
{
    const int64_t count = folder->class_count;
    const int64_t shown = all || count < MOST_CLASSES ? count : MOST_CLASSES;

    console_line(folder->has_test ? "   train      test  class" : "pictures  class");
    for (int64_t i = 0; i < shown; i++)
        print_counts(folder, folder->classes[i].files[TRAIN], folder->classes[i].files[TEST],
                     folder->classes[i].name);
    if (shown < count)
        console_line("and %lld classes more; --all shows them", (long long)(count - shown));
    print_counts(folder, count_files(folder, TRAIN), count_files(folder, TEST), "(all)");
}
