/* SPDX-License-Identifier: MIT
 * Skips, unless they are forbidden. */
#include "support/skip.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the list "avx2,asan,data" has `name`. */
static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *item = list; item != NULL; item = strchr(item, ',')) {
        item += *item == ',';
        if (strncmp(item, name, length) == 0 && (item[length] == ',' || item[length] == '\0'))
            return true;
    }
    return false;
}

void skip(const char *what, const char *format, ...)
{
    const bool required = list_has(getenv("CNN_TEST_REQUIRE"), what);
    va_list values;
    va_start(values, format);
    printf("%s", required ? "failed, as it is required: " : "skipped: ");
    vprintf(format, values);
    printf("\n");
    va_end(values);
    if (required)
        exit(EXIT_FAILURE);
}

bool become_ordinary_user(void)
{
    enum { NOBODY = 65534 };
    if (geteuid() != 0 || (setgid(NOBODY) == 0 && setuid(NOBODY) == 0))
        return true;
    skip("user", "cannot become an ordinary user");
    return false;
}
