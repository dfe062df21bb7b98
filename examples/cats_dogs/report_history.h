/* SPDX-License-Identifier: MIT
 * What a report keeps of a training while it goes on. */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include <cnn.h>

struct epoch {
    double number; /* from 1 on */
    double loss, accuracy;
    double validation_loss, validation_accuracy;
    double seconds;
};

/* The learning rate at a moment, counted in epochs from 0 on. */
struct rate {
    double moment, rate;
};

enum { MOST_RATES = 512 };

struct history {
    struct epoch *epochs;
    int64_t count, room;
    struct rate rates[MOST_RATES]; /* of every so many steps, evenly over the whole training */
    int rate_count;
    int64_t steps, every;
};

void history_start(struct history *history);
void history_step(struct history *history, const cnn_progress *progress);
void history_epoch(struct history *history, const cnn_progress *progress);
void history_free(struct history *history);

/* The seconds of all epochs. */
double history_seconds(const struct history *history);

#endif
