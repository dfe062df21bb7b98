#!/bin/sh
# SPDX-License-Identifier: MIT
# check_size.sh LIBRARY MAXIMUM: the shared library, without symbols for debuggers, has fewer bytes.
set -eu
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
size=$(wc -c <"$stripped")
echo "$size bytes, must be fewer than $2"
[ "$size" -lt "$2" ]
