/* SPDX-License-Identifier: MIT
 * The log callback of tests. */
#include "support/log_lines.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void keep_line(void *user, cnn_log_level level, const char *text)
{
    struct log_lines *lines = user;
    ck_assert_int_eq(level, CNN_LOG_WARNING);
    ck_assert(pthread_equal(pthread_self(), lines->thread));
    ck_assert_ptr_null(strchr(text, '\n'));
    ck_assert_int_lt(lines->count, LOG_LINES);
    snprintf(lines->text[lines->count++], LOG_LINE_SIZE, "%s", text);
}

void log_lines_keep(struct log_lines *lines, cnn_context *context)
{
    lines->count = 0;
    lines->thread = pthread_self();
    ck_assert_int_eq(cnn_context_set_log(context, keep_line, lines), CNN_OK);
}
