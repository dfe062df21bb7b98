/* SPDX-License-Identifier: MIT
 * Heapsort (Williams 1964). */
#include "base/sort.h"

static void swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

/* Lets the item at the top of the heap `items` [count], number `top`, sink to its place. */
static void sink(char *items, int64_t top, int64_t count, size_t size, cnni_compare_fn *compare)
{
    for (int64_t child; (child = 2 * top + 1) < count; top = child) {
        char *larger = items + (size_t)child * size;
        if (child + 1 < count && compare(larger + size, larger) > 0) {
            larger += size;
            child++;
        }
        char *sinking = items + (size_t)top * size;
        if (compare(larger, sinking) <= 0)
            break;
        swap(sinking, larger, size);
    }
}

void cnni_sort(void *items, int64_t count, size_t size, cnni_compare_fn *compare)
{
    char *first = items;
    for (int64_t i = count / 2 - 1; i >= 0; i--)
        sink(first, i, count, size, compare);
    for (int64_t i = count - 1; i > 0; i--) {
        swap(first, first + (size_t)i * size, size);
        sink(first, 0, i, size, compare);
    }
}
