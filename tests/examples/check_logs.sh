#!/bin/sh
# SPDX-License-Identifier: MIT
# cats-dogs train --metrics and --tensorboard: what is in the files, and what happens when they
# cannot be written.  check_logs.sh PROGRAMS READ_EVENTS.  tests/python/check_tensorboard.py reads
# them with other people's programs.
set -u
. "$(dirname "$0")/common.sh"

read_events=$2
drawings=$work/drawings
record=$work/lines.jsonl
board=$work/runs/first

train() { # OPTION...: 40 pictures in batches of 16: three steps an epoch
    "$cats_dogs" train "$drawings" --output "$work/models/a.cnn" --network classic --size 16 \
        --batch 16 --epochs 2 --quiet "$@"
}

run 0 "$cats_dogs" draw "$drawings" --count 44

# expect_line PATTERN: a line of the file of metrics matches as a whole.
expect_line() {
    grep -q -E -x -e "$1" "$record" || { cp "$record" "$work/out"; fail "no line matches: $1"; }
}

# count_lines EVENT NUMBER: so many lines are of this event.
count_lines() {
    [ "$(grep -c "^{\"event\":\"$1\"," "$record")" -eq "$2" ] || fail "wanted $2 lines of $1"
}

# ---- Lines of JSON ----

number='-?[0-9][0-9.e+-]*'
share='[01](\.[0-9]+)?'
run 0 train --metrics "$record" --seed 3
expect_no_errors
expect_line '\{"event":"start","time":"20[0-9-]{8}T[0-9:]{8}Z","command":".*/cats-dogs train .*'\
' --seed 3","first_step":1,"version":"[0-9.]+","seed":3,"network":"classic","size":16,'\
'"epochs":2,"batch":16,'\
'"learning_rate":'"$number"',"classes":\["cats","dogs"\],"training_samples":40,'\
'"validation_samples":4,"test_samples":8,"threads":[0-9]+,"cpu":"[a-z0-9]+"\}'
expect_line '\{"event":"step","epoch":1,"step":1,"global_step":1,"samples":16,'\
'"loss":'"$number"',"accuracy":'"$share"',"learning_rate":'"$number"',"seconds":'"$number"'\}'
expect_line '\{"event":"step","epoch":2,"step":3,"global_step":6,"samples":8,.*\}'
expect_line '\{"event":"epoch","epoch":2,"global_step":6,"samples":40,"loss":'"$number"','\
'"accuracy":'"$share"',"validation_loss":'"$number"',"validation_accuracy":'"$share"','\
'"learning_rate":'"$number"',"seconds":'"$number"',"best":(true|false)\}'
expect_line '\{"event":"end","time":"[^"]+","best_epoch":[12],"validation_loss":'"$number"','\
'"validation_accuracy":'"$share"',"test_accuracy":'"$share"',"interrupted":false\}'
[ "$(wc -l <"$record")" -eq 10 ] || fail "wanted ten lines of metrics"
count_lines step 6
count_lines epoch 2

# The mean over the steps of an epoch, each by its samples, is that of the epoch.
awk -F'[:,]' '/"step"/ { sum += $12 * $10; right += $14 * $10; samples += $10 }
    /"epoch","epoch"/ {
        if (($10 - sum / samples) ^ 2 > 1e-12 || ($12 - right / samples) ^ 2 > 1e-12)
            exit 1
        sum = right = samples = 0
    }' "$record" || fail "the steps' losses and accuracies do not add up to the epoch's"

# A second run adds to the file, behind a line that something had cut short.
printf '{"event":"st' >>"$record"
run 0 train --metrics "$record" --seed 4
[ "$(wc -l <"$record")" -eq 21 ] || fail "wanted 21 lines of metrics"
count_lines start 2
expect_line '\{"event":"st'

# Whatever the command line has in it.
odd=$work/models/$(printf 'a "b"\\\t\377\303\244\340\200\200.cnn')
rm "$record"
run 0 train --metrics "$record" --output "$odd"
grep -q -F '/a \"b\"\\\u0009\ufffdä\ufffd\ufffd\ufffd.cnn'"'" "$record" || {
    cp "$record" "$work/out"
    fail "bytes that are no text, or quotes, stand in the file as they are"
}
rm "$odd" "$work/models/a.cnn"

# A training that diverges: numbers that are none are null.  Its model is of no use, which the test
# finds out.
rm "$record"
refuse 'outputs\[0\]\[0\] is NaN, must be finite$' "$cats_dogs" train "$drawings" --output \
    "$work/nan.cnn" --network classic --size 32 --batch 4 --epochs 6 --learning-rate 999 \
    --quiet --metrics "$record"
expect_line '\{"event":"step",.*"loss":[0-9].*\}'
expect_line '\{"event":"step",.*"loss":null.*\}'
expect_line '\{"event":"epoch",.*"validation_loss":null.*\}'
if grep -q -i -E ':-?(nan|inf)' "$record"; then
    fail "NaN or an infinity in a file of JSON"
fi

# begin_long PATTERN: starts a training that nobody can wait for, and waits for a line of it.
begin_long() {
    rm -f "$record"
    "$cats_dogs" train "$drawings" --output "$work/long.cnn" --network classic --size 16 \
        --batch 4 --epochs 100000 --quiet --metrics "$record" >"$work/out" 2>"$work/err" &
    process=$!
    for _ in $(seq 400); do
        grep -q -E -e "$1" "$record" 2>/dev/null && return
        sleep 0.05
    done
    fail "no line while a training runs: $1"
}

# Each line is in the file at once: a training that is killed leaves whole lines.
begin_long '"step":3,'
kill -9 "$process"
wait "$process" 2>/dev/null
[ "$(tail -c 2 "$record")" = '}' ] || fail "a line that is not whole"

# One that is interrupted has an end.
begin_long '"event":"epoch"'
kill -INT "$process"
wait "$process" || fail "an interrupted training failed"
expect_line '\{"event":"end",.*"test_accuracy":null,"interrupted":true\}'

# ---- Event files ----

# read_board FOLDER: its one event file, as lines "step tag value" in $work/out.
read_board() {
    [ "$(find "$1" -type f | wc -l)" -eq 1 ] || fail "wanted one file in $1"
    run 0 "$read_events" "$(find "$1" -type f -name 'events.out.tfevents.*')"
}

rm -f "$record"
run 0 train --tensorboard "$board" --metrics "$record" --seed 3
expect_no_errors
read_board "$board"
expect_output '^version brain\.Event:2$' '^1 loss/step [0-9]' '^6 accuracy/step [01]' \
    '^6 learning_rate [0-9]' '^3 loss/training [0-9]' '^6 accuracy/training [01]' \
    '^3 loss/validation [0-9]' '^6 accuracy/validation [01]' '^6 accuracy/test [01]'
[ "$(wc -l <"$work/out")" -eq $((1 + 6 * 3 + 2 * 4 + 1)) ] || fail "wanted 28 lines"

# They are the numbers of the other file, as far as float32 holds them.
field() { # NAME: as a pattern, its value in parentheses
    printf '.*"%s":\\([^,]*\\),.*' "$1"
}
grep -v '"event":"end"' "$record" |
    sed -n "s/$(field global_step)$(field loss)\$/\1 \2/p" >"$work/wanted"
awk 'NR == FNR { if ($2 == "loss/step") step[$1] = $3; if ($2 == "loss/training") mean[$1] = $3
        next }
    { near = (step[$1] - $2) ^ 2 < 1e-12 || (mean[$1] - $2) ^ 2 < 1e-12
      if (!near) exit 1; lines++ }
    END { if (lines != 8) exit 1 }' "$work/out" "$work/wanted" ||
    fail "other losses than in the file of metrics"

# Another run has a file of its own.
run 0 train --tensorboard "$board"
[ "$(find "$board" -type f | wc -l)" -eq 2 ] || fail "wanted two event files"

# The reader is not blind.
file=$(find "$board" -type f | head -n 1)
for place in 3 9 30 200; do
    cp "$file" "$work/damaged"
    printf '\377' | dd of="$work/damaged" bs=1 seek=$place conv=notrunc 2>"$work/err"
    "$read_events" "$work/damaged" >"$work/out" 2>"$work/err" && fail "damage at $place passed"
done

# ---- A training that is killed and resumed ----

# latest FILE: the step and epoch lines that count, without the time: later ones win.
latest() {
    grep -E '"event":"(step|epoch)"' "$1" | sed 's/,"seconds":[^,}]*//' |
        awk -F'"global_step":' '{ split($2, n, ","); key = n[1] substr($1, 1, 14); line[key] = $0 }
            END { for (key in line) print line[key] }' | sort
}

# 20 steps an epoch, and a checkpoint after nearly each of them.
long='--network classic --size 64 --batch 2 --epochs 3 --seed 5 --threads 1 --quiet'
long="$long --checkpoint-minutes 0.00001"
# shellcheck disable=SC2086 # many words
run 0 "$cats_dogs" train "$drawings" $long --output "$work/whole.cnn" \
    --metrics "$work/whole.jsonl" --checkpoint "$work/whole.ckpt"
latest "$work/whole.jsonl" >"$work/wanted"
mkdir "$work/killed"
# shellcheck disable=SC2086
"$cats_dogs" train "$drawings" $long --output "$work/killed/a.cnn" --metrics "$work/killed/lines" \
    --tensorboard "$work/killed/runs" --checkpoint "$work/killed/s.ckpt" \
    >"$work/out" 2>"$work/err" &
process=$!
for _ in $(seq 1000); do
    grep -q '"global_step":25,' "$work/killed/lines" 2>/dev/null && break
    sleep 0.02
done
kill -KILL $process
wait $process 2>/dev/null
first_file=$(find "$work/killed/runs" -type f)
sleep 1.1 # their names have the second
run 0 "$cats_dogs" train --resume "$work/killed/s.ckpt" --quiet
record=$work/killed/lines
count_lines start 2
first_step=$(sed -n 's/.*"event":"start".*"first_step":\([0-9]*\),.*/\1/p' "$record" | tail -n 1)
[ "$first_step" -gt 20 ] || fail "resumed at step $first_step, wanted one of the second epoch"
# The first step may have no line.
latest "$record" >"$work/found"
diff "$work/found" "$work/wanted" >"$work/out" 2>"$work/err"
grep -v -E -e "^(> .*\"global_step\":$first_step,.*|[0-9]+a[0-9]+)\$" "$work/out" >"$work/err" &&
    fail "the lines that count differ from those of a training that ran through"

# TensorBoard is told to forget what is done again.
run 0 "$read_events" "$(find "$work/killed/runs" -type f ! -path "$first_file")"
expect_output "^$first_step session 1\$" '^60 accuracy/test [01]'
awk -v first="$first_step" '$2 == "loss/step" && $1 < first { exit 1 }' "$work/out" ||
    fail "steps of before the resume"
run 0 "$read_events" "$first_file"
grep -q session "$work/out" && fail "a new training begins with forgetting"

# Once more there is nothing left to do.
run 0 "$cats_dogs" train --resume "$work/killed/s.ckpt" --quiet
count_lines start 3
grep -q '"event":"start".*"first_step":61,' "$record" || fail 'all 60 steps are done'

# ---- What cannot be written ----

rm -f "$work/models"/*
refuse '--metrics .*/none/lines: No such file or directory, wanted a place to write to$' \
    "$cats_dogs" train "$drawings" --output "$work/models/a.cnn" --metrics "$work/none/lines"
: >"$work/file"
refuse '--tensorboard .*/file/.*: Not a directory, wanted' \
    "$cats_dogs" train "$drawings" --output "$work/models/a.cnn" --tensorboard "$work/file/runs"
if [ -e /dev/full ]; then
    run 0 train --metrics /dev/full
    expect_errors 1 '^cats-dogs: --metrics /dev/full: No space left on device; it is written no '
    expect_last '^accuracy '
fi
# A limit on the size of files stands for a full disk: the model, smaller, still is saved.
(
    ulimit -f 800 # of 512 bytes
    trap '' XFSZ
    printf '{"event":"filler"}\n%409400s\n' '' >"$work/large"
    train --metrics "$work/large" --tensorboard "$work/more" >"$work/out" 2>"$work/err"
) || fail "a full disk ended the training"
expect_errors 1 '--metrics .*/large: File too large; it is written no further$'
finish
