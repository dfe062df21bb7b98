#!/bin/sh
# SPDX-License-Identifier: MIT
# What bounds the innermost loop of the NEON kernels' full tile, without an ARM processor: compiles
# lib/kernels/conv2d_neon.c for 64-bit ARM, cuts out the loop with the most multiply-adds, and lets
# llvm-mca say in what share of its cycles multiply-adds keep both vector ports busy.
#   sh tests/bench/neon_ports.sh
# Needs llvm-mca (Debian's llvm; from version 16 on it knows the Neoverse N1, before that it takes
# it for a Cortex-A57) and what there is of aarch64-linux-gnu-gcc and clang.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
mca=$(ls /usr/bin/llvm-mca-* /usr/bin/llvm-mca 2>/dev/null | sort -V | tail -n 1)
[ -n "$mca" ] || { echo 'neon_ports: llvm-mca is not there' >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
iterations=200

# compile COMPILER: to assembler, as CnnFlags.cmake and CnnIsa.cmake have it.
compile()
{
    case $1 in
    gcc) set -- aarch64-linux-gnu-gcc -fno-schedule-insns ;;
    clang) set -- clang --target=aarch64-linux-gnu ;;
    esac
    "$@" -std=c11 -O2 -DNDEBUG -fPIC -ffp-contract=off -fvisibility=hidden \
        -fstack-protector-strong -I "$root/include" -I "$root/lib" \
        -S "$root/lib/kernels/conv2d_neon.c" -o "$work/kernels.s"
}

# cut_loop FUNCTION: of its innermost loops, label to branch back with no label between, the one
# with the most multiply-adds.
cut_loop()
{
    awk -v function_label="$1:" '
        $1 == function_label { inside = 1 }
        inside && $1 == ".size" { exit }
        !inside || $1 ~ /^(\.p2align|\/\/)/ { next }
        /^\.L/ { label = $1; sub(":.*", "", label); body = ""; count = 0; next }
        { body = body $0 "\n" }
        $1 == "fmla" { count++ }
        $1 ~ /^(b|b\..*|bne|cbn?z|tbn?z)$/ {
            if ($NF == label && count > most) { most = count; loop = body }
            label = ""
        }
        END { printf "%s", loop }' "$work/kernels.s" >"$work/loop.s"
}

# analyse COMPILER FUNCTION CPU: a line of the table.  Of the table of instructions, the columns of
# a multiply-add are the cycles that it holds a port.
analyse()
{
    "$mca" -mtriple=aarch64-linux-gnu -mcpu="$3" -iterations=$iterations "$work/loop.s" |
        awk -v row="| $2 | $1 | $3" -v iterations=$iterations \
            -v stack="$(grep -c '\[sp' "$work/loop.s")" '
            /^Total Cycles/ { cycles = $3 / iterations }
            /^Resource pressure by instruction/ { table = 1 }
            table && / fmla/ {
                count++
                for (i = 1; $i != "fmla"; i++) busy += $i
            }
            END { printf "%s | %d | %d | %.2f | %.1f %% |\n", row, count, stack, cycles,
                      100 * busy / 2 / cycles }'
}

"$mca" --version | sed -n 's/^ *\(.*LLVM version\)/\1/p'
echo '| kernel | compiler | processor | multiply-adds | stack accesses | cycles | ports busy |'
echo '|---|---|---|---|---|---|---|'
for compiler in gcc clang; do
    compile $compiler || continue
    for kernel in conv2d_row_tap conv2d_filter; do
        cut_loop cnni_${kernel}_neon
        for cpu in neoverse-n1 cortex-a72; do
            analyse $compiler $kernel $cpu
        done
    done
done
