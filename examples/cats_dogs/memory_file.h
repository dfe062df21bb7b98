/* SPDX-License-Identifier: MIT
 * A file that is written into memory.  open_memstream() would do, if only its stream remembered as
 * an error that there was no memory for something: it loses that and says nothing. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct memory_file {
    char *bytes; /* what has been written */
    size_t size;
    size_t room;
};

/* Begins one; NULL without memory. */
FILE *memory_file_open(struct memory_file *memory);

/* Closes it: whether it is `whole` as far as the caller knows, and nothing was lost.  Then `bytes`
 * is the caller's, who frees it; otherwise it is NULL. */
bool memory_file_close(struct memory_file *memory, FILE *file, bool whole);

#endif
