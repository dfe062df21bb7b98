#!/bin/sh
# SPDX-License-Identifier: MIT
# The small examples run and print what examples/README.md says.
set -u
. "$(dirname "$0")/common.sh"

run 0 "$programs/01_tensor"
expect_output '^relu\(input\), 2 x 3:' '^   0\.0   0\.0   0\.0$' '^   1\.0   2\.0   3\.0$' \
    '^6 elements as 4 x 2\? CNN_ERROR_SHAPE$' '^the library has let go of the array$'

run 0 "$programs/02_xor"
awk '/^`02_xor` prints$/ { found = 1 }
    found && /^```/ { fences++; next }
    fences == 1' "$(dirname "$0")/../../examples/README.md" >"$work/promised"
[ -s "$work/promised" ] || fail "examples/README.md does not say what 02_xor prints"
diff "$work/promised" "$work/out" || fail "02_xor prints other lines than examples/README.md"

run 0 "$programs/03_shapes"
expect_output '^epoch 8 ' '^a circle: the network sees a circle ' \
    '^a square: the network sees a square ' '^a triangle: the network sees a triangle '

# About 80 lines without comments, of a folder, and the model is one that cats-dogs takes.
run 0 "$cats_dogs" draw "$work/drawings" --count 60
run 0 "$programs/04_folder" "$work/drawings" "$work/models/folder.cnn"
expect_output '^epoch 20 .* validation accuracy [01]\.[0-9]+$'
run 0 "$cats_dogs" evaluate "$work/models/folder.cnn" "$work/drawings/train"
expect_last '^accuracy (0\.[6-9]|1)[0-9.]* \([0-9]+/60\)$'
run 1 "$programs/04_folder" "$work/missing" "$work/models/none.cnn"
expect_errors 1 '^CNN_ERROR_NOT_FOUND: .*/missing": No such file'
[ ! -e "$work/models/none.cnn" ] || fail "a model of no pictures"

# What happens with weights is in check_fine_tune.sh.
set -- "$programs/05_fine_tune" "$work/drawings"
run 1 "$@" "$work/models/none.cnn" 32 "$work/missing.safetensors"
expect_errors 1 '^CNN_ERROR_NOT_FOUND: .*/missing.safetensors": No such file'
run 1 "$@" "$work/models/none.cnn" 32 "$work/models/folder.cnn"
expect_errors 1 '^CNN_ERROR_NOT_FOUND: cnn_model_load_weights: .*conv1\.weight'
run 1 "$@" "$work/models/none.cnn" 0
expect_errors 1 '^CNN_ERROR_'
run 1 "$@"
expect_errors 1 '^wanted: 05_fine_tune DATA MODEL SIZE \[WEIGHTS\]$'
[ ! -e "$work/models/none.cnn" ] || fail "a model of no weights"
finish
