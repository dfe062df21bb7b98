/* SPDX-License-Identifier: MIT
 * Splitting, and telling about it. */
#include "parts.h"

#include "console.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* A class of which something is set aside still has to give to the other two parts. */
enum { FEWEST_TO_SET_ASIDE = 3, MOST_NAMED_CLASSES = 8 };

/* The share that is set aside for the test. */
static const double usual_test = 0.1;

/* Models of different seeds are compared on the same pictures. */
static const uint64_t test_seed = 0;

/* ---- Splitting ----------------------------------------------------------------------------- */

/* The pictures of each class, for the caller to free; NULL after a message. */
static int64_t *count_members(const cnn_dataset *dataset)
{
    int64_t *members = calloc((size_t)cnn_dataset_class_count(dataset), sizeof *members);

    if (members == NULL)
        console_error("no memory to count the pictures of %d classes",
                      (int)cnn_dataset_class_count(dataset));
    for (int64_t i = 0; members != NULL && i < cnn_dataset_count(dataset); i++)
        members[cnn_dataset_label(dataset, i)]++;
    return members;
}

/* The first class that has too few pictures; NULL if all have enough. */
static const char *find_small_class(const cnn_dataset *dataset, const int64_t *members)
{
    for (int32_t i = 0; i < cnn_dataset_class_count(dataset); i++) {
        if (members[i] < FEWEST_TO_SET_ASIDE)
            return cnn_dataset_class_name(dataset, i);
    }
    return NULL;
}

/* Moves a share of `all` into parts->test, unless a class has too few pictures. */
static bool set_aside(struct parts *parts, cnn_dataset **all, double share)
{
    cnn_dataset *rest = NULL;
    int64_t *members = count_members(*all);

    if (members == NULL)
        return false;
    parts->too_few = find_small_class(*all, members);
    free(members);
    if (parts->too_few != NULL)
        return true;
    if (!console_succeeded(cnn_dataset_split(&rest, &parts->test, *all, share, test_seed)))
        return false;
    cnn_dataset_free(*all);
    *all = rest;
    parts->test_set_aside = true;
    return true;
}

/* A part from its folder; NULL where there is none. */
static bool open_folder(cnn_dataset **dataset, cnn_context *context, const char *path,
                        cnn_part part)
{
    const cnn_status status = cnn_dataset_open(dataset, context, path, part);

    return status == CNN_ERROR_NOT_FOUND || console_succeeded(status);
}

/* The parts that have folders. */
static bool open_folders(struct parts *parts, cnn_dataset **all, cnn_context *context,
                         const char *path)
{
    if (!console_succeeded(cnn_dataset_open(all, context, path, CNN_TRAIN)) ||
        !open_folder(&parts->validation, context, path, CNN_VALIDATION) ||
        !open_folder(&parts->test, context, path, CNN_TEST))
        return false;
    parts->validation_is_given = parts->validation != NULL;
    return true;
}

/* The parts that have none, out of `all`. */
static bool split(struct parts *parts, cnn_dataset **all, const struct options *options)
{
    if (parts->test == NULL && options->test > 0 && !set_aside(parts, all, options->test))
        return false;
    if (!parts->validation_is_given)
        return console_succeeded(cnn_dataset_split(&parts->training, &parts->validation, *all,
                                                   options->validation, (uint64_t)options->seed));
    parts->training = *all;
    *all = NULL;
    return true;
}

bool parts_open(struct parts *parts, cnn_context *context, const char *path,
                struct options *options)
{
    cnn_dataset *all = NULL;

    *parts = (struct parts){0};
    bool done = open_folders(parts, &all, context, path);
    if (options->test == UNSET)
        options->test = parts->validation_is_given ? 0 : usual_test;
    done = done && split(parts, &all, options);
    cnn_dataset_free(all);
    return done;
}

cnn_dataset *parts_measured(const struct parts *parts)
{
    if (parts->test != NULL)
        return parts->test;
    return parts->validation_is_given ? parts->validation : NULL;
}

void parts_free(struct parts *parts)
{
    cnn_dataset_free(parts->test);
    cnn_dataset_free(parts->validation);
    cnn_dataset_free(parts->training);
}

/* ---- Telling ------------------------------------------------------------------------------- */

/* "3600 cats, 3600 dogs" */
static void name_classes(char *text, size_t size, const cnn_dataset *dataset,
                         const int64_t *members)
{
    size_t used = 0;

    for (int32_t i = 0; i < cnn_dataset_class_count(dataset) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld %s", i > 0 ? ", " : "",
                                 (long long)members[i], cnn_dataset_class_name(dataset, i));
}

/* "102 classes of 40 to 258" */
static void count_classes(char *text, size_t size, const cnn_dataset *dataset,
                          const int64_t *members)
{
    int64_t fewest = members[0];
    int64_t most = members[0];

    for (int32_t i = 1; i < cnn_dataset_class_count(dataset); i++) {
        fewest = members[i] < fewest ? members[i] : fewest;
        most = members[i] > most ? members[i] : most;
    }
    snprintf(text, size, "%d classes of %lld to %lld", (int)cnn_dataset_class_count(dataset),
             (long long)fewest, (long long)most);
}

/* "training   7200 pictures: 3600 cats, 3600 dogs" */
static void print_part(const char *title, const cnn_dataset *dataset)
{
    char text[LINE_MAX];
    int64_t *members = count_members(dataset);

    if (members == NULL)
        return;
    if (cnn_dataset_class_count(dataset) > MOST_NAMED_CLASSES)
        count_classes(text, sizeof text, dataset, members);
    else
        name_classes(text, sizeof text, dataset, members);
    console_line("%-10s  %lld pictures: %s", title, (long long)cnn_dataset_count(dataset), text);
    free(members);
}

/* Where the test pictures come from, or why there are none. */
static void print_origin(const struct parts *parts)
{
    if (parts->test_set_aside)
        console_line("%-10s  no test folder: the test pictures were set aside, and not trained on",
                     "");
    else if (parts->too_few != NULL)
        console_line("%-10s  none: no test folder, and %s has too few pictures to set some aside"
                     " (wanted %d)",
                     "test", parts->too_few, FEWEST_TO_SET_ASIDE);
    else if (parts->test == NULL && parts->validation_is_given)
        console_line("%-10s  none: no test folder; measured on the validation pictures", "test");
    else if (parts->test == NULL)
        console_line("%-10s  none: no test folder, and --test 0", "test");
}

void parts_print(const struct parts *parts)
{
    print_part("training", parts->training);
    print_part("validation", parts->validation);
    if (parts->validation_is_given)
        console_line("%-10s  those of the validation folder", "");
    if (parts->test != NULL)
        print_part("test", parts->test);
    print_origin(parts);
}
