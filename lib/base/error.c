/* SPDX-License-Identifier: MIT
 * The text of failures: one buffer per thread, which any caller can read at once, and one per
 * context for hosts that ask from another thread.  Both are fixed arrays, so that failing never
 * allocates. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/utf8.h"
#include "cnn/status.h"

static _Thread_local char thread_error[CNNI_ERROR_SIZE];

/* Where this thread's failures go while they are captured. */
static _Thread_local char *captured;

static const struct {
    cnn_status status;
    const char *name;
} status_names[] = {
    {CNN_OK, "CNN_OK"},
    {CNN_ERROR_INVALID, "CNN_ERROR_INVALID"},
    {CNN_ERROR_SHAPE, "CNN_ERROR_SHAPE"},
    {CNN_ERROR_STATE, "CNN_ERROR_STATE"},
    {CNN_ERROR_MEMORY, "CNN_ERROR_MEMORY"},
    {CNN_ERROR_NOT_FOUND, "CNN_ERROR_NOT_FOUND"},
    {CNN_ERROR_IO, "CNN_ERROR_IO"},
    {CNN_ERROR_FORMAT, "CNN_ERROR_FORMAT"},
    {CNN_ERROR_UNSUPPORTED, "CNN_ERROR_UNSUPPORTED"},
    {CNN_ERROR_LIMIT, "CNN_ERROR_LIMIT"},
    {CNN_ERROR_CANCELLED, "CNN_ERROR_CANCELLED"},
};

cnn_status cnni_fail(cnn_context *context, cnn_status status, const char *format, ...)
{
    /* Formatted aside first: an argument may be the old text itself.  Zero to the end, so that a
     * child finds an end wherever the copying was when it was forked. */
    char text[CNNI_ERROR_SIZE] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cnni_utf8_trim(text);
    if (captured != NULL) {
        memcpy(captured, text, sizeof text);
        return status;
    }
    memcpy(thread_error, text, sizeof text);
    if (context != NULL) {
        cnni_lock_take(&context->lock);
        memcpy(context->error, text, sizeof text);
        cnni_lock_give(&context->lock);
    }
    return status;
}

void cnni_error_capture(char *text)
{
    captured = text;
    if (text != NULL)
        text[0] = '\0';
}

cnn_status cnni_fail_null(cnn_context *context, const char *function, const char *argument)
{
    return cnni_fail(context, CNN_ERROR_INVALID, "%s: %s is NULL", function, argument);
}

const char *cnni_show_bytes(char *buffer, size_t size, const char *bytes, size_t count)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < count;) {
        size_t length = cnni_utf8_printable_length(bytes + i, count - i);
        if (used + 4 + sizeof "..." > size) {
            memcpy(buffer + used, "...", sizeof "...");
            return buffer;
        }
        if (length > 0) {
            memcpy(buffer + used, bytes + i, length);
            used += length;
            i += length;
        } else {
            unsigned char byte = (unsigned char)bytes[i++];
            buffer[used++] = '\\';
            buffer[used++] = 'x';
            buffer[used++] = hex[byte >> 4];
            buffer[used++] = hex[byte & 15];
        }
    }
    buffer[used] = '\0';
    return buffer;
}

const char *cnn_status_name(cnn_status status)
{
    for (int32_t i = 0; i < CNNI_COUNT(status_names); i++)
        if (status_names[i].status == status)
            return status_names[i].name;
    return "unknown status";
}

const char *cnn_error_message(void)
{
    return thread_error;
}
