/* SPDX-License-Identifier: MIT
 * Puts the header's checksum of a mutated model file right, where it still has one, or no mutant
 * would come far. */
#ifndef TEST_FUZZ_REPAIR_H
#define TEST_FUZZ_REPAIR_H

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"

static inline void fuzz_repair(uint8_t *bytes, size_t size)
{
    enum { PREFIX = 8, DIGITS = 8 };
    static const char name[] = "\"cnn.header_crc32c\":\"";
    uint64_t length = 0;
    char digits[DIGITS + 1];
    if (size < PREFIX)
        return;
    for (int32_t i = 0; i < PREFIX; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > size - PREFIX)
        return;
    uint8_t *place = memmem(bytes + PREFIX, (size_t)length, name, sizeof name - 1);
    if (place == NULL || (size_t)(bytes + PREFIX + length - place) < sizeof name + DIGITS)
        return;
    place += sizeof name - 1;
    memset(place, '0', DIGITS);
    snprintf(digits, sizeof digits, "%08x", cnni_crc32c(0, bytes + PREFIX, (size_t)length));
    memcpy(place, digits, DIGITS);
}

#endif
