/* SPDX-License-Identifier: MIT
 * How far a float32 result may be from the exact one: derived, never tuned. */
#ifndef CNN_TEST_TOLERANCE_H
#define CNN_TEST_TOLERANCE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A sum of k products, in any order, with or without fused operations: each of the at most k + 2
 * roundings that touch a product changes it by a factor of at most 1 + u, u = 2^-24, so that
 *   |got - exact| <= gamma(k) * sum |a * b|,  gamma(k) = (k + 2) u / (1 - (k + 2) u). */
static inline double tolerance_gamma(int64_t k)
{
    const double roundings = (double)(k + 2) * 0x1p-24;
    return roundings / (1 - roundings);
}

/* Below the normal range a rounding is absolute: at most half of the smallest number, 2^-149. */
static inline double tolerance_sum(int64_t k, double magnitude)
{
    return tolerance_gamma(k) * magnitude + (double)(k + 2) * 0x1p-150;
}

/* Whether `got` is within `bound` of `exact`; infinite and NaN as exact says. */
static inline bool tolerance_close(float got, double exact, double bound)
{
    if (isnan(exact))
        return isnan(got);
    if (isinf(exact) || isinf((float)exact))
        return isinf(got) && (got > 0) == (exact > 0);
    return fabs((double)got - exact) <= bound;
}

/* The distance of `got` from `exact` in units in the last place of a float at `exact`. */
static inline double tolerance_ulps(float got, double exact)
{
    int exponent;
    frexp(exact, &exponent);
    const double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
    return fabs((double)got - exact) / unit;
}

/* Whether two floats are the same bits, where any NaN is as good as another. */
static inline bool tolerance_same(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

#endif
