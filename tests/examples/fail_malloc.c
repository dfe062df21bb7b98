/* SPDX-License-Identifier: MIT
 * Preloaded into a program (LD_PRELOAD), makes one of its allocations fail:
 *   FAIL_MALLOC=N         the Nth, counted from 1, as if just then there were no memory
 *   FAIL_MALLOC_COUNT=FD  writes to this file descriptor, at the end, how many there were
 * Of glibc alone, which has its own functions under second names. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* The number of the allocation that fails; until the environment has been read, -1. */
static atomic_long failing = -1;
static atomic_long allocations;

static long number_in_environment(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* Counts one more; whether it is to fail. */
static int fails(void)
{
    if (failing < 0)
        failing = number_in_environment("FAIL_MALLOC");
    if (atomic_fetch_add(&allocations, 1) + 1 != failing)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = fails() ? NULL : __libc_memalign(alignment, size);
    return *memory != NULL ? 0 : ENOMEM;
}

__attribute__((destructor)) static void report(void)
{
    const long file = number_in_environment("FAIL_MALLOC_COUNT");

    if (file > 0)
        dprintf((int)file, "%ld\n", (long)allocations);
}
