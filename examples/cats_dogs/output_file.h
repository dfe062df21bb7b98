/* SPDX-License-Identifier: MIT
 * Files for results. */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `what`, "the model", can be written to the path that `option`, "--output", gives; says
 * why, if not.  An existing file is left alone. */
bool output_file_check(const char *option, const char *path, const char *what);

/* Whether two paths lead to one file, also one that is not there yet. */
bool output_file_same(const char *path, const char *other);

/* Writes a file: it is the complete new one or, after a message, what it was. */
bool output_file_write(const char *path, const void *bytes, size_t size);

#endif
