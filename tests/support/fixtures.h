/* SPDX-License-Identifier: MIT
 * Files that tests read: fixtures of the repository, and real data beside it that may be absent. */
#ifndef SUPPORT_FIXTURES_H
#define SUPPORT_FIXTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's bytes, from malloc(); NULL where it cannot be read. */
struct file_bytes {
    uint8_t *bytes;
    size_t size;
};

/* Reads a file of tests/fixtures, found through CNN_TEST_FIXTURES (else from the repository's
 * root); fails the test where it is not there. */
struct file_bytes fixture_read(const char *name);

/* Reads any file. */
struct file_bytes file_read(const char *path);

/* The folder of real data, CNN_TEST_DATA; NULL, and skipped as "data", where it is absent. */
const char *test_data_folder(void);

/* Whether the library was built with both of its decoders; where not, with a line "skipped: ..." on
 * standard output. */
bool has_decoders(void);

#endif
