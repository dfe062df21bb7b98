#!/bin/sh
# SPDX-License-Identifier: MIT
# Training steps of libcnn and of oneDNN's primitives in turn, on one core, at both levels.
#   sh tests/bench/compare_train_onednn.sh BUILD_FOLDER [STEPS]
# Needs Debian's libdnnl-dev when libcnn is built.
set -eu
build=${1:?usage: compare_train_onednn.sh BUILD_FOLDER [STEPS]}
steps=${2:-15}
here=$(dirname "$0")
. "$here/compare.sh"
bench=$(find "$build" -type f -name compare_train_onednn | head -n 1)
export OMP_NUM_THREADS=1

for level in avx2 avx512; do
    cap "$level"
    for network in wide classic; do
        taskset -c 1 "$bench" "$network" --steps "$steps"
        echo
    done
done
