/* SPDX-License-Identifier: MIT
 * EXIF orientation: finding the one tag that matters, and turning pictures upright by it.
 *
 * An EXIF block is a small TIFF file: eight bytes of header that say where the first directory
 * is, and a directory of 12-byte entries.  Whatever the bytes say, nothing outside the block is
 * read, no offset is followed but that first one, and nonsense means "upright". */
#include "data/image_decoder.h"

#include <string.h>

enum { HEADER_SIZE = 8, ENTRY_SIZE = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

/* ---- Reading ------------------------------------------------------------------------------- */

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

/* A number of `width` bytes at `offset`, which the caller knows to be within the block. */
static uint32_t read_number(const struct tiff *tiff, size_t offset, size_t width)
{
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | tiff->bytes[offset + (tiff->big_endian ? i : width - 1 - i)];
    return value;
}

/* The entry's value if it is an orientation, else 0. */
static int32_t read_entry(const struct tiff *tiff, size_t entry)
{
    bool found = read_number(tiff, entry, 2) == TAG_ORIENTATION &&
                 read_number(tiff, entry + 2, 2) == TYPE_SHORT &&
                 read_number(tiff, entry + 4, 4) == 1;
    uint32_t value = found ? read_number(tiff, entry + 8, 2) : 0;
    return value <= 8 ? (int32_t)value : 0;
}

int32_t cnni_exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size < HEADER_SIZE || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    const struct tiff tiff = {bytes, size, bytes[0] == 'M'};
    size_t directory = read_number(&tiff, 4, 4);
    if (directory > size - 2)
        return 1;
    size_t entries = read_number(&tiff, directory, 2), entry = directory + 2;
    for (; entries > 0 && size - entry >= ENTRY_SIZE; entries--, entry += ENTRY_SIZE) {
        int32_t orientation = read_entry(&tiff, entry);
        if (orientation > 0)
            return orientation;
    }
    return 1;
}

/* ---- Turning ------------------------------------------------------------------------------- */

/* How the upright picture is read from the stored one: from its last row or column backwards, and
 * columns as rows. */
static const struct {
    bool last_row, last_column, swap;
} turns[] = {
    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {true, true, false},
    [4] = {true, false, false},  [5] = {false, false, true}, [6] = {true, false, true},
    [7] = {true, true, true},    [8] = {false, true, true},
};

bool cnni_orientation_swaps(int32_t orientation)
{
    return turns[orientation].swap;
}

void cnni_orient(const struct cnni_image *target, const struct cnni_image *source,
                 int32_t orientation)
{
    const bool last_row = turns[orientation].last_row;
    const bool last_column = turns[orientation].last_column;
    const int64_t c = source->c, pitch = source->w * c;
    /* How far it is to the next stored row and pixel, in the order in which they are read. */
    const int64_t row_step = last_row ? -pitch : pitch;
    const int64_t column_step = last_column ? -c : c;
    const int64_t y_step = turns[orientation].swap ? column_step : row_step;
    const int64_t x_step = turns[orientation].swap ? row_step : column_step;
    const uint8_t *start = source->pixels + (last_row ? (source->h - 1) * pitch : 0) +
                           (last_column ? (source->w - 1) * c : 0);
    uint8_t *out = target->pixels;
    for (int64_t y = 0; y < target->h; y++)
        for (int64_t x = 0; x < target->w; x++)
            for (int64_t k = 0; k < c; k++)
                *out++ = start[y * y_step + x * x_step + k];
}
