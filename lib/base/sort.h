/* SPDX-License-Identifier: MIT
 * Sorting without memory: qsort() may allocate, past the host's allocator. */
#ifndef CNNI_SORT_H
#define CNNI_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Below 0 where *a comes before *b, above 0 where it comes behind it. */
typedef int cnni_compare_fn(const void *a, const void *b);

/* Puts `items` [count], each of `size` bytes, into the order of `compare`; it is not stable, so
 * that items of equal rank must be equal.  About 2 n log2 n comparisons at most, of any input. */
void cnni_sort(void *items, int64_t count, size_t size, cnni_compare_fn *compare);

#endif
