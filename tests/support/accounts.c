/* SPDX-License-Identifier: MIT
 * The counting allocator, called on any thread. */
#include "support/accounts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* So many bytes of a block are no numbers at first, for who reads what nobody has written. */
enum { DIRTY = 1 << 16 };

static bool refuses(const struct accounts *accounts, int64_t call)
{
    if (accounts->refuse_at == 0 || call < accounts->refuse_at)
        return false;
    return call == accounts->refuse_at || !accounts->refuse_once;
}

static void *allocate(void *user, size_t size, size_t alignment)
{
    struct accounts *accounts = user;
    if (refuses(accounts, ++accounts->calls))
        return NULL;
    void *memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == NULL)
        return NULL;
    memset(memory, 0xff, size < DIRTY ? size : DIRTY);
    accounts->blocks++;
    accounts->bytes += size;
    return memory;
}

static void release(void *user, void *memory, size_t size)
{
    struct accounts *accounts = user;
    accounts->blocks--;
    accounts->bytes -= size;
    free(memory);
}

void accounts_open(struct accounts *accounts, cnn_context *context)
{
    accounts->calls = 0;
    accounts->refuse_at = 0;
    accounts->blocks = 0;
    accounts->bytes = 0;
    accounts->refuse_once = false;
    ck_assert_int_eq(cnn_context_set_allocator(context, allocate, release, accounts), CNN_OK);
}

cnn_context *accounts_context(struct accounts *accounts)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create_isolated(&context), CNN_OK);
    accounts_open(accounts, context);
    return context;
}
