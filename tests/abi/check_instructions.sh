#!/bin/sh
# SPDX-License-Identifier: MIT
# check_instructions.sh OBJECT...: only the kernels compiled for it hold AVX instructions.  One
# elsewhere would end the process on an older CPU.
set -eu
status=0
checked=0
for object in "$@"; do
    case $object in
    *_avx2.c.o | *_avx512.c.o) continue ;;
    esac
    checked=$((checked + 1))
    objdump -f "$object" >/dev/null || status=1
    found=$(objdump -d --no-show-raw-insn "$object" |
        grep -E '%[yz]mm|[[:space:]]v(add|mul|sub|div|fm|fn|mov|xor|broad|perm|cvt|p[a-z])' |
        head -n 1 || true)
    if [ -n "$found" ]; then
        echo "$object: $found"
        status=1
    fi
done
[ $checked -gt 10 ] || { echo "only $checked objects were given"; exit 1; }
[ $status -ne 0 ] || echo "no AVX instruction in $checked files"
exit $status
