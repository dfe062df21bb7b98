/* SPDX-License-Identifier: MIT
 * What a table of figures has to say first: the processor and the compiler. */
#ifndef CNN_BENCH_MACHINE_H
#define CNN_BENCH_MACHINE_H

#include <stdio.h>
#include <string.h>

#ifdef __clang__
#define BENCH_COMPILER "clang " __clang_version__
#else
#define BENCH_COMPILER "gcc " __VERSION__
#endif

/* Prints both on one line.  Where the system does not name its processor, it is "unknown". */
static inline void print_machine(void)
{
    char line[256], name[200] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "model name : %199[^\n]", name) == 1)
            break;
    if (file != NULL)
        fclose(file);
    printf("%s, %s\n", name, BENCH_COMPILER);
}

#endif
