/* SPDX-License-Identifier: MIT
 * Opening and reading files, and what failing with them means.  Replacing them is in
 * file_writer.c. */
#include "base/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"

/* openat() takes its mode through "...", which a function pointer cannot. */
static int system_openat(int folder, const char *path, int flags, mode_t mode)
{
    return openat(folder, path, flags, mode);
}

static const struct cnni_file_calls system_calls = {
    system_openat, fstat, read, write, fchmod, fsync, close, rename, unlink,
};

const struct cnni_file_calls *cnni_file_calls = &system_calls;

const struct cnni_file_calls *cnni_file_system_calls(void)
{
    return &system_calls;
}

void cnni_file_set_calls(const struct cnni_file_calls *table)
{
    cnni_file_calls = table != NULL ? table : &system_calls;
}

cnn_status cnni_file_status(int error)
{
    static const struct {
        int error;
        cnn_status status;
    } known[] = {
        {ENOENT, CNN_ERROR_NOT_FOUND}, {ENOTDIR, CNN_ERROR_NOT_FOUND}, {ENOMEM, CNN_ERROR_MEMORY},
        {EMFILE, CNN_ERROR_MEMORY},    {ENFILE, CNN_ERROR_MEMORY},
    };
    for (int32_t i = 0; i < CNNI_COUNT(known); i++)
        if (known[i].error == error)
            return known[i].status;
    return CNN_ERROR_IO;
}

cnn_status cnni_file_fail_as(cnn_context *context, cnn_status status, const char *function,
                             const char *verb, const char *path, int error)
{
    char shown[CNNI_SHOW_SIZE];
    char reason[128];
    return cnni_fail(context, status, "%s: cannot %s \"%s\": %s", function, verb,
                     cnni_show_bytes(shown, sizeof shown, path, strlen(path)),
                     strerror_r(error, reason, sizeof reason));
}

cnn_status cnni_file_fail(cnn_context *context, const char *function, const char *verb,
                          const char *path, int error)
{
    return cnni_file_fail_as(context, cnni_file_status(error), function, verb, path, error);
}

cnn_status cnni_file_refuse(cnn_context *context, const char *function, const char *path,
                            const char *problem)
{
    char shown[CNNI_SHOW_SIZE];
    return cnni_fail(context, CNN_ERROR_IO, "%s: \"%s\" %s", function,
                     cnni_show_bytes(shown, sizeof shown, path, strlen(path)), problem);
}

const char *cnni_file_why_not_regular(mode_t mode)
{
    return S_ISDIR(mode) ? "is a folder, must be a file"
                         : "is a device, pipe or socket, must be a regular file";
}

/* ---- Opening ------------------------------------------------------------------------------- */

/* Of a link that O_NOFOLLOW keeps from being a folder the system says only that it is none: ENOTDIR
 * becomes ELOOP. */
static int open_name(int folder, const char *name, int flags)
{
    struct stat status;
    int file;
    CNNI_RETRY(file, cnni_file_calls->openat(folder, name, flags, 0));
    int error = errno;
    if (file < 0 && error == ENOTDIR && (flags & O_NOFOLLOW) != 0 &&
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
        error = ELOOP;
    if (folder >= 0)
        cnni_file_calls->close(folder);
    errno = error;
    return file;
}

/* From folder to folder, each found in the one before, so that none can be exchanged meanwhile. */
int cnni_file_open(const char *path, size_t root, int flags)
{
    char name[PATH_MAX];
    size_t start = 0, end = strlen(path);
    int folder = AT_FDCWD;
    if (end >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    end = CNNI_MIN(end, root);
    for (;;) {
        const bool last = path[end] == '\0';
        const int how = last ? flags : O_RDONLY | O_DIRECTORY | O_CLOEXEC;
        memcpy(name, path + start, end - start);
        name[end - start] = '\0';
        folder = open_name(folder, name, start == 0 ? how : how | O_NOFOLLOW);
        if (folder < 0 || last)
            return folder;
        start = end + strspn(path + end, "/");
        end = start + strcspn(path + start, "/");
    }
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
    return cnni_file_fail(reading->context, reading->function, verb, reading->path, error);
}

/* Reads `size` bytes, or as many as there are; returns their number, -1 with errno on failure. */
static ssize_t read_up_to(int file, char *bytes, size_t size)
{
    size_t got = 0;
    ssize_t count;
    do {
        CNNI_RETRY(count, cnni_file_calls->read(file, bytes + got, size - got));
        if (count < 0)
            return -1;
        got += (size_t)count;
    } while (count > 0 && got < size);
    return (ssize_t)got;
}

/* Reads `size` bytes and checks that there are no more. */
static cnn_status read_all(const struct reading *reading, char *bytes, size_t size)
{
    const ssize_t got = read_up_to(reading->file, bytes, size + 1);
    if (got < 0)
        return fail_reading(reading, "read", errno);
    if ((size_t)got != size)
        return cnni_file_refuse(reading->context, reading->function, reading->path,
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
    CNNI_RETRY(known, cnni_file_calls->fstat(reading->file, &status));
    if (known < 0)
        return fail_reading(reading, "read", errno);
    if (!S_ISREG(status.st_mode))
        return cnni_file_refuse(reading->context, reading->function, reading->path,
                                cnni_file_why_not_regular(status.st_mode));
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

/* Not blocking: a pipe that nobody writes to must not hang before fstat() can refuse it. */
static int open_to_read(const char *path, size_t root)
{
    return cnni_file_open(path, root, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

cnn_status cnni_file_read_below(void **bytes, size_t *size, cnn_context *context, const char *path,
                                size_t root, cnn_limit limit, const char *function)
{
    struct reading reading = {context, path, function, -1};
    *bytes = NULL;
    *size = 0;
    reading.file = open_to_read(path, root);
    if (reading.file < 0 && errno == ELOOP && root < strlen(path))
        return cnni_file_refuse(context, function, path,
                                "is or lies behind a symbolic link, must be a regular file");
    if (reading.file < 0)
        return fail_reading(&reading, "open", errno);
    cnn_status status = read_open_file(&reading, bytes, size, limit);
    cnni_file_calls->close(reading.file);
    return status;
}

cnn_status cnni_file_read(void **bytes, size_t *size, cnn_context *context, const char *path,
                          cnn_limit limit, const char *function)
{
    return cnni_file_read_below(bytes, size, context, path, SIZE_MAX, limit, function);
}

static ssize_t read_start(int file, void *bytes, size_t size, int64_t *whole)
{
    struct stat status;
    int known;
    CNNI_RETRY(known, cnni_file_calls->fstat(file, &status));
    if (known < 0)
        return -1;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    *whole = status.st_size;
    return read_up_to(file, bytes, size);
}

ssize_t cnni_file_read_start(void *bytes, size_t size, int64_t *whole, const char *path,
                             size_t root)
{
    const int file = open_to_read(path, root);
    if (file < 0)
        return -1;
    const ssize_t got = read_start(file, bytes, size, whole);
    const int error = errno;
    cnni_file_calls->close(file);
    errno = error;
    return got;
}
