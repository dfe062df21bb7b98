#!/bin/sh
# SPDX-License-Identifier: MIT
# Training steps of libcnn and PyTorch in turn (A, B, A, B ...), on one core and on two.
#   [NETWORKS="NAME ..."] sh tests/bench/compare_train.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]
# Both are capped to the same level, AVX2 by default.  Needs Python with torch 2.13.0 (pip install
# torch==2.13.0).  PyTorch runs in both of its layouts; the better one counts.
set -eu
build=${1:?usage: compare_train.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]}
rounds=${2:-3}
networks=${NETWORKS:-wide classic resnet_small}
here=$(dirname "$0")
. "$here/compare.sh"
cap "${3:-avx2}"
bench=$(find "$build" -type f -name bench_train | head -n 1)

for network in $networks; do
    for _ in $(seq "$rounds"); do
        run "$network-libcnn-1" 1 "$bench" "$network" --threads 1
        for layout in nhwc nchw; do
            run "$network-torch-1" 1 \
                python3 "$here/bench_train_torch.py" "$network" --layout "$layout"
        done
        run "$network-libcnn-2" 0,1 "$bench" "$network" --threads 2
    done
done

machine "$build"
heading PyTorch
for network in $networks; do
    row "$network" "$(median "$network-libcnn-1")" "$(median "$network-libcnn-2")" \
        "$(best_median "$network-torch-1")"
done
