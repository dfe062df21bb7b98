# SPDX-License-Identifier: MIT
# What compare_*.sh share: runs of two programs in turn, and the medians of what they print.

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# cap LEVEL: keeps both libraries to one instruction set.
cap() {
    export CNN_CPU="$1"
    case $1 in
    avx2) export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ;;
    avx512)
        export ATEN_CPU_CAPABILITY=avx512 ONEDNN_MAX_CPU_ISA=AVX512_CORE \
            MKL_ENABLE_INSTRUCTIONS=AVX512
        ;;
    *) echo "compare: the level is $1, must be avx2 or avx512" >&2; exit 2 ;;
    esac
}

# run NAME PROCESSORS COMMAND...: prints the command's line and keeps its median with the line's
# mode (the word before the colon) under NAME.  A mode that crashes is told and left out.
run() {
    name=$1 processors=$2
    shift 2
    line=$(taskset -c "$processors" "$@") || { echo "failed: $*"; return 0; }
    echo "$line"
    echo "$name $(echo "$line" |
        sed 's/.* \([^ ]*\): median \([0-9.]*\) ms.*/\1 \2/')" >>"$log"
}

# median NAME [MODE]: of the runs kept under NAME.
median() {
    awk -v name="$1" -v mode="${2:-}" \
        '$1 == name && (mode == "" || $2 == mode) { print $3 }' "$log" |
        sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# best_median NAME: the smallest median of a mode.
best_median() {
    for mode in $(awk -v name="$1" '$1 == name { print $2 }' "$log" | sort -u); do
        median "$1" "$mode"
    done | sort -n | head -n 1
}

# machine BUILD_FOLDER: the processor, and the compiler of the build.
machine() {
    sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1
    "$(sed -n 's/^CMAKE_C_COMPILER:[^=]*=//p' "$1/CMakeCache.txt")" --version | head -n 1
}

# heading PEER...: the head of a table with two columns for each peer.
heading() {
    printf '| network | libcnn ms |'
    for peer in "$@"; do printf ' %s ms | %s / libcnn |' "$peer" "$peer"; done
    printf ' 2 threads, ms | 1 / 2 threads |\n|---|---|'
    for peer in "$@"; do printf -- '---|---|'; done
    printf -- '---|---|\n'
}

# row NAME OURS TWO_THREADS THEIRS...: a line of the table.
row() {
    echo "$@" | awk '{ printf "| %s | %.2f |", $1, $2
        for (i = 4; i <= NF; i++) printf " %.2f | %.2f |", $i, $i / $2
        printf " %.2f | %.2f |\n", $3, $2 / $3 }'
}
