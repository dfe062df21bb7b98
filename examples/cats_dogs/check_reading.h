/* SPDX-License-Identifier: MIT
 * Looking at all pictures of a folder, on several threads. */
#ifndef CHECK_READING_H
#define CHECK_READING_H

#include "check_folder.h"

#include <stdbool.h>
#include <stdint.h>

/* Looks at every file; pictures with a side below `side` get their exact size.  False, after a
 * message, without memory or when it was interrupted. */
bool check_reading(struct check_folder *folder, int64_t side, int64_t threads);

/* Adds what is odd about single pictures, tiny being those whose shorter side is below `side`. */
void check_pictures(const struct check_folder *folder, struct findings *findings, int64_t side);

#endif
