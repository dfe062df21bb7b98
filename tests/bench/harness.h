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

/* Twelve chains hide the latency of two multiply-adds per cycle. */
__attribute__((target("avx2,fma"), noinline)) static double bench_peak_avx2(void)
{
    enum { ROUNDS = 200000 };
    __m256 s0 = _mm256_set1_ps(0), s1 = _mm256_set1_ps(1), s2 = _mm256_set1_ps(2);
    __m256 s3 = _mm256_set1_ps(3), s4 = _mm256_set1_ps(4), s5 = _mm256_set1_ps(5);
    __m256 s6 = _mm256_set1_ps(6), s7 = _mm256_set1_ps(7), s8 = _mm256_set1_ps(8);
    __m256 s9 = _mm256_set1_ps(9), s10 = _mm256_set1_ps(10), s11 = _mm256_set1_ps(11);
    const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    const double start = bench_seconds();
    for (int i = 0; i < ROUNDS; i++) {
        s0 = _mm256_fmadd_ps(s0, a, b);
        s1 = _mm256_fmadd_ps(s1, a, b);
        s2 = _mm256_fmadd_ps(s2, a, b);
        s3 = _mm256_fmadd_ps(s3, a, b);
        s4 = _mm256_fmadd_ps(s4, a, b);
        s5 = _mm256_fmadd_ps(s5, a, b);
        s6 = _mm256_fmadd_ps(s6, a, b);
        s7 = _mm256_fmadd_ps(s7, a, b);
        s8 = _mm256_fmadd_ps(s8, a, b);
        s9 = _mm256_fmadd_ps(s9, a, b);
        s10 = _mm256_fmadd_ps(s10, a, b);
        s11 = _mm256_fmadd_ps(s11, a, b);
    }
    const double seconds = bench_seconds() - start;
    const __m256 sum =
        _mm256_add_ps(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)),
                      _mm256_add_ps(_mm256_add_ps(_mm256_add_ps(s4, s5), _mm256_add_ps(s6, s7)),
                                    _mm256_add_ps(_mm256_add_ps(s8, s9), _mm256_add_ps(s10, s11))));
    volatile float used = _mm256_cvtss_f32(sum);
    (void)used;
    return 2.0 * 8 * 12 * ROUNDS / seconds / 1e9;
}
#endif

/* GFLOP/s of multiply-adds in registers on `level` of this machine, measured for about half a
 * millisecond; 0 where there is no such loop. */
static inline double bench_peak(cnni_cpu level)
{
#ifdef __x86_64__
    if (level == CNNI_AVX2)
        return bench_peak_avx2();
#endif
    (void)level;
    return 0;
}

#endif
