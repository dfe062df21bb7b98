/* SPDX-License-Identifier: MIT
 * Finding the same picture in several files. */
#ifndef CHECK_ALIKE_H
#define CHECK_ALIKE_H

#include "check_folder.h"

#include <stdbool.h>

/* Adds a finding for each group of files with the same bytes, or with nearly the same picture:
 * compressed again, resized, brightened, cropped by some 2 per cent, mirrored.  False, after a
 * message, without memory or when it was interrupted. */
bool check_alike(const struct check_folder *folder, struct findings *findings);

#endif
