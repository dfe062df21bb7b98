/* SPDX-License-Identifier: MIT
 * Elementary functions: against libm's in long double, at their special values, and bit by bit
 * against a digest, because "the same bits on every system" is what they are for. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/real.h"
#include "support/suite.h"

enum { SAMPLES = 50000 };

/* The stated bound. */
static const double most_ulp = 2;

static const long double pi = 3.141592653589793238462643383279502884L;

/* |got - exact| in units of the last place of `exact` as a double. */
static double ulp_error(double got, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    exponent = exponent < DBL_MIN_EXP ? DBL_MIN_EXP : exponent;
    return (double)fabsl(((long double)got - exact) / ldexpl(1, exponent - DBL_MANT_DIG));
}

/* sin(pi x + shift pi / 2) for x >= 0, with pi x reduced to at most pi / 4 before libm sees it. */
static long double exact_trigonometric(long double x, int shift)
{
    long double turn = x - 2 * floorl(x / 2);
    long double quarter = floorl(turn * 2 + 0.5L);
    long double rest = (turn - quarter / 2) * pi;
    switch (((int)quarter + shift) & 3) {
    case 0: return sinl(rest);
    case 1: return cosl(rest);
    case 2: return -sinl(rest);
    default: return -cosl(rest);
    }
}

static long double exact_sinpi(double x)
{
    return x < 0 ? -exact_trigonometric(-x, 0) : exact_trigonometric(x, 0);
}

static long double exact_cospi(double x)
{
    return exact_trigonometric(fabs(x), 1);
}

static long double exact_exp(double x)
{
    return expl(x);
}

static long double exact_log(double x)
{
    return logl(x);
}

/* The largest error over random arguments, evenly in low .. high. */
static void check_function(const char *name, double (*function)(double),
                           long double (*exact)(double), double low, double high)
{
    struct cnni_random random;
    double worst = 0, worst_x = 0;
    cnni_random_start(&random, 1, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < SAMPLES; i++) {
        double x = low + (high - low) * cnni_random_uniform(&random);
        double error = ulp_error(function(x), exact(x));
        if (error > worst) {
            worst = error;
            worst_x = x;
        }
    }
    ck_assert_msg(worst <= most_ulp, "%s(%a): %.3f ULP, at most %g", name, worst_x, worst,
                  most_ulp);
}

START_TEST(exp_is_within_its_bound)
{
    check_function("exp", cnni_exp, exact_exp, -1, 1);
    check_function("exp", cnni_exp, exact_exp, -0x1p-20, 0x1p-20);
    check_function("exp", cnni_exp, exact_exp, -708, 709.7);
    check_function("exp", cnni_exp, exact_exp, -745, -708);
}
END_TEST

START_TEST(exp_at_special_values)
{
    ck_assert_double_eq(cnni_exp(0), 1);
    ck_assert_double_eq(cnni_exp(-0.0), 1);
    ck_assert_double_eq(cnni_exp(-INFINITY), 0);
    ck_assert_double_eq(cnni_exp(-746), 0);
    ck_assert_double_eq(cnni_exp(-DBL_MAX), 0);
    ck_assert_double_infinite(cnni_exp(INFINITY));
    ck_assert_double_infinite(cnni_exp(709.79));
    ck_assert_double_infinite(cnni_exp(DBL_MAX));
    ck_assert_double_finite(cnni_exp(709.78));
    ck_assert_double_nan(cnni_exp(NAN));
}
END_TEST

START_TEST(log_is_within_its_bound)
{
    check_function("log", cnni_log, exact_log, 0.5, 2);
    check_function("log", cnni_log, exact_log, 1 - 0x1p-10, 1 + 0x1p-10);
    check_function("log", cnni_log, exact_log, 0x1p-32, 1);
    check_function("log", cnni_log, exact_log, 1, DBL_MAX / 2);
    check_function("log", cnni_log, exact_log, 0x1p-1074, DBL_MIN);
}
END_TEST

START_TEST(log_at_special_values)
{
    ck_assert_double_eq(cnni_log(1), 0);
    ck_assert_double_infinite(cnni_log(INFINITY));
    ck_assert_double_infinite(cnni_log(0));
    ck_assert_double_lt(cnni_log(0), 0);
    ck_assert_double_nan(cnni_log(-1));
    ck_assert_double_nan(cnni_log(-INFINITY));
    ck_assert_double_nan(cnni_log(NAN));
    ck_assert(ulp_error(cnni_log(0x1p-1074), logl(0x1p-1074L)) <= most_ulp);
}
END_TEST

START_TEST(cospi_and_sinpi_are_within_their_bounds)
{
    check_function("cospi", cnni_cospi, exact_cospi, -4, 4);
    check_function("sinpi", cnni_sinpi, exact_sinpi, -4, 4);
    check_function("cospi", cnni_cospi, exact_cospi, 0.5 - 0x1p-20, 0.5 + 0x1p-20);
    check_function("sinpi", cnni_sinpi, exact_sinpi, 1 - 0x1p-20, 1 + 0x1p-20);
    check_function("cospi", cnni_cospi, exact_cospi, -1e6, 1e6);
    check_function("sinpi", cnni_sinpi, exact_sinpi, -0x1p-60, 0x1p-60);
}
END_TEST

START_TEST(cospi_and_sinpi_at_multiples_of_a_half)
{
    static const double cosines[] = {1, 0, -1, 0};
    for (int32_t i = -8; i <= 8; i++) {
        ck_assert_double_eq(cnni_cospi(i * 0.5), cosines[i & 3]);
        ck_assert_double_eq(cnni_sinpi(i * 0.5), cosines[(i - 1) & 3]);
    }
}
END_TEST

START_TEST(power_multiplies)
{
    ck_assert_double_eq(cnni_power(3, 0), 1);
    ck_assert_double_eq(cnni_power(3, 1), 3);
    ck_assert_double_eq(cnni_power(3, 13), 1594323);
    ck_assert_double_eq(cnni_power(-2, 11), -2048);
    ck_assert_double_eq(cnni_power(0.5, 1074), 0x1p-1074);
    ck_assert_double_eq(cnni_power(0, 0), 1);
}
END_TEST

/* FNV-1a over the results' bytes: one digest for every compiler, level and architecture. */
/* Thirds, of which the nearest is below and above. */
START_TEST(ratios_are_rounded_to_the_nearest)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(fesetround(modes[i]), 0);
        const double third = cnni_ratio(1, 3), eleventh = cnni_ratio(-2, 11);
        const double none = cnni_ratio(1, 0), neither = cnni_ratio(0, 0), all = cnni_ratio(5, 5);
        ck_assert_int_eq(fegetround(), modes[i]);
        fesetround(FE_TONEAREST);
        ck_assert_double_eq(third, 0x1.5555555555555p-2);
        ck_assert_double_eq(eleventh, -0x1.745d1745d1746p-3);
        ck_assert_double_eq(all, 1);
        ck_assert(isnan(none) && isnan(neither));
    }
}
END_TEST

START_TEST(bits_are_the_same_everywhere)
{
    static const struct {
        double (*function)(double);
        double low, high;
        uint64_t digest;
    } rows[] = {
        {cnni_exp, -745, 709.7, 0xc6b69a254f690607},
        {cnni_log, 0x1p-32, 10, 0x4783077225e96f8a},
        {cnni_cospi, -4, 4, 0xa8c8252c441363ed},
        {cnni_sinpi, -4, 4, 0x6b5e2fc10ef80ad9},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        struct cnni_random random;
        uint64_t digest = 0xcbf29ce484222325;
        cnni_random_start(&random, 2, CNNI_RANDOM_CHECK, 0, 0);
        for (int32_t sample = 0; sample < 10000; sample++) {
            double x = rows[i].low + (rows[i].high - rows[i].low) * cnni_random_uniform(&random);
            double y = rows[i].function(x);
            uint64_t bits;
            memcpy(&bits, &y, sizeof bits);
            for (int32_t byte = 0; byte < 8; byte++)
                digest = (digest ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3;
        }
        ck_assert_msg(digest == rows[i].digest, "row %d: digest 0x%016llx", i,
                      (unsigned long long)digest);
    }
}
END_TEST

static Suite *real_suite(void)
{
    Suite *suite = suite_create("real");
    TCase *tcase = tcase_create("real");
    tcase_add_test(tcase, exp_is_within_its_bound);
    tcase_add_test(tcase, exp_at_special_values);
    tcase_add_test(tcase, log_is_within_its_bound);
    tcase_add_test(tcase, log_at_special_values);
    tcase_add_test(tcase, cospi_and_sinpi_are_within_their_bounds);
    tcase_add_test(tcase, cospi_and_sinpi_at_multiples_of_a_half);
    tcase_add_test(tcase, power_multiplies);
    tcase_add_test(tcase, ratios_are_rounded_to_the_nearest);
    tcase_add_test(tcase, bits_are_the_same_everywhere);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(real_suite());
}
