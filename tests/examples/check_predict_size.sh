#!/bin/sh
# SPDX-License-Identifier: MIT
# Training on small pictures for a model that takes larger ones.
set -u
. "$(dirname "$0")/common.sh"

run 0 "$cats_dogs" draw "$work/drawings" --count 24
model=$work/models/a.cnn

# train OPTION...: an epoch of a network for pictures of any size.
train() {
    run 0 "$cats_dogs" train "$work/drawings" --output "$model" --network resnet --batch 8 \
        --epochs 1 --threads 1 "$@"
}

# expect_size N: the model takes pictures of N x N.
expect_size() {
    grep -a -q "\\\\\"input\\\\\":\\[$1,$1,3\\]" "$model" || fail "the model's input is not $1 x $1"
}

train --size 32 --predict-size 44
expect_size 44
expect_output '^network +resnet, 32 x 32 x 3' '^ +predicts pictures of 44 x 44$' '^accuracy [01]\.'
tail -n 1 "$work/out" >"$work/trained"
run 0 "$cats_dogs" evaluate "$model" "$work/drawings" --flip-average
tail -n 1 "$work/out" | cmp -s - "$work/trained" || fail 'what was tested is not what was saved'

# Training does not notice: the weights are those of a model that keeps its size.
cp "$model" "$work/enlarged.cnn"
train --size 32 --predict-size 32
expect_size 32
for file in "$model" "$work/enlarged.cnn"; do tail -c 100000 "$file" | cksum; done >"$work/sums"
[ "$(sort -u "$work/sums" | wc -l)" -eq 1 ] || fail 'the weights depend on the size of predictions'

# A resumed training goes on with it.
run 0 "$cats_dogs" train "$work/drawings" --output "$model" --network resnet --size 32 --batch 8 \
    --epochs 1 --predict-size 44 --checkpoint "$work/a.ckpt"
run 2 "$cats_dogs" train --resume "$work/a.ckpt" --predict-size 48
expect_errors 1 '--predict-size 48: the training in .*a.ckpt has 44'
rm "$model"

refuse '--predict-size 32 does not fit the network classic: layer "dense1" has the weight ' \
    "$cats_dogs" train "$work/drawings" --output "$model" --network classic --size 24 \
    --predict-size 32
refuse '--predict-size 0: wanted a whole number from 1 to 4096$' \
    "$cats_dogs" train "$work/drawings" --output "$model" --predict-size 0
finish
