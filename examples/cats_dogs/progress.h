/* SPDX-License-Identifier: MIT
 * What is shown while a network trains: a bar on a terminal, and a line per epoch everywhere. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <cnn.h>

#include <stdbool.h>

struct progress_display {
    double started; /* when training began, in seconds of a clock */
    double drawn;   /* when the bar was drawn last */
    double rate;    /* pictures trained per second in this epoch */
    bool has_bar;
};

void progress_start(struct progress_display *display);

/* Draws the bar, where there is one, at most ten times a second. */
void progress_step(struct progress_display *display, const cnn_progress *progress);

/* Prints the line of an epoch; `note` ends it. */
void progress_epoch(struct progress_display *display, const cnn_progress *progress,
                    const char *note);

#endif
