/* SPDX-License-Identifier: MIT
 * The pull reader of JSON: characters, then strings, numbers, containers.  Numbers are made into
 * doubles in decimal.c. */
#include "base/json_reader.h"

#include <string.h>

#include "base/decimal.h"
#include "base/utf8.h"

void cnni_json_start(struct cnni_json *json, const char *text, size_t size)
{
    *json = (struct cnni_json){.text = text, .size = size, .fresh = true};
}

bool cnni_json_fail(struct cnni_json *json, const char *error)
{
    if (json->error == NULL)
        json->error = error;
    return false;
}

/* The next character; 0 at the end and after an error.  A zero byte is nowhere allowed, so that the
 * two need not be told apart. */
static char peek(const struct cnni_json *json)
{
    return json->error == NULL && json->at < json->size ? json->text[json->at] : '\0';
}

static char peek_value(struct cnni_json *json)
{
    while (peek(json) == ' ' || peek(json) == '\t' || peek(json) == '\n' || peek(json) == '\r')
        json->at++;
    return peek(json);
}

static bool take(struct cnni_json *json, char wanted, const char *error)
{
    if (peek_value(json) != wanted)
        return cnni_json_fail(json, error);
    json->at++;
    return true;
}

/* ---- Strings ------------------------------------------------------------------------------- */

/* The value of four hexadecimal digits; -1 when they are not. */
static int32_t hex_value(const char *digits)
{
    int32_t value = 0;
    for (int32_t i = 0; i < 4; i++) {
        char digit = digits[i];
        if (digit >= '0' && digit <= '9')
            value = value * 16 + (digit - '0');
        else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
            value = value * 16 + ((digit | 32) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static const char escape_names[] = "\"\\/bfnrt";
static const char escape_values[] = "\"\\/\b\f\n\r\t";

/* One escape at `text`: its character, and its length in `length`.  -1 when it is none; half a
 * surrogate pair is none. */
static int32_t read_escape(const char *text, size_t size, size_t *length)
{
    const char *name = size >= 2 && text[1] != '\0' ? strchr(escape_names, text[1]) : NULL;
    if (name != NULL) {
        *length = 2;
        return escape_values[name - escape_names];
    }
    *length = 6;
    int32_t high = size >= 6 && text[1] == 'u' ? hex_value(text + 2) : -1;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    *length = 12;
    int32_t low = size >= 12 && text[6] == '\\' && text[7] == 'u' ? hex_value(text + 8) : -1;
    if (high > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* The length of the character or escape at the reader's place; 0, with an error, for none. */
static size_t character_length(struct cnni_json *json)
{
    const char *text = json->text + json->at;
    size_t length, left = json->size - json->at;
    if (left == 0)
        cnni_json_fail(json, "a string that does not end");
    else if (*text == '\\' && read_escape(text, left, &length) < 0)
        cnni_json_fail(json, "an escape that JSON does not have");
    else if ((unsigned char)*text < 0x20)
        cnni_json_fail(json, "a control character in a string");
    else if (*text != '\\' && (length = cnni_utf8_length(text, left)) == 0)
        cnni_json_fail(json, "bytes that are not UTF-8");
    return json->error == NULL ? length : 0;
}

bool cnni_json_string(struct cnni_json *json, struct cnni_json_string *string)
{
    size_t length = 1;
    if (!take(json, '"', "expected a string"))
        return false;
    size_t start = json->at;
    while (length > 0 && peek(json) != '"') {
        length = character_length(json);
        json->at += length;
    }
    if (length == 0)
        return false;
    *string = (struct cnni_json_string){json->text + start, json->at - start};
    json->at++;
    return true;
}

static size_t put_utf8(char *bytes, int32_t character)
{
    static const unsigned char leads[] = {0x00, 0xC0, 0xE0, 0xF0};
    int32_t more = (character >= 0x80) + (character >= 0x800) + (character >= 0x10000);
    bytes[0] = (char)(leads[more] | character >> (6 * more));
    for (int32_t i = 1; i <= more; i++)
        bytes[i] = (char)(0x80 | (character >> (6 * (more - i)) & 0x3F));
    return (size_t)more + 1;
}

size_t cnni_json_decode(char *bytes, struct cnni_json_string string)
{
    size_t count = 0;
    for (size_t i = 0, length = 1; i < string.size; i += length) {
        length = 1;
        if (string.bytes[i] != '\\')
            bytes[count++] = string.bytes[i];
        else
            count +=
                put_utf8(bytes + count, read_escape(string.bytes + i, string.size - i, &length));
    }
    return count;
}

bool cnni_json_equal(struct cnni_json_string string, const char *text)
{
    for (size_t i = 0, length; i < string.size; i += length) {
        char bytes[4] = {string.bytes[i]};
        size_t count = length = 1;
        if (string.bytes[i] == '\\')
            count = put_utf8(bytes, read_escape(string.bytes + i, string.size - i, &length));
        if (strncmp(text, bytes, count) != 0 || bytes[0] == '\0')
            return false;
        text += count;
    }
    return *text == '\0';
}

/* ---- Numbers and words --------------------------------------------------------------------- */

/* Passes the digits at the reader's place; false where there is none. */
static bool take_digits(struct cnni_json *json)
{
    size_t start = json->at;
    while (peek(json) >= '0' && peek(json) <= '9')
        json->at++;
    return json->at > start;
}

/* Passes a number.  `whole` tells whether it has neither fraction nor exponent. */
static bool take_number(struct cnni_json *json, const char **number, size_t *size, bool *whole)
{
    peek_value(json);
    size_t start = json->at;
    json->at += peek(json) == '-';
    bool zero = peek(json) == '0';
    size_t first = json->at;
    bool good = take_digits(json) && (!zero || json->at == first + 1);
    *whole = true;
    if (good && peek(json) == '.') {
        *whole = false;
        json->at++;
        good = take_digits(json);
    }
    if (good && (peek(json) == 'e' || peek(json) == 'E')) {
        *whole = false;
        json->at++;
        json->at += peek(json) == '+' || peek(json) == '-';
        good = take_digits(json);
    }
    *number = json->text + start;
    *size = json->at - start;
    return good || cnni_json_fail(json, "expected a number");
}

bool cnni_json_integer(struct cnni_json *json, int64_t *value)
{
    const char *number;
    size_t size;
    bool whole;
    if (!take_number(json, &number, &size, &whole))
        return false;
    bool negative = number[0] == '-', fits = whole;
    int64_t made = 0;
    for (size_t i = negative; i < size && fits; i++) {
        int64_t digit = number[i] - '0';
        fits = cnni_mul_int64(&made, made, 10) &&
               cnni_add_int64(&made, made, negative ? -digit : digit);
    }
    if (!fits)
        return cnni_json_fail(json, "expected an integer of 64 bits");
    *value = made;
    return true;
}

bool cnni_json_real(struct cnni_json *json, double *value)
{
    const char *number;
    size_t size;
    bool whole;
    if (!take_number(json, &number, &size, &whole))
        return false;
    return cnni_decimal_read(value, number, size) ||
           cnni_json_fail(json, "a number too large for a double");
}

static bool take_word(struct cnni_json *json)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int32_t i = 0; i < CNNI_COUNT(words); i++) {
        size_t length = strlen(words[i]);
        if (peek(json) == words[i][0] && json->size - json->at >= length &&
            memcmp(json->text + json->at, words[i], length) == 0) {
            json->at += length;
            return true;
        }
    }
    return cnni_json_fail(json, "expected a value");
}

/* ---- Objects and arrays -------------------------------------------------------------------- */

static bool enter(struct cnni_json *json, char opening, const char *error)
{
    if (peek_value(json) == opening && json->depth == CNNI_JSON_DEPTH)
        return cnni_json_fail(json, "more than 64 levels");
    if (!take(json, opening, error))
        return false;
    uint64_t bit = UINT64_C(1) << json->depth++;
    json->objects = opening == '{' ? json->objects | bit : json->objects & ~bit;
    json->fresh = true;
    return true;
}

bool cnni_json_object(struct cnni_json *json)
{
    return enter(json, '{', "expected an object");
}

bool cnni_json_array(struct cnni_json *json)
{
    return enter(json, '[', "expected an array");
}

/* In front of the next member or element; false at the end of the level, which is left. */
static bool next(struct cnni_json *json, char closing, const char *error)
{
    bool fresh = json->fresh;
    json->fresh = false;
    if (peek_value(json) == closing) {
        json->at++;
        json->depth--;
        return false;
    }
    return (fresh && json->error == NULL) || take(json, ',', error);
}

bool cnni_json_next_member(struct cnni_json *json, struct cnni_json_string *key)
{
    return next(json, '}', "expected , or }") && cnni_json_string(json, key) &&
           take(json, ':', "expected :");
}

bool cnni_json_next_element(struct cnni_json *json)
{
    return next(json, ']', "expected , or ]");
}

/* Passes a simple value, or enters an object or array. */
static bool take_value(struct cnni_json *json)
{
    struct cnni_json_string string;
    const char *number;
    size_t size;
    bool whole;
    char first = peek_value(json);
    if (first == '{')
        return cnni_json_object(json);
    if (first == '[')
        return cnni_json_array(json);
    if (first == '"')
        return cnni_json_string(json, &string);
    if (first == '-' || (first >= '0' && first <= '9'))
        return take_number(json, &number, &size, &whole);
    return take_word(json);
}

static bool next_of_either(struct cnni_json *json)
{
    struct cnni_json_string key;
    bool in_object = json->objects >> (json->depth - 1) & 1;
    return in_object ? cnni_json_next_member(json, &key) : cnni_json_next_element(json);
}

bool cnni_json_skip(struct cnni_json *json)
{
    int32_t outer = json->depth;
    do {
        take_value(json);
        while (json->error == NULL && json->depth > outer && !next_of_either(json))
            continue;
    } while (json->error == NULL && json->depth > outer);
    return json->error == NULL;
}

bool cnni_json_finish(struct cnni_json *json)
{
    peek_value(json);
    return json->error == NULL &&
           (json->at == json->size || cnni_json_fail(json, "expected the end"));
}
