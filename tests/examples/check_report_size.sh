#!/bin/sh
# SPDX-License-Identifier: MIT
# A report stays small however many pictures it is about, however long the training was and however
# many mistakes there are.  The second argument is the program print_matrix.
set -u
. "$(dirname "$0")/common.sh"
print_matrix=$2

# expect_no_growth LESS MORE BYTES: the second page is at most so many bytes larger than the first.
expect_no_growth() {
    less=$(wc -c <"$work/$1.html") more=$(wc -c <"$work/$2.html")
    [ "$more" -le $((less + $3)) ] || fail "$2: $more bytes, $1: $less"
    [ "$more" -lt 3000000 ] || fail "$2: a page of $more bytes"
}

# ---- Pictures: the same again under other names ----

few=$work/few
many=$work/many
run 0 "$cats_dogs" draw "$work/drawings" --count 60 --seed 3
mv "$work/drawings/train" "$few"
for class in cats dogs; do
    mkdir -p "$many/$class"
    for picture in "$few/$class"/*; do
        for copy in $(seq 17); do
            ln "$picture" "$many/$class/$copy.${picture##*/}"
        done
    done
done
train() { "$cats_dogs" train "$@" --network classic --size 16 --quiet; }
run 0 train "$few" --epochs 1 --output "$work/model.cnn"
for data in few many; do
    run 0 "$cats_dogs" report "$work/model.cnn" "$work/$data" --output "$work/$data.html"
done
grep -q 'of 60 given pictures' "$work/few.html" || fail 'wanted a report of 60 pictures'
grep -q 'of 1020 given pictures' "$work/many.html" || fail 'wanted a report of 1020 pictures'
expect_no_growth few many 100000

# ---- Epochs: of 800 as many are shown as of 400 ----

mkdir "$work/two"
for class in cats dogs; do
    mkdir "$work/two/$class"
    for n in 1 2 3 4; do
        cp "$few/$class"/*.0000$n.* "$work/two/$class"
    done
done
for epochs in 400 800; do
    run 0 train "$work/two" --epochs $epochs --output "$work/model.cnn" \
        --report "$work/epochs_$epochs.html"
    [ "$(grep -c '<title>epoch' "$work/epochs_$epochs.html")" -eq 400 ] ||
        fail "$epochs epochs: wanted 200 in each of two charts"
done
expect_no_growth epochs_400 epochs_800 20000

# ---- Mistakes: of every class for every other ----

for times in 1 3; do
    run 0 "$print_matrix" 80 $times
    [ "$(grep -c '<rect class="wrong"' "$work/out")" -eq 6320 ] || fail 'wanted all mistakes'
    grep -q 'are left out' "$work/out" && fail 'nothing is left out'
    run 0 "$print_matrix" 200 $times
    size=$(wc -c <"$work/out")
    [ "$size" -lt 2500000 ] || fail "found a matrix of $size bytes"
    [ "$(grep -c '<rect class="right"' "$work/out")" -eq 200 ] || fail 'wanted what is right'
    expect_output "^<p class=\"soft\">Mistakes made fewer than $((times + 1)) times are left out\."
done
finish
