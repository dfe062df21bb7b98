/* SPDX-License-Identifier: MIT
 * What the benchmarks share: a clock that other programs on the machine do not disturb, medians,
 * the FMA peak to compare with, and arrays.  The clock of the CPU drifts by several per cent
 * within seconds, so everything is measured in turn with the peak, and the quotients are what
 * counts. */
#ifndef CNN_BENCH_HARNESS_H
#define CNN_BENCH_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"

/* Seconds of CPU time of this thread. */
static inline double bench_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static inline double bench_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, bench_compare);
    return values[count / 2];
}

/* `count` floats from -1 to 1, aligned to 64 bytes. */
static inline float *bench_floats(size_t count)
{
    float *values = aligned_alloc(64, (count * sizeof *values + 63) / 64 * 64);
    uint32_t state = 1;
    if (values == NULL) {
        fprintf(stderr, "no memory for %zu floats\n", count);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        values[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return values;
}

#ifdef __x86_64__
#include <immintrin.h>

enum { BENCH_CHAINS = 12, BENCH_ROUNDS = 200000 };

/* Multiply-adds in registers alone: twelve chains hide the latency of two per cycle.  The empty asm
 * keeps each sum in a register and the compiler from working them out. */
#define BENCH_PEAK(vector, set1, fmadd)                                                            \
    vector sum[BENCH_CHAINS];                                                                      \
    const vector a = set1(0.999f), b = set1(0.001f);                                               \
    _Pragma("GCC unroll 12") for (int i = 0; i < BENCH_CHAINS; i++) sum[i] = set1((float)i);       \
    const double start = bench_seconds();                                                          \
    for (int round = 0; round < BENCH_ROUNDS; round++)                                             \
        _Pragma("GCC unroll 12") for (int i = 0; i < BENCH_CHAINS; i++)                            \
        {                                                                                          \
            sum[i] = fmadd(sum[i], a, b);                                                          \
            __asm__ volatile("" : "+v"(sum[i]));                                                   \
        }                                                                                          \
    const double flops = 2.0 * sizeof(vector) / sizeof(float) * BENCH_CHAINS * BENCH_ROUNDS;       \
    return flops / (bench_seconds() - start) / 1e9;

__attribute__((target("avx2,fma"), noinline)) static double bench_peak_avx2(void)
{
    BENCH_PEAK(__m256, _mm256_set1_ps, _mm256_fmadd_ps)
}

__attribute__((target("avx512f"), noinline)) static double bench_peak_avx512(void)
{
    BENCH_PEAK(__m512, _mm512_set1_ps, _mm512_fmadd_ps)
}
#endif

/* GFLOP/s of multiply-adds in registers on `level` of this machine, measured for about half a
 * millisecond; 0 where there is no such loop. */
static inline double bench_peak(cnni_cpu level)
{
#ifdef __x86_64__
    if (level == CNNI_AVX2)
        return bench_peak_avx2();
    if (level == CNNI_AVX512)
        return bench_peak_avx512();
#endif
    (void)level;
    return 0;
}

#endif
