/* SPDX-License-Identifier: MIT
 * Files and a temporary folder for tests.  A failure to make them ends the test. */
#ifndef TEST_FOLDERS_H
#define TEST_FOLDERS_H

#include <stddef.h>

/* Writes any bytes to `path`, and cuts a file short. */
void file_write(const char *path, const void *bytes, size_t size);
void file_cut(const char *path, size_t size);

/* Makes the program's temporary folder, and removes it with all that is in it: unchecked fixtures,
 * so that it goes also when a test fails. */
void folder_set_up(void);
void folder_tear_down(void);

/* The path "TEMPORARY FOLDER/NAME"; `name` is formatted.  One of a few buffers, used in turn. */
const char *folder_path(const char *name, ...) __attribute__((format(printf, 1, 2)));

/* Makes the folder at `path`, and returns `path`. */
const char *folder_make(const char *path);

/* Removes the folder at `path`, if it is there, with all that is in it. */
void folder_remove(const char *path);

#endif
