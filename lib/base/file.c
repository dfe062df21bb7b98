/* SPDX-License-Identifier: MIT
 * Reading and replacing whole files.  Replacing is the usual dance: a temporary file in the same
 * folder, write, fsync, rename, fsync of the folder.  What a kill leaves behind is at most a file
 * ".libcnn-...", never a damaged target. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"

/* open() takes its mode through "...", which a function pointer cannot. */
static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static const struct cnni_file_calls system_calls = {
    system_open, fstat, read, write, fchmod, fsync, close, rename, unlink,
};

static const struct cnni_file_calls *calls = &system_calls;

const struct cnni_file_calls *cnni_file_system_calls(void)
{
    return &system_calls;
}

void cnni_file_set_calls(const struct cnni_file_calls *table)
{
    calls = table != NULL ? table : &system_calls;
}

/* Repeats a call that a signal of the host interrupted. */
#define RETRY(result, call)                                                                        \
    do                                                                                             \
        (result) = (call);                                                                         \
    while ((result) < 0 && errno == EINTR)

/* "cnn_model_load: cannot read "a.cnn": Input/output error" */
static cnn_status fail_system(cnn_context *context, cnn_status status, const char *function,
                              const char *verb, const char *path, int error)
{
    char shown[CNNI_SHOW_SIZE];
    char reason[128];
    return cnni_fail(context, status, "%s: cannot %s \"%s\": %s", function, verb,
                     cnni_show_bytes(shown, sizeof shown, path, strlen(path)),
                     strerror_r(error, reason, sizeof reason));
}

/* The same for what the system allows but a file must not be. */
static cnn_status fail_file(cnn_context *context, const char *function, const char *path,
                            const char *problem)
{
    char shown[CNNI_SHOW_SIZE];
    return cnni_fail(context, CNN_ERROR_IO, "%s: \"%s\" %s", function,
                     cnni_show_bytes(shown, sizeof shown, path, strlen(path)), problem);
}

static const char *why_not_regular(mode_t mode)
{
    return S_ISDIR(mode) ? "is a folder, must be a file"
                         : "is a device, pipe or socket, must be a regular file";
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* What all steps of reading one file have in common. */
struct reading {
    cnn_context *context;
    const char *path;
    const char *function;
    int file;
};

static cnn_status fail_reading(const struct reading *reading, const char *verb, int error)
{
    cnn_status status = error == ENOENT || error == ENOTDIR ? CNN_ERROR_NOT_FOUND : CNN_ERROR_IO;
    return fail_system(reading->context, status, reading->function, verb, reading->path, error);
}

/* Reads `size` bytes and checks that there are no more. */
static cnn_status read_all(const struct reading *reading, char *bytes, size_t size)
{
    size_t got = 0;
    ssize_t count;
    do {
        RETRY(count, calls->read(reading->file, bytes + got, size + 1 - got));
        if (count < 0)
            return fail_reading(reading, "read", errno);
        got += (size_t)count;
    } while (count > 0 && got <= size);
    if (got != size)
        return fail_file(reading->context, reading->function, reading->path,
                         "changed its size while it was read");
    bytes[size] = '\0';
    return CNN_OK;
}

static cnn_status check_size(const struct reading *reading, int64_t size, cnn_limit limit)
{
    char shown[CNNI_SHOW_SIZE], what[CNNI_SHOW_SIZE + 32];
    snprintf(what, sizeof what, "the size of \"%s\"",
             cnni_show_bytes(shown, sizeof shown, reading->path, strlen(reading->path)));
    return cnni_check_limit(reading->context, limit, size, reading->function, what);
}

static cnn_status read_open_file(const struct reading *reading, void **bytes, size_t *size,
                                 cnn_limit limit)
{
    struct stat status;
    char *memory;
    int known;
    RETRY(known, calls->fstat(reading->file, &status));
    if (known < 0)
        return fail_reading(reading, "read", errno);
    if (!S_ISREG(status.st_mode))
        return fail_file(reading->context, reading->function, reading->path,
                         why_not_regular(status.st_mode));
    CNNI_TRY(check_size(reading, status.st_size, limit));
    CNNI_TRY(
        cnni_alloc(&memory, reading->context, (size_t)status.st_size + 1, 1, reading->function));
    cnn_status result = read_all(reading, memory, (size_t)status.st_size);
    if (result != CNN_OK) {
        cnni_free(reading->context, memory);
        return result;
    }
    *bytes = memory;
    *size = (size_t)status.st_size;
    return CNN_OK;
}

/* `flags` is 0 or O_NOFOLLOW. */
static cnn_status read_path(void **bytes, size_t *size, cnn_context *context, const char *path,
                            cnn_limit limit, const char *function, int flags)
{
    struct reading reading = {context, path, function, -1};
    *bytes = NULL;
    *size = 0;
    /* Not blocking: a pipe that nobody writes to must not hang before fstat() can refuse it. */
    flags |= O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    RETRY(reading.file, calls->open(path, flags, 0));
    if (reading.file < 0 && errno == ELOOP && (flags & O_NOFOLLOW) != 0)
        return fail_file(context, function, path, "is a symbolic link, must be a regular file");
    if (reading.file < 0)
        return fail_reading(&reading, "open", errno);
    cnn_status status = read_open_file(&reading, bytes, size, limit);
    calls->close(reading.file);
    return status;
}

cnn_status cnni_file_read(void **bytes, size_t *size, cnn_context *context, const char *path,
                          cnn_limit limit, const char *function)
{
    return read_path(bytes, size, context, path, limit, function, 0);
}

cnn_status cnni_file_read_no_link(void **bytes, size_t *size, cnn_context *context,
                                  const char *path, cnn_limit limit, const char *function)
{
    return read_path(bytes, size, context, path, limit, function, O_NOFOLLOW);
}

/* ---- Writing ------------------------------------------------------------------------------- */

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

/* The first failure counts; later ones are its consequences. */
static cnn_status remember(struct cnni_file_writer *writer, const char *verb, int error)
{
    if (writer->status == CNN_OK)
        writer->status = fail_system(writer->context, CNN_ERROR_IO, writer->function, verb,
                                     writer->target, error);
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
        return fail_system(writer->context, CNN_ERROR_IO, writer->function, "write", path, error);
    if (stat(writer->target, &status) < 0)
        return errno == ENOENT ? CNN_OK : remember(writer, "write", errno);
    if (!S_ISREG(status.st_mode))
        return fail_file(writer->context, writer->function, path, why_not_regular(status.st_mode));
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
        RETRY(writer->file, calls->open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
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
        RETRY(result, calls->fchmod(writer->file, (mode_t)mode));
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
    RETRY(writer->folder, calls->open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
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
        RETRY(count, calls->write(writer->file, next, size));
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
    return number < 0 || calls->close(number) == 0 || errno == EINTR;
}

/* Some file systems cannot sync folders and say EINVAL; there is nothing more to be done then. */
static bool sync_folder(int folder)
{
    int result;
    RETRY(result, calls->fsync(folder));
    return result == 0 || errno == EINVAL || errno == ENOTSUP;
}

static cnn_status replace_target(struct cnni_file_writer *writer)
{
    int result;
    CNNI_TRY(writer->status);
    RETRY(result, calls->fsync(writer->file));
    if (result < 0)
        return remember(writer, "write", errno);
    if (!close_file(&writer->file))
        return remember(writer, "write", errno);
    RETRY(result, calls->rename(writer->temporary, writer->target));
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
        calls->unlink(writer->temporary);
    cnni_free(writer->context, writer);
}
