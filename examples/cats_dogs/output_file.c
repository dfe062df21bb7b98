/* SPDX-License-Identifier: MIT
 * Files are written as cnn_model_save() does it: a new one in the folder of the old one, or of what
 * a symbolic link leads to, which is then renamed.  That is also tried out beforehand. */
#include "output_file.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Places -------------------------------------------------------------------------------- */

/* The name of a new file, as mkstemp() takes it: what a kill leaves of any file has the same. */
static const char temporary_name[] = ".libcnn-XXXXXX";

/* Appends `text` at `end` of the path in `target`. */
static bool put(char target[PATH_MAX], char *end, const char *text)
{
    const size_t room = PATH_MAX - (size_t)(end - target);

    if (strlen(text) >= room) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(end, text);
    return true;
}

/* Where the name of the file begins in its path. */
static char *name_in(char *path)
{
    char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
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
        if (!put(target, link[0] == '/' ? target : name_in(target), link))
            return false;
    }
    errno = ELOOP;
    return false;
}

/* Opens a new file in the folder of `target`, whose path is put into `path`.  -1: it cannot be. */
static int open_temporary(char path[PATH_MAX], const char *target)
{
    strcpy(path, target);
    return put(path, name_in(path), temporary_name) ? mkstemp(path) : -1;
}

/* The folder of a path without links at its end. */
static bool find_folder(char folder[PATH_MAX], const char *target)
{
    strcpy(folder, target);
    return put(folder, name_in(folder), ".");
}

/* ---- Checking ------------------------------------------------------------------------------ */

static bool can_create_in_folder_of(const char *target)
{
    char path[PATH_MAX];
    const int file = open_temporary(path, target);

    if (file < 0)
        return false;
    close(file);
    unlink(path);
    return true;
}

bool output_file_check(const char *option, const char *path, const char *what)
{
    char target[PATH_MAX];
    struct stat status;
    const bool exists = stat(path, &status) == 0;

    if (exists && !S_ISREG(status.st_mode)) {
        console_error("%s %s: not a regular file, wanted one to write %s to", option, path, what);
        return false;
    }
    if ((!exists || access(path, W_OK) == 0) && follow_links(target, path) &&
        can_create_in_folder_of(target))
        return true;
    console_error("%s %s: %s, wanted a place to write %s to", option, path, strerror(errno), what);
    return false;
}

/* ---- Comparing ----------------------------------------------------------------------------- */

/* What makes a file the same: its number, or, where it is not there yet, its name in a folder. */
struct identity {
    struct stat status;
    char target[PATH_MAX];
    const char *name; /* in `target`; "" of a file that is there */
};

static bool identify(struct identity *identity, const char *path)
{
    char folder[PATH_MAX];

    identity->name = "";
    if (stat(path, &identity->status) == 0)
        return true;
    if (!follow_links(identity->target, path) || !find_folder(folder, identity->target))
        return false;
    identity->name = name_in(identity->target);
    return stat(folder, &identity->status) == 0;
}

bool output_file_same(const char *path, const char *other)
{
    struct identity a, b;

    return identify(&a, path) && identify(&b, other) && a.status.st_dev == b.status.st_dev &&
           a.status.st_ino == b.status.st_ino && strcmp(a.name, b.name) == 0;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, bytes, size);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* Like any new file: mkstemp() lets nobody else read it. */
static bool open_to_readers(int file)
{
    const mode_t mask = umask(0);

    umask(mask);
    return fchmod(file, 0666 & ~mask) == 0;
}

/* Makes sure of the renaming.  Some file systems cannot sync folders and say EINVAL; there is
 * nothing more to be done then. */
static bool sync_folder_of(const char *target)
{
    char path[PATH_MAX];
    const int folder = find_folder(path, target) ? open(path, O_RDONLY | O_DIRECTORY) : -1;

    if (folder < 0)
        return false;
    const bool synced = fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
    const int reason = errno;
    close(folder);
    errno = reason;
    return synced;
}

/* Writes, and closes, the new file. */
static bool fill(int file, const char *bytes, size_t size)
{
    const bool filled = write_all(file, bytes, size) && open_to_readers(file) && fsync(file) == 0;
    const int reason = errno;
    const bool closed = close(file) == 0;

    errno = filled ? errno : reason;
    return filled && closed;
}

/* Writes `target`, a path without links at its end. */
static bool replace(const char *target, const char *bytes, size_t size)
{
    char temporary[PATH_MAX];
    const int file = open_temporary(temporary, target);

    if (file < 0)
        return false;
    if (fill(file, bytes, size) && rename(temporary, target) == 0)
        return sync_folder_of(target);
    const int reason = errno;
    unlink(temporary);
    errno = reason;
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
