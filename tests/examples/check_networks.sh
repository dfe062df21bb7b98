#!/bin/sh
# SPDX-License-Identifier: MIT
# Each network of the table trains by its recipe, is saved, and loaded to be measured again.
set -u
. "$(dirname "$0")/common.sh"

run 0 "$cats_dogs" draw "$work/drawings" --count 24 --kinds 3

# figures: the log loss and what follows it, which the test of train and evaluate both print.
figures() { sed -n '/^log loss /,$p' "$work/out"; }

# check NAME LAYERS [OPTION]: `LAYERS` is a line of the table that is printed; what train tests with
# by itself, evaluate is told.
check() {
    model=$work/models/$1.cnn
    run 0 "$cats_dogs" train "$work/drawings" --output "$model" --network "$1" --size 32 --batch 8 \
        --epochs 1
    expect_output "^network +$1, 32 x 32 x 3" "$2" '^accuracy [01]\.[0-9]+'
    figures >"$work/trained"
    run 0 "$cats_dogs" evaluate "$model" "$work/drawings" ${3:+"$3"}
    figures | cmp -s - "$work/trained" || fail "$1 is another one in its file"
}

check classic '^  conv2d 32 3x3 +30 x 30 x 32 +896$'
check default '^  conv2d 256 3x3 .* 2 x 2 x 256 +589,824$' --flip-average
check resnet '^  conv2d 32 5x5 .*stride 2x2.* +16 x 16 x 32 +2,400$' --flip-average
check vgg '^  conv2d 256 3x3 .* 4 x 4 x 256 +589,824$'
check resnet18 '^  total +11,178,051$'
check mobilenet_v2 '^  total +2,227,715$'
finish
