/* SPDX-License-Identifier: MIT
 * Checkpoints of a training: where they go, and what the program keeps in their note: its command
 * line, and the best epoch. */
#ifndef RESUME_H
#define RESUME_H

#include "options.h"

#include <cnn.h>

/* The best epoch until now. */
struct best {
    int64_t epoch; /* 0: none has ended yet */
    double accuracy;
    double loss;
};

/* ---- Before anything is made: false, after a message, when something is wrong --------------- */

/* Where a training is to be resumed, takes its options, whose texts stay until the end of the
 * program, and its best epoch. */
bool resume_take_up(struct options *options, struct best *best);

/* Whether the files fit: checkpoints do not go over the model, nor over those of another training
 * that has not finished; a resumed training has its model. */
bool resume_check_file(const struct options *options, const struct best *best);

/* ---- With a trainer ------------------------------------------------------------------------- */

/* Goes to where the training was, and begins with checkpoints, where they are asked for. */
bool resume_begin(cnn_trainer *trainer, cnn_loader *loader, const struct options *options,
                  const struct best *best);

/* Says where the training goes on. */
void resume_print(const cnn_trainer *trainer, const struct options *options);

/* Keeps the best epoch in the checkpoints from now on. */
bool resume_set_note(cnn_trainer *trainer, const struct options *options, const struct best *best);

/* Whether a training that was interrupted can be resumed; says how. */
bool resume_is_possible(const cnn_trainer *trainer, const struct options *options);

#endif
