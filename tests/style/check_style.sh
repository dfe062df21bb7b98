#!/bin/sh
# SPDX-License-Identifier: MIT
# check_style.sh ROOT: what a reader notices before the contents: long lines, tabs in C, long files.
# How C is laid out otherwise is in .clang-format, which differs between its versions.
set -eu
cd "$1"
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# sources NAME...: the files of these names, one a line.
sources()
{
    for name in "$@"; do
        find CMakeLists.txt .ci lib include examples tests cmake -type f -name "$name"
    done
}

sources '*.[ch]' '*.sh' '*.py' '*.cmake' '*.in' '*.map' CMakeLists.txt run |
    xargs awk 'length > 100 { print FILENAME ":" FNR ": longer than 100 columns" }' \
        >>"$breaches"
sources '*.[ch]' | xargs awk '/\t/ { print FILENAME ":" FNR ": a tab" }' >>"$breaches"
find lib -name '*.[ch]' |
    xargs awk 'FNR == 601 { print FILENAME ": longer than 600 lines" }' >>"$breaches"

if [ -s "$breaches" ]; then
    cat "$breaches"
    exit 1
fi
echo 'short lines, short files'
