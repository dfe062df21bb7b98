/* SPDX-License-Identifier: MIT
 * Folders of drawn cats and dogs, for whoever has no pictures at hand: real JPEG and PNG files in
 * FOLDER/train/cats, FOLDER/train/dogs, FOLDER/test/cats and FOLDER/test/dogs. */
#ifndef DRAWINGS_H
#define DRAWINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Draws `count` pictures for training, half of them cats, and a sixth as many for testing, into a
 * new folder.  False, after a message, when it cannot or was interrupted; nothing is left then. */
bool drawings_create(const char *folder, int64_t count, uint64_t seed);

/* The same in a new folder under TMPDIR, whose path is written into `folder`. */
bool drawings_create_temporary(char *folder, size_t size, int64_t count, uint64_t seed);

/* Removes such a folder. */
void drawings_remove(const char *folder);

#endif
