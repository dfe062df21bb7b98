/* SPDX-License-Identifier: MIT
 * Files: reading one whole, and writing one so that either the old or the new content is there,
 * complete, whatever happens.  System calls go through a table, which lets tests make them fail. */
#ifndef CNNI_FILE_H
#define CNNI_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/base.h"
#include "cnn/context.h"

/* The calls that can fail, with the meaning of the POSIX functions of the same names. */
struct cnni_file_calls {
    int (*openat)(int folder, const char *path, int flags, mode_t mode);
    int (*fstat)(int file, struct stat *status);
    ssize_t (*read)(int file, void *buffer, size_t size);
    ssize_t (*write)(int file, const void *buffer, size_t size);
    int (*fchmod)(int file, mode_t mode);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
};

/* The system's own, and the table in use, NULL for the system's.  For tests. */
const struct cnni_file_calls *cnni_file_system_calls(void);
void cnni_file_set_calls(const struct cnni_file_calls *calls);

/* What the system's `error` means, and failing with what it says: "cnn_model_load: cannot read
 * "a.cnn": Input/output error".
 * CNN_ERROR_NOT_FOUND where nothing is at `path`, CNN_ERROR_MEMORY where the system has no memory
 * or no room for another open file, else CNN_ERROR_IO. */
cnn_status cnni_file_status(int error);
cnn_status cnni_file_fail(cnn_context *context, const char *function, const char *verb,
                          const char *path, int error);

/* Opens `path`, of which only the first `root` bytes, which may be more than it has, may go through
 * symbolic links: ELOOP for one among the names after them.  Returns -1 with errno on failure. */
int cnni_file_open(const char *path, size_t root, int flags);

/* Reads the regular file at `path`, of at most `limit` bytes, into new memory (freed with
 * cnni_free()), followed by one zero byte that `size` does not count.  A file that changes its size
 * meanwhile is an error.  CNN_ERROR_NOT_FOUND, CNN_ERROR_IO, CNN_ERROR_LIMIT, CNN_ERROR_MEMORY. */
cnn_status cnni_file_read(void **bytes, size_t *size, cnn_context *context, const char *path,
                          cnn_limit limit, const char *function);

/* The same, but a symbolic link after the first `root` bytes of the path is CNN_ERROR_IO: for names
 * found in folders, which a link could lead to anywhere. */
cnn_status cnni_file_read_below(void **bytes, size_t *size, cnn_context *context, const char *path,
                                size_t root, cnn_limit limit, const char *function);

/* Reads the first `size` bytes of a file, opened in the same way, or all where it has fewer;
 * `whole` becomes the size of all of it.  Returns how many it has read; -1 with errno, and without
 * a text, on failure: EINVAL for what is no regular file. */
ssize_t cnni_file_read_start(void *bytes, size_t size, int64_t *whole, const char *path,
                             size_t root);

/* A file being written: bytes go to a temporary file in the folder of `path`. */
struct cnni_file_writer;

/* Begins a file that will be at `path`, or, where that is a symbolic link, at the link's target.
 * What is there already must be a regular file that may be written; its permissions are kept. */
cnn_status cnni_file_create(struct cnni_file_writer **writer, cnn_context *context,
                            const char *path, const char *function);

/* Appends; a failure is remembered and makes the commit fail. */
cnn_status cnni_file_write(struct cnni_file_writer *writer, const void *bytes, size_t size);

/* Flushes, syncs, renames over `path`, syncs the folder, and frees the writer.  On any failure the
 * old file is as it was and the temporary one is removed; only when the folder cannot be synced
 * after the renaming is the new file in its place, complete. */
cnn_status cnni_file_commit(struct cnni_file_writer *writer);

/* Removes the temporary file and frees the writer; NULL does nothing. */
void cnni_file_abandon(struct cnni_file_writer *writer);

#endif
