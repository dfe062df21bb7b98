/* SPDX-License-Identifier: MIT
 * Reading a folder and sorting what is in it. */
#include "listing.h"

#include "growing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void listing_free(struct listing *listing)
{
    for (int64_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
}

static bool add_entry(struct listing *listing, const char *name, mode_t type)
{
    struct entry *entries = grown(listing->entries, listing->count, sizeof *entries);

    if (entries == NULL)
        return false;
    listing->entries = entries;
    char *copy = strdup(name);
    if (copy != NULL)
        entries[listing->count++] = (struct entry){copy, type};
    return copy != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Adds everything but what begins with a dot; false, with the reason in errno, when it cannot. */
static bool read_entries(struct listing *listing, DIR *folder)
{
    const struct dirent *entry;
    struct stat status;

    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        const bool is_there = entry->d_name[0] != '.' && fstatat(dirfd(folder), entry->d_name,
                                                                 &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_there && !add_entry(listing, entry->d_name, status.st_mode & S_IFMT)) {
            errno = ENOMEM;
            return false;
        }
    }
    return errno == 0;
}

bool listing_read(struct listing *listing, const char *path)
{
    DIR *folder = opendir(path);

    *listing = (struct listing){0};
    if (folder == NULL)
        return false;
    const bool done = read_entries(listing, folder);
    const int reason = errno;
    closedir(folder);
    if (listing->count > 0)
        qsort(listing->entries, (size_t)listing->count, sizeof *listing->entries, by_name);
    errno = reason;
    return done;
}

const struct entry *listing_find(const struct listing *listing, const char *name)
{
    for (int64_t i = 0; i < listing->count; i++) {
        if (strcmp(listing->entries[i].name, name) == 0)
            return &listing->entries[i];
    }
    return NULL;
}

int64_t listing_folders(const struct listing *listing)
{
    int64_t count = 0;

    for (int64_t i = 0; i < listing->count; i++)
        count += S_ISDIR(listing->entries[i].type);
    return count;
}
