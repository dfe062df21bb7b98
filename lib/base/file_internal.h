/* SPDX-License-Identifier: MIT
 * What reading (file.c) and writing (file_writer.c) share. */
#ifndef CNNI_FILE_INTERNAL_H
#define CNNI_FILE_INTERNAL_H

#include "base/file.h"

/* The table in use. */
extern const struct cnni_file_calls *cnni_file_calls;

/* Repeats a call that a signal of the host interrupted. */
#define CNNI_RETRY(result, call)                                                                   \
    do                                                                                             \
        (result) = (call);                                                                         \
    while ((result) < 0 && errno == EINTR)

/* cnni_file_fail() with another status. */
cnn_status cnni_file_fail_as(cnn_context *context, cnn_status status, const char *function,
                             const char *verb, const char *path, int error);

/* CNN_ERROR_IO for what the system allows but a file must not be: "test: "a" is a folder". */
cnn_status cnni_file_refuse(cnn_context *context, const char *function, const char *path,
                            const char *problem);

/* What is wrong with a file of that mode, which is no regular one. */
const char *cnni_file_why_not_regular(mode_t mode);

#endif
