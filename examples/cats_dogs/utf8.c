/* SPDX-License-Identifier: MIT
 * Decoding as RFC 3629 has it.  The zero byte at the end of a text is no part of any character, so
 * that nothing behind it is read. */
#include "utf8.h"

static const struct {
    unsigned char first_low, first_high; /* the first byte of such characters */
    size_t bytes;
    uint32_t smallest; /* what has no shorter form */
} forms[] = {
    {0x00, 0x7f, 1, 0},
    {0xc0, 0xdf, 2, 0x80},
    {0xe0, 0xef, 3, 0x800},
    {0xf0, 0xf7, 4, 0x10000},
};

size_t utf8_character(uint32_t *code, const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t form = 0;

    while (bytes[0] < forms[form].first_low || bytes[0] > forms[form].first_high) {
        if (++form == sizeof forms / sizeof forms[0])
            return 0;
    }
    uint32_t found = bytes[0] - forms[form].first_low;
    for (size_t i = 1; i < forms[form].bytes; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        found = found << 6 | (bytes[i] & 0x3f);
    }
    if (found < forms[form].smallest || found > 0x10ffff || (found >= 0xd800 && found <= 0xdfff))
        return 0;
    if (code != NULL)
        *code = found;
    return forms[form].bytes;
}
