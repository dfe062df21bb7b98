/* SPDX-License-Identifier: MIT
 * What cannot be tested here. */
#ifndef SUPPORT_SKIP_H
#define SUPPORT_SKIP_H

/* The exit status of a program that tests nothing here. */
enum { EXIT_SKIPPED = 77 };

/* Prints "skipped: " and the reason.  Where CNN_TEST_REQUIRE lists `what`, ends the program or the
 * test as failed instead. */
void skip(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
