/* SPDX-License-Identifier: MIT
 * Linked into every test program: before main(), ends the program as skipped (exit status 77) where
 * the level that CNN_CPU names is not there, or as failed where CNN_TEST_REQUIRE lists that level. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"

/* Whether the list "avx2,asan,arm64" has `name`. */
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

__attribute__((constructor)) static void check_level(void)
{
    const char *name = getenv("CNN_CPU");
    const char *required = getenv("CNN_TEST_REQUIRE");
    cnni_cpu level = name == NULL ? CNNI_GENERIC : cnni_cpu_find(name);
    if (level >= 0 && cnni_cpu_has(level))
        return;
    if (required != NULL && list_has(required, name)) {
        fprintf(stderr, "failed: the level %s is required, but not there\n", name);
        exit(EXIT_FAILURE);
    }
    printf("skipped: this machine or build does not have the level %s\n", name);
    exit(77);
}
