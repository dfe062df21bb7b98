/* SPDX-License-Identifier: MIT
 * What is in a folder. */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct entry {
    char *name;
    mode_t type; /* S_IFDIR and so on; links are not followed */
};

/* Everything in a folder but what begins with a dot, in byte order of the names. */
struct listing {
    struct entry *entries;
    int64_t count;
};

/* Lists the folder at `path`; false, with the reason in errno, when it cannot.  To be freed in any
 * case. */
bool listing_read(struct listing *listing, const char *path);
void listing_free(struct listing *listing);

/* The entry of this name; NULL where there is none. */
const struct entry *listing_find(const struct listing *listing, const char *name);

/* How many of the entries are folders. */
int64_t listing_folders(const struct listing *listing);

#endif
