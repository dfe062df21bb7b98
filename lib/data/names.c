/* SPDX-License-Identifier: MIT
 * The list of names: an array of pointers that doubles, and behind it a chain of text blocks,
 * filled one after the other. */
#include "data/names.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"

enum { BLOCK_BYTES = 64 << 10, FIRST_ROOM = 64 };

struct cnni_name_block {
    struct cnni_name_block *next;
    size_t used, size;
    char text[];
};

static cnn_status grow_array(struct cnni_names *names, cnn_context *context, const char *function)
{
    const char **larger;
    int64_t room = names->room == 0 ? FIRST_ROOM : 2 * names->room;
    CNNI_TRY(cnni_alloc(&larger, context, (size_t)room, sizeof *larger, function));
    if (names->count > 0)
        memcpy(larger, names->name, (size_t)names->count * sizeof *larger);
    cnni_free(context, names->name);
    names->name = larger;
    names->room = room;
    return CNN_OK;
}

/* Makes the first block one with room for `size` bytes. */
static cnn_status reserve_text(struct cnni_names *names, cnn_context *context, size_t size,
                               const char *function)
{
    struct cnni_name_block *block = names->blocks;
    if (block != NULL && block->size - block->used >= size)
        return CNN_OK;
    size_t room = CNNI_MAX(size, (size_t)BLOCK_BYTES);
    CNNI_TRY(cnni_alloc(&block, context, sizeof *block + room, 1, function));
    block->next = names->blocks;
    block->used = 0;
    block->size = room;
    names->blocks = block;
    return CNN_OK;
}

cnn_status cnni_names_add(struct cnni_names *names, cnn_context *context, const char *folder,
                          const char *name, const char *function)
{
    size_t folder_length = folder == NULL ? 0 : strlen(folder);
    size_t name_size = strlen(name) + 1;
    size_t size = folder_length + (folder != NULL) + name_size;
    if (names->count == names->room)
        CNNI_TRY(grow_array(names, context, function));
    CNNI_TRY(reserve_text(names, context, size, function));
    char *text = names->blocks->text + names->blocks->used;
    names->blocks->used += size;
    names->name[names->count++] = text;
    if (folder != NULL) {
        memcpy(text, folder, folder_length);
        text[folder_length] = '/';
    }
    memcpy(text + size - name_size, name, name_size);
    return CNN_OK;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void cnni_names_sort(struct cnni_names *names, int64_t first)
{
    if (names->count > first)
        cnni_sort(names->name + first, names->count - first, sizeof *names->name, compare);
}

bool cnni_names_have(const struct cnni_names *names, const char *name)
{
    for (int64_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0)
            return true;
    return false;
}

void cnni_names_free(struct cnni_names *names, cnn_context *context)
{
    for (struct cnni_name_block *block = names->blocks, *next; block != NULL; block = next) {
        next = block->next;
        cnni_free(context, block);
    }
    cnni_free(context, names->name);
    *names = (struct cnni_names){0};
}
