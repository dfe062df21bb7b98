/* SPDX-License-Identifier: MIT
 * How a training went, for the curves of its report: from the first step on, however often it was
 * resumed, and in a bounded room, so that checkpoints have it, too. */
#ifndef HISTORY_H
#define HISTORY_H

#include <cnn.h>

#include <stdbool.h>

/* All single precision, which a text of checkpoints has to the bit. */
struct epoch {
    float number; /* from 1 on */
    float loss, accuracy;
    float validation_loss, validation_accuracy;
    float seconds;
};

/* The learning rate at a moment, counted in epochs from 0 on. */
struct rate {
    float moment, rate;
};

enum { MOST_EPOCHS = 400, MOST_RATES = 512 };

/* Zeroed: nothing has happened. */
struct history {
    struct epoch epochs[MOST_EPOCHS]; /* the first, and from it on every so many */
    struct rate rates[MOST_RATES];    /* of steps, the same */
    int64_t epoch_every, rate_every;  /* 0: every one */
    int count, rate_count;
    int64_t last;   /* number of the latest epoch that ended */
    double seconds; /* of all epochs that ended */
    double spent;   /* in this epoch, until its latest step in `rates` */
    double before;  /* in this epoch, before the training was resumed */
};

/* After a step: whether it was one to be kept; and after an epoch. */
bool history_step(struct history *history, const cnn_progress *progress);
void history_epoch(struct history *history, const cnn_progress *progress);

/* Room for any history as text, a line without its end. */
enum { HISTORY_SIZE = 256 + 8 * (6 * MOST_EPOCHS + 2 * MOST_RATES) };

/* Writes it at `text`, and returns its length; reads such a text, whoever wrote it, up to the end
 * of the line: false where it is none. */
size_t history_write(char text[HISTORY_SIZE], const struct history *history);
bool history_read(struct history *history, const char *text);

#endif
