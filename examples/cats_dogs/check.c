/* SPDX-License-Identifier: MIT
 * cats-dogs check: a doctor for folders of pictures.
 *
 * What it looks for is in check_folder.c (names and places), check_reading.c (single pictures),
 * check_alike.c (duplicates), check_classes.c (balance) and check_labels.c (what a model doubts);
 * what it says about that in check_findings.c. */
#include "check_alike.h"
#include "check_classes.h"
#include "check_findings.h"
#include "check_folder.h"
#include "check_labels.h"
#include "check_reading.h"
#include "commands.h"
#include "console.h"
#include "interrupt.h"

#include <cnn.h>

/* The smallest size that one of the networks is made for. */
enum { LEAST_SIDE = 64 };

struct check {
    const struct options *options;
    int64_t threads;
    struct judge judge; /* its model is NULL: none was given */
    struct check_folder folder;
    struct findings findings;
};

/* Opens the model.  All work is shared out by pictures: within one, there is only one thread. */
static bool prepare(struct check *check)
{
    const struct options *options = check->options;
    struct judge *judge = &check->judge;

    if (!console_succeeded(cnn_context_create(&judge->context)) ||
        !console_succeeded(cnn_context_set_log(judge->context, console_log, NULL)))
        return false;
    check->threads = options->threads > 0 ? options->threads : cnn_context_threads(judge->context);
    judge->path = options->model;
    judge->flip = options->flip_average != 0;
    return console_succeeded(cnn_context_set_threads(judge->context, 1)) &&
           (judge->path == NULL ||
            console_succeeded(cnn_model_load(&judge->model, judge->context, judge->path)));
}

/* Opens a part as training does: what that refuses and nothing else has found is a finding. */
static bool check_part(struct check *check, cnn_part part)
{
    struct findings *findings = &check->findings;
    cnn_dataset *dataset = NULL;
    const cnn_status status =
        cnn_dataset_open(&dataset, check->judge.context, check->folder.path, part);

    cnn_dataset_free(dataset);
    if (status == CNN_ERROR_MEMORY)
        return console_succeeded(status);
    if (status != CNN_OK && findings->of[FOUND_FOLDER].count == 0 &&
        findings->of[FOUND_LINK].count == 0)
        findings_add(findings, FOUND_FOLDER, "%s", console_library_reason());
    return true;
}

static bool check_opening(struct check *check)
{
    for (int part = 0; part < PARTS; part++) {
        if (check->folder.has[part] && !check_part(check, part_number(part)))
            return false;
    }
    return true;
}

static bool examine(struct check *check)
{
    const struct options *options = check->options;
    const int64_t side = options->size > 0 ? options->size : LEAST_SIDE;
    struct check_folder *folder = &check->folder;
    struct findings *findings = &check->findings;

    if (!check_folder_read(folder, findings, options->operands[0]) || !check_opening(check) ||
        !check_reading(folder, side, check->threads))
        return false;
    check_pictures(folder, findings, side);
    check_classes(folder, findings);
    return check_alike(folder, findings) &&
           (check->judge.model == NULL ||
            check_labels(folder, findings, &check->judge, check->threads));
}

/* Prints what was found; the exit status. */
static int print(const struct check *check)
{
    const int64_t count = findings_count(&check->findings);

    if (check->findings.is_incomplete) {
        console_error("no memory for all findings");
        return EXIT_ERROR;
    }
    check_classes_print(&check->folder, check->options->all);
    findings_print(&check->findings, check->options->all);
    if (count == 0)
        console_line("\nnothing found");
    else
        console_line("\n%lld finding%s", (long long)count, count == 1 ? "" : "s");
    return count == 0 ? EXIT_FINE : EXIT_SOME_BAD;
}

int command_check(const struct options *options)
{
    struct check check = {.options = options};

    interrupt_catch();
    const int status = prepare(&check) && examine(&check) ? print(&check) : EXIT_ERROR;
    findings_free(&check.findings);
    check_folder_free(&check.folder);
    cnn_model_free(check.judge.model);
    cnn_context_free(check.judge.context);
    return status;
}
