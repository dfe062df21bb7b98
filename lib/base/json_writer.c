/* SPDX-License-Identifier: MIT
 * The JSON writer: a growing text, and what is put into it. */
#include "base/json_writer.h"

#include <string.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/memory.h"

void cnni_json_writer_start(struct cnni_json_writer *writer, cnn_context *context,
                            const char *function)
{
    *writer = (struct cnni_json_writer){.context = context, .function = function};
}

void cnni_json_writer_free(struct cnni_json_writer *writer)
{
    cnni_free(writer->context, writer->bytes);
    *writer = (struct cnni_json_writer){.context = NULL};
}

/* Room for `size` more bytes. */
static cnn_status make_room(struct cnni_json_writer *writer, size_t size)
{
    enum { FIRST_CAPACITY = 4096 };
    char *grown;
    if (writer->status != CNN_OK || writer->capacity - writer->size >= size)
        return writer->status;
    size_t capacity = CNNI_MAX(2 * writer->capacity, (size_t)FIRST_CAPACITY);
    capacity = CNNI_MAX(capacity, writer->size + size);
    writer->status = cnni_alloc(&grown, writer->context, capacity, 1, writer->function);
    if (writer->status != CNN_OK)
        return writer->status;
    if (writer->size > 0)
        memcpy(grown, writer->bytes, writer->size);
    cnni_free(writer->context, writer->bytes);
    writer->bytes = grown;
    writer->capacity = capacity;
    return CNN_OK;
}

void cnni_json_put_raw(struct cnni_json_writer *writer, const char *bytes, size_t size)
{
    if (make_room(writer, size) != CNN_OK)
        return;
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

static void begin_value(struct cnni_json_writer *writer)
{
    if (writer->comma)
        cnni_json_put_raw(writer, ",", 1);
    writer->comma = true;
}

void cnni_json_open(struct cnni_json_writer *writer, char bracket)
{
    begin_value(writer);
    cnni_json_put_raw(writer, &bracket, 1);
    writer->comma = false;
}

void cnni_json_close(struct cnni_json_writer *writer, char bracket)
{
    cnni_json_put_raw(writer, &bracket, 1);
    writer->comma = true;
}

void cnni_json_put_key(struct cnni_json_writer *writer, const char *name)
{
    cnni_json_put_text(writer, name, strlen(name));
    cnni_json_put_raw(writer, ":", 1);
    writer->comma = false;
}

static void put_character(struct cnni_json_writer *writer, char character)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char value = (unsigned char)character;
    if (value == '"' || value == '\\')
        cnni_json_put_raw(writer, (char[]){'\\', character}, 2);
    else if (value < 0x20)
        cnni_json_put_raw(writer, (char[]){'\\', 'u', '0', '0', hex[value >> 4], hex[value & 15]},
                          6);
    else
        cnni_json_put_raw(writer, &character, 1);
}

void cnni_json_put_text(struct cnni_json_writer *writer, const char *text, size_t size)
{
    begin_value(writer);
    cnni_json_put_raw(writer, "\"", 1);
    for (size_t i = 0; i < size; i++)
        put_character(writer, text[i]);
    cnni_json_put_raw(writer, "\"", 1);
}

static void put_whole(struct cnni_json_writer *writer, bool negative, uint64_t value)
{
    char digits[24];
    char *first = digits + sizeof digits;
    do
        *--first = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    if (negative)
        *--first = '-';
    begin_value(writer);
    cnni_json_put_raw(writer, first, (size_t)(digits + sizeof digits - first));
}

void cnni_json_put_integer(struct cnni_json_writer *writer, int64_t value)
{
    put_whole(writer, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void cnni_json_put_unsigned(struct cnni_json_writer *writer, uint64_t value)
{
    put_whole(writer, false, value);
}

void cnni_json_put_real(struct cnni_json_writer *writer, double value)
{
    char text[CNNI_DECIMAL_SIZE];
    cnni_decimal_write(text, value);
    begin_value(writer);
    cnni_json_put_raw(writer, text, strlen(text));
}
