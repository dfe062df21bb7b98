#!/bin/sh
# SPDX-License-Identifier: MIT
# The program in README.md compiles as it stands there, is about 25 lines long, and works.
set -u
. "$(dirname "$0")/common.sh"
source=$2
compiler=$3
library=$4

sed -n '/^```c$/,/^```$/p' "$source/README.md" | grep -v '^```' >"$work/program.c"
[ "$(wc -l <"$work/program.c")" -le 27 ] || fail "the program in README.md is too long"
run 0 "$compiler" -std=c99 -Wall -Wextra -pedantic -Werror -I "$source/include" "$work/program.c" \
    -L "$library" -lcnn "-Wl,-rpath,$library" -o "$work/program"

run 0 "$cats_dogs" draw "$work/drawings" --count 12
run 0 "$cats_dogs" train "$work/drawings" --output "$work/model.cnn" --network classic --epochs 1
picture=$(find "$work/drawings/test" -type f | head -n 1)
run 0 "$work/program" "$work/model.cnn" "$picture"
expect_output '^(cats|dogs) [0-9.]+$'
run 1 "$work/program" "$work/model.cnn" "$work/missing.jpg"
expect_output 'missing\.jpg'
finish
