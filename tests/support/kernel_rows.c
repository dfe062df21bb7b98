/* SPDX-License-Identifier: MIT
 * Loops over the lines of the kernel list. */
#include "support/kernel_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/skip.h"
#include "support/suite.h"

enum {
    LEVEL_generic = CNNI_GENERIC,
    LEVEL_avx2 = CNNI_AVX2,
    LEVEL_avx512 = CNNI_AVX512,
    LEVEL_neon = CNNI_NEON
};

static const struct kernel_row all_rows[] = {
#define CNNI_KERNEL(slot, level, function)                                                         \
    {#slot, #function, LEVEL_##level, {0, 0}, (void (*)(void))function},
#define CNNI_TILE_KERNEL(slot, level, function, rows, columns)                                     \
    {#slot, #function, LEVEL_##level, {rows, columns}, (void (*)(void))function},
#include "kernels/kernel_list.h"
};

static bool runs(const struct kernel_row *row)
{
    const char *chosen = getenv("CNN_CPU");
    if (chosen != NULL && cnni_cpu_find(chosen) != row->level)
        return false;
    return cnni_cpu_has(row->level);
}

const struct kernel_row *kernel_row(const char *slot, int index)
{
    for (int i = 0; i < CNNI_COUNT(all_rows); i++)
        if (strcmp(all_rows[i].slot, slot) == 0 && runs(&all_rows[i]) && index-- == 0)
            return &all_rows[i];
    return NULL;
}

int kernel_row_count(const char *slot)
{
    int count = 0;
    while (kernel_row(slot, count) != NULL)
        count++;
    return count;
}

/* Returns whether the list has the slot at all. */
static bool list_skipped(const char *slot)
{
    bool found = false;
    for (int i = 0; i < CNNI_COUNT(all_rows); i++) {
        if (strcmp(all_rows[i].slot, slot) != 0)
            continue;
        found = true;
        if (!cnni_cpu_has(all_rows[i].level))
            printf("skipped: this machine cannot run %s\n", all_rows[i].name);
    }
    return found;
}

int kernel_rows_main(TCase *tcase, const char *const *slots, int count)
{
    int rows = 0;
    for (int i = 0; i < count; i++) {
        if (!list_skipped(slots[i])) {
            printf("failed: no line of the kernel list has the slot %s\n", slots[i]);
            return EXIT_FAILURE;
        }
        rows += kernel_row_count(slots[i]);
    }
    if (rows == 0) {
        const bool chosen = getenv("CNN_CPU") != NULL;
        printf("%s: no line of the kernel list to run\n", chosen ? "skipped" : "failed");
        return chosen ? EXIT_SKIPPED : EXIT_FAILURE;
    }
    Suite *suite = suite_create("kernels");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

float kernel_row_link(const struct kernel_row *row, float a, float b, float sum)
{
    return row->level == CNNI_GENERIC ? sum + a * b : fmaf(a, b, sum);
}
