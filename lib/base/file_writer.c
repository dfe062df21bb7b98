/* SPDX-License-Identifier: MIT
 * Replacing whole files by the usual dance: a temporary file in the same folder, write, fsync,
 * rename, fsync of the folder.  What a kill leaves behind is at most a file ".libcnn-...", never a
 * damaged target. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "base/file_internal.h"
#include "base/memory.h"

enum { MOST_LINKS = 40, NAME_TRIES = 100, NAME_ROOM = 64 };

struct cnni_file_writer {
    cnn_context *context;
    const char *function;
    int file;   /* the temporary one; -1 when closed */
    int folder; /* the target's, to be synced; -1 when closed */
    cnn_status status;
    size_t folder_length;  /* of `target`, up to and with the last slash; 0: the current folder */
    char target[PATH_MAX]; /* what will be replaced: the path with symbolic links followed */
    char temporary[PATH_MAX + NAME_ROOM]; /* "" when there is none */
};

/* A file that is to be written is never "not found"; its folder may be. */
static cnn_status fail_writing(const struct cnni_file_writer *writer, const char *verb,
                               const char *path, int error)
{
    cnn_status status = cnni_file_status(error);
    return cnni_file_fail_as(writer->context, status == CNN_ERROR_MEMORY ? status : CNN_ERROR_IO,
                             writer->function, verb, path, error);
}

/* The first failure counts; later ones are its consequences. */
static cnn_status remember(struct cnni_file_writer *writer, const char *verb, int error)
{
    if (writer->status == CNN_OK)
        writer->status = fail_writing(writer, verb, writer->target, error);
    return writer->status;
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* Follows the symbolic links at the end of `path`, so that a link stays and its target is replaced.
 * The target need not be there yet, which is why realpath() does not do. */
static int follow_links(char target[PATH_MAX], const char *path)
{
    if (strlen(path) >= PATH_MAX)
        return ENAMETOOLONG;
    strcpy(target, path);
    for (int32_t i = 0; i < MOST_LINKS; i++) {
        char link[PATH_MAX];
        ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0)
            return errno == EINVAL || errno == ENOENT ? 0 : errno;
        link[length] = '\0';
        size_t start = link[0] == '/' ? 0 : folder_length(target);
        if (start + (size_t)length >= PATH_MAX)
            return ENAMETOOLONG;
        strcpy(target + start, link);
    }
    return ELOOP;
}

/* Looks at what is to be replaced.  `mode` becomes its permissions; -1 where nothing is there. */
static cnn_status look_at_target(struct cnni_file_writer *writer, const char *path, int32_t *mode)
{
    struct stat status;
    *mode = -1;
    int error = follow_links(writer->target, path);
    if (error != 0)
        return fail_writing(writer, "write", path, error);
    if (stat(writer->target, &status) < 0)
        return errno == ENOENT ? CNN_OK : remember(writer, "write", errno);
    if (!S_ISREG(status.st_mode))
        return cnni_file_refuse(writer->context, writer->function, path,
                                cnni_file_why_not_regular(status.st_mode));
    /* Renaming would replace a file that its owner has protected against writing. */
    if (access(writer->target, W_OK) < 0)
        return remember(writer, "write", errno);
    *mode = (int32_t)(status.st_mode & 0777);
    return CNN_OK;
}

/* A name that no other process or thread is likely to have; O_EXCL has the last word. */
static void name_temporary(struct cnni_file_writer *writer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(writer->temporary, sizeof writer->temporary, "%.*s.libcnn-%lx-%lx-%lx",
             (int)writer->folder_length, writer->target, (unsigned long)getpid(),
             (unsigned long)now.tv_sec, (unsigned long)now.tv_nsec);
}

static cnn_status open_temporary(struct cnni_file_writer *writer, int32_t mode)
{
    for (int32_t i = 0; i < NAME_TRIES && writer->file < 0; i++) {
        name_temporary(writer);
        CNNI_RETRY(writer->file, cnni_file_calls->openat(AT_FDCWD, writer->temporary,
                                                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                                         mode < 0 ? 0666 : (mode_t)mode));
        if (writer->file < 0 && errno != EEXIST)
            break;
    }
    if (writer->file < 0) {
        writer->temporary[0] = '\0';
        return remember(writer, "write", errno);
    }
    /* The process's umask does not hold for permissions that are already there. */
    int result = 0;
    if (mode >= 0)
        CNNI_RETRY(result, cnni_file_calls->fchmod(writer->file, (mode_t)mode));
    return result < 0 ? remember(writer, "set the permissions of", errno) : CNN_OK;
}

/* Opened before anything is replaced, so that a folder that cannot be synced is known in time. */
static cnn_status open_folder(struct cnni_file_writer *writer)
{
    char folder[PATH_MAX] = ".";
    if (writer->folder_length > 0) {
        memcpy(folder, writer->target, writer->folder_length);
        folder[writer->folder_length] = '\0';
    }
    CNNI_RETRY(writer->folder,
               cnni_file_calls->openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    return writer->folder < 0 ? remember(writer, "open the folder of", errno) : CNN_OK;
}

static cnn_status open_writer(struct cnni_file_writer *writer, const char *path)
{
    int32_t mode;
    CNNI_TRY(look_at_target(writer, path, &mode));
    writer->folder_length = folder_length(writer->target);
    CNNI_TRY(open_folder(writer));
    return open_temporary(writer, mode);
}

cnn_status cnni_file_create(struct cnni_file_writer **writer, cnn_context *context,
                            const char *path, const char *function)
{
    struct cnni_file_writer *made;
    *writer = NULL;
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, sizeof *made, function));
    made->context = context;
    made->function = function;
    made->file = made->folder = -1;
    cnn_status status = open_writer(made, path);
    if (status != CNN_OK) {
        cnni_file_abandon(made);
        return status;
    }
    *writer = made;
    return CNN_OK;
}

cnn_status cnni_file_write(struct cnni_file_writer *writer, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0 && writer->status == CNN_OK) {
        ssize_t count;
        CNNI_RETRY(count, cnni_file_calls->write(writer->file, next, size));
        if (count <= 0) /* writing nothing is no error to the system, but would never end */
            return remember(writer, "write", count < 0 ? errno : ENOSPC);
        next += count;
        size -= (size_t)count;
    }
    return writer->status;
}

/* Closes and forgets a file.  Linux closes it even when interrupted: EINTR is no failure. */
static bool close_file(int *file)
{
    int number = *file;
    *file = -1;
    return number < 0 || cnni_file_calls->close(number) == 0 || errno == EINTR;
}

/* Some file systems cannot sync folders and say EINVAL; there is nothing more to be done then. */
static bool sync_folder(int folder)
{
    int result;
    CNNI_RETRY(result, cnni_file_calls->fsync(folder));
    return result == 0 || errno == EINVAL || errno == ENOTSUP;
}

static cnn_status replace_target(struct cnni_file_writer *writer)
{
    int result;
    CNNI_TRY(writer->status);
    CNNI_RETRY(result, cnni_file_calls->fsync(writer->file));
    if (result < 0)
        return remember(writer, "write", errno);
    if (!close_file(&writer->file))
        return remember(writer, "write", errno);
    CNNI_RETRY(result, cnni_file_calls->rename(writer->temporary, writer->target));
    if (result < 0)
        return remember(writer, "replace", errno);
    writer->temporary[0] = '\0';
    if (!sync_folder(writer->folder))
        return remember(writer, "make sure of the renaming of", errno);
    return CNN_OK;
}

cnn_status cnni_file_commit(struct cnni_file_writer *writer)
{
    cnn_status status = replace_target(writer);
    cnni_file_abandon(writer);
    return status;
}

void cnni_file_abandon(struct cnni_file_writer *writer)
{
    if (writer == NULL)
        return;
    close_file(&writer->file);
    close_file(&writer->folder);
    if (writer->temporary[0] != '\0')
        cnni_file_calls->unlink(writer->temporary);
    cnni_free(writer->context, writer);
}
