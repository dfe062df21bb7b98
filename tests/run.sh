#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every test: installs what is missing (Debian and Ubuntu, as root or with sudo), builds in
# build/, and ends with one line, "N passed, N failed, N skipped".
#
#   sh tests/run.sh [STEP...]      release decoders-off clang asan tsan arm64 qemu-x86; all of them
#                                  without arguments
#
# A CPU level or a step whose tools cannot be had is skipped and listed, unless CNN_TEST_REQUIRE, as
# in CNN_TEST_REQUIRE=avx2,asan,arm64, names it: then it counts as failed.
set -eu

cd "$(dirname "$0")/.."
mkdir -p build
jobs=$(nproc)
passed=0 failed=0 skipped=0

# ---- Packages ------------------------------------------------------------------------------------

# Nothing works without the first list; steps that miss something of the second are skipped.
needed='cmake make gcc g++ libc6-dev pkg-config libjpeg-dev libpng-dev check'
wanted='clang libclang-rt-dev locales python3 python3-venv'
[ "$(uname -m)" != x86_64 ] ||
    wanted="$wanted qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# missing PACKAGE...: prints those that are not installed.
missing()
{
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            echo "$package"
    done
}

# install PACKAGE...: those that are missing, quietly.
install()
{
    packages=$(missing "$@")
    [ -n "$packages" ] || return 0
    echo "== installing" $packages
    { as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq --no-install-recommends $packages; } >build/install.log 2>&1
}

# Python packages that serve as oracles live in a folder of their own.
install_python()
{
    python=build/python
    python_packages='cffi numpy safetensors tensorboard'
    # shellcheck disable=SC2086 # several packages
    [ "$(cat $python/complete 2>/dev/null)" = "$python_packages" ] ||
        { rm -rf $python && python3 -m venv $python &&
            $python/bin/pip install --quiet $python_packages &&
            echo "$python_packages" >$python/complete; } >build/python.log 2>&1 || return 0
    VIRTUAL_ENV=$PWD/$python
    PATH=$VIRTUAL_ENV/bin:$PATH
    export VIRTUAL_ENV PATH
}

# A locale with a decimal comma, in a folder of its own: the system's locales stay as they are.
make_locale()
{
    locales=$PWD/build/locales
    [ -d "$locales/de_DE.UTF-8" ] ||
        { mkdir -p "$locales" && localedef -i de_DE -f UTF-8 "$locales/de_DE.UTF-8"; } \
            >build/locales.log 2>&1 || return 0
    export LOCPATH="$locales"
}

install_everything()
{
    if command -v apt-get >/dev/null; then
        install $needed || { tail -n 20 build/install.log; exit 2; }
        install $wanted || echo "   not installed:" $(missing $wanted)
    fi
    install_python
    make_locale
}

# ---- Steps ---------------------------------------------------------------------------------------

is_required()
{
    case ",${CNN_TEST_REQUIRE:-}," in
    *",$1,"*) return 0 ;;
    *) return 1 ;;
    esac
}

# skip REASON: this step does not run.
skip()
{
    if is_required "$step"; then
        failed=$((failed + 1))
        echo "   FAILED: required, but $1"
    else
        skipped=$((skipped + 1))
        echo "   skipped: $1"
    fi
}

# has TOOL...: all of them are there; skips the step where not.
has()
{
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { skip "$tool is not there"; return 1; }
    done
}

# build PRESET [OPTION...]: configures and builds; shows the log and counts a failure where it
# fails.
build()
{
    preset=$1
    shift
    log=build/$preset.log
    { cmake --preset "$preset" "$@" && cmake --build --preset "$preset" -j "$jobs"; } \
        >"$log" 2>&1 && return 0
    grep -E -A 5 'error: |undefined reference|CMake Error' "$log" || tail -n 30 "$log"
    echo "   FAILED: the build; everything it said is in $log"
    failed=$((failed + 1))
    return 1
}

# list_skipped LOG: tests and parts of tests that were left out, from ctest's log of all they said.
list_skipped()
{
    awk '/^[0-9]+\/[0-9]+ Test: / { test = $3 }
        /^skipped: / { print "   skipped: " test ": " substr($0, 10) }' "$1" | sort -u
}

# run_tests PRESET [COMMAND...]: runs the preset's tests, under COMMAND, and adds up what became of
# them.
run_tests()
{
    preset=$1
    shift
    log=build/$preset-tests.log
    status=0
    "$@" ctest --preset "$preset" -j "$jobs" --output-on-failure --no-tests=error >"$log" 2>&1 ||
        status=$?
    result='^ *[0-9]+/[0-9]+ Test +#[0-9]+: [^ ]+ \.*'
    all=$(grep -cE "$result" "$log" || true)
    good=$(grep -cE "$result +Passed" "$log" || true)
    not_run=$(grep -cE "$result\*\*\*Skipped" "$log" || true)
    bad=$((all - good - not_run))
    [ $status -eq 0 ] || [ $bad -gt 0 ] || bad=1 # ctest itself failed
    if [ $bad -gt 0 ]; then
        cat "$log"
    fi
    list_skipped "build/$preset/Testing/Temporary/LastTest.log"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + not_run))
}

# Sanitizers do not get along with much randomness in addresses; some containers forbid to switch it
# off.
fixed_addresses()
{
    if setarch -R true 2>/dev/null; then echo 'setarch -R'; fi
}

step_release()
{
    build release && run_tests release
}

step_decoders_off()
{
    build decoders-off && run_tests decoders-off
}

step_clang()
{
    has clang clang++ || return 0
    build clang && passed=$((passed + 1))
}

step_asan()
{
    has clang clang++ || return 0
    build asan && run_tests asan $(fixed_addresses)
}

step_tsan()
{
    has clang clang++ || return 0
    build tsan && run_tests tsan $(fixed_addresses)
}

# Debian's arm64 packages of libjpeg, libpng and Check, unpacked into a folder.  apt works in
# folders of its own: the system's packages and architectures stay as they are.
make_sysroot()
{
    sysroot=$PWD/build/arm64-sysroot
    [ ! -f "$sysroot/complete" ] || return 0
    apt=$PWD/build/arm64-apt
    rm -rf "$sysroot" "$apt"
    mkdir -p "$sysroot" "$apt/state/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    set -- -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
        -o APT::Sandbox::User=root
    apt-get "$@" update || true
    apt-get "$@" install --yes --download-only --no-install-recommends \
        libjpeg-dev libpng-dev check || return 1
    for package in "$apt"/cache/archives/*.deb; do
        case ${package##*/} in
        libc6* | linux-libc* | libcrypt*) ;; # the cross compiler has these
        *) dpkg-deb -x "$package" "$sysroot" || return 1 ;;
        esac
    done
    rm -rf "$apt"
    touch "$sysroot/complete"
}

step_arm64()
{
    has aarch64-linux-gnu-gcc qemu-aarch64 apt-get dpkg-deb || return 0
    make_sysroot >build/arm64-sysroot.log 2>&1 ||
        { tail -n 5 build/arm64-sysroot.log; skip 'the arm64 packages cannot be had'; return 0; }
    build arm64 -DCNN_ARM64_SYSROOT="$PWD/build/arm64-sysroot" && run_tests arm64
}

# on_cpu MODEL LEVEL WANTED PROGRAM...: the release build's test programs on an emulated CPU, at a
# level, must end with the exit status WANTED.  An illegal instruction ends a program; 77 is "no
# such level".
on_cpu()
{
    model=$1 level=$2 wanted=$3
    shift 3
    for program in "$@"; do
        log=build/qemu-x86-$model-$program.log
        found=0
        CNN_CPU=$level CNN_TEST_REQUIRE='' CNN_TEST_FIXTURES=$PWD/tests/fixtures \
            CK_TIMEOUT_MULTIPLIER=20 qemu-x86_64 -cpu "$model" "build/release/tests/$program" \
            >"$log" 2>&1 || found=$?
        if [ $found -eq "$wanted" ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            cat "$log"
            echo "   FAILED: $program at the level $level on $model:" \
                "exit status $found, wanted $wanted"
        fi
    done
}

# Without guard-page tests at avx2: qemu reads what a masked load leaves out.
step_qemu_x86()
{
    [ "$(uname -m)" = x86_64 ] || { skip 'this is no x86-64'; return 0; }
    has qemu-x86_64 || return 0
    [ -x build/release/tests/test_training ] || build release || return 0
    on_cpu Nehalem auto 0 test_context test_kernels_vector test_layers test_training
    on_cpu Nehalem avx2 77 test_layers
    on_cpu SandyBridge auto 0 test_context test_kernels_vector test_layers test_training
    on_cpu SandyBridge avx2 77 test_layers
    on_cpu Haswell avx2 0 test_context test_layers test_training
}

# ---- All of it -----------------------------------------------------------------------------------

heading()
{
    case $1 in
    release) echo 'built with gcc, every test at every CPU level' ;;
    decoders-off) echo 'built without libjpeg and libpng, the tests of pictures' ;;
    clang) echo 'built with clang, warnings are errors' ;;
    asan) echo "every test under clang's address and undefined-behaviour sanitizers" ;;
    tsan) echo "the threaded tests under clang's thread sanitizer" ;;
    arm64) echo 'cross-compiled for 64-bit ARM, some tests under qemu' ;;
    qemu-x86) echo 'some tests on emulated older CPUs' ;;
    *) echo "sh tests/run.sh: no step is called $1" >&2; exit 2 ;;
    esac
}

[ $# -gt 0 ] || set -- release decoders-off clang asan tsan arm64 qemu-x86
for step in "$@"; do heading "$step" >/dev/null; done
install_everything
for step in "$@"; do
    start=$(date +%s)
    echo "== $step: $(heading "$step")"
    "step_$(echo "$step" | tr - _)" || true
    echo "   $(($(date +%s) - start)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
