#!/bin/sh
# SPDX-License-Identifier: MIT
# check_install.sh BUILD_DIR SOURCE_DIR CC CXX: installs into an empty folder, builds and runs a
# program against that through find_package and through pkg-config, shared and static, in C and C++;
# then moves the folder and does it all again.
set -eu
build=$1 source=$2 cc=$3 cxx=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# quietly COMMAND...: shows its output only when it fails.
quietly()
{
    "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; echo "failed: $*"; exit 1; }
}

# run PREFIX_LIB PROGRAM: a shared library in an unusual place has to be pointed to.
run()
{
    LD_LIBRARY_PATH=$1 "$2" || { echo "failed: $2"; exit 1; }
}

check_find_package()
{
    rm -rf "$folder/consumer"
    quietly cmake -S "$source/tests/consumer" -B "$folder/consumer" -DCMAKE_PREFIX_PATH="$1" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
    quietly cmake --build "$folder/consumer"
    for program in c_cnn c_shared c_static cxx_cnn cxx_shared cxx_static; do
        run '' "$folder/consumer/$program"
    done
    readelf -d "$folder/consumer/c_shared" | grep -q 'NEEDED.*libcnn\.so\.' ||
        { echo 'cnn::shared did not link the shared library'; exit 1; }
    ! readelf -d "$folder/consumer/c_static" | grep -q 'NEEDED.*libcnn' ||
        { echo 'cnn::static did not link the static library'; exit 1; }
}

# link_and_run NAME LIB_FOLDER FLAG...: the program in C and in C++.
link_and_run()
{
    name=$1 lib=$2
    shift 2
    consumer=$source/tests/consumer/consumer.c
    quietly "$cc" -x c -o "$folder/c_$name" "$consumer" -x none "$@"
    quietly "$cxx" -x c++ -o "$folder/cxx_$name" "$consumer" -x none "$@"
    run "$lib" "$folder/c_$name"
    run "$lib" "$folder/cxx_$name"
}

check_pkg_config()
{
    pkgconfig=$(dirname "$(find "$1" -name libcnn.pc)")
    export PKG_CONFIG_PATH="$pkgconfig"
    # shellcheck disable=SC2046 # one argument per flag
    link_and_run shared "$pkgconfig/.." $(pkg-config --cflags --libs libcnn)
    # Both libraries are there: the static one is asked for by its file name.
    # shellcheck disable=SC2046
    link_and_run static "$pkgconfig/.." $(pkg-config --static --cflags --libs libcnn |
        sed 's/-lcnn/-l:libcnn.a/')
}

# The examples build alone, as examples/README.md says.
check_examples()
{
    quietly cmake -S "$source/examples" -B "$folder/examples" -DCMAKE_PREFIX_PATH="$1" \
        -DCMAKE_C_COMPILER="$cc"
    quietly cmake --build "$folder/examples"
    run '' "$folder/examples/02_xor"
}

quietly cmake --install "$build" --prefix "$folder/first"
! grep -rlE "$folder|$build|$source" "$folder/first" --include='*.cmake' --include='*.pc' ||
    { echo 'an installed file names a folder of this machine'; exit 1; }
for prefix in first second/moved; do
    mkdir -p "$folder/second"
    [ $prefix = first ] || mv "$folder/first" "$folder/$prefix"
    check_find_package "$folder/$prefix"
    check_pkg_config "$folder/$prefix"
done
check_examples "$folder/$prefix"
echo 'installed, used in all ways, moved, used again'
