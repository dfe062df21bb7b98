/* SPDX-License-Identifier: MIT
 * alter_note FILE FROM TO: puts TO in the place of FROM, of the same length, in the header of a
 * checkpoint, whose checksum is made right again: for notes as another program, another version or
 * somebody with bad intentions may write them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

static const char crc_key[] = "\"cnn.header_crc32c\":\"";

enum { LENGTH_BYTES = 8, CRC_DIGITS = 8 };

static void require(int fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "alter_note: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Reads the header, and ends it with a zero byte. */
static char *read_header(FILE *file, size_t *size)
{
    unsigned char length[LENGTH_BYTES];

    require(fread(length, 1, sizeof length, file) == sizeof length, "no header");
    *size = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16;
    char *header = calloc(*size + 1, 1);
    require(header != NULL && fread(header, 1, *size, file) == *size, "no whole header");
    return header;
}

static char *find(char *header, const char *text)
{
    char *found = strstr(header, text);

    require(found != NULL, "not in the header");
    return found;
}

/* It is over the header with zeros in its own place. */
static void renew_checksum(char *header, size_t size)
{
    char digits[CRC_DIGITS + 1];
    char *place = find(header, crc_key) + sizeof crc_key - 1;

    memset(place, '0', CRC_DIGITS);
    snprintf(digits, sizeof digits, "%08lx", (unsigned long)cnni_crc32c(0, header, size));
    memcpy(place, digits, CRC_DIGITS);
}

int main(int argc, char **argv)
{
    size_t size;

    require(argc == 4 && strlen(argv[2]) == strlen(argv[3]), "wanted FILE FROM TO");
    FILE *file = fopen(argv[1], "r+b");
    require(file != NULL, "no such file");
    char *header = read_header(file, &size);
    memcpy(find(header, argv[2]), argv[3], strlen(argv[3]));
    renew_checksum(header, size);
    require(fseek(file, LENGTH_BYTES, SEEK_SET) == 0 && fwrite(header, 1, size, file) == size,
            "cannot be written");
    free(header);
    require(fclose(file) == 0, "cannot be written");
    return 0;
}
