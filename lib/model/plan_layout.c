/* SPDX-License-Identifier: MIT
 * Laying out buffers by lifetime: the largest first, each at the lowest place where nothing else
 * lives at the same time.  (Greedy by size: Pisarchyk and Lee 2020.) */
#include "model/plan_layout.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/sort.h"

static int by_offset(const void *a, const void *b)
{
    const struct cnni_buffer *first = *(struct cnni_buffer *const *)a;
    const struct cnni_buffer *second = *(struct cnni_buffer *const *)b;
    return (first->offset > second->offset) - (first->offset < second->offset);
}

/* Ties go by address, the order in which the buffers were asked for. */
static int by_size(const void *a, const void *b)
{
    const struct cnni_buffer *first = *(struct cnni_buffer *const *)a;
    const struct cnni_buffer *second = *(struct cnni_buffer *const *)b;
    if (first->bytes != second->bytes)
        return first->bytes < second->bytes ? 1 : -1;
    return (first > second) - (first < second);
}

static bool live_together(const struct cnni_buffer *a, const struct cnni_buffer *b)
{
    return a->from <= b->to && b->from <= a->to;
}

/* The lowest gap for `buffer` among `placed`, which is in order of offsets. */
static void find_gap(struct cnni_buffer *buffer, struct cnni_buffer *const *placed, int32_t count)
{
    buffer->offset = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!live_together(buffer, placed[i]))
            continue;
        if (placed[i]->offset >= buffer->offset + buffer->bytes)
            return;
        buffer->offset = CNNI_MAX(buffer->offset, placed[i]->offset + placed[i]->bytes);
    }
}

cnn_status cnni_plan_layout(size_t *arena_bytes, struct cnni_buffer *buffers, int32_t count,
                            cnn_context *context, const char *function)
{
    struct cnni_buffer **order;
    size_t total = 0;
    for (int32_t i = 0; i < count; i++)
        if (!cnni_add_size(&buffers[i].bytes, buffers[i].bytes, CNNI_ALIGNMENT - 1) ||
            !cnni_add_size(&total, total, buffers[i].bytes &= ~(size_t)(CNNI_ALIGNMENT - 1)))
            return cnni_fail(context, CNN_ERROR_SHAPE,
                             "%s: the plan needs more memory than there can be", function);
    CNNI_TRY(cnni_alloc(&order, context, (size_t)count, 2 * sizeof *order, function));
    struct cnni_buffer **placed = order + count;
    for (int32_t i = 0; i < count; i++)
        order[i] = &buffers[i];
    cnni_sort(order, count, sizeof *order, by_size);
    *arena_bytes = 0;
    for (int32_t i = 0; i < count; i++) {
        find_gap(order[i], placed, i);
        *arena_bytes = CNNI_MAX(*arena_bytes, order[i]->offset + order[i]->bytes);
        /* Insert in order of offsets. */
        int32_t at = i;
        for (; at > 0 && by_offset(&order[i], &placed[at - 1]) < 0; at--)
            placed[at] = placed[at - 1];
        placed[at] = order[i];
    }
    cnni_free(context, order);
    return CNN_OK;
}
