#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzzes, with clang's libFuzzer under the address and undefined-behaviour sanitizers:
#
#     sh tests/fuzz/run.sh [SECONDS [TARGET...]]
#
# for SECONDS each (60), the targets json, image, model_file, checkpoint and weights (all).  What is
# found is left in build/fuzz/findings, the corpus grows in build/fuzz/corpus (BUILD names another
# folder than build/fuzz).  To look at one input again:
#
#     build/fuzz/tests/fuzz/fuzz_TARGET FILE
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build/fuzz}
log=$build/log
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- json image model_file checkpoint weights

mkdir -p "$build/findings"
cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_FLAGS=-DCNNI_DEBUG -DCNN_SANITIZE=fuzzer-no-link,address,undefined \
    -DCNN_BUILD_TESTS=ON -DCNN_BUILD_EXAMPLES=OFF > "$log" 2>&1 || { cat "$log"; exit 1; }

for target in "$@"; do
    cmake --build "$build" --target "fuzz_$target" -j "$(nproc)" > "$log" 2>&1 ||
        { cat "$log"; exit 1; }
    mkdir -p "$build/corpus/$target"
    echo "fuzzing $target for $seconds s"
    "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/findings/$target-" \
        "$build/corpus/$target" "$root/tests/fuzz/seeds/$target"
done
