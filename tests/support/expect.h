/* SPDX-License-Identifier: MIT
 * Expecting success or a certain failure of a call, with the library's text in the report. */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include <check.h>
#include <string.h>

#include "cnn/status.h"

#define EXPECT_OK(call)                                                                            \
    do {                                                                                           \
        cnn_status expect_status = (call);                                                         \
        ck_assert_msg(expect_status == CNN_OK, "%s: %s: %s", #call,                                \
                      cnn_status_name(expect_status), cnn_error_message());                        \
    } while (0)

/* The call fails with `wanted`, and its text is one line that begins with `function` and has
 * `word` in it: the name of what was wrong. */
#define EXPECT_FAILS(call, wanted, function, word)                                                 \
    do {                                                                                           \
        cnn_status expect_status = (call);                                                         \
        const char *expect_text = cnn_error_message();                                             \
        ck_assert_msg(expect_status == (wanted), "%s: %s, must be %s: %s", #call,                  \
                      cnn_status_name(expect_status), cnn_status_name(wanted), expect_text);       \
        ck_assert_msg(strncmp(expect_text, function ": ", strlen(function ": ")) == 0 &&           \
                          strstr(expect_text, word) != NULL && strchr(expect_text, '\n') == NULL,  \
                      "the text is \"%s\", must be of %s and have \"%s\"", expect_text, function,  \
                      word);                                                                       \
    } while (0)

#endif
