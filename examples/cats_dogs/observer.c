/* SPDX-License-Identifier: MIT
 * The kinds of observers, and telling them. */
#include "observer.h"

#include "console.h"

#include <stdlib.h>

static const struct observer_class *const classes[] = {
    &progress_observer,
    &metrics_file_observer,
    &tensorboard_observer,
    &report_observer,
};

enum { KINDS = sizeof classes / sizeof classes[0] };

struct observers {
    struct run run;
    void *self[KINDS]; /* NULL: nobody asked for this one */
};

struct observers *observers_create(const struct options *options)
{
    struct observers *observers = calloc(1, sizeof *observers);

    if (observers == NULL) {
        console_error("no memory for what watches the training");
        return NULL;
    }
    for (int i = 0; i < KINDS; i++) {
        if (!classes[i]->create(&observers->self[i], options)) {
            observers_free(observers);
            return NULL;
        }
    }
    return observers;
}

void observers_start(struct observers *observers, const struct run *run)
{
    observers->run = *run;
    for (int i = 0; i < KINDS; i++) {
        if (observers->self[i] != NULL && classes[i]->start != NULL)
            classes[i]->start(observers->self[i], &observers->run);
    }
}

void observers_step(struct observers *observers, const cnn_progress *progress)
{
    for (int i = 0; i < KINDS; i++) {
        if (observers->self[i] != NULL && classes[i]->step != NULL)
            classes[i]->step(observers->self[i], progress);
    }
}

void observers_epoch(struct observers *observers, const cnn_progress *progress, enum rank rank)
{
    for (int i = 0; i < KINDS; i++) {
        if (observers->self[i] != NULL && classes[i]->epoch != NULL)
            classes[i]->epoch(observers->self[i], progress, rank);
    }
}

bool observers_end(struct observers *observers, const struct outcome *outcome)
{
    bool done = true;

    for (int i = 0; i < KINDS; i++) {
        if (observers->self[i] != NULL && classes[i]->end != NULL)
            done = classes[i]->end(observers->self[i], outcome) && done;
    }
    return done;
}

void observers_free(struct observers *observers)
{
    for (int i = 0; observers != NULL && i < KINDS; i++) {
        if (observers->self[i] != NULL && classes[i]->free != NULL)
            classes[i]->free(observers->self[i]);
    }
    free(observers);
}
