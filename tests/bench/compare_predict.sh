#!/bin/sh
# SPDX-License-Identifier: MIT
# Predictions of libcnn, PyTorch and ONNX Runtime in turn (A, B, C, A ...), batch 1, on one core and
# libcnn on two as well.
#   [NETWORKS="NAME ..."] sh tests/bench/compare_predict.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]
# libcnn and PyTorch are capped to the same level, AVX2 by default; ONNX Runtime cannot be and takes
# the machine's best, so that its column counts beside avx512.  Needs Python with torch, onnxruntime
# and onnx (README.md has the versions) and, for torch.compile, g++.  The best of PyTorch's modes
# counts.
set -eu
build=${1:?usage: compare_predict.sh BUILD_FOLDER [ROUNDS [avx2|avx512]]}
rounds=${2:-3}
networks=${NETWORKS:-wide classic resnet18 mobilenet_v2}
here=$(dirname "$0")
. "$here/compare.sh"
cap "${3:-avx2}"
bench=$(find "$build" -type f -name bench_predict | head -n 1)

for network in $networks; do
    for _ in $(seq "$rounds"); do
        run "$network-libcnn-1" 1 "$bench" "$network" --threads 1
        for mode in nhwc nchw frozen compile; do
            run "$network-torch-1" 1 \
                python3 "$here/bench_predict_torch.py" "$network" --mode "$mode"
        done
        run "$network-onnx-1" 1 python3 "$here/bench_predict_onnx.py" "$network"
        run "$network-libcnn-2" 0,1 "$bench" "$network" --threads 2
    done
done

machine "$build"
heading PyTorch 'ONNX Runtime'
for network in $networks; do
    row "$network" "$(median "$network-libcnn-1")" "$(median "$network-libcnn-2")" \
        "$(best_median "$network-torch-1")" "$(median "$network-onnx-1")"
done
