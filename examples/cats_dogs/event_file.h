/* SPDX-License-Identifier: MIT
 * Event files as TensorBoard reads them: records in TensorFlow's framing, each of them a message in
 * the encoding of Protocol Buffers. */
#ifndef EVENT_FILE_H
#define EVENT_FILE_H

#include "log_file.h"

#include <stdbool.h>
#include <stdint.h>

/* A number of a training, over its steps.  TensorBoard groups by what is before the slash. */
struct scalar {
    const char *tag; /* at most EVENT_LONGEST_TAG bytes */
    double value;
};

enum { EVENT_LONGEST_TAG = 64, EVENT_MOST_SCALARS = 8 };

/* Writes an event file's first record, which says what the others are. */
void event_file_begin(struct log_file *log);

/* Writes a record that makes TensorBoard forget what other files have of `step` and later ones. */
void event_file_restart(struct log_file *log, int64_t step);

/* Writes a record with `count` numbers of training step `step`. */
void event_file_scalars(struct log_file *log, int64_t step, const struct scalar *scalars,
                        int count);

#endif
