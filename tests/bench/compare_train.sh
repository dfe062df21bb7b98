#!/bin/sh
# SPDX-License-Identifier: MIT
# Training steps of libcnn and PyTorch in turn (A, B, A, B ...), on one core and on two, both capped
# to AVX2.
#   sh tests/bench/compare_train.sh BUILD_FOLDER [ROUNDS]
# Needs Python with torch 2.13.0.  PyTorch runs in both of its layouts; the better one counts.
set -eu
build=${1:?usage: compare_train.sh BUILD_FOLDER [ROUNDS]}
rounds=${2:-3}
here=$(dirname "$0")
bench=$(find "$build" -type f -name bench_train | head -n 1)
export CNN_CPU=avx2 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() { # name, processors, command ...
    name=$1
    processors=$2
    shift 2
    line=$(taskset -c "$processors" "$@")
    echo "$line"
    echo "$name $(echo "$line" | sed 's/.*median \([0-9.]*\) ms.*/\1/')" >>"$log"
}

for network in wide classic; do
    for _ in $(seq "$rounds"); do
        run "$network-libcnn-1" 1 "$bench" "$network" --threads 1
        run "$network-torch-nhwc-1" 1 python3 "$here/bench_train_torch.py" "$network" --layout nhwc
        run "$network-torch-nchw-1" 1 python3 "$here/bench_train_torch.py" "$network" --layout nchw
        run "$network-libcnn-2" 0,1 "$bench" "$network" --threads 2
    done
done

awk '
    { count[$1]++; value[$1, count[$1]] = $2 }
    function median(name,   i, j, n, t, v) {
        n = count[name]
        for (i = 1; i <= n; i++) v[i] = value[name, i]
        for (i = 1; i <= n; i++)
            for (j = i + 1; j <= n; j++)
                if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
        return v[int((n + 1) / 2)]
    }
    END {
        print "| network | libcnn ms | PyTorch ms | PyTorch / libcnn | libcnn, 2 threads, ms" \
            " | 1 / 2 threads |"
        print "|---|---|---|---|---|---|"
        for (k = 1; k <= 2; k++) {
            network = k == 1 ? "wide" : "classic"
            ours = median(network "-libcnn-1"); two = median(network "-libcnn-2")
            nhwc = median(network "-torch-nhwc-1"); nchw = median(network "-torch-nchw-1")
            torch = nhwc < nchw ? nhwc : nchw
            printf "| %s | %.1f | %.1f | %.2f | %.1f | %.2f |\n",
                network, ours, torch, torch / ours, two, ours / two
        }
    }' "$log"
