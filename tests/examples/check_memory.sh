#!/bin/sh
# SPDX-License-Identifier: MIT
# Without memory a report is written completely or not at all, and a folder is checked completely or
# not at all; either way with one line that says so.  The second argument is fail_malloc.so, which
# makes one allocation fail, each time another one.
set -u
. "$(dirname "$0")/common.sh"
preload=$2

data=$work/data
model=$work/model.cnn
page=$work/models/page.html
run 0 "$cats_dogs" draw "$data" --count 12 --seed 5
run 0 "$cats_dogs" train "$data" --network classic --size 24 --epochs 1 --output "$model" --quiet

# failing N COMMAND...: the Nth allocation of the command fails; `found` becomes its exit status.
failing() {
    number=$1
    shift
    found=0
    FAIL_MALLOC=$number LD_PRELOAD=$preload "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
}

# count COMMAND...: how many allocations it makes.
count() { FAIL_MALLOC_COUNT=3 LD_PRELOAD=$preload "$@" 3>&1 >/dev/null 2>"$work/err" </dev/null; }

# Times differ from page to page, everything else does not.
without_numbers() { sed 's/[0-9.]\{1,\}//g' "$1"; }

expect_told() {
    [ "$found" -eq 2 ] || fail "allocation $number: found exit status $found, wanted 2"
    expect_errors 1 '^cats-dogs: '
}

# ---- report ----

run 0 "$cats_dogs" report "$model" "$data" --output "$page"
without_numbers "$page" >"$work/whole"
total=$(count "$cats_dogs" report "$model" "$data" --output "$page")
[ "$total" -ge 500 ] || fail "found $total allocations, wanted those of a report"
rm "$page"
survived=0
for n in $(seq 1 7 "$total"); do
    failing "$n" "$cats_dogs" report "$model" "$data" --output "$page"
    if [ -e "$page" ]; then
        [ "$found" -eq 0 ] || fail "allocation $n: a page beside the exit status $found"
        without_numbers "$page" | cmp -s - "$work/whole" ||
            fail "allocation $n: a page that is not complete"
        survived=$((survived + 1))
        rm "$page"
    else
        expect_told
    fi
done
[ $((survived * 14)) -lt "$total" ] || fail "most allocations are not missed"
expect_no_leftovers

# ---- check ----

run 1 "$cats_dogs" check "$data" # the classes are small
mv "$work/out" "$work/whole"
total=$(count "$cats_dogs" check "$data")
[ "$total" -ge 100 ] || fail "found $total allocations, wanted those of a check"
for n in $(seq 1 3 "$total"); do
    failing "$n" "$cats_dogs" check "$data"
    if [ "$found" -eq 1 ]; then
        cmp -s "$work/out" "$work/whole" || fail "allocation $n: not the whole of it"
    else
        expect_told
        [ ! -s "$work/out" ] || fail "allocation $n: some of it"
    fi
done
finish
