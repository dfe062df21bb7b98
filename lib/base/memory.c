/* SPDX-License-Identifier: MIT
 * Allocation through the context.  A block carries its size in a header of one alignment unit,
 * because the host's release function is told it. */
#include "base/memory.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"

static cnn_status out_of_memory(cnn_context *context, const char *function, size_t count,
                                size_t size)
{
    return cnni_fail(context, CNN_ERROR_MEMORY, "%s: no memory for %zu elements of %zu bytes",
                     function, count, size);
}

cnn_status cnni_alloc(void *memory, cnn_context *context, size_t count, size_t size,
                      const char *function)
{
    void *block = NULL;
    size_t bytes;
    memset(memory, 0, sizeof block);
    if (cnni_mul_size(&bytes, count, size) && cnni_add_size(&bytes, bytes, CNNI_ALIGNMENT) &&
        bytes <= PTRDIFF_MAX)
        block = context->allocate(context->allocator_user, bytes, CNNI_ALIGNMENT);
    if (block == NULL)
        return out_of_memory(context, function, count, size);
    memcpy(block, &bytes, sizeof bytes);
    block = (char *)block + CNNI_ALIGNMENT;
    memcpy(memory, &block, sizeof block);
    return CNN_OK;
}

cnn_status cnni_alloc_zero(void *memory, cnn_context *context, size_t count, size_t size,
                           const char *function)
{
    void *block;
    CNNI_TRY(cnni_alloc(memory, context, count, size, function));
    memcpy(&block, memory, sizeof block);
    memset(block, 0, count * size);
    return CNN_OK;
}

void cnni_free(cnn_context *context, void *memory)
{
    if (memory == NULL)
        return;
    void *block = (char *)memory - CNNI_ALIGNMENT;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    context->release(context->allocator_user, block, bytes);
}

cnn_status cnni_copy_text(char **copy, cnn_context *context, const char *text, const char *function)
{
    size_t size = strlen(text) + 1;
    CNNI_TRY(cnni_alloc(copy, context, size, 1, function));
    memcpy(*copy, text, size);
    return CNN_OK;
}
