/* SPDX-License-Identifier: MIT
 * Checkpoints of a training: where they go, and going on from one. */
#ifndef RESUME_H
#define RESUME_H

#include "options.h"
#include "resume_note.h"

#include <cnn.h>

/* ---- Before anything is made: false, after a message, when something is wrong --------------- */

/* Where a training is to be resumed, takes its options, whose texts stay until the end of the
 * program, and its record. */
bool resume_take_up(struct options *options, struct record *record);

/* Whether checkpoints do not go over those of another training that has not finished. */
bool resume_check_file(const struct options *options);

/* ---- With a trainer ------------------------------------------------------------------------- */

/* Goes to where the training was, looks for its model, and begins with checkpoints, where they are
 * asked for.  False, after a message, when something does not fit. */
bool resume_begin(cnn_trainer *trainer, cnn_loader *loader, const struct options *options,
                  struct record *record);

/* Says where the training goes on. */
void resume_print(const cnn_trainer *trainer, const struct options *options);

/* Keeps the record in the checkpoints from now on. */
bool resume_set_note(cnn_trainer *trainer, const struct options *options,
                     const struct record *record);

/* The same, and at once in the one that was resumed, which has another.  Where that fails, after a
 * message, it has the old one. */
void resume_renew(cnn_trainer *trainer, const cnn_loader *loader, const struct options *options,
                  const struct record *record);

/* Says how a training can go on of which `event`, "interrupted", is to be said.  False where it
 * cannot: nothing is said. */
bool resume_offer(const cnn_trainer *trainer, const struct options *options, const char *event);

#endif
