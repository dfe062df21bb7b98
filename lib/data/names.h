/* SPDX-License-Identifier: MIT
 * A growing list of texts (paths, class names), kept in a few large blocks that never move, so that
 * a name may be lent out as a pointer and a million of them cost little more than their bytes. */
#ifndef CNNI_NAMES_H
#define CNNI_NAMES_H

#include "base/base.h"
#include "cnn/context.h"

struct cnni_name_block;

/* All zero: empty. */
struct cnni_names {
    const char **name; /* [count] */
    int64_t count;
    int64_t room; /* of `name` */
    struct cnni_name_block *blocks;
};

/* Appends "FOLDER/NAME", or NAME alone where `folder` is NULL. */
cnn_status cnni_names_add(struct cnni_names *names, cnn_context *context, const char *folder,
                          const char *name, const char *function);

/* Sorts the names from number `first` on by their bytes. */
void cnni_names_sort(struct cnni_names *names, int64_t first);

/* Whether the list has `name`. */
bool cnni_names_have(const struct cnni_names *names, const char *name);

/* Frees all and leaves the list empty. */
void cnni_names_free(struct cnni_names *names, cnn_context *context);

#endif
