/* SPDX-License-Identifier: MIT
 * Commands have tables of what they write, and of what they read that is easily written over. */
#include "outputs.h"

#include "console.h"
#include "file_kind.h"
#include "output_file.h"

#include <stddef.h>

struct output {
    const char *option;
    const char *path;    /* NULL: not asked for */
    enum file_kind kind; /* NO_FILE: is only read, or becomes a folder */
};

/* What is replaced as a whole, by names for messages; other kinds are written at their end. */
static const char *const replaced[] = {
    [MODEL_FILE] = "the model", [CHECKPOINT_FILE] = "checkpoints", [PAGE_FILE] = "the report"};

static bool check_place(const struct output *output)
{
    const size_t kind = output->kind;
    const char *what = kind < sizeof replaced / sizeof replaced[0] ? replaced[kind] : NULL;

    return what == NULL || output_file_check(output->option, output->path, what);
}

/* Lines may go wherever the shell has sent all that is printed. */
static bool check_kind(const struct output *output)
{
    const enum file_kind found = file_kind_find(output->path);

    if (output->kind == NO_FILE || found == NO_FILE || found == output->kind ||
        (output->kind == LINES_FILE && output_file_same(output->path, "/dev/fd/1")))
        return true;
    console_error("%s %s: found %s, wanted %s or no file yet", output->option, output->path,
                  file_kind_name(found), file_kind_name(output->kind));
    return false;
}

static bool are_apart(const struct output *a, const struct output *b)
{
    if (b->path == NULL || !output_file_same(a->path, b->path))
        return true;
    console_error("%s %s: the same file as %s %s, wanted another", a->option, a->path, b->option,
                  b->path);
    return false;
}

static bool check_output(const struct output *outputs, int index)
{
    if (outputs[index].path == NULL)
        return true;
    for (int i = 0; i < index; i++) {
        if (!are_apart(&outputs[index], &outputs[i]))
            return false;
    }
    return check_place(&outputs[index]) && check_kind(&outputs[index]);
}

static bool check_outputs(const struct output *outputs, int count)
{
    for (int i = 0; i < count; i++) {
        if (!check_output(outputs, i))
            return false;
    }
    return true;
}

/* Checkpoints may go on in the file that the training is resumed from, and do so unless told
 * otherwise. */
bool outputs_check_training(const struct options *options)
{
    const char *checkpoint = options->checkpoint, *resume = options->resume;
    const bool goes_on =
        resume != NULL && checkpoint != NULL && output_file_same(resume, checkpoint);
    const struct output outputs[] = {
        {"--resume", goes_on ? NULL : resume, checkpoint == NULL ? CHECKPOINT_FILE : NO_FILE},
        {"--output", options->output, MODEL_FILE},
        {"--checkpoint", checkpoint, CHECKPOINT_FILE},
        {"--report", options->report, PAGE_FILE},
        {"--metrics", options->metrics, LINES_FILE},
        {"--tensorboard", options->tensorboard, NO_FILE},
    };

    return check_outputs(outputs, sizeof outputs / sizeof outputs[0]);
}

bool outputs_check_report(const struct options *options, const char *page)
{
    const struct output outputs[] = {
        {"MODEL", options->operands[0], NO_FILE},
        {"--output", page, PAGE_FILE},
    };

    return check_outputs(outputs, sizeof outputs / sizeof outputs[0]);
}
