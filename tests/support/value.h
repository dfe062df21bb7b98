/* SPDX-License-Identifier: MIT
 * An assertion for single values, of which a test looks at millions: Check writes every ck_assert()
 * that holds to a file, this one says nothing until one fails. */
#ifndef SUPPORT_VALUE_H
#define SUPPORT_VALUE_H

#include <check.h>

/* assert_value(holds, format, ...) */
#define assert_value(holds, ...)                                                                   \
    do {                                                                                           \
        if (!(holds))                                                                              \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

#endif
