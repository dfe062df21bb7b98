/* SPDX-License-Identifier: MIT
 * Escaping, and bytes as text. */
#include "html.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- Characters ---------------------------------------------------------------------------- */

/* Whether XML allows the character, and it is its shortest form in UTF-8 of `length` bytes. */
static bool is_character(uint32_t code, int length)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

    if (code < 0x20)
        return code == '\t' || code == '\n';
    return code >= smallest[length] && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) &&
           code != 0xfffe && code != 0xffff && !(code >= 0x7f && code < 0xa0);
}

/* The bytes of the character that `text` begins with; 0: it begins with none. */
static int character_length(const char *text)
{
    const unsigned char first = (unsigned char)text[0];
    const int length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t code = length == 1 ? first : first & (0x7fu >> length);

    if (first >= 0xf8 || (first >= 0x80 && first < 0xc0))
        return 0;
    for (int i = 1; i < length; i++) {
        const unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3f);
    }
    return is_character(code, length) ? length : 0;
}

static const char *entity(char character)
{
    switch (character) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* Writes one character, or one byte that is none; returns what is behind it. */
static const char *put_character(FILE *page, const char *text)
{
    const int length = character_length(text);
    const char *escaped = entity(text[0]);

    if (length == 0)
        fprintf(page, "\\x%02X", (unsigned)(unsigned char)text[0]);
    else if (escaped != NULL)
        fputs(escaped, page);
    else
        fwrite(text, 1, (size_t)length, page);
    return text + (length > 0 ? length : 1);
}

/* ---- Text ---------------------------------------------------------------------------------- */

void html_text_short(FILE *page, const char *text, int most)
{
    for (int i = 0; *text != '\0'; i++) {
        if (i == most) {
            fputs("\xe2\x80\xa6", page); /* an ellipsis */
            return;
        }
        text = put_character(page, text);
    }
}

void html_text(FILE *page, const char *text)
{
    html_text_short(page, text, INT_MAX);
}

/* Formats and escapes. */
__attribute__((format(printf, 2, 0))) static void put_format(FILE *page, const char *format,
                                                             va_list arguments)
{
    char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        return;
    html_text(page, text);
    free(text);
}

void html_element(FILE *page, const char *tag, const char *format, ...)
{
    va_list arguments;

    fprintf(page, "<%s>", tag);
    va_start(arguments, format);
    put_format(page, format, arguments);
    va_end(arguments);
    fprintf(page, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void html_attribute(FILE *page, const char *name, const char *format, ...)
{
    va_list arguments;

    fprintf(page, " %s=\"", name);
    va_start(arguments, format);
    put_format(page, format, arguments);
    va_end(arguments);
    fputs("\"", page);
}

/* ---- Bytes --------------------------------------------------------------------------------- */

void html_data_uri(FILE *page, const char *type, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fprintf(page, "data:%s;base64,", type);
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t three = (uint32_t)bytes[i] << 16 |
                               (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? bytes[i + 2] : 0);
        fputc(digits[three >> 18], page);
        fputc(digits[three >> 12 & 63], page);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', page);
        fputc(left > 2 ? digits[three & 63] : '=', page);
    }
}
