/* SPDX-License-Identifier: MIT
 * What a progress callback is told, filled by fit.c, and the sums in it. */
#ifndef CNNI_PROGRESS_H
#define CNNI_PROGRESS_H

#include "model/trainer_internal.h"

struct cnn_progress {
    cnn_progress_kind kind;
    int64_t epoch, epochs, step, steps;
    int64_t samples_total;
    struct cnni_tally training, validation;
    bool classes;
    double learning_rate;
    double began; /* the epoch, by cnni_seconds() */
};

/* Adds the results of a batch. */
void cnni_tally_add(struct cnni_tally *tally, const struct cnni_loss_result *result,
                    int64_t samples);

/* NaN before the first batch, and for `classes` false. */
double cnni_tally_loss(const struct cnni_tally *tally);
double cnni_tally_accuracy(const struct cnni_tally *tally, bool classes);

#endif
