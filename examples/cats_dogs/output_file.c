/* SPDX-License-Identifier: MIT
 * Tries out beforehand what cnn_model_save() will do: it writes a new file beside the old one, or
 * beside what a symbolic link leads to, and renames it. */
#include "output_file.h"

#include "console.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What mkstemp() needs behind a name. */
static const char ending[] = ".XXXXXX";

/* Appends `text` at `end` of the path in `target`. */
static bool put(char target[PATH_MAX], char *end, const char *text)
{
    const size_t room = PATH_MAX - sizeof ending + 1 - (size_t)(end - target);

    if (strlen(text) >= room) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(end, text);
    return true;
}

/* Follows the symbolic links at the end of `path`.  Nothing need be there yet, which is why
 * realpath() does not do. */
static bool follow_links(char target[PATH_MAX], const char *path)
{
    enum { MOST_LINKS = 40 };
    char link[PATH_MAX];

    if (!put(target, target, path))
        return false;
    for (int i = 0; i < MOST_LINKS; i++) {
        const ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0)
            return errno == EINVAL || errno == ENOENT; /* no link, or nothing at all */
        link[length] = '\0';
        char *slash = strrchr(target, '/');
        if (!put(target, link[0] == '/' || slash == NULL ? target : slash + 1, link))
            return false;
    }
    errno = ELOOP;
    return false;
}

/* Whether a file can be made beside `target`, whose end it changes. */
static bool can_create_beside(char target[PATH_MAX])
{
    strcat(target, ending);
    const int file = mkstemp(target);
    if (file < 0)
        return false;
    close(file);
    unlink(target);
    return true;
}

bool output_file_check(const char *option, const char *path)
{
    char target[PATH_MAX];
    struct stat status;
    const bool exists = stat(path, &status) == 0;

    if (exists && !S_ISREG(status.st_mode)) {
        console_error("--%s %s: not a regular file, wanted one to write to", option, path);
        return false;
    }
    if ((!exists || access(path, W_OK) == 0) && follow_links(target, path) &&
        can_create_beside(target))
        return true;
    console_error("--%s %s: %s, wanted a place to write to", option, path, strerror(errno));
    return false;
}
