/* SPDX-License-Identifier: MIT
 * Who watches a training: the progress bar, and whatever writes files about it.
 *
 * A new observer is a file with a `struct observer_class`, declared below, and a row of the table
 * in observer.c. */
#ifndef OBSERVER_H
#define OBSERVER_H

#include "history.h"
#include "network_table.h"
#include "options.h"

#include <cnn.h>

#include <stdbool.h>

/* A training that is going to begin.  Everything in it stays until `end` has returned; `free` must
 * look at none of it, since it may come without an `end`. */
struct run {
    const struct options *options; /* complete */
    const struct network *network;
    int64_t first_step; /* the global_step that comes next: 1, or more where it was resumed */
    const struct history *history; /* from its very beginning, up to now */
    cnn_context *context;
    cnn_model *model; /* changes at each step */
    cnn_dataset *training_data, *validation_data;
    cnn_dataset *test_data; /* NULL: there are no test pictures */
};

/* What an epoch is among those until now. */
enum rank { ORDINARY, BEST, BEST_SAVED /* in its file */ };

/* How a training ended that has a best model by then; it is in the file options->output. */
struct outcome {
    int64_t best_epoch;
    double validation_accuracy, validation_loss; /* of the best epoch */
    double test_accuracy;                        /* NaN: not tested */
    bool interrupted;
};

/* What one kind of observer does.  `self` is its own; any function but create may be NULL. */
struct observer_class {
    /* Makes an observer if `options` ask for one, and leaves `self` NULL if not.  Comes before
     * anything else is done, so that a file that cannot be written is known at once.  False, after
     * a message, when there cannot be what was asked for. */
    bool (*create)(void **self, const struct options *options);
    /* The data are there, the model has its initial weights. */
    void (*start)(void *self, const struct run *run);
    /* After each step and each batch of the validation: cnn_progress_get_kind() tells which. */
    void (*step)(void *self, const cnn_progress *progress);
    /* After each epoch and its validation. */
    void (*epoch)(void *self, const cnn_progress *progress, enum rank rank);
    /* After the test; not for a training that failed.  False, after a message, makes the program
     * end with an error. */
    bool (*end)(void *self, const struct outcome *outcome);
    void (*free)(void *self);
};

extern const struct observer_class progress_observer, metrics_file_observer, tensorboard_observer,
    report_observer;

/* All kinds in turn, each for the observers that were asked for. */
struct observers;

struct observers *observers_create(const struct options *options); /* NULL after a message */
void observers_start(struct observers *observers, const struct run *run);
void observers_step(struct observers *observers, const cnn_progress *progress);
void observers_epoch(struct observers *observers, const cnn_progress *progress, enum rank rank);
bool observers_end(struct observers *observers, const struct outcome *outcome);
void observers_free(struct observers *observers); /* may be NULL */

#endif
