/* SPDX-License-Identifier: MIT
 * A stream with a writing function of our own (GNU and musl have such). */
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 4096 };

/* Appends bytes.  Returns how many: all or, which the stream remembers as an error, none. */
static ssize_t append(void *user, const char *bytes, size_t size)
{
    struct memory_file *memory = user;

    if (size > memory->room - memory->size) {
        const size_t least = memory->size + size;
        const size_t room = least > LEAST_ROOM / 2 ? 2 * least : LEAST_ROOM;
        char *larger = realloc(memory->bytes, room);
        if (larger == NULL)
            return 0;
        memory->bytes = larger;
        memory->room = room;
    }
    memcpy(memory->bytes + memory->size, bytes, size);
    memory->size += size;
    return (ssize_t)size;
}

FILE *memory_file_open(struct memory_file *memory)
{
    *memory = (struct memory_file){0};
    return fopencookie(memory, "wb", (cookie_io_functions_t){.write = append});
}

bool memory_file_close(struct memory_file *memory, FILE *file, bool whole)
{
    const bool was_written = ferror(file) == 0;

    if (fclose(file) == 0 && was_written && whole)
        return true;
    free(memory->bytes);
    *memory = (struct memory_file){0};
    return false;
}
