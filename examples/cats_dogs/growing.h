/* SPDX-License-Identifier: MIT
 * Arrays that grow item by item, without a field for how much they have room for. */
#ifndef GROWING_H
#define GROWING_H

#include <stddef.h>
#include <stdint.h>

/* Makes sure that one more item of `size` bytes fits behind the `count` in `items`, an array that
 * only this function has made room for (NULL at first).  Returns where the array is now, for the
 * caller to free; NULL, and the array as it was, without memory. */
void *grown(void *items, int64_t count, size_t size);

#endif
