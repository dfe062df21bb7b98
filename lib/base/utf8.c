/* SPDX-License-Identifier: MIT
 * Well-formed UTF-8, by the table of the standard: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
#include "base/utf8.h"

#include <string.h>

/* Unicode 15, table 3-7: which second bytes may follow which first; later ones are 80 .. BF. */
static const struct {
    unsigned char first_low, first_high, second_low, second_high, length;
} forms[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

size_t cnni_utf8_length(const char *text, size_t count)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (int32_t i = 0; count > 0 && i < CNNI_COUNT(forms); i++) {
        if (bytes[0] < forms[i].first_low || bytes[0] > forms[i].first_high)
            continue;
        size_t length = forms[i].length;
        if (count < length)
            return 0;
        if (length > 1 && (bytes[1] < forms[i].second_low || bytes[1] > forms[i].second_high))
            return 0;
        for (size_t j = 2; j < length; j++)
            if ((bytes[j] & 0xC0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

bool cnni_utf8_valid(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t length = cnni_utf8_length(bytes + i, count - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

size_t cnni_utf8_printable_length(const char *bytes, size_t count)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t length = cnni_utf8_length(bytes, count);
    bool control = first < 0x20 || first == 0x7F ||
                   (first == 0xC2 && length == 2 && (unsigned char)bytes[1] < 0xA0);
    return control ? 0 : length;
}

bool cnni_utf8_is_name(const char *text)
{
    const size_t size = strlen(text);
    for (size_t i = 0, length; i < size; i += length) {
        length = cnni_utf8_printable_length(text + i, size - i);
        if (length == 0)
            return false;
    }
    return size >= 1 && size <= 255;
}

void cnni_utf8_trim(char *text)
{
    const size_t length = strlen(text);
    for (size_t tail = 1; tail <= 3 && tail <= length; tail++) {
        char *last = text + length - tail;
        if ((*last & 0xC0) == 0x80)
            continue;
        if (cnni_utf8_length(last, tail) == 0)
            *last = '\0';
        return;
    }
}
