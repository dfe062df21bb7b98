/* SPDX-License-Identifier: MIT
 * Writes JSON into memory that grows, without any space.  Commas come by themselves.  The first
 * failure to get memory is remembered and makes all later calls do nothing. */
#ifndef CNNI_JSON_WRITER_H
#define CNNI_JSON_WRITER_H

#include "base/base.h"
#include "cnn/context.h"

struct cnni_json_writer {
    cnn_context *context;
    const char *function; /* for the text of a failure */
    cnn_status status;
    char *bytes;
    size_t size, capacity;
    bool comma; /* a value stands before the next one */
};

/* Begins an empty text. */
void cnni_json_writer_start(struct cnni_json_writer *writer, cnn_context *context,
                            const char *function);

/* Frees the text. */
void cnni_json_writer_free(struct cnni_json_writer *writer);

/* `bracket` is one of { [ and one of ] }. */
void cnni_json_open(struct cnni_json_writer *writer, char bracket);
void cnni_json_close(struct cnni_json_writer *writer, char bracket);

/* The name of a member, UTF-8; its value follows. */
void cnni_json_put_key(struct cnni_json_writer *writer, const char *name);

/* Values.  `text` is UTF-8, `size` bytes of it; `value` is finite. */
void cnni_json_put_text(struct cnni_json_writer *writer, const char *text, size_t size);
void cnni_json_put_integer(struct cnni_json_writer *writer, int64_t value);
void cnni_json_put_unsigned(struct cnni_json_writer *writer, uint64_t value);
void cnni_json_put_real(struct cnni_json_writer *writer, double value);

/* Bytes around or between values, as they are. */
void cnni_json_put_raw(struct cnni_json_writer *writer, const char *bytes, size_t size);

#endif
