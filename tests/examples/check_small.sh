#!/bin/sh
# SPDX-License-Identifier: MIT
# The small examples run and print what examples/README.md says.
set -u
. "$(dirname "$0")/common.sh"

run 0 "$programs/01_tensor"
expect_output '^relu\(input\), 2 x 3:' '^   0\.0   0\.0   0\.0$' '^   1\.0   2\.0   3\.0$' \
    '^6 elements as 4 x 2\? CNN_ERROR_SHAPE$' '^the library has let go of the array$'

run 0 "$programs/02_xor"
expect_output '^0 xor 0 = 0 ' '^0 xor 1 = 1 ' '^1 xor 0 = 1 ' '^1 xor 1 = 0 '

run 0 "$programs/03_shapes"
expect_output '^epoch 8 ' '^a circle: the network sees a circle ' \
    '^a square: the network sees a square ' '^a triangle: the network sees a triangle '
finish
