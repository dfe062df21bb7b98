/* SPDX-License-Identifier: MIT
 * What the program says: results on standard output, errors and notes on standard error, and on a
 * terminal one status line that is redrawn in place. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <cnn.h>

#include <stdbool.h>

/* How the program ends. */
enum {
    EXIT_FINE = 0,
    EXIT_SOME_BAD = 1, /* predict: some pictures could not be read, the others were predicted;
                          check: something needs attention */
    EXIT_ERROR = 2     /* anything else that went wrong, after one line that says what */
};

/* Prints "cats-dogs: " and one line. */
void console_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether console_error() keeps silent from now on: while something is only tried. */
void console_hush(bool on);

/* Prints why this thread's latest call of the library failed. */
void console_library_error(void);

/* The same reason as text, without the name of the function that found it.  Borrowed until the next
 * call that fails. */
const char *console_library_reason(void);

/* Whether a call of the library succeeded; says why, if not. */
bool console_succeeded(cnn_status status);

/* Prints what the library notes: a cnn_log_fn. */
void console_log(void *user, cnn_log_level level, const char *text);

/* Prints one line of results. */
void console_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether there is a status line, how long it may be, and its text, replaced by the next or by any
 * line printed above. */
bool console_has_status(void);
int console_status_width(void);
void console_status(const char *text);

/* Whether all results have reached standard output; says why, if not. */
bool console_finish(void);

#endif
