#!/bin/sh
# SPDX-License-Identifier: MIT
# Eighty pictures of cats and dogs: ResNet-18 that has been taught cats, dogs and rabbits before
# tells them apart after an epoch better than one that knew nothing does after all epochs.
set -u
. "$(dirname "$0")/common.sh"

fine_tune=$programs/05_fine_tune
models=$work/models

# draw NAME COUNT SEED OPTION...: so many pictures to train on.
draw() {
    name=$1 count=$2 seed=$3
    shift 3
    run 0 "$cats_dogs" draw "$work/$name" --count "$count" --seed "$seed" "$@"
}

# accuracy EPOCH FILE: the validation accuracy after an epoch, of what 05_fine_tune printed.
accuracy() {
    sed -n "s/^epoch $1 .* validation accuracy //p" "$2"
}

# measure MODEL: its accuracy on other pictures.
measure() {
    run 0 "$cats_dogs" evaluate "$models/$1.cnn" "$work/others/train"
    sed -n 's/^accuracy \([0-9.]*\) .*/\1/p' "$work/out"
}

# expect_above WHAT GREATER SMALLER MARGIN
expect_above() {
    awk "BEGIN { exit !($2 >= $3 + $4) }" || fail "$1: found $2, wanted $4 more than $3"
}

# first BYTES MODEL: a sum over the first values in its file, which follow a header whose length the
# first 8 bytes are.
first() {
    tail -c "+$(($(od -An -t u8 -N 8 "$2") + 9))" "$2" | head -c "$1" | cksum
}

draw animals 480 1 --kinds 3
draw few 80 2
draw others 200 3

run 0 "$fine_tune" "$work/animals" "$models/animals.cnn" 64
run 0 "$fine_tune" "$work/few" "$models/scratch.cnn" 64
cp "$work/out" "$work/scratch"
run 0 "$fine_tune" "$work/few" "$models/tuned.cnn" 64 "$models/animals.cnn"
cp "$work/out" "$work/tuned"
expect_output '^100 loaded, 2 kept$'

expect_above 'the first epoch' "$(accuracy 1 "$work/tuned")" "$(accuracy 6 "$work/scratch")" 0.1
expect_above 'on other pictures' "$(measure tuned)" "$(measure scratch)" 0.1

# conv1.weight [64][3][7][7] and the four vectors [64] of bn1, which are frozen; then the blocks.
stem=$((4 * 64 * (3 * 7 * 7 + 4)))
[ "$(first $stem "$models/tuned.cnn")" = "$(first $stem "$models/animals.cnn")" ] ||
    fail "the stem moved"
[ "$(first $((stem + 4)) "$models/tuned.cnn")" != \
    "$(first $((stem + 4)) "$models/animals.cnn")" ] || fail "the blocks did not move"
finish
