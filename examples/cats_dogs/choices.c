/* SPDX-License-Identifier: MIT
 * Rows are looked at through their first member alone, which a pointer to the row points to. */
#include "choices.h"

#include "console.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(const struct choices *choices, size_t index)
{
    return *(const char *const *)((const char *)choices->rows + index * choices->row_size);
}

/* "classic, default or resnet" */
static void list_names(char *text, size_t size, const struct choices *choices)
{
    size_t used = 0;

    for (size_t i = 0; i < choices->count && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 < choices->count ? ", " : " or ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", before, name_of(choices, i));
    }
}

const void *choices_find(const struct choices *choices, const char *name)
{
    char names[256];

    for (size_t i = 0; i < choices->count; i++) {
        if (strcmp(name_of(choices, i), name) == 0)
            return (const char *)choices->rows + i * choices->row_size;
    }
    list_names(names, sizeof names, choices);
    console_error("--%s %s: wanted %s", choices->option, name, names);
    return NULL;
}
