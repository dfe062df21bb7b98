#!/bin/sh
# SPDX-License-Identifier: MIT
# Models and checkpoints that cannot be written while a training goes on: it goes on, what was good
# stays, and in the end there is the model of a training to which nothing happened.
set -u
. "$(dirname "$0")/common.sh"

# Slow enough to be watched.
export CNN_CPU=generic
run 0 "$cats_dogs" draw "$work/drawings" --count 180 --seed 4

recipe='--network classic --size 32 --batch 8 --seed 11 --threads 1'
# begin FOLDER OPTION...: goes there, and starts a training whose model goes into out/best.cnn.
begin() {
    mkdir -p "$work/$1/out"
    cd "$work/$1" || exit 1
    shift
    # shellcheck disable=SC2086 # the recipe is many words
    "$cats_dogs" train ../drawings --output out/best.cnn $recipe --checkpoint s.ckpt \
        --metrics lines "$@" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
}

# wait_for COMMAND...: until it succeeds, a minute at most.
wait_for() {
    waited=0
    while ! "$@" && [ "$waited" -lt 3000 ]; do
        sleep 0.02
        waited=$((waited + 1))
    done
}

# end_with STATUS: of the training that was started.
end_with() {
    found=0
    wait "$process" 2>"$work/none" || found=$?
    [ "$found" -eq "$1" ] || fail "found exit status $found, wanted $1"
}

has_line() { grep -q -E -e "$1" lines 2>"$work/none"; }
resume() { "$cats_dogs" train --resume s.ckpt; }

# expect_same FOLDER: as the training there, to which nothing happened.
expect_same() {
    cmp "../$1/out/best.cnn" out/best.cnn >"$work/err" || fail 'another model'
    tail -n 5 "$work/out" | cmp - "../$1/last" >"$work/err" || fail 'another result was printed'
}

begin whole --epochs 4
end_with 0
tail -n 5 "$work/out" >last
model_size=$(wc -c <out/best.cnn)
checkpoint_size=$(wc -c <s.ckpt)

# ---- The model's folder is away ----

# To the end: an error, but all is in the checkpoint, which is not to be replaced.
begin away --epochs 4
wait_for has_line '"event":"step"'
mv out elsewhere
end_with 2
expect_errors 2 '^cats-dogs: warning: .*out/best.cnn": No such .*; tried again after each epoch$'
expect_errors 2 '^cats-dogs: [^:]*out/best.cnn": No such file or directory$'
expect_output '^epoch [1-4]/4 .*pictures/s  best$'
expect_last '^not saved; to go on: cats-dogs train --resume s.ckpt$'
refuse '--output out/best.cnn: No such file' resume
mkdir out
refuse 'found a training that has not finished' \
    "$cats_dogs" train ../drawings --checkpoint s.ckpt --output out/best.cnn
rmdir out
mv elsewhere out
run 0 resume
expect_no_errors
expect_output '^resumed +s.ckpt is finished: all 4 epochs are done$' \
    '^saved the best model until now, that of epoch [1-4]$'
expect_same whole
run 0 resume # once more, with nothing left to do
grep -q '^saved' "$work/out" && fail 'saved a model that was saved'
expect_same whole
# shellcheck disable=SC2086
run 0 "$cats_dogs" train ../drawings --checkpoint s.ckpt --output out/best.cnn $recipe --epochs 1

# Of a training of one epoch there is no model at all until it is resumed; it is enlarged then, too.
begin once --epochs 1 --network resnet --predict-size 44
wait_for has_line '"event":"step"'
mv out elsewhere
end_with 2
expect_errors 1 '^cats-dogs: [^:]*out/best.cnn": No such file or directory$'
mv elsewhere out
run 0 resume
expect_output '^best model: epoch 1, '
grep -a -q '"input\\":\[44,44,3\]' out/best.cnn || fail 'no model, or not one for 44 x 44'

# For a while: told once, and nobody has to do anything.  What is saved later is not the model of
# the latest epoch: with such large steps some seed soon has its best epoch before the last two.
for seed in $(seq 11 20); do
    begin worse --epochs 6 --learning-rate 0.03 --seed "$seed"
    end_with 0
    best=$(sed -n 's/^best model: epoch \([0-9]*\),.*/\1/p' "$work/out")
    [ "$best" -le 4 ] && break
done
tail -n 5 "$work/out" >last
begin awhile --epochs 6 --learning-rate 0.03 --seed "$seed"
wait_for has_line '"event":"step"'
mv out elsewhere
wait_for has_line '"event":"epoch","epoch":'"$best,"
mv elsewhere out
end_with 0
expect_errors 1 '^cats-dogs: warning: .*out/best.cnn": No such .*; tried again after each epoch$'
expect_output "^saved the best model until now, that of epoch $best\$"
expect_same worse

# Killed meanwhile, after the next checkpoint.
begin killed --epochs 4
wait_for has_line '"event":"step"'
mv out elsewhere
wait_for has_line '"event":"step","epoch":2,"step":2,'
kill -KILL $process
end_with 137
mv elsewhere out
run 0 resume
expect_no_errors
expect_output '^resumed +s.ckpt in epoch [2-4] of 4$' \
    '^saved the best model until now, that of epoch [1-4]$'
expect_same whole

# ---- The disk is full for checkpoints, which are larger than the model ----

half=$(((model_size + checkpoint_size) / 2 / 512)) # a limit in blocks stands for it
limited() { (trap '' XFSZ && ulimit -f $half && "$@"); }

begin full --epochs 4
wait_for has_line '"event":"step","epoch":2,'
kill -INT $process
end_with 0
expect_output '^interrupted; to go on: cats-dogs train --resume s.ckpt$'
cp s.ckpt good.ckpt

run 0 limited resume
expect_errors "$(wc -l <"$work/err")" 'a checkpoint was not written: .*s.ckpt": File too large$'
grep -v 'a checkpoint was not written' "$work/err" >"$work/none" && fail 'wanted other warnings'
expect_same whole
cmp s.ckpt good.ckpt >"$work/err" || fail 'the old checkpoint was damaged'
[ -z "$(find . -name '.libcnn-*')" ] || fail 'a part of a checkpoint was left behind'

# Interrupted now, it can go on from the old one.
: >lines
(
    trap '' XFSZ
    ulimit -f $half
    exec "$cats_dogs" train --resume s.ckpt >"$work/out" 2>"$work/err" </dev/null
) &
process=$!
wait_for has_line '"event":"epoch","epoch":2,'
kill -INT $process
end_with 0
expect_output '^interrupted; to go on: cats-dogs train --resume s.ckpt$'
cmp s.ckpt good.ckpt >"$work/err" || fail 'the old checkpoint was damaged'
run 0 resume
expect_no_errors
expect_same whole

# ---- Ended by patience ----

begin patient --epochs 500 --patience 1
end_with 0
epochs=$(grep -c '"event":"epoch"' lines)
[ "$epochs" -lt 500 ] || fail 'wanted an end before the last epoch'
tail -n 5 "$work/out" >last
run 0 resume
expect_output "^resumed +s.ckpt is finished: --patience 1 ended it after epoch $epochs\$"
tail -n 5 "$work/out" | cmp - last >"$work/err" || fail 'another result was printed'
[ "$(grep -c '"event":"epoch"' lines)" -eq "$epochs" ] || fail 'trained on'
# shellcheck disable=SC2086
run 0 "$cats_dogs" train ../drawings --checkpoint s.ckpt --output out/best.cnn $recipe --epochs 1

# ---- Names that a checkpoint has no room for ----

cd "$work" || exit 1
name=$(printf 'é%.0s' $(seq 120))
deep=$name
for _ in $(seq 15); do
    deep=$deep/$name
done
mkdir -p "$deep"
refuse '--checkpoint: the names of files are too long for it$' "$cats_dogs" train drawings \
    --checkpoint "$deep/s" --output "$deep/o" --report "$deep/r" --metrics "$deep/m"
finish
