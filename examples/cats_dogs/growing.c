/* SPDX-License-Identifier: MIT
 * The room is always the next power of two: only a count that is one itself has filled it. */
#include "growing.h"

#include <stdlib.h>

void *grown(void *items, int64_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return items;
    return reallocarray(items, count == 0 ? 1 : 2 * (size_t)count, size);
}
