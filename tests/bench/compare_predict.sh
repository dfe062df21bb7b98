#!/bin/sh
# SPDX-License-Identifier: MIT
# Predictions of libcnn and PyTorch in turn (A, B, A, B ...), batch 1, on one core and on two.
#   sh tests/bench/compare_predict.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]
# Both are capped to the same level, AVX2 by default.  Needs Python with torch 2.13.0 (pip install
# torch==2.13.0) and, for torch.compile, g++.  The best of PyTorch's modes counts.
set -eu
build=${1:?usage: compare_predict.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]}
rounds=${2:-3}
here=$(dirname "$0")
. "$here/compare.sh"
cap "${3:-avx2}"
bench=$(find "$build" -type f -name bench_predict | head -n 1)

for network in wide classic; do
    for _ in $(seq "$rounds"); do
        run "$network-libcnn-1" 1 "$bench" "$network" --threads 1
        for mode in nhwc nchw frozen compile; do
            run "$network-torch-1" 1 \
                python3 "$here/bench_predict_torch.py" "$network" --mode "$mode"
        done
        run "$network-libcnn-2" 0,1 "$bench" "$network" --threads 2
    done
done

heading
for network in wide classic; do
    row "$network" "$(median "$network-libcnn-1")" "$(best_median "$network-torch-1")" \
        "$(median "$network-libcnn-2")"
done
