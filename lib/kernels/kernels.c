/* SPDX-License-Identifier: MIT
 * Makes the constant tables of kernels, one per level, from the one list.  Which levels a machine
 * has is known to base/cpu.c; the contracts are in kernels.h. */
#include "kernels/kernels.h"

/* The tables that a line of each level is in. */
#define IN_generic(...)                                                                            \
    [CNNI_GENERIC] __VA_ARGS__, [CNNI_AVX2] __VA_ARGS__, [CNNI_AVX512] __VA_ARGS__,                \
        [CNNI_NEON] __VA_ARGS__,
#define IN_avx2(...)   [CNNI_AVX2] __VA_ARGS__, [CNNI_AVX512] __VA_ARGS__,
#define IN_avx512(...) [CNNI_AVX512] __VA_ARGS__,
#define IN_neon(...)   [CNNI_NEON] __VA_ARGS__,

#define CNNI_KERNEL(slot, level, function) IN_##level(.slot = function)
#define CNNI_TILE_KERNEL(slot, level, function, rows, columns)                                     \
    IN_##level(.slot = function) IN_##level(.slot##_tile = {rows, columns})

/* That a later line replaces an earlier one is the point. */
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct cnni_kernels tables[CNNI_CPU_LEVELS] = {
#include "kernels/kernel_list.h"
};

const struct cnni_kernels *cnni_kernels(cnni_cpu level)
{
    CNNI_ASSERT(level >= 0 && level < CNNI_CPU_LEVELS);
    return &tables[level];
}
