#!/bin/sh
# SPDX-License-Identifier: MIT
# check_going_on.sh PROGRAMS ALTER_NOTE: what a training that is resumed may find and be given: its
# model gone, or another in its place; other outputs; notes of other programs.  What it ends with
# after kills is in check_resume.sh.
set -u
. "$(dirname "$0")/common.sh"

alter_note=$2
export CNN_CPU=generic # slow enough to be watched
run 0 "$cats_dogs" draw "$work/drawings" --count 120 --seed 4

# ---- A training that ran through, and one that was interrupted ----

recipe='--network classic --size 32 --batch 8 --epochs 4 --seed 11 --accumulate 2'
files='--output z.cnn --checkpoint z.ckpt --metrics lines'
mkdir "$work/whole" "$work/part"
cd "$work/whole" || exit 1
# shellcheck disable=SC2086 # many words
run 0 "$cats_dogs" train ../drawings $recipe $files
tail -n 5 "$work/out" >last

# interrupt FILE PATTERN COMMAND...: once a line of the file matches.
interrupt() {
    watched=$1 pattern=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
    waited=0
    while ! grep -q -e "$pattern" "$watched" 2>"$work/none" && [ $waited -lt 3000 ]; do
        sleep 0.02
        waited=$((waited + 1))
    done
    kill -INT $process
    wait $process || fail "$*: interrupted, it failed"
    expect_output '^interrupted; to go on: cats-dogs train --resume z.ckpt$'
}
cd "$work/part" || exit 1
# shellcheck disable=SC2086
interrupt lines '"event":"epoch","epoch":2,' "$cats_dogs" train ../drawings $recipe $files

# again FOLDER: goes to a copy of what is in it.
again() {
    cd "$work" || exit 1
    rm -rf now
    cp -r "$1" now
    cd now || exit 1
}
resume() { "$cats_dogs" train --resume z.ckpt "$@"; }

# expect_same: the model and the result of the training that ran through.
expect_same() {
    expect_no_errors
    cmp ../whole/z.cnn z.cnn >"$work/err" || fail 'another model'
    tail -n 5 "$work/out" | cmp - ../whole/last >"$work/err" || fail 'another result was printed'
}
saved='^saved the best model until now, that of epoch [1-4]$'

# ---- The model's file ----

# It is gone, or empty: the checkpoint has it.
for folder in whole part; do
    for empty in rm truncate; do
        again $folder
        case $empty in
        rm) rm z.cnn ;;
        truncate) : >z.cnn ;;
        esac
        run 0 resume
        expect_output "$saved"
        expect_same
        run 0 resume
        grep -q "$saved" "$work/out" && fail 'saved a model that was saved'
        expect_same
    done
done

# Of another epoch, as after a kill between the two files, or after another training of the network.
# shellcheck disable=SC2086
run 0 "$cats_dogs" train ../drawings $recipe --epochs 1 --seed 12 --quiet --output "$work/other.cnn"
for folder in whole part; do
    again $folder
    cp ../other.cnn z.cnn
    run 0 resume
    expect_output "$saved"
    expect_same
done

# What cannot be of this training stays.
# refuse_model FILE PATTERN: found in the model's place.
refuse_model() {
    again part
    cp "$1" z.cnn
    refuse "--output z.cnn: $2" resume
    cmp "$1" z.cnn >"$work/err" || fail 'what was in the place of the model has changed'
}
run 0 "$cats_dogs" train ../drawings --network resnet --size 32 --epochs 1 --quiet \
    --output "$work/resnet.cnn"
cp -r ../drawings ../animals
for part in train test; do
    mv ../animals/$part/cats ../animals/$part/hens
done
# shellcheck disable=SC2086
run 0 "$cats_dogs" train ../animals $recipe --epochs 1 --quiet --output "$work/hens.cnn"
refuse_model ../resnet.cnn '"z.cnn": does not fit the model: .*; wanted a model of the training'
refuse_model ../hens.cnn 'has other classes; wanted a model of the training in z.ckpt, or no file$'
refuse_model z.ckpt 'found a checkpoint, wanted a model or no file yet$'
echo precious >../text
refuse_model ../text 'found another file, wanted a model or no file yet$'
again part
rm z.cnn
mkdir models
ln -s models/z.cnn z.cnn
rmdir models
refuse '--output z.cnn: No such file or directory, wanted a place to write the model to$' resume

# ---- Other outputs than at the beginning ----

again part
for option in --report=page.html --metrics=more --tensorboard=runs --checkpoint-minutes=0.5; do
    grep -a -q -F -e "$option" z.ckpt && fail "the training has $option already"
done
interrupt more '"event":"epoch","epoch":3,' "$cats_dogs" train --resume z.ckpt \
    --report page.html --metrics more --tensorboard runs --checkpoint-minutes 0.5
for option in --report=page.html --metrics=more --tensorboard=runs --checkpoint-minutes=0.5; do
    grep -a -q -F -e "$option" z.ckpt || fail "$option is not kept"
done
[ "$(sed -n 's/.*"first_step":\([0-9]*\),.*/\1/p' more)" -gt 28 ] ||
    fail 'after two epochs of 14 batches, wanted a later step'
cmp lines ../part/lines >"$work/err" || fail 'lines went to the old file'
rm page.html
run 0 resume
expect_same
[ "$(grep -c '"event":"start"' more)" -eq 2 ] || fail 'the lines go elsewhere'
[ "$(find runs -type f | wc -l)" -eq 2 ] || fail 'TensorBoard gets nothing more'
[ "$(grep -c '<title>epoch [0-9]*: ' page.html)" -eq 8 ] || fail 'wanted all epochs twice'

# A training that has ended gets a report, too.
again whole
run 0 resume --report page.html
expect_same
[ "$(grep -c '<title>epoch [0-9]*: ' page.html)" -eq 8 ] || fail 'wanted all epochs twice'

again part
refuse '--seed 12: the training in z.ckpt has 11, wanted that or nothing$' resume --seed 12

# ---- Notes of others ----

# alter FROM TO: in the note of part/z.ckpt.
alter() {
    again part
    "$alter_note" z.ckpt "$1" "$2" || fail "no note with $1"
}
# refuse_note FROM TO: is told in one line, and not written over.
refuse_note() {
    alter "$1" "$2"
    refuse '--resume z.ckpt: found the checkpoint of another program or version$' resume
    cp z.ckpt before
    refuse '--checkpoint z.ckpt: found the checkpoint of another program or version; wanted' \
        "$cats_dogs" train ../drawings --checkpoint z.ckpt
    cmp z.ckpt before >"$work/err" || fail 'the checkpoint has changed'
}
refuse_note 'cats-dogs 3 ' 'dogs-cats 3 '
refuse_note 'cats-dogs 3 ' 'cats-dogs 4 '
refuse_note '--seed=11' '--sead=11'
refuse_note '--seed=11' '--seed=1x'
alter '/drawings\' '/drawin%a\' # not an escape, and the end of the text
refuse 'cannot open the folder "../drawin%a": No such file or directory$' resume

# Another training that has not finished is not written over, also when one is resumed.
again part
cp z.ckpt other.ckpt
refuse '--checkpoint other.ckpt: found a training that has not finished; wanted --resume' \
    resume --checkpoint other.ckpt

# ---- How long it takes ----

# bars COMMAND...: what a terminal gets, each state of the bar on a line.
bars() {
    script -qec "stty cols 120; $*" /dev/null </dev/null | tr '\r' '\n' | grep 'left$'
}
# With one epoch of 108 pictures, of which at least a third were trained on before, each second
# that the rest takes is to be told.
if script -qec true /dev/null >"$work/none" 2>&1; then
    mkdir "$work/bar"
    cd "$work/bar" || exit 1
    interrupt lines '"step":40,' "$cats_dogs" train ../drawings --network classic --size 64 \
        --batch 1 --epochs 1 --threads 1 --checkpoint z.ckpt --output z.cnn --metrics lines
    bars "'$cats_dogs' train --resume z.ckpt >none" >"$work/out"
    first=$(grep '"event":"start"' lines | sed -n '2s/.*"first_step":\([0-9]*\),.*/\1/p')
    # ... 12 pictures/s ... 1:05 left
    sed -n 's/.* \([0-9]*\) pictures.* \([0-9]*\):\([0-9]*\) left$/\1 \2 \3/p' "$work/out" |
        head -n 1 >first
    awk -v left=$((108 - first)) '{ told = $1 * (60 * $2 + $3) } END { exit !(2 * told > left) }' \
        first || fail "too short a time for the $((108 - first)) pictures that are left"
else
    echo 'skipped: the time that is left, since script(1) is not there or gets no terminal'
fi
finish
