#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory of libcnn and PyTorch, one thread.
#   sh tests/bench/compare_memory.sh BUILD_FOLDER
# Training: by how much the process grows at its peak, from before the model is built to after three
# steps at batch 32; of PyTorch without what it loads of itself at the first step, and in the layout
# that takes less.  Prediction: all that a process takes which builds a network and predicts at
# batch 1.  Needs Python with torch (README.md has the version).
set -eu
build=${1:?usage: compare_memory.sh BUILD_FOLDER}
here=$(dirname "$0")
. "$here/compare.sh"
folder=$(dirname "$(find "$build" -type f -name bench_train | head -n 1)")

# figure WORD LINE: the number of MiB or MB behind the word.
figure() {
    echo "$2" | sed "s/.* $1 \([0-9.]*\) M.*/\1/"
}

machine "$build"
echo
echo '| training | held by the trainer, MiB | libcnn grows, MiB | PyTorch grows, MiB |' \
    'held / PyTorch | grows / PyTorch |'
echo '|---|---|---|---|---|---|'
for network in wide classic; do
    ours=$("$folder/bench_train" $network --threads 1 --steps 1)
    theirs=$(for layout in nhwc nchw; do
        figure grew "$(python3 "$here/bench_train_torch.py" $network --layout $layout --steps 1)"
    done | sort -n | head -n 1)
    echo "$network $(figure held "$ours") $(figure grew "$ours") $theirs" |
        awk '{ printf "| %s | %.1f | %.1f | %.1f | %.2f | %.2f |\n",
            $1, $2, $3, $4, $2 / $4, $3 / $4 }'
done
echo
echo '| prediction | peak of the process, MB |'
echo '|---|---|'
for network in wide classic; do
    line=$("$folder/bench_program" 3 "$folder/bench_predict" $network --threads 1 --steps 20)
    echo "| $network | $(figure memory "$line") |"
done
