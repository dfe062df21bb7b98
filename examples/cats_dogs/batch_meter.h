/* SPDX-License-Identifier: MIT
 * What a single training step achieved: progress tells the means over the epoch so far, and this
 * takes the difference of two of them. */
#ifndef BATCH_METER_H
#define BATCH_METER_H

#include <cnn.h>

#include <stdbool.h>

/* Sums over the epoch until the latest step; zeroed: none. */
struct batch_meter {
    int64_t samples;
    double loss, right;
};

struct batch_figures {
    int64_t samples; /* of the batch */
    double loss;     /* their mean */
    double accuracy;
};

/* To be called at each CNN_PROGRESS_STEP.  False at the first one of a training that was resumed in
 * the middle of an epoch: what its other steps achieved is not known. */
bool batch_meter_read(struct batch_figures *figures, struct batch_meter *meter,
                      const cnn_progress *progress);

/* Steps since the training began, counted over all epochs from 1. */
int64_t global_step(const cnn_progress *progress);

#endif
