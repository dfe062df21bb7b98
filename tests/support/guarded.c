/* SPDX-License-Identifier: MIT
 * Buffers between unmapped pages, by mmap. */
#include "support/guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void guarded_create(struct guarded *guarded, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded->size = (size + page - 1) / page * page;
    unsigned char *all =
        mmap(NULL, guarded->size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, guarded->size, PROT_READ | PROT_WRITE) != 0) {
        perror("guarded_create");
        exit(EXIT_FAILURE);
    }
    guarded->pages = all + page;
}

void guarded_free(struct guarded *guarded)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(guarded->pages - page, guarded->size + 2 * page);
    guarded->pages = NULL;
}

void *guarded_bytes(const struct guarded *guarded, enum guarded_side side, size_t size)
{
    if (size > guarded->size) {
        fprintf(stderr, "guarded_bytes: %zu wanted of %zu\n", size, guarded->size);
        exit(EXIT_FAILURE);
    }
    return side == GUARDED_END ? guarded->pages + guarded->size - size : guarded->pages;
}

float *guarded_floats(const struct guarded *guarded, enum guarded_side side, size_t count)
{
    return guarded_bytes(guarded, side, count * sizeof(float));
}
