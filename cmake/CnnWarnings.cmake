# SPDX-License-Identifier: MIT
# The one list of warnings, understood by gcc and clang.

set(CNN_WARNINGS
    -Wall
    -Wextra
    -Wshadow
    -Wvla
    -Wformat=2
    -Wundef
    -Wstrict-prototypes
    -Wmissing-prototypes
    -Wold-style-definition
    -Wpointer-arith
    -Wwrite-strings
    -Wimplicit-fallthrough)
if(CNN_WERROR)
    list(APPEND CNN_WARNINGS -Werror)
endif()
