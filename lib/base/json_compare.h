/* SPDX-License-Identifier: MIT
 * Where two JSON texts differ: one of our own making, and one that may be anything and should be
 * the same, member by member in the same order. */
#ifndef CNNI_JSON_COMPARE_H
#define CNNI_JSON_COMPARE_H

#include "base/json_reader.h"

enum { CNNI_JSON_PATH = 160 };

struct cnni_json_difference {
    char path[CNNI_JSON_PATH]; /* "layers[2].options.units" */
    /* The values there, as they stand; NULL: there is none. */
    struct cnni_json_string ours, theirs;
};

/* Compares the values at the places of both readers, which are passed.  False where they differ, or
 * where `theirs` has an error; `difference`, in whose path the name of the value stands, then says
 * where. */
bool cnni_json_compare(struct cnni_json *ours, struct cnni_json *theirs,
                       struct cnni_json_difference *difference);

#endif
