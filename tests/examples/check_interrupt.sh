#!/bin/sh
# SPDX-License-Identifier: MIT
# Ctrl-C ends a training cleanly, with the best model saved.
set -u
. "$(dirname "$0")/common.sh"

# interrupt_when PATTERN COMMAND...: starts it, sends SIGINT once its output matches (or at once when
# the temporary folder fills, for PATTERN ""), and leaves its exit status in `found`.
interrupt_when() {
    pattern=$1
    shift
    : >"$work/out"
    "$@" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
    waited=0
    while ! { [ -n "$pattern" ] && grep -q -E "$pattern" "$work/out"; } &&
        ! { [ -z "$pattern" ] && [ -n "$(ls -A "$work/tmp")" ]; } && [ "$waited" -lt 600 ]; do
        sleep 0.05
        waited=$((waited + 1))
    done
    kill -INT "$process"
    found=0
    wait "$process" || found=$?
}

drawings=$work/drawings
run 0 "$cats_dogs" draw "$drawings" --count 120

interrupt_when '^epoch +1/' "$cats_dogs" train "$drawings" --output "$work/best.cnn" \
    --network classic --size 24 --epochs 1000000
[ "$found" -eq 0 ] || fail "found exit status $found, wanted 0"
expect_last "^interrupted; best model: epoch [0-9]+, .* saved in $work/best.cnn\$"
run 0 "$cats_dogs" evaluate "$work/best.cnn" "$drawings"

# While it is still drawing: nothing to save, nothing left behind.
interrupt_when '' "$cats_dogs" train --output "$work/models/none.cnn"
[ "$found" -eq 2 ] || fail "found exit status $found, wanted 2"
expect_errors 1 '^cats-dogs: interrupted'
expect_no_leftovers
finish
