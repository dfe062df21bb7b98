#!/bin/sh
# SPDX-License-Identifier: MIT
# check_parent.sh SOURCE_DIR CC: a project that includes libcnn's tree compiles its own files
# without any of libcnn's flags.
set -eu
source=$1 cc=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake -S "$source/tests/consumer/parent" -B "$folder" -DCNN_SOURCE="$source" \
    -DCMAKE_C_COMPILER="$cc" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
command=$(grep -E '"command".*parent\.c' "$folder/compile_commands.json")
flags=$(echo "$command" | grep -oE ' -[WfmDO][^ ]*' || true)
[ -z "$flags" ] || { echo "libcnn's flags reach its parent:$flags"; exit 1; }
echo 'no flag reaches the parent'
