/* SPDX-License-Identifier: MIT
 * Buffers that end, or begin, at an unmapped page: reading or writing one byte beyond is a fault,
 * in the test that did it. */
#ifndef CNN_TEST_GUARDED_H
#define CNN_TEST_GUARDED_H

#include <stddef.h>

enum guarded_side { GUARDED_END, GUARDED_BEGIN, GUARDED_SIDES };

struct guarded {
    unsigned char *pages; /* between two unmapped ones */
    size_t size;
};

/* Room for `size` bytes; the program fails where there is none. */
void guarded_create(struct guarded *guarded, size_t size);
void guarded_free(struct guarded *guarded);

/* The last, or first, `count` floats of the room. */
float *guarded_floats(const struct guarded *guarded, enum guarded_side side, size_t count);

/* The same for any type; `size` in bytes, a multiple of the type's alignment. */
void *guarded_bytes(const struct guarded *guarded, enum guarded_side side, size_t size);

#endif
