/* SPDX-License-Identifier: MIT
 * How much memory this process has in use, as Linux tells; 0 elsewhere. */
#ifndef CNN_BENCH_RESIDENT_H
#define CNN_BENCH_RESIDENT_H

#include <stdio.h>
#include <string.h>

/* MiB of a field of /proc/self/status: "VmRSS", now; "VmHWM", at most so far. */
static inline double resident(const char *field)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            sscanf(line + strlen(field) + 1, "%lf", &kilobytes);
    if (file != NULL)
        fclose(file);
    return kilobytes / 1024;
}

/* Lets "VmHWM" begin anew at what is in use now, and returns that. */
static inline double resident_start(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
    return resident("VmRSS");
}

#endif
