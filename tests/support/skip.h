/* SPDX-License-Identifier: MIT
 * What cannot be tested here. */
#ifndef SUPPORT_SKIP_H
#define SUPPORT_SKIP_H

#include <stdbool.h>

/* The exit status of a program that tests nothing here. */
enum { EXIT_SKIPPED = 77 };

/* Prints "skipped: " and the reason.  Where CNN_TEST_REQUIRE lists `what`, ends the program or the
 * test as failed instead. */
void skip(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives up root's rights for the rest of this test: root may read and write everything.  False, and
 * skipped as "user", where the system refuses. */
bool become_ordinary_user(void);

#endif
