#!/bin/sh
# SPDX-License-Identifier: MIT
# check_symbols.sh LIBRARY MAP INCLUDE_DIR: the names that the shared library exports, those in the
# map, and those declared with CNN_API are the same.
set -eu
library=$1 map=$2 include=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    LC_ALL=C sort >"$folder/exported"
grep -oE '^ +cnn_[a-z0-9_]+;' "$map" | tr -d ' ;' | LC_ALL=C sort >"$folder/in the map"
# Comments are taken out first; a declaration may run over several lines.
cat "$include"/cnn/*.h | tr '\n' ' ' | sed 's|/\*|\n/*|g; s|\*/|*/\n|g' | grep -v '^/\*' |
    tr '\n' ' ' | tr ';' '\n' | sed -nE 's/.*CNN_API [^(]*\b(cnn_[a-z0-9_]+) *\(.*/\1/p' |
    LC_ALL=C sort >"$folder/declared"

[ -s "$folder/declared" ] || { echo 'no CNN_API declaration found'; exit 1; }
status=0
for kind in exported 'in the map'; do
    diff "$folder/declared" "$folder/$kind" >"$folder/difference" || status=1
    sed -nE "s/^< (.*)/\1 is declared, but not $kind/p; s/^> (.*)/\1 is $kind, but not declared/p" \
        "$folder/difference"
done
[ $status -ne 0 ] || echo "$(wc -l <"$folder/declared") names: declared, in the map and exported"
exit $status
