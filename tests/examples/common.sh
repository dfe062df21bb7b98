# SPDX-License-Identifier: MIT
# What the scripts of this folder share: running a command, and saying what was wrong with it.
# Each script sources this file with the folder of the built examples as $1, and ends with `finish`.

programs=$1
cats_dogs=$programs/cats-dogs # shellcheck disable=SC2034 # used by the scripts
failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Programs that leave something in the temporary folder are found out by expect_no_leftovers.
mkdir "$work/tmp" "$work/models"
export TMPDIR="$work/tmp"

# Before a command: what is protected against writing or reading shall be so for root, too.
unprivileged=
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    unprivileged='setpriv --bounding-set -dac_override,-dac_read_search'
fi

# fail TEXT: notes a failure, with what the latest command printed.
fail() {
    failures=$((failures + 1))
    printf 'FAILED: %s\n' "$*"
    printf '%s\n' "--- standard output" && tail -n 20 "$work/out"
    printf '%s\n' "--- standard error" && tail -n 20 "$work/err"
    printf '%s\n' ---
}

# run STATUS COMMAND...: runs it and expects this exit status.
run() {
    wanted=$1
    shift
    found=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
    [ "$found" -eq "$wanted" ] || fail "$*: found exit status $found, wanted $wanted"
}

# expect_output PATTERN...: each extended regular expression matches a line of standard output.
expect_output() {
    for pattern in "$@"; do
        grep -q -E -e "$pattern" "$work/out" || fail "no line of the output matches: $pattern"
    done
}

# expect_last PATTERN: the last line of standard output matches.
expect_last() {
    tail -n 1 "$work/out" | grep -q -E -e "$1" || fail "the last line does not match: $1"
}

# expect_errors COUNT PATTERN: so many lines on standard error, and one of them matches.
expect_errors() {
    lines=$(wc -l <"$work/err")
    [ "$lines" -eq "$1" ] || fail "found $lines lines on standard error, wanted $1"
    grep -q -E -e "$2" "$work/err" || fail "no line on standard error matches: $2"
}

expect_no_errors() {
    [ ! -s "$work/err" ] || fail "wanted nothing on standard error"
}

# refuse PATTERN COMMAND...: exit status 2, one line that matches, and nothing left behind.
refuse() {
    pattern=$1
    shift
    run 2 "$@"
    expect_errors 1 "^cats-dogs: .*$pattern"
    expect_no_leftovers
}

# No temporary files, and no models, complete or not.
expect_no_leftovers() {
    leftovers=$(find "$work/tmp" "$work/models" -mindepth 1)
    [ -z "$leftovers" ] || fail "left behind: $leftovers"
}

finish() {
    [ "$failures" -eq 0 ] || { printf '%s failures\n' "$failures"; exit 1; }
    printf 'all as expected\n'
    exit 0
}
