/* SPDX-License-Identifier: MIT
 * Tries the names that systems give to them. */
#include "support/decimal_comma.h"

#include <locale.h>
#include <string.h>

#include "base/base.h"
#include "support/skip.h"

bool set_decimal_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "ru_RU.UTF-8", "de_DE"};
    for (int i = 0; i < CNNI_COUNT(names); i++)
        if (setlocale(LC_ALL, names[i]) != NULL && strcmp(localeconv()->decimal_point, ",") == 0)
            return true;
    setlocale(LC_ALL, "C");
    skip("locale", "no locale with a decimal comma");
    return false;
}
