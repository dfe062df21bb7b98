#!/bin/sh
# SPDX-License-Identifier: MIT
# Trainings whose model or checkpoint cannot be written for a while, or that are interrupted: they
# go on where they can, lose nothing that was good, and end as those that nothing happened to.
set -u
. "$(dirname "$0")/common.sh"

cd "$work" || exit 1
run 0 "$cats_dogs" draw drawings --count 60 --seed 4
recipe='--network classic --size 64 --batch 8 --epochs 8 --seed 11 --threads 1'

# train NAME OPTION...: into there/NAME.cnn, with lines of what happens in NAME.jsonl.
train() {
    name=$1
    shift
    # shellcheck disable=SC2086
    run 0 "$cats_dogs" train drawings --output "there/$name.cnn" --metrics "$name.jsonl" $recipe \
        "$@"
}

# begin NAME OPTION...: the same, in the background.
begin() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$cats_dogs" train drawings --output "there/$name.cnn" --metrics "$name.jsonl" $recipe "$@" \
        >"$work/out" 2>"$work/err" </dev/null &
    process=$!
}

# await NAME EPOCH: until that epoch has ended.
await() {
    waited=0
    until grep -q "\"event\":\"epoch\",\"epoch\":$2," "$1.jsonl" 2>/dev/null; do
        [ $waited -lt 6000 ] || { fail "epoch $2 of $1 did not end"; return; }
        sleep 0.01
        waited=$((waited + 1))
    done
}

# end STATUS: of what was begun.
end() {
    found=0
    wait $process || found=$?
    [ $found -eq "$1" ] || fail "found exit status $found, wanted $1"
}

expect_same() {
    cmp "$1" "$2" >"$work/cmp" 2>&1 || fail "$(cat "$work/cmp")"
}

mkdir there
train whole --checkpoint whole.ckpt --report whole.html
best=$(sed -n 's/^best model: epoch \([0-9]*\),.*/\1/p' "$work/out")
[ "$best" -gt 1 ] && [ "$best" -le 4 ] ||
    fail "the best epoch is $best, must be one of those of the folder's absence"
tail -n 1 "$work/out" >result.txt
expect_result() { tail -n 1 "$work/out" | cmp -s - "$1" || fail "another result than in $1"; }

# ---- The model's folder is away ----

begin back --checkpoint back.ckpt
await back 1
mv there away
await back 4
mv away there
end 0
expect_errors 1 '^cats-dogs: warning: .*there/back.cnn.*; tried again after each epoch$'
expect_output '^best model: epoch '"$best"','
expect_result result.txt
expect_same there/whole.cnn there/back.cnn

begin late --checkpoint late.ckpt
await late 1
mv there away
end 2
grep -q '^cats-dogs: .*there/late.cnn' "$work/err" || fail 'nothing is said about the model'
mv away there
run 0 "$cats_dogs" train --resume late.ckpt
expect_result result.txt
expect_same there/whole.cnn there/late.cnn

begin killed --checkpoint killed.ckpt --checkpoint-minutes 0.001
await killed 1
mv there away
await killed 4
kill -KILL $process
wait $process 2>"$work/none"
mv away there
rm -f there/.libcnn-* .libcnn-*
run 0 "$cats_dogs" train --resume killed.ckpt
expect_result result.txt
expect_same there/whole.cnn there/killed.cnn

# ---- No room for checkpoints ----

begin full --checkpoint full.ckpt
await full 2
kill -INT $process
end 0
expect_output '^interrupted; to go on: cats-dogs train --resume full.ckpt$'
cp full.ckpt before.ckpt
model=$(wc -c <there/full.cnn)
[ "$(wc -c <full.ckpt)" -gt $((2 * model)) ] || fail 'a checkpoint is little more than its model'
limited() { (trap '' XFSZ && ulimit -f $((model / 512 + 64)) && "$@"); }
run 0 limited "$cats_dogs" train --resume full.ckpt
grep -q '^cats-dogs: .*a checkpoint was not written: ' "$work/err" ||
    fail 'nothing is said about a checkpoint that was not written'
expect_same before.ckpt full.ckpt
expect_same there/whole.cnn there/full.cnn
run 0 "$cats_dogs" train --resume full.ckpt
expect_result result.txt
expect_same there/whole.cnn there/full.cnn

# ---- What is told of a training that was resumed ----

begin told --checkpoint told.ckpt --report told.html
await told 3
kill -INT $process
end 0
run 0 "$cats_dogs" train --resume told.ckpt --report told.html --metrics told.jsonl
for again in '' again; do # the second time there is nothing left to do
    [ -z "$again" ] || run 0 "$cats_dogs" train --resume told.ckpt --report told.html
    [ "$(grep -c '<title>epoch ' told.html)" -eq "$(grep -c '<title>epoch ' whole.html)" ] ||
        fail "epochs are missing in the page of a resumed training $again"
    grep -q -e '--output there/told.cnn .*--seed 11' told.html ||
        fail "the page of a resumed training has another command $again"
done
grep -o '"event":"start".*"first_step":[0-9]*' told.jsonl | sed 's/.*://' | tr '\n' ' ' >starts.txt
grep -q -E '^1 [0-9]{2} 57 $' starts.txt || fail "the first steps are $(cat starts.txt)"

# ---- Ended by --patience ----

train patient --checkpoint patient.ckpt --epochs 60 --learning-rate 0.00001 --patience 2
[ "$(grep -c '"event":"epoch"' patient.jsonl)" -lt 60 ] || fail 'patience did not end it'
tail -n 1 "$work/out" >patient.txt
run 0 "$cats_dogs" train --resume patient.ckpt
expect_output '^resumed +patient.ckpt is finished'
expect_result patient.txt
train patient --checkpoint patient.ckpt --epochs 1
finish
