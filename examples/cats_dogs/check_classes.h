/* SPDX-License-Identifier: MIT
 * How many pictures the classes have. */
#ifndef CHECK_CLASSES_H
#define CHECK_CLASSES_H

#include "check_folder.h"

/* Adds classes that are missing from a part or have too few pictures, and parts that are
 * unbalanced. */
void check_classes(const struct check_folder *folder, struct findings *findings);

/* Prints a table of them, of `all` or the first few. */
void check_classes_print(const struct check_folder *folder, bool all);

#endif
