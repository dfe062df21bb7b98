/* SPDX-License-Identifier: MIT
 * Locales that write 1,5. */
#ifndef SUPPORT_DECIMAL_COMMA_H
#define SUPPORT_DECIMAL_COMMA_H

#include <stdbool.h>

/* Sets a locale with a decimal comma; false, and skipped as "locale", where there is none. */
bool set_decimal_comma(void);

#endif
