/* SPDX-License-Identifier: MIT
 * Results of calls, and the text behind a failure. */
#ifndef CNN_STATUS_H
#define CNN_STATUS_H

#include "cnn/export.h"

CNN_BEGIN_DECLS

/* The result of a call: CNN_OK, or one negative value per thing a caller can react to.  Values
 * never change and are never used again for something else. */
typedef int32_t cnn_status;

enum {
    CNN_OK = 0,
    CNN_ERROR_INVALID = -1,     /* an argument is NULL, out of range or not meant for this call */
    CNN_ERROR_SHAPE = -2,       /* shapes or element types that do not fit together */
    CNN_ERROR_STATE = -3,       /* the call comes at the wrong time in the handle's life */
    CNN_ERROR_MEMORY = -4,      /* no memory, or no more open files, to be had */
    CNN_ERROR_NOT_FOUND = -5,   /* a file, folder, class or parameter that does not exist */
    CNN_ERROR_IO = -6,          /* the system refused to open, read, write or rename */
    CNN_ERROR_FORMAT = -7,      /* bytes that are damaged, cut short or of another kind of file */
    CNN_ERROR_UNSUPPORTED = -8, /* well-formed, but of a sort that this build does not handle */
    CNN_ERROR_LIMIT = -9,       /* larger than a limit of the context: see cnn_context_set_limit */
    CNN_ERROR_CANCELLED = -10   /* a callback or cnn_trainer_cancel() asked to stop */
};

/* The name of `status`, "CNN_ERROR_SHAPE"; "unknown status" for any other number.  Borrowed for
 * ever; may be called concurrently. */
CNN_API const char *cnn_status_name(cnn_status status);

/* The text of this thread's newest failure: the function, the argument, what was found, what was
 * wanted.  One line of UTF-8 without a line break; never NULL; "" before the first failure.
 * Meaningful after a call returned an error; a successful call leaves it alone.  Borrowed until
 * the next failing call on this thread. */
CNN_API const char *cnn_error_message(void);

CNN_END_DECLS

#endif
