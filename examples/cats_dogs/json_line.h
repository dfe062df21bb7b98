/* SPDX-License-Identifier: MIT
 * One JSON object on one line of a file. */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_line {
    FILE *file;
    bool comma; /* something stands before what comes next */
};

void json_begin(struct json_line *json, FILE *file);
void json_end(struct json_line *json);

/* Members of the object.  Reals have nine digits, and null stands for what is not finite; in texts,
 * bytes that are not UTF-8 become U+FFFD. */
void json_text(struct json_line *json, const char *name, const char *text);
void json_whole(struct json_line *json, const char *name, int64_t value);
void json_real(struct json_line *json, const char *name, double value);
void json_flag(struct json_line *json, const char *name, bool value);

/* A member that is a list of texts. */
void json_list_begin(struct json_line *json, const char *name);
void json_list_text(struct json_line *json, const char *text);
void json_list_end(struct json_line *json);

#endif
