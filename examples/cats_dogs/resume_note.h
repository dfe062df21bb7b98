/* SPDX-License-Identifier: MIT
 * What the program keeps in the note of a checkpoint: its command line, the best epoch, and what
 * the curves of a report are drawn from. */
#ifndef RESUME_NOTE_H
#define RESUME_NOTE_H

#include "best.h"
#include "history.h"
#include "options.h"

#include <cnn.h>

#include <stdbool.h>

/* What is known of a training beside what its trainer knows. */
struct record {
    struct best best;
    struct history history;
};

enum { MOST_ARGUMENTS = 64 };

/* A note that was read. */
struct resume_note {
    char text[CNN_NOTE_SIZE]; /* in which the texts of the options are */
    char *arguments[MOST_ARGUMENTS + 2];
    struct options options;
    struct record record;
    bool finished; /* nothing is left to do */
};

/* Writes a note.  False when there is not enough room for the texts of the options, which depends
 * on these alone. */
bool resume_note_write(char text[CNN_NOTE_SIZE], const struct options *options,
                       const struct record *record, bool finished);

/* Reads the note in `note->text`, whoever wrote it.  False, without a message, where it is not of
 * this program, or has options that this version of it does not know. */
bool resume_note_read(struct resume_note *note);

#endif
