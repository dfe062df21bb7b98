/* SPDX-License-Identifier: MIT
 * A pull reader of JSON (RFC 8259), strict and without recursion or memory of its own.  The caller
 * says what it wants next; the first thing that is otherwise ends the reading:
 *
 *     cnni_json_start(&json, text, size);
 *     cnni_json_object(&json);
 *     while (cnni_json_next_member(&json, &key))
 *         if (cnni_json_equal(key, "name"))
 *             cnni_json_string(&json, &name);
 *         else
 *             cnni_json_skip(&json);
 *     cnni_json_finish(&json);
 *     if (json.error != NULL) ...
 *
 * After an error every call returns false, so that it need be asked for only once.  Whether a key
 * comes twice is for the caller to notice. */
#ifndef CNNI_JSON_READER_H
#define CNNI_JSON_READER_H

#include "base/base.h"

/* The most arrays and objects inside one another. */
enum { CNNI_JSON_DEPTH = 64 };

struct cnni_json {
    const char *text;
    size_t size;
    size_t at;         /* the next character */
    uint64_t objects;  /* bit d: level d is an object, not an array */
    int32_t depth;     /* levels that are open */
    bool fresh;        /* the innermost level has had no value yet */
    const char *error; /* what is wrong at `at`, "expected a string"; NULL while all is well */
};

/* A string between its quotes, valid, with its escapes: a part of the text that is read. */
struct cnni_json_string {
    const char *bytes;
    size_t size;
};

/* Begins.  `text` is borrowed while it is read; it need not be UTF-8, which is checked. */
void cnni_json_start(struct cnni_json *json, const char *text, size_t size);

/* Enters an object or array. */
bool cnni_json_object(struct cnni_json *json);
bool cnni_json_array(struct cnni_json *json);

/* True in front of the next member's or element's value; false at the end, which is left. */
bool cnni_json_next_member(struct cnni_json *json, struct cnni_json_string *key);
bool cnni_json_next_element(struct cnni_json *json);

/* Values.  An integer has neither fraction nor exponent and fits; a real number is finite. */
bool cnni_json_string(struct cnni_json *json, struct cnni_json_string *string);
bool cnni_json_integer(struct cnni_json *json, int64_t *value);
bool cnni_json_real(struct cnni_json *json, double *value);

/* Any value, with everything in it. */
bool cnni_json_skip(struct cnni_json *json);

/* Nothing but space is left. */
bool cnni_json_finish(struct cnni_json *json);

/* Stops with an error of the caller's: a constant text. */
bool cnni_json_fail(struct cnni_json *json, const char *error);

/* Undoes the escapes into `bytes`, of at least string.size bytes.  Returns how many it wrote. */
size_t cnni_json_decode(char *bytes, struct cnni_json_string string);

/* Whether the string, its escapes undone, is `text`. */
bool cnni_json_equal(struct cnni_json_string string, const char *text);

#endif
