/* SPDX-License-Identifier: MIT
 * The note is a line about the best epoch, one with the history, one with the command that the
 * training began with, and then the options that it has by now, an argument on each: what reads
 * arguments also checks those of a file.  Bytes other than printable ASCII are written as %xx, so
 * that any path fits on a line. */
#include "resume.h"

#include "console.h"
#include "output_file.h"

#include <stdio.h>
#include <string.h>

/* Where they go: a resumed training goes on with its own.  NULL: nowhere. */
static const char *checkpoint_path(const struct options *options)
{
    return options->checkpoint != NULL ? options->checkpoint : options->resume;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* A note in the making. */
struct note {
    char text[CNN_NOTE_SIZE];
    size_t used, end; /* lines may go up to `end` */
};

/* Room for the first line, and for all lines behind the history.  That grows: whether there is
 * enough is to be known at the beginning. */
enum { FIRST_SIZE = 256, LINES_SIZE = CNN_NOTE_SIZE - HISTORY_SIZE - FIRST_SIZE };

/* Appends an argument as a line.  False when there is no room. */
static bool put_line(void *user, const char *argument)
{
    struct note *note = user;

    for (; *argument != '\0' && note->used + 8 < note->end; argument++) {
        const unsigned char byte = (unsigned char)*argument;
        const bool is_plain = byte >= ' ' && byte <= '~' && byte != '%';
        note->used += (size_t)sprintf(note->text + note->used, is_plain ? "%c" : "%%%02x", byte);
    }
    strcpy(note->text + note->used++, "\n");
    return *argument == '\0' && note->used + 8 < note->end;
}

static void put_record(struct note *note, bool finished, const struct record *record)
{
    const struct best *best = &record->best;

    note->used =
        (size_t)sprintf(note->text, "cats-dogs 3 %d %lld %lld %.17g %.17g\n", finished,
                        (long long)best->epoch, (long long)best->saved, best->accuracy, best->loss);
    note->used += history_write(note->text + note->used, &record->history);
    strcpy(note->text + note->used++, "\n");
    note->end = note->used + LINES_SIZE;
}

/* Whether all epochs are done, or so many as --patience waits were no better. */
static bool has_ended(const cnn_trainer *trainer, const struct options *options)
{
    const int64_t done = cnn_trainer_epoch(trainer) - 1;

    return done >= options->epochs ||
           (options->patience > 0 && done - cnn_trainer_best_epoch(trainer) >= options->patience);
}

/* With nothing left to do, once the model is saved, a training is finished. */
bool resume_set_note(cnn_trainer *trainer, const struct options *options,
                     const struct record *record)
{
    struct note note;

    if (checkpoint_path(options) == NULL)
        return true;
    put_record(&note, has_ended(trainer, options) && best_is_saved(&record->best), record);
    if (!put_line(&note, options->first_command) || !options_list(options, put_line, &note) ||
        !put_line(&note, "--") ||
        (options->operand_count > 0 && !put_line(&note, options->operands[0]))) {
        console_error("--checkpoint: the names of files are too long for it");
        return false;
    }
    return console_succeeded(cnn_trainer_set_note(trainer, note.text));
}

/* ---- Reading ------------------------------------------------------------------------------- */

enum { MOST_ARGUMENTS = 64 };

/* A note that was read. */
struct resume {
    char note[CNN_NOTE_SIZE]; /* in which the texts of the options are */
    char *arguments[MOST_ARGUMENTS + 2];
    struct options options;
    struct record record;
    bool finished;
};

static void undo_escapes(char *text)
{
    char *end = text;
    unsigned int byte;

    for (; *text != '\0'; end++) {
        const bool is_escape = sscanf(text, "%%%2x", &byte) == 1 && byte != 0;
        *end = is_escape ? (char)byte : *text;
        text += is_escape ? 3 : 1;
    }
    *end = '\0';
}

/* Cuts the lines into the command and arguments.  Returns how many; 0 for too many. */
static int read_arguments(struct resume *resume, char *text)
{
    int count = 0;

    while (*text != '\0') {
        char *end = text + strcspn(text, "\n");
        if (*end == '\0' || count > MOST_ARGUMENTS)
            return 0;
        *end = '\0';
        undo_escapes(text);
        resume->arguments[count++] = text;
        text = end + 1;
    }
    resume->arguments[count] = NULL;
    return count;
}

/* Returns what is behind the two lines; NULL where they are not of this program. */
static char *read_record(struct resume *resume)
{
    int finished, length = 0;
    long long epoch, saved;
    struct best *best = &resume->record.best;

    if (sscanf(resume->note, "cats-dogs 3 %d %lld %lld %lf %lf%n", &finished, &epoch, &saved,
               &best->accuracy, &best->loss, &length) != 5 ||
        resume->note[length] != '\n' ||
        !history_read(&resume->record.history, resume->note + length + 1))
        return NULL;
    resume->finished = finished != 0;
    best->epoch = epoch;
    best->saved = saved;
    return strchr(resume->note + length + 1, '\n') + 1;
}

/* The command stands where arguments have the name of the program. */
static bool read_note(struct resume *resume)
{
    char *lines = read_record(resume);
    const int count = lines != NULL ? read_arguments(resume, lines) : 0;

    if (count == 0 || !options_read(&resume->options, FOR_TRAIN, count, resume->arguments))
        return false;
    resume->options.first_command = resume->arguments[0];
    return true;
}

static cnn_status load_note(struct resume *resume, const char *path)
{
    cnn_context *context;
    cnn_status status = cnn_context_create(&context);

    if (status == CNN_OK)
        status = cnn_checkpoint_note(resume->note, sizeof resume->note, context, path);
    cnn_context_free(context);
    return status;
}

/* ---- Before -------------------------------------------------------------------------------- */

bool resume_take_up(struct options *options, struct record *record)
{
    static struct resume resume; /* as long as the options */

    options->first_command = options->command;
    if (options->resume == NULL)
        return true;
    if (!console_succeeded(load_note(&resume, options->resume)))
        return false;
    if (!read_note(&resume)) {
        console_error("--resume %s: found the checkpoint of another program or version",
                      options->resume);
        return false;
    }
    *record = resume.record;
    options->first_command = resume.options.first_command;
    return options_continue(options, &resume.options, options->resume);
}

/* Of a training of this program; `unfinished`: that has more to do. */
static bool is_training(const char *path, bool unfinished)
{
    static struct resume resume;

    return load_note(&resume, path) == CNN_OK && read_note(&resume) &&
           !(unfinished && resume.finished);
}

/* The best model until now, which is to be replaced by better ones, unless there is none or it
 * could not be saved yet.  Its name may come from the checkpoint, whoever made that: nothing but a
 * model is replaced. */
static bool check_model(const struct options *options, const struct best *best)
{
    cnn_context *context = NULL;
    cnn_model *model = NULL;
    cnn_status status = cnn_context_create(&context);

    if (status == CNN_OK)
        status = cnn_model_load(&model, context, options->output);
    cnn_model_free(model);
    cnn_context_free(context);
    if (status == CNN_OK ||
        (status == CNN_ERROR_NOT_FOUND && (best->epoch == 0 || !best_is_saved(best))))
        return true;
    console_error("--output %s: %s; wanted the best model of the training in %s", options->output,
                  console_library_reason(), options->resume);
    return false;
}

bool resume_check_file(const struct options *options, const struct best *best)
{
    const char *path = checkpoint_path(options);

    if (path == NULL)
        return true;
    if (options->resume != NULL && !check_model(options, best))
        return false;
    if (strcmp(path, options->output) == 0) {
        console_error("--checkpoint %s: is the model's file, too; wanted another", path);
        return false;
    }
    if (options->resume == NULL && is_training(path, true)) {
        console_error("--checkpoint %s: found a training that has not finished; wanted --resume "
                      "with it, or another file",
                      path);
        return false;
    }
    return output_file_check("checkpoint", path, "checkpoints");
}

/* ---- With a trainer ------------------------------------------------------------------------ */

bool resume_begin(cnn_trainer *trainer, cnn_loader *loader, const struct options *options,
                  const struct record *record)
{
    const char *path = checkpoint_path(options);

    if (path == NULL)
        return true;
    if (options->resume != NULL &&
        !console_succeeded(cnn_trainer_resume(trainer, loader, options->resume)))
        return false;
    return console_succeeded(
               cnn_trainer_set_checkpoint(trainer, path, options->checkpoint_minutes)) &&
           resume_set_note(trainer, options, record);
}

void resume_print(const cnn_trainer *trainer, const struct options *options)
{
    const long long epoch = cnn_trainer_epoch(trainer), epochs = options->epochs;

    if (options->resume == NULL)
        return;
    if (epoch > epochs)
        console_line("%-10s  %s is finished: all %lld epochs are done", "resumed", options->resume,
                     epochs);
    else if (has_ended(trainer, options))
        console_line("%-10s  %s is finished: --patience %lld ended it after epoch %lld", "resumed",
                     options->resume, (long long)options->patience, epoch - 1);
    else if (!options->quiet)
        console_line("%-10s  %s in epoch %lld of %lld", "resumed", options->resume, epoch, epochs);
}

bool resume_renew(cnn_trainer *trainer, const cnn_loader *loader, const struct options *options,
                  const struct record *record)
{
    return resume_set_note(trainer, options, record) &&
           console_succeeded(
               cnn_trainer_save_checkpoint(trainer, loader, checkpoint_path(options)));
}

/* Not everything that went wrong leaves nothing: a checkpoint before the latest may be there. */
bool resume_is_possible(const cnn_trainer *trainer, const struct options *options,
                        const char *event)
{
    const char *const paths[] = {checkpoint_path(options), options->resume};

    for (int i = 0; i < 2; i++) {
        const bool is_latest = i == 0 && cnn_trainer_checkpoint_status(trainer) == CNN_OK;
        if (paths[i] == NULL || !is_training(paths[i], !is_latest))
            continue;
        console_line("%s; to go on: cats-dogs train --resume %s", event, paths[i]);
        return true;
    }
    return false;
}
