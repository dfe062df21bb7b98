/* SPDX-License-Identifier: MIT
 * Folders of drawn cats, dogs and rabbits, for whoever has no pictures at hand: real JPEG and PNG
 * files in FOLDER/train/cats, FOLDER/train/dogs, ..., FOLDER/test/cats and so on. */
#ifndef DRAWINGS_H
#define DRAWINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of animals that there may be in a folder: cats and dogs, or rabbits too. */
enum { FEWEST_KINDS = 2, MOST_KINDS = 3 };

/* Draws `count` pictures for training, the kinds in turn, and a sixth as many for testing, into a
 * new folder.  False, after a message, when it cannot or was interrupted; nothing is left then. */
bool drawings_create(const char *folder, int kinds, int64_t count, uint64_t seed);

/* The same with cats and dogs in a new folder under TMPDIR, whose path is written into `folder`. */
bool drawings_create_temporary(char *folder, size_t size, int64_t count, uint64_t seed);

/* Removes such a folder. */
void drawings_remove(const char *folder);

#endif
