/* SPDX-License-Identifier: MIT
 * What the tests of reading and replacing files share: two contents, and looking at what became of
 * a file. */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnn/context.h"

/* The contents of a file before and after; fill_bytes() makes them. */
enum { OLD_SIZE = 1000, NEW_SIZE = 5000 };
extern char old_bytes[OLD_SIZE], new_bytes[NEW_SIZE];
void fill_bytes(void);

/* Whether the file at `path` holds exactly these bytes. */
bool file_holds(const char *path, const void *bytes, size_t size);

/* How many entries the folder at `path` has; how many files this process has open. */
int32_t folder_entries(const char *path);
int32_t files_open(void);

/* The whole of what a saving caller does, in three writes; of what a reading caller does.  Their
 * texts begin with "test: ". */
cnn_status file_replace(cnn_context *context, const char *path, const char *bytes, size_t size);
cnn_status file_read_back(cnn_context *context, const char *path, void **bytes, size_t *size);

#endif
