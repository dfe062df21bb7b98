/* SPDX-License-Identifier: MIT
 * Well-formed UTF-8.  Names from files and folders are bytes; this tells which are text. */
#ifndef CNNI_UTF8_H
#define CNNI_UTF8_H

#include "base/base.h"

/* The length, 1 to 4, of the well-formed sequence that `bytes` begin with; 0 for none. */
size_t cnni_utf8_length(const char *bytes, size_t count);

/* Whether all of `bytes` is well-formed. */
bool cnni_utf8_valid(const char *bytes, size_t count);

/* The same for a character that can be shown: 0 also for controls (C0, DEL, C1). */
size_t cnni_utf8_printable_length(const char *bytes, size_t count);

/* Whether a text may be a class's name: 1 to 255 bytes of UTF-8 without control characters. */
bool cnni_utf8_is_name(const char *text);

/* Takes the rest of a character off the end of a text that may have been cut in the middle. */
void cnni_utf8_trim(char *text);

#endif
