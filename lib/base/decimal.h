/* SPDX-License-Identifier: MIT
 * Doubles as decimal text and back, exactly, whatever the locale and the rounding mode: what is
 * written is the shortest text that reads back as the same number. */
#ifndef CNNI_DECIMAL_H
#define CNNI_DECIMAL_H

#include "base/base.h"

/* Room for the longest text, "-1.2345678901234567e-308", and a zero byte. */
enum { CNNI_DECIMAL_SIZE = 32 };

/* Writes the finite `value` as a JSON number: "0.5", "-3", "1e-7".  Returns `text`. */
const char *cnni_decimal_write(char text[CNNI_DECIMAL_SIZE], double value);

/* Reads the `size` characters of a well-formed JSON number, rounded to the nearest double, ties to
 * even.  False, and nothing written, where it is beyond the range of doubles. */
bool cnni_decimal_read(double *value, const char *text, size_t size);

#endif
