/* SPDX-License-Identifier: MIT
 * The lines of lib/kernels/kernel_list.h for loop tests and benchmarks: one test run per line, so
 * that a fault or a wrong instruction is one failed test with a name. */
#ifndef CNN_TEST_KERNEL_ROWS_H
#define CNN_TEST_KERNEL_ROWS_H

#include <check.h>

#include "kernels/kernels.h"

struct kernel_row {
    const char *slot, *name;
    cnni_cpu level;
    struct cnni_tile tile;
    void (*function)(void); /* to be cast to the slot's type */
};

/* The rows that this run is about: all of the levels that the machine has, or, where CNN_CPU is
 * set, those of that level alone.  The others are listed as skipped by kernel_rows_main(). */
int kernel_row_count(const char *slot);
const struct kernel_row *kernel_row(const char *slot, int index);

/* A loop test over the rows of `slot`; it gets its row with kernel_row(slot, _i). */
#define KERNEL_ROWS_TEST(tcase, slot, test)                                                        \
    tcase_add_loop_test(tcase, test, 0, kernel_row_count(slot))

/* Runs the suite of one test case as main() does.  Prints the rows of these slots that were left
 * out; where no row is left the program fails, or is skipped where CNN_CPU names a level without
 * lines. */
int kernel_rows_main(TCase *tcase, const char *const *slots, int count);

/* What each link of a chain is on the row's level: a fused multiply-add, or two roundings. */
float kernel_row_link(const struct kernel_row *row, float a, float b, float sum);

#endif
