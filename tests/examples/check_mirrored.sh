#!/bin/sh
# SPDX-License-Identifier: MIT
# check_mirrored.sh PROGRAMS DRAW_ARROWS: classes that are mirror images of each other are told
# apart where training pictures are not mirrored, and only there; and averaging over mirror images,
# which would make them the same, follows that, or is said.
set -u
draw_arrows=$2
. "$(dirname "$0")/common.sh"

arrows=$work/arrows
model=$work/models/a.cnn
run 0 "$draw_arrows" "$arrows" 300

# train OPTION...: into $work/out, what is said of the test pictures.
train() { run 0 "$cats_dogs" train "$arrows" --output "$model" --batch 16 --quiet "$@"; }
alone='^measured on the test pictures, each as it is \(--no-flip-average\)$'
averaged='^measured on the test pictures, each averaged with its mirror image \(--flip-average\)$'

train --network classic --size 24 --epochs 20
expect_output "$alone"
expect_last '^accuracy 0\.[0-6]'
for options in "" "--crop 1 --optimizer sgd"; do
    # shellcheck disable=SC2086 # several options
    train --network classic --size 24 --epochs 20 --flip 0 $options
    expect_last '^accuracy (0\.9|1\.)'
done

# The default network averages by itself: what it then says of an arrow to the left, it says of one
# to the right.
train --size 16 --epochs 10 --flip 0
expect_output "$alone"
expect_last '^accuracy (0\.9|1\.)'
cp "$work/out" "$work/trained"
run 0 "$cats_dogs" evaluate "$model" "$arrows"
cmp -s "$work/out" "$work/trained" || fail 'evaluate differs from what train printed'
run 0 "$cats_dogs" evaluate "$model" "$arrows" --flip-average
expect_output "$averaged"
expect_last '^accuracy 0\.[0-6]'

# The doctor sees that one is among the others only where it asks about the arrow alone.
mv "$(find "$arrows/train/left" -name '*.png' | sort | head -n 1)" "$arrows/train/right/stray.png"
run 1 "$cats_dogs" check "$arrows" --model "$model"
grep -q 'right/stray\.png: left, probability' "$work/out" && fail 'an arrow and its mirror image'
run 1 "$cats_dogs" check "$arrows" --model "$model" --no-flip-average
expect_output 'right/stray\.png: left, probability'

# It can be had in any case, or not.
train --size 16 --epochs 1
expect_output "$averaged"
train --size 16 --epochs 1 --no-flip-average
expect_output "$alone"
train --size 16 --epochs 1 --flip 0 --flip-average
expect_output "$averaged"
rm "$model"
refuse '--no-flip-average=1: found a value, wanted --no-flip-average alone$' \
    "$cats_dogs" train "$arrows" --no-flip-average=1 --output "$work/none.cnn"
finish
