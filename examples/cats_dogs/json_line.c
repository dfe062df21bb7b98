/* SPDX-License-Identifier: MIT
 * The program never sets a locale, so that printf() writes numbers as JSON wants them. */
#include "json_line.h"

#include <math.h>
#include <string.h>

/* ---- Text ---------------------------------------------------------------------------------- */

/* The bytes of the UTF-8 character at `text`; 0 where there is none.  Shortest forms only, no
 * surrogates, nothing above U+10FFFF. */
static size_t character_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t bytes;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0;

    while (form < sizeof forms / sizeof forms[0] &&
           (text[0] < forms[form].first_low || text[0] > forms[form].first_high ||
            text[1] < forms[form].second_low || text[1] > forms[form].second_high))
        form++;
    if (form == sizeof forms / sizeof forms[0])
        return 0;
    for (size_t i = 2; i < forms[form].bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return forms[form].bytes;
}

static void put_text(FILE *file, const char *text)
{
    putc('"', file);
    for (size_t bytes; *text != '\0'; text += bytes > 0 ? bytes : 1) {
        bytes = character_bytes((const unsigned char *)text);
        if (bytes == 0)
            fputs("\\ufffd", file);
        else if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fwrite(text, 1, bytes, file);
    }
    putc('"', file);
}

/* ---- Members ------------------------------------------------------------------------------- */

static void put_comma(struct json_line *json)
{
    if (json->comma)
        putc(',', json->file);
    json->comma = true;
}

static void put_name(struct json_line *json, const char *name)
{
    put_comma(json);
    put_text(json->file, name);
    putc(':', json->file);
}

void json_begin(struct json_line *json, FILE *file)
{
    *json = (struct json_line){.file = file};
    putc('{', file);
}

void json_end(struct json_line *json)
{
    fputs("}\n", json->file);
}

void json_text(struct json_line *json, const char *name, const char *text)
{
    put_name(json, name);
    put_text(json->file, text);
}

void json_whole(struct json_line *json, const char *name, int64_t value)
{
    put_name(json, name);
    fprintf(json->file, "%lld", (long long)value);
}

void json_real(struct json_line *json, const char *name, double value)
{
    put_name(json, name);
    if (isfinite(value))
        fprintf(json->file, "%.9g", value);
    else
        fputs("null", json->file);
}

void json_flag(struct json_line *json, const char *name, bool value)
{
    put_name(json, name);
    fputs(value ? "true" : "false", json->file);
}

void json_list_begin(struct json_line *json, const char *name)
{
    put_name(json, name);
    putc('[', json->file);
    json->comma = false;
}

void json_list_text(struct json_line *json, const char *text)
{
    put_comma(json);
    put_text(json->file, text);
}

void json_list_end(struct json_line *json)
{
    putc(']', json->file);
    json->comma = true;
}
