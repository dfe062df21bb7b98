#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh checkout to a trained network: installs what is missing (Debian and Ubuntu), builds,
# trains, and predicts a few pictures.
#
#   sh examples/quickstart.sh [DATA [OPTION...]]
#
# DATA is a folder of pictures as "cats-dogs --help" describes; without it, cats and dogs are drawn.
# OPTIONs go to "cats-dogs train".
set -eu

# DATA is found from where the user is, all the rest from the top of the checkout.
data=
if [ $# -gt 0 ]; then
    case $1 in
    /*) data=$1 ;;
    *) data=$PWD/$1 ;;
    esac
    shift
fi
cd "$(dirname "$0")/.."
build=build/quickstart
program=$build/examples/cats-dogs
model=$build/cats-dogs.cnn

# How drawings are trained on; tests/examples/check_quickstart.sh takes it from this line.
drawing_options='--network classic'

say() { printf '\n== %s\n' "$*"; }

# Succeeds if the compiler finds the header $1.
has_header() { printf '#include <stdio.h>\n#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1; }

# Prints the Debian packages of what is missing.
missing_packages() {
    command -v cmake >/dev/null || echo cmake
    command -v make >/dev/null || echo make
    command -v cc >/dev/null || echo gcc libc6-dev
    has_header stdlib.h || echo libc6-dev
    has_header jpeglib.h || echo libjpeg-dev
    has_header png.h || echo libpng-dev
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "missing: $*; please install what your system calls these Debian packages" >&2
        exit 2
    fi
    say "Installing $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends "$@" >"$build/install.log" 2>&1 ||
        { cat "$build/install.log" >&2; exit 2; }
}

build_program() {
    say "Building libcnn and its examples in $build"
    { cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DCNN_BUILD_TESTS=OFF &&
        cmake --build "$build" -j "$(nproc)" --target cats-dogs; } >"$build/build.log" 2>&1 ||
        { tail -n 30 "$build/build.log" >&2; exit 2; }
}

# Prints a few pictures of the folder $1: the first ones of each class of its test folder, which
# some archives have twice.
some_pictures() {
    for class in "$1"/test/*/ "$1"/test/test/*/ "$1"/test_set/*/ "$1"/test_set/test_set/*/ \
        "$1"/*/; do
        find "$class" -maxdepth 1 -type f 2>/dev/null | grep -i -E '\.(jpe?g|png)$' |
            sort | head -n 3
    done | head -n 6
}

# Predicts the pictures on standard input.  Exit status 1 says that some could not be read, which
# the program has told and which is no reason to stop.
predict() {
    tr '\n' '\0' | xargs -0 -r sh -c '"$@" || [ $? -eq 1 ]' predict "$program" predict "$model"
}

mkdir -p "$build"
packages=$(missing_packages)
# shellcheck disable=SC2086 # one argument per package
[ -z "$packages" ] || install_packages $packages
build_program

say "Training on ${data:-drawn cats and dogs}; Ctrl-C ends it early and keeps the best model"
trap : INT # it is for the program; this script goes on with what that leaves
if [ -n "$data" ]; then
    "$program" train "$data" --output "$model" "$@"
else
    # shellcheck disable=SC2086 # several options
    "$program" train $drawing_options --output "$model"
    data=$build/drawings
    rm -rf "$data"
    "$program" draw "$data" --count 36 --seed 2 # others than those that it was trained on
fi
trap - INT

say "Predicting a few pictures of $data"
some_pictures "$data" | predict

say "Done.  Try it: $program predict $model YOUR_PICTURE.jpg"
