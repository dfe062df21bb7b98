/* SPDX-License-Identifier: MIT
 * Levels of instruction sets as named bundles of CPU features, lowest first.  Detection sits below
 * the kernels because the context, which everything has, carries its level. */
#ifndef CNNI_CPU_H
#define CNNI_CPU_H

#include "base/base.h"

typedef int32_t cnni_cpu;

enum {
    CNNI_GENERIC = 0, /* portable C */
    CNNI_AVX2 = 1,    /* AVX2 and FMA, registers enabled by the system */
    CNNI_AVX512 = 2,  /* AVX-512 F, BW, DQ and VL as well */
    CNNI_NEON = 3,    /* AArch64 */
    CNNI_CPU_LEVELS = 4
};

/* The level's name, as in CNN_CPU. */
const char *cnni_cpu_name(cnni_cpu level);

/* The level of that name; -1 for none.  "auto" is the best that this machine has. */
cnni_cpu cnni_cpu_find(const char *name);

/* Whether this machine, its system and this build have `level`. */
bool cnni_cpu_has(cnni_cpu level);

/* The highest level that there is. */
cnni_cpu cnni_cpu_best(void);

#endif
