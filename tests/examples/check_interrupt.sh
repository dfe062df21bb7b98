#!/bin/sh
# SPDX-License-Identifier: MIT
# Ctrl-C, at every time that it may come: what is saved, what is said, what is left behind.
set -u
. "$(dirname "$0")/common.sh"

# wait_for CONDITION...: until the command succeeds, 30 seconds at most.
wait_for() {
    waited=0
    while ! "$@" && [ "$waited" -lt 600 ]; do
        sleep 0.05
        waited=$((waited + 1))
    done
}

printed() { grep -q -E "$1" "$work/out"; }
is_drawing() { [ -n "$(ls -A "$work/tmp")" ]; }

# interrupt SIGNALS CONDITION COMMAND...: starts it, sends the signals one after the other once
# the condition, as in 'printed PATTERN', holds, and expects the exit status in $wanted.
interrupt() {
    signals=$1 condition=$2
    shift 2
    : >"$work/out"
    "$@" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
    wait_for eval "$condition"
    for signal in $signals; do
        kill -"$signal" "$process"
        sleep 0.2
    done
    found=0
    wait "$process" || found=$?
    [ "$found" -eq "$wanted" ] || fail "$signals: found exit status $found, wanted $wanted"
}

drawings=$work/drawings
run 0 "$cats_dogs" draw "$drawings" --count 120

# Between epochs the best model is there.
for signal in INT TERM; do
    wanted=0
    interrupt $signal "printed '^epoch +1/'" "$cats_dogs" train "$drawings" \
        --output "$work/best.cnn" --network classic --size 24 --epochs 1000000 \
        --report "$work/best.html"
    expect_last "^interrupted; best model: epoch [0-9]+, .* saved in $work/best.cnn\$"
    expect_no_errors
    run 0 "$cats_dogs" evaluate "$work/best.cnn" "$drawings"
    grep -q 'The training was interrupted\.' "$work/best.html" || fail "no report of what there is"
    rm "$work/best.cnn" "$work/best.html"
done

# While it is still drawing: nothing to save, nothing left behind.
wanted=2
interrupt INT is_drawing "$cats_dogs" train --output "$work/models/none.cnn"
expect_errors 1 '^cats-dogs: interrupted; the drawings were removed$'
expect_no_leftovers

# The rest needs a slow computer: a step of a second or more, of which a few pictures are an epoch,
# and as long a test at the end.
export CNN_CPU=generic
mkdir "$work/slow"
mv "$drawings/train" "$work/slow/test"
mv "$drawings/test" "$work/slow/train"
slow_train() { exec "$cats_dogs" train "$@" --size 64 --threads 1 --epochs 1; }

wanted=2
interrupt INT "printed '^  total'" slow_train "$work/slow" --output "$work/models/none.cnn"
expect_errors 1 '^cats-dogs: interrupted before the first epoch ended; nothing was saved$'
expect_no_leftovers

wanted=0
interrupt INT "printed '^best model'" slow_train "$work/slow" --output "$work/best.cnn"
expect_last "^interrupted; best model: epoch 1, .* saved in $work/best.cnn\$"
expect_no_errors

# A second one ends it at once, with its own drawings removed nevertheless.
wanted=130
interrupt 'INT INT' "printed '^  total'" slow_train --output "$work/models/none.cnn" --batch 64
expect_no_errors
expect_no_leftovers
finish
