/* SPDX-License-Identifier: MIT
 * Checkpoints of a training: where they go, and what the program keeps in their note: its command
 * line, the best epoch, and what the curves of a report are drawn from. */
#ifndef RESUME_H
#define RESUME_H

#include "best.h"
#include "history.h"
#include "options.h"

#include <cnn.h>

/* What is known of a training beside what its trainer knows. */
struct record {
    struct best best;
    struct history history;
};

/* ---- Before anything is made: false, after a message, when something is wrong --------------- */

/* Where a training is to be resumed, takes its options, whose texts stay until the end of the
 * program, and its record. */
bool resume_take_up(struct options *options, struct record *record);

/* Whether the files fit: checkpoints do not go over the model, nor over those of another training
 * that has not finished; a resumed training has its model. */
bool resume_check_file(const struct options *options, const struct best *best);

/* ---- With a trainer ------------------------------------------------------------------------- */

/* Goes to where the training was, and begins with checkpoints, where they are asked for. */
bool resume_begin(cnn_trainer *trainer, cnn_loader *loader, const struct options *options,
                  const struct record *record);

/* Says where the training goes on. */
void resume_print(const cnn_trainer *trainer, const struct options *options);

/* Keeps the record in the checkpoints from now on. */
bool resume_set_note(cnn_trainer *trainer, const struct options *options,
                     const struct record *record);

/* The same, and at once in the one that was resumed, which has another.  Where that fails it has
 * the old one. */
bool resume_renew(cnn_trainer *trainer, const cnn_loader *loader, const struct options *options,
                  const struct record *record);

/* Whether a training of which `event`, "interrupted", is to be said can go on; says how. */
bool resume_is_possible(const cnn_trainer *trainer, const struct options *options,
                        const char *event);

#endif
