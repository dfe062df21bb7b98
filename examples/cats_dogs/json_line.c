/* SPDX-License-Identifier: MIT
 * The program never sets a locale, so that printf() writes numbers as JSON wants them. */
#include "json_line.h"

#include "utf8.h"

#include <math.h>

/* ---- Text ---------------------------------------------------------------------------------- */

static void put_text(FILE *file, const char *text)
{
    putc('"', file);
    for (size_t bytes; *text != '\0'; text += bytes > 0 ? bytes : 1) {
        bytes = utf8_character(NULL, text);
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
