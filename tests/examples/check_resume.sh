#!/bin/sh
# SPDX-License-Identifier: MIT
# check_resume.sh PROGRAMS [KILLS]: trainings that are killed at random moments, again and again,
# and resumed, end with exactly the bits of one that ran through.  20 kills by default, and a fifth
# of that with all that a training can have; a long run:
#   sh tests/examples/check_resume.sh "$PWD/build/release/examples" 200
set -u
kills=${2:-20}
. "$(dirname "$0")/common.sh"

run 0 "$cats_dogs" draw "$work/drawings" --count 120 --seed 4

# train FOLDER OPTION... and resume FOLDER OPTION...: into best.cnn and saved.ckpt of the folder.
# To be run in a shell of its own, which becomes the program.
epochs=6
recipe="--network classic --size 40 --batch 8 --epochs $epochs --seed 11 --report page.html"
train() {
    cd "$1" && shift
    # shellcheck disable=SC2086 # the recipe is many words
    exec "$cats_dogs" train ../drawings --output best.cnn $recipe "$@"
}
resume() {
    cd "$1" && shift
    exec "$cats_dogs" train --resume saved.ckpt "$@"
}
often='--checkpoint-minutes 0.0001' # after nearly each step

# The bits that all others must end with, how long they take, and what is said at last.
train_whole() {
    rm -rf "$work/whole"
    mkdir "$work/whole"
    started=$(date +%s%N)
    # shellcheck disable=SC2086
    (train "$work/whole" --checkpoint saved.ckpt $often --threads 1) >"$work/said" 2>"$work/err" ||
        fail 'a training failed'
    took=$(($(date +%s%N) - started))
    cp "$work/said" "$work/out"
}

mkdir "$work/plain" "$work/halfway"
train_whole
(train "$work/plain" --threads 2) >"$work/out" 2>"$work/err" || fail 'a training failed'
cmp "$work/whole/best.cnn" "$work/plain/best.cnn" >"$work/err" || fail 'checkpoints change a model'

seed=$(date +%s)
echo "seed $seed"

# Waits for up to 0.4 of the time that a whole training takes.
wait_a_moment() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    sleep "$(awk -v took="$took" -v seed="$seed" \
        'BEGIN { printf "%.4f", 0.4e-9 * took * seed / 2147483648 }')"
}

# Begins or goes on with the training in $work/killed, and kills it unless it has ended before.
run_and_kill() {
    threads=$((killed % 2 + 1))
    # shellcheck disable=SC2086
    if [ -f "$work/killed/saved.ckpt" ]; then
        resume "$work/killed" $often --threads $threads
    else
        train "$work/killed" --checkpoint saved.ckpt $often --threads $threads
    fi >"$work/out" 2>"$work/err" </dev/null &
    process=$!
    wait_a_moment
    kill -KILL $process 2>"$work/none" # which may have ended
    found=0
    wait $process 2>"$work/none" || found=$?
    if grep -q '^resumed .* in epoch' "$work/out"; then
        resumed=$((resumed + 1))
    fi
    # What a kill leaves of a file that was being written.
    torn=$((torn + $(find "$work/killed" -name '.libcnn-*' | wc -l)))
    find "$work/killed" -name '.libcnn-*' -exec rm {} +
}

# curves FOLDER: what is drawn of the epochs, up to the chart of times.
curves() {
    sed -n '/<section id="training"/,/aria-label="Time of an epoch"/p' "$1/page.html"
}

# expect_same_page: all epochs are in it, and the command that the training began with.
expect_same_page() {
    curves "$work/whole" >"$work/wanted"
    [ "$(grep -c '<title>epoch [0-9]*: ' "$work/wanted")" -eq $((2 * epochs)) ] ||
        fail 'wanted all epochs twice'
    curves "$work/killed" | cmp "$work/wanted" - >"$work/err" ||
        fail "other curves, after $killed kills"
    grep -q "<code>.* --epochs $epochs --seed 11 " "$work/killed/page.html" ||
        fail 'another command'
}

# state FILE: a checkpoint without what is not of the training itself: how long epochs took and the
# first command, with its --threads, which are the note's second and third line, and the checksum
# and length of the header that these are in.
state() {
    header=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$header" | LC_ALL=C sed -E -e 's/ *$//' \
        -e 's/"cnn.header_crc32c":"[0-9a-f]*"//' \
        -e 's/(cats-dogs [0-9] [^\\]*\\+u000a)[^\\]*\\+u000a[^\\]*/\1/'
    tail -c +$((header + 9)) "$1"
}

expect_same() {
    expect_same_page
    cmp "$work/whole/best.cnn" "$work/killed/best.cnn" >"$work/err" ||
        fail "the model differs, after $killed kills"
    state "$work/whole/saved.ckpt" >"$work/wanted"
    state "$work/killed/saved.ckpt" | cmp "$work/wanted" - >"$work/err" ||
        fail "the checkpoint differs, after $killed kills"
}

# kill_trainings KILLS: whole trainings, until there were so many.
kill_trainings() {
    killed=0 resumed=0 torn=0 trainings=0
    while [ "$killed" -lt "$1" ] && [ $failures -eq 0 ]; do
        rm -rf "$work/killed"
        mkdir "$work/killed"
        found=137
        while run_and_kill && [ $found -eq 137 ]; do
            killed=$((killed + 1))
        done
        trainings=$((trainings + 1))
        [ $found -eq 0 ] || fail "found exit status $found, wanted 0"
        expect_same
        tail -n 5 "$work/said" >"$work/last"
        tail -n 5 "$work/out" | cmp - "$work/last" >"$work/err" || fail 'another result was printed'
    done
    echo "$trainings trainings, $killed kills, of which $torn left half a file;" \
        "$resumed times resumed"
    [ "$resumed" -ge $((killed / 4)) ] || fail 'too few kills came after a checkpoint'
}
kill_trainings "$kills"

# A finished training says so, and its result.
(resume "$work/killed") >"$work/out" 2>"$work/err" || fail 'a finished training was not resumed'
expect_output '^resumed +saved.ckpt is finished: all 6 epochs are done$'
tail -n 5 "$work/out" | cmp - "$work/last" >"$work/err" || fail 'another result was printed'
expect_same_page

# ---- All that a training can have ----

epochs=3
recipe="--network resnet --size 16 --batch 16 --epochs $epochs --seed 11 --report page.html
    --optimizer sgd --ema 0.9 --schedule one-cycle --accumulate 2 --mixup 0.2 --cutmix 1
    --erase 0.5 --rotation 10 --translation 0.1 --zoom 0.1 --shear 5 --color 0.2 --saturation 0.3
    --hue 20 --class-weights balanced --patience 50 --flip-average"
train_whole
kill_trainings $((kills / 5))

# ---- Interrupted, and without a place for checkpoints ----

cd "$work/halfway" || exit 1

# Begins a training of more epochs than anybody waits for, and waits for its first checkpoint.
begin() {
    "$cats_dogs" train ../drawings --output best.cnn --network classic --size 24 --seed 11 \
        --epochs 100000 --checkpoint "$1" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
    waited=0
    while [ ! -f "$1" ] && [ $waited -lt 600 ]; do
        sleep 0.05
        waited=$((waited + 1))
    done
}

mkdir gone
begin gone/saved.ckpt
mv gone ../away # in one step: it may be written to at this moment
sleep 0.3
kill -INT $process
wait $process || fail 'a training whose checkpoints cannot be written is an error'
grep -q '^cats-dogs: .*a checkpoint was not written: .*gone/saved.ckpt' "$work/err" ||
    fail 'nothing is said about a checkpoint that was not written'
expect_last '^interrupted; best model: epoch [0-9]+, '

begin saved.ckpt
kill -INT $process
wait $process || fail 'an interrupted training with a checkpoint is an error'
expect_no_errors
expect_output '^interrupted; to go on: cats-dogs train --resume saved.ckpt$'

# ---- Refused: resuming what does not fit, and replacing what is good ----

cp saved.ckpt best.cnn "$work/plain"
cp -r ../drawings ../fewer
rm "../fewer/train/cats/$(ls ../fewer/train/cats | head -n 1)"
run 0 "$cats_dogs" draw ../others --count 120 --seed 5 # of the same names
head -c 5000 saved.ckpt >cut.ckpt
refuse '--size 48: the training in saved.ckpt has 24' \
    "$cats_dogs" train --resume saved.ckpt --size 48
refuse '--seed 1: the training in saved.ckpt has 11' "$cats_dogs" train --resume saved.ckpt --seed 1
refuse '--output x.cnn: the training in saved.ckpt has best.cnn' \
    "$cats_dogs" train --resume saved.ckpt --output x.cnn
refuse '"saved.ckpt": is of another training: loader.dataset.samples is 108 in it, 107 here' \
    "$cats_dogs" train ../fewer --resume saved.ckpt --quiet
refuse 'is of another training: loader.dataset.fingerprint is [0-9]+ in it, [0-9]+ here' \
    "$cats_dogs" train ../others --resume saved.ckpt --quiet
refuse '"best.cnn": is a model file, but no checkpoint' "$cats_dogs" train --resume best.cnn
refuse '"none.ckpt": No such file' "$cats_dogs" train --resume none.ckpt
refuse '"cut.ckpt": .*cut short' "$cats_dogs" train --resume cut.ckpt
refuse 'found a training that has not finished; wanted --resume' \
    "$cats_dogs" train ../drawings --checkpoint saved.ckpt
refuse '--checkpoint none/x.ckpt: No such file' \
    "$cats_dogs" train ../drawings --checkpoint none/x.ckpt --output "$work/models/x.cnn"
refuse '--checkpoint-minutes 0: wanted' "$cats_dogs" train --checkpoint-minutes 0
for file in saved.ckpt best.cnn; do
    cmp $file "$work/plain/$file" >"$work/err" || fail "$file has changed"
done
finish
