/* SPDX-License-Identifier: MIT
 * Which levels this machine has.  The compiler's builtins test the CPU's bits and, through XCR0,
 * whether the system saves the registers. */
#include "base/cpu.h"

#include <string.h>

static const char *const names[CNNI_CPU_LEVELS] = {
    [CNNI_GENERIC] = "generic",
    [CNNI_AVX2] = "avx2",
    [CNNI_AVX512] = "avx512",
    [CNNI_NEON] = "neon",
};

#if defined(__x86_64__)

bool cnni_cpu_has(cnni_cpu level)
{
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has[CNNI_CPU_LEVELS] = {
        [CNNI_GENERIC] = true,
        [CNNI_AVX2] = avx2,
        [CNNI_AVX512] = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl"),
    };
    return level >= 0 && level < CNNI_CPU_LEVELS && has[level];
}

#else

/* Every 64-bit ARM has NEON. */
bool cnni_cpu_has(cnni_cpu level)
{
#if defined(__aarch64__)
    return level == CNNI_GENERIC || level == CNNI_NEON;
#else
    return level == CNNI_GENERIC;
#endif
}

#endif

cnni_cpu cnni_cpu_best(void)
{
    cnni_cpu best = CNNI_GENERIC;
    for (cnni_cpu level = CNNI_GENERIC; level < CNNI_CPU_LEVELS; level++)
        if (cnni_cpu_has(level))
            best = level;
    return best;
}

const char *cnni_cpu_name(cnni_cpu level)
{
    return names[level];
}

cnni_cpu cnni_cpu_find(const char *name)
{
    if (strcmp(name, "auto") == 0)
        return cnni_cpu_best();
    for (cnni_cpu level = CNNI_GENERIC; level < CNNI_CPU_LEVELS; level++)
        if (strcmp(name, names[level]) == 0)
            return level;
    return -1;
}
