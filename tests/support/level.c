/* SPDX-License-Identifier: MIT
 * Linked into every test program: before main(), ends the program as skipped where the level that
 * CNN_CPU names is not there. */
#include <stdlib.h>

#include "base/cpu.h"
#include "support/skip.h"

__attribute__((constructor)) static void check_level(void)
{
    const char *name = getenv("CNN_CPU");
    cnni_cpu level = name == NULL ? CNNI_GENERIC : cnni_cpu_find(name);
    if (level >= 0 && cnni_cpu_has(level))
        return;
    skip(name, "this machine or build does not have the level %s", name);
    exit(EXIT_SKIPPED);
}
