/* SPDX-License-Identifier: MIT
 * Elementary functions by argument reduction and polynomials, with IEEE operations only. */
#include "base/real.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/parallel.h"

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* log 2 in two parts: the first has 21 trailing zero bits, so that its products with exponents are
 * exact. */
static const double log2_high = 0x1.62e42feep-1, log2_low = 0x1.a39ef35793c76p-33;

/* exp(x) = 2^n exp(r), |r| <= log(2) / 2: Taylor's series to r^13, whose remainder is below
 * 2^-55. */
double cnni_exp(double x)
{
    if (isnan(x))
        return x;
    if (x > 709.8)
        return INFINITY;
    if (x < -745.2)
        return 0;
    double n = floor(x * 0x1.71547652b82fep+0 + 0.5);
    double high = x - n * log2_high, low = n * log2_low;
    double r = high - low;
    double sum = 0;
    static const double factorial[] = {
        1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800};
    for (int i = 13; i >= 2; i--)
        sum = sum * r + 1 / factorial[i];
    /* 1 + r is the large part; the error of r itself is carried along. */
    double value = 1 + (r + (sum * r * r + ((high - r) - low)));
    /* In two steps, so that results below the normal range round once. */
    int half = (int)n / 2;
    return value * from_bits((uint64_t)(1023 + half) << 52) *
           from_bits((uint64_t)(1023 + (int)n - half) << 52);
}

/* log(2^n m) = n log 2 + log m with m in sqrt(1/2) .. sqrt(2); log m = 2 atanh(s), s = (m - 1) / (m
 * + 1), |s| < 0.172: series to s^21. */
double cnni_log(double x)
{
    if (isnan(x) || x < 0)
        return NAN;
    if (x == 0)
        return -INFINITY;
    if (isinf(x))
        return x;
    int n = 0;
    if (x < DBL_MIN) {
        x *= 0x1p54;
        n = -54;
    }
    uint64_t bits = to_bits(x);
    n += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xFFFFFFFFFFFFF) | (uint64_t)1023 << 52);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        n++;
    }
    double f = m - 1, s = f / (2 + f), z = s * s;
    double sum = 0;
    for (int i = 21; i >= 3; i -= 2)
        sum = (sum + 1.0 / i) * z;
    /* 2 atanh(s) = f - s (f - 2 sum): f is exact, and the correction small. */
    return n * log2_high + (f - (s * (f - 2 * sum) - n * log2_low));
}

/* sin and cos of pi x for |x| <= 1/4, Taylor's series. */
static double sin_quarter(double x)
{
    double z = x * 0x1.921fb54442d18p+1, square = z * z, sum = 0;
    static const double factorial[] = {6, 120, 5040, 362880, 39916800, 6227020800, 1307674368000};
    for (int i = 6; i >= 0; i--)
        sum = (1 / factorial[i] - sum) * square;
    return z - z * sum;
}

static double cos_quarter(double x)
{
    double z = x * 0x1.921fb54442d18p+1, square = z * z, sum = 0;
    static const double factorial[] = {2,       24,        720,         40320,
                                       3628800, 479001600, 87178291200, 20922789888000};
    for (int i = 7; i >= 0; i--)
        sum = (1 / factorial[i] - sum) * square;
    return 1 - sum;
}

/* sin(pi x + quarters pi / 2) for x >= 0. */
static double sinpi_shifted(double x, int quarters)
{
    double turn = x - 2 * floor(x * 0.5); /* 0 .. 2, exact */
    int nearest = (int)(turn * 2 + 0.5);  /* the nearest multiple of 1/2 */
    double rest = turn - nearest * 0.5;
    switch ((nearest + quarters) & 3) {
    case 0: return sin_quarter(rest);
    case 1: return cos_quarter(rest);
    case 2: return -sin_quarter(rest);
    default: return -cos_quarter(rest);
    }
}

double cnni_sinpi(double x)
{
    return x < 0 ? -sinpi_shifted(-x, 0) : sinpi_shifted(x, 0);
}

double cnni_cospi(double x)
{
    return sinpi_shifted(fabs(x), 1);
}

double cnni_power(double x, long long n)
{
    double result = 1;
    for (; n > 0; n >>= 1) {
        if (n & 1)
            result *= x;
        x *= x;
    }
    return result;
}

/* Compilers move arithmetic, but not volatile accesses, across calls that change its rounding. */
double cnni_ratio(double part, double whole)
{
    struct cnni_float_state host;
    if (whole == 0)
        return NAN;
    cnni_float_enter(&host);
    const volatile double divisor = whole;
    const volatile double result = part / divisor;
    cnni_float_leave(&host);
    return result;
}
