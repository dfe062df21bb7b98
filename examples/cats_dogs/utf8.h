/* SPDX-License-Identifier: MIT
 * Texts of strangers, as the names of files, may be anything: finding the characters in them. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the UTF-8 character that `text` begins with, 1 to 4, and its `code`, unless that is
 * NULL; 0 where it begins with none: only shortest forms, no surrogates, nothing above U+10FFFF. */
size_t utf8_character(uint32_t *code, const char *text);

#endif
