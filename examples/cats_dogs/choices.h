/* SPDX-License-Identifier: MIT
 * Options whose value is the name of a row of a table. */
#ifndef CHOICES_H
#define CHOICES_H

#include <stddef.h>

struct choices {
    const char *option; /* "network" */
    const void *rows;   /* each begins with its name, a const char * */
    size_t count, row_size;
};

/* The row of that name; NULL, after a message with all names, where there is none. */
const void *choices_find(const struct choices *choices, const char *name);

#endif
