/* SPDX-License-Identifier: MIT
 * The best model of a training, and its file. */
#ifndef BEST_H
#define BEST_H

#include "options.h"

#include <cnn.h>

#include <stdbool.h>

/* The best epoch until now. */
struct best {
    int64_t epoch; /* 0: none has ended yet */
    double accuracy;
    double loss;
    int64_t saved; /* the epoch whose model is in its file: the same, unless saving failed */
    bool warned;   /* that it did */
};

/* After an epoch: whether it is the best until now, which is then noted. */
bool best_update(struct best *best, const cnn_trainer *trainer, const cnn_progress *progress);

/* Whether its model is in its file, if there is one by now. */
bool best_is_saved(const struct best *best);

/* Where a training is resumed: looks for that model in its file.  Where it is gone, or another
 * epoch's, as after a kill between the two files, it is no longer saved.  False, after a message,
 * when the file has a model that cannot be of this training. */
bool best_find(struct best *best, const cnn_trainer *trainer, const struct options *options);

/* Saves the model of the best epoch, for pictures of options->predict_size, unless that is done;
 * the library has the reason of a failure.  Right after that epoch `model` is the trained one,
 * which has its weights; at any other time NULL: `trainer` keeps them. */
bool best_save(struct best *best, const cnn_model *model, const cnn_trainer *trainer,
               const struct options *options);

/* The same while the training goes on: failing ends nothing, as long as an epoch is left to try
 * again after.  That is told once, and when it has succeeded later. */
void best_try_to_save(struct best *best, const cnn_model *model, const cnn_trainer *trainer,
                      const struct options *options);

#endif
