#!/bin/sh
# SPDX-License-Identifier: MIT
# check_headers.sh INCLUDE_DIR CC [CXX]: every public header compiles alone, as C99, C11 and C++11,
# under warnings that users may have on.
set -eu
include=$1 cc=$2 cxx=${3:-}
warnings='-Wall -Wextra -Wpedantic -pedantic-errors -Wshadow -Wundef -Wstrict-prototypes -Werror'
cxx_warnings='-Wall -Wextra -Wpedantic -pedantic-errors -Wshadow -Wundef -Wold-style-cast -Werror'

cd "$include"
for header in cnn.h cnn/*.h; do
    for standard in c99 c11; do
        echo "#include \"$header\"" |
            "$cc" -x c -std=$standard $warnings -I. -fsyntax-only - ||
            { echo "$header does not compile alone as $standard"; exit 1; }
    done
    if [ -n "$cxx" ]; then
        echo "#include \"$header\"" |
            "$cxx" -x c++ -std=c++11 $cxx_warnings -I. -fsyntax-only - ||
            { echo "$header does not compile alone as c++11"; exit 1; }
    fi
done
echo 'every public header compiles alone'
