/* SPDX-License-Identifier: MIT
 * Failing: one function sets the text and returns the status.  It is called where the failure is
 * discovered; callers above pass the status on unchanged. */
#ifndef CNNI_ERROR_H
#define CNNI_ERROR_H

#include "base/base.h"
#include "cnn/context.h"

/* Stores the formatted text as this thread's and, where `context` is not NULL, as the context's
 * newest failure, and returns `status`.  The text names the public function, what was found and
 * what was wanted: "cnn_conv2d_set_stride: stride_height is 0, must be 1 to 2147483647". */
__attribute__((format(printf, 3, 4))) cnn_status cnni_fail(cnn_context *context, cnn_status status,
                                                           const char *format, ...);

/* The same for an argument that must not be NULL. */
cnn_status cnni_fail_null(cnn_context *context, const char *function, const char *argument);

/* From now on this thread's failures are written to `text`, of CNNI_ERROR_SIZE bytes, and leave the
 * texts of the thread and of the context alone; NULL ends it.  For failures that a call deals with
 * itself (a picture that is skipped) or that happen on a thread that no caller can ask. */
void cnni_error_capture(char *text);

/* Writes bytes that may be anything (a path, a name from a file) so that they can be shown:
 * printable UTF-8 as it is, other bytes as \xNN, cut short with "..." where `size` does not
 * suffice.  Returns `buffer`. */
const char *cnni_show_bytes(char *buffer, size_t size, const char *bytes, size_t count);

/* Room for most names. */
enum { CNNI_SHOW_SIZE = 320 };

#endif
