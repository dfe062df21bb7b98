/* SPDX-License-Identifier: MIT
 * Files are written as cnn_model_save() does it: a new one beside the old one, or beside what a
 * symbolic link leads to, which is then renamed.  That is also tried out beforehand. */
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

bool output_file_check(const char *option, const char *path, const char *what)
{
    char target[PATH_MAX];
    struct stat status;
    const bool exists = stat(path, &status) == 0;

    if (exists && !S_ISREG(status.st_mode)) {
        console_error("--%s %s: not a regular file, wanted one to write %s to", option, path, what);
        return false;
    }
    if ((!exists || access(path, W_OK) == 0) && follow_links(target, path) &&
        can_create_beside(target))
        return true;
    console_error("--%s %s: %s, wanted a place to write %s to", option, path, strerror(errno),
                  what);
    return false;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Like any new file: mkstemp() lets nobody else read it. */
static bool open_to_readers(int file)
{
    const mode_t mask = umask(0);

    umask(mask);
    return fchmod(file, 0666 & ~mask) == 0;
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, bytes, size);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return open_to_readers(file) && fsync(file) == 0;
}

/* Writes `target`, a path without links at its end, through a new file beside it. */
static bool replace(const char *target, const char *bytes, size_t size)
{
    char temporary[PATH_MAX];

    strcat(strcpy(temporary, target), ending);
    const int file = mkstemp(temporary);
    if (file < 0)
        return false;
    const bool written = write_all(file, bytes, size);
    const int reason = errno;
    if (close(file) == 0 && written && rename(temporary, target) == 0)
        return true;
    errno = written ? errno : reason;
    const int kept = errno;
    unlink(temporary);
    errno = kept;
    return false;
}

bool output_file_write(const char *path, const void *bytes, size_t size)
{
    char target[PATH_MAX];

    if (follow_links(target, path) && replace(target, bytes, size))
        return true;
    console_error("cannot write \"%s\": %s", path, strerror(errno));
    return false;
}
