/* SPDX-License-Identifier: MIT
 * Escaping, and bytes as text. */
#include "html.h"

#include "utf8.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- Characters ---------------------------------------------------------------------------- */

/* Whether XML allows a character, and browsers show it. */
static bool is_shown(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n';
    return code != 0xfffe && code != 0xffff && !(code >= 0x7f && code < 0xa0);
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
    uint32_t code = 0;
    const size_t found = utf8_character(&code, text);
    const size_t length = is_shown(code) ? found : 0;
    const char *escaped = entity(text[0]);

    if (length == 0)
        fprintf(page, "\\x%02X", (unsigned)(unsigned char)text[0]);
    else if (escaped != NULL)
        fputs(escaped, page);
    else
        fwrite(text, 1, length, page);
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

void html_element(FILE *page, const char *tag, const char *text)
{
    fprintf(page, "<%s>", tag);
    html_text(page, text);
    fprintf(page, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void html_attribute(FILE *page, const char *name, const char *text)
{
    fprintf(page, " %s=\"", name);
    html_text(page, text);
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
