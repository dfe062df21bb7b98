#!/bin/sh
# SPDX-License-Identifier: MIT
# What examples/quickstart.sh trains without DATA keeps its promise: at least 95 % of the drawings
# that it was not trained on.
set -u
. "$(dirname "$0")/common.sh"
source=$2

drawing_options=
eval "$(grep '^drawing_options=' "$source/examples/quickstart.sh")"
[ -n "$drawing_options" ] || fail "quickstart.sh does not say how it trains"

# shellcheck disable=SC2086 # several options
run 0 "$cats_dogs" train $drawing_options --output "$work/model.cnn" --quiet
expect_no_errors
expect_last '^accuracy (0\.9[5-9]|1\.0)[0-9]* \([0-9]+/400\)$'
finish
