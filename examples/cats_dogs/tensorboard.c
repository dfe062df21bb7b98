/* SPDX-License-Identifier: MIT
 * train --tensorboard FOLDER: an event file in FOLDER, which is made if it is not there.  Each
 * training adds a file of its own, also one that is resumed; TensorBoard shows the curves of all
 * that are in a folder as one. */
#include "batch_meter.h"
#include "console.h"
#include "event_file.h"
#include "log_file.h"
#include "observer.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often TensorBoard gets to see new steps, in seconds. */
enum { FLUSH_EVERY = 2 };

struct tensorboard {
    char path[PATH_MAX];
    struct log_file log;
    struct batch_meter meter;
    time_t flushed;
    int64_t step; /* the latest one */
};

/* ---- The file ------------------------------------------------------------------------------ */

/* Makes the folder `path` and those above it that are missing. */
static bool make_folders(const char *path)
{
    char part[PATH_MAX];
    const size_t length = strlen(path);

    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(part, path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return false;
        part[i] = path[i];
    }
    return true;
}

/* TensorBoard looks for files with "tfevents" in their names; the rest is for people. */
static bool name_file(struct tensorboard *board, const char *folder)
{
    char host[64] = "";

    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0' || strchr(host, '/') != NULL)
        strcpy(host, "localhost");
    if ((size_t)snprintf(board->path, sizeof board->path,
                         "%s/events.out.tfevents.%010lld.%s.%ld.cats-dogs", folder,
                         (long long)time(NULL), host, (long)getpid()) < sizeof board->path)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static bool create(void **self, const struct options *options)
{
    const char *folder = options->tensorboard;
    struct tensorboard *board;

    if (folder == NULL)
        return true;
    *self = board = calloc(1, sizeof *board);
    if (board == NULL || !make_folders(folder) || !name_file(board, folder)) {
        console_error("--tensorboard %s: %s, wanted a folder to write to", folder, strerror(errno));
        return false;
    }
    if (!log_file_create(&board->log, "--tensorboard", board->path))
        return false;
    event_file_begin(&board->log);
    log_file_flush(&board->log);
    return true;
}

static void free_board(void *self)
{
    struct tensorboard *board = self;

    log_file_close(&board->log);
    free(board);
}

/* ---- What is written ----------------------------------------------------------------------- */

/* The files of a training that was stopped may have steps that are now done again. */
static void start(void *self, const struct run *run)
{
    struct tensorboard *board = self;

    board->step = run->first_step - 1;
    if (run->first_step > 1)
        event_file_restart(&board->log, run->first_step);
    log_file_flush(&board->log);
}

static void step(void *self, const cnn_progress *progress)
{
    struct tensorboard *board = self;
    struct batch_figures batch;

    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_STEP)
        return;
    board->step = global_step(progress);
    if (!batch_meter_read(&batch, &board->meter, progress))
        return;
    const struct scalar scalars[] = {
        {"loss/step", batch.loss},
        {"accuracy/step", batch.accuracy},
        {"learning_rate", cnn_progress_learning_rate(progress)},
    };
    event_file_scalars(&board->log, board->step, scalars, 3);
    if (time(NULL) - board->flushed < FLUSH_EVERY)
        return;
    log_file_flush(&board->log);
    board->flushed = time(NULL);
}

static void epoch(void *self, const cnn_progress *progress, enum rank rank)
{
    struct tensorboard *board = self;
    const struct scalar scalars[] = {
        {"loss/training", cnn_progress_loss(progress)},
        {"accuracy/training", cnn_progress_accuracy(progress)},
        {"loss/validation", cnn_progress_validation_loss(progress)},
        {"accuracy/validation", cnn_progress_validation_accuracy(progress)},
    };

    (void)rank;
    event_file_scalars(&board->log, board->step, scalars, 4);
    log_file_flush(&board->log);
}

static bool end(void *self, const struct outcome *outcome)
{
    struct tensorboard *board = self;
    const struct scalar scalar = {"accuracy/test", outcome->test_accuracy};

    if (!isnan(outcome->test_accuracy))
        event_file_scalars(&board->log, board->step, &scalar, 1);
    log_file_flush(&board->log);
    return true;
}

const struct observer_class tensorboard_observer = {
    .create = create, .start = start, .step = step, .epoch = epoch, .end = end, .free = free_board};
