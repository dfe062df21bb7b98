/* SPDX-License-Identifier: MIT
 * What a training that goes on takes from its checkpoint, and what must not be written over.  The
 * note of checkpoints is in resume_note.c. */
#include "resume.h"

#include "console.h"
#include "output_file.h"

/* Where they go: a resumed training goes on with its own.  NULL: nowhere. */
static const char *checkpoint_path(const struct options *options)
{
    return options->checkpoint != NULL ? options->checkpoint : options->resume;
}

static cnn_status load_note(struct resume_note *note, const char *path)
{
    cnn_context *context;
    cnn_status status = cnn_context_create(&context);

    if (status == CNN_OK)
        status = cnn_checkpoint_note(note->text, sizeof note->text, context, path);
    cnn_context_free(context);
    return status;
}

/* ---- Before -------------------------------------------------------------------------------- */

bool resume_take_up(struct options *options, struct record *record)
{
    static struct resume_note note; /* as long as the options */

    if (options->resume == NULL)
        return true;
    if (!console_succeeded(load_note(&note, options->resume)))
        return false;
    if (!resume_note_read(&note)) {
        console_error("--resume %s: found the checkpoint of another program or version",
                      options->resume);
        return false;
    }
    *record = note.record;
    options->first_command = note.options.first_command;
    return options_continue(options, &note.options, options->resume);
}

/* What a checkpoint is to those who would write over it, or go on from it. */
enum training { NO_TRAINING, FOREIGN, UNFINISHED, FINISHED };

static enum training find_training(const char *path)
{
    static struct resume_note note;

    if (load_note(&note, path) != CNN_OK)
        return NO_TRAINING;
    if (!resume_note_read(&note))
        return FOREIGN;
    return note.finished ? FINISHED : UNFINISHED;
}

bool resume_check_file(const struct options *options)
{
    static const char *const reasons[] = {
        [UNFINISHED] = "a training that has not finished; wanted --resume with it, or another file",
        [FOREIGN] = "the checkpoint of another program or version; wanted another file",
        [FINISHED] = NULL,
    };
    const char *path = options->checkpoint;

    if (path == NULL || (options->resume != NULL && output_file_same(path, options->resume)))
        return true;
    const char *reason = reasons[find_training(path)];
    if (reason != NULL)
        console_error("--checkpoint %s: found %s", path, reason);
    return reason == NULL;
}

/* ---- With a trainer ------------------------------------------------------------------------ */

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
    char text[CNN_NOTE_SIZE];
    const bool finished = has_ended(trainer, options) && best_is_saved(&record->best);

    if (checkpoint_path(options) == NULL)
        return true;
    if (resume_note_write(text, options, record, finished))
        return console_succeeded(cnn_trainer_set_note(trainer, text));
    console_error("--checkpoint: the names of files are too long for it");
    return false;
}

bool resume_begin(cnn_trainer *trainer, cnn_loader *loader, const struct options *options,
                  struct record *record)
{
    const char *path = checkpoint_path(options);

    if (path == NULL)
        return true;
    if (options->resume != NULL &&
        (!console_succeeded(cnn_trainer_resume(trainer, loader, options->resume)) ||
         !best_find(&record->best, trainer, options)))
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

void resume_renew(cnn_trainer *trainer, const cnn_loader *loader, const struct options *options,
                  const struct record *record)
{
    if (resume_set_note(trainer, options, record))
        console_succeeded(cnn_trainer_save_checkpoint(trainer, loader, checkpoint_path(options)));
}

/* Not everything that went wrong leaves nothing: a checkpoint before the latest may be there. */
bool resume_offer(const cnn_trainer *trainer, const struct options *options, const char *event)
{
    const char *const paths[] = {checkpoint_path(options), options->resume};

    for (int i = 0; i < 2; i++) {
        const bool is_latest = i == 0 && cnn_trainer_checkpoint_status(trainer) == CNN_OK;
        const enum training found = paths[i] != NULL ? find_training(paths[i]) : NO_TRAINING;
        if (found != UNFINISHED && !(found == FINISHED && is_latest))
            continue;
        console_line("%s; to go on: cats-dogs train --resume %s", event, paths[i]);
        return true;
    }
    return false;
}
