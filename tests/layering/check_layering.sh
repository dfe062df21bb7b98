#!/bin/sh
# SPDX-License-Identifier: MIT
# check_layering.sh ROOT: who may include whom.  The floors of lib/ stand in the table below; a
# breach is printed as file, line and include.  Also: unique file names, no source outside of the
# build, and no kernel without a test.
set -eu
cd "$1"
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# Each floor, and the floors it may include besides itself and the public headers.
floors='base:
kernels: base
ops: kernels base
tensor: ops base
layers: tensor ops base
model: layers tensor ops base
data: tensor ops base'

# report WHAT, with the offending lines on standard input.
report()
{
    sed "s|^|$1: |" >>"$breaches"
}

# grep that may find nothing.
find_lines()
{
    grep "$@" || [ $? -eq 1 ]
}

# Quoted includes of each floor name an allowed floor or a public header.
echo "$floors" | while IFS=: read -r floor below; do
    allowed=$(echo "cnn $floor $below" | sed 's/  */|/g; s/|$//')
    find_lines -rnE '^ *# *include *"' "lib/$floor" |
        find_lines -vE "include *\"(cnn\.h\"|($allowed)/)" | report "$floor may not include"
done

# Public headers and examples know nothing of lib/.
names=$(echo "$floors" | sed 's/:.*//' | paste -sd '|' -)
find_lines -rnE --include='*.[ch]' "^ *# *include *\"(.*lib/|($names)/)" include examples |
    report 'reaches into lib/'
find_lines -rnE '^ *# *include' include | find_lines -vE '"cnn/|<std(def|int)\.h>' |
    report 'a public header may not include'

# Each decoder's header is included by exactly one file, intrinsics only by the files compiled for
# them.
for header in jpeglib png; do
    count=$(find_lines -rlE "^ *# *include *[<\"]$header\.h" lib | wc -l)
    [ "$count" -eq 1 ] || echo "$count files of lib/" | report "$header.h is included by"
done
find_lines -rnE '^ *# *include *<(.*intrin|arm_neon)\.h>' lib |
    find_lines -vE '^lib/kernels/[a-z0-9_]+_(avx2|avx512|neon)\.[ch]:' | report 'not a kernel file'

# A file's name alone says which file it is.
find lib -name '*.[ch]' | sed 's|.*/||' | sort | uniq -d | report 'two files of lib/ are called'

# Nothing lies beside the build: every source is in its list.
for source in lib/*/*.c tests/test_*.c; do
    name=${source##*/test_}
    case $source in
    lib/*) grep -qE "^ +${source#lib/}\)?$" lib/CMakeLists.txt ;;
    *) grep -qE "^ *cnn_add_test\(${name%.c}[ )]" tests/CMakeLists.txt ;;
    esac || echo "$source" | report 'not in its CMakeLists.txt'
done

# Every slot of the kernel list has a test.
slots=$(sed -nE 's/^CNNI_(TILE_)?KERNEL\(([a-z0-9_]+),.*/\2/p' lib/kernels/kernel_list.h | sort -u)
for slot in $slots; do
    grep -q "KERNEL_ROWS_TEST([a-z]*, \"$slot\"," tests/test_kernels_*.c ||
        echo "$slot" | report 'no test of the slot'
done

if [ -s "$breaches" ]; then
    cat "$breaches"
    exit 1
fi
echo 'every include goes down'
