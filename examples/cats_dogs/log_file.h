/* SPDX-License-Identifier: MIT
 * A file that is written along with a training: when it can no longer be written, that is said
 * once, and the training goes on without it. */
#ifndef LOG_FILE_H
#define LOG_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct log_file {
    FILE *file;         /* NULL once it could not be written */
    const char *option; /* what asked for it, for messages; both borrowed */
    const char *path;
};

/* Opens `path` to add lines to, behind what is in it; a line there that was cut short is ended
 * first.  False, after a message, when it cannot. */
bool log_file_append(struct log_file *log, const char *option, const char *path);

/* Makes the new file `path`. */
bool log_file_create(struct log_file *log, const char *option, const char *path);

/* Hands over to the system what was written. */
void log_file_flush(struct log_file *log);

void log_file_close(struct log_file *log);

#endif
