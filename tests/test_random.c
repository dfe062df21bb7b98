/* SPDX-License-Identifier: MIT
 * Random numbers: Random123's known answers, streams that do not touch each other, and
 * distributions.  Expected numbers come from an implementation in Python written from the paper. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/suite.h"
#include "support/value.h"

/* Random123, kat_vectors, philox4x32-10. */
START_TEST(known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], block[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        uint32_t block[4];
        cnni_philox(block, rows[i].counter, rows[i].key);
        ck_assert_mem_eq(block, rows[i].block, sizeof block);
    }
}
END_TEST

/* The counter's layout is part of "same seed, same result": it must never change. */
START_TEST(a_stream_is_pinned)
{
    static const uint32_t expected[] = {0xd8693c6a, 0x81542a4d, 0x73d2ca3d, 0x384643d7, 0xb3b24c79,
                                        0x3fe3725d, 0x1d61c019, 0xf3fd164a, 0x20a4fd62};
    struct cnni_random random;
    cnni_random_start(&random, 0x123456789abcdef0, CNNI_RANDOM_AUGMENT, 0x89abcdef0123, 0x76543210);
    for (int32_t i = 0; i < CNNI_COUNT(expected); i++)
        ck_assert_uint_eq(cnni_random_bits(&random), expected[i]);
}
END_TEST

START_TEST(each_index_gives_another_stream)
{
    static const struct {
        uint64_t seed;
        uint32_t purpose;
        uint64_t a, b;
    } rows[] = {
        {0, 1, 0, 0}, {1, 1, 0, 0}, {UINT64_C(1) << 32, 1, 0, 0},
        {0, 2, 0, 0}, {0, 1, 1, 0}, {0, 1, UINT64_C(1) << 32, 0},
        {0, 1, 0, 1},
    };
    uint64_t first[CNNI_COUNT(rows)];
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        struct cnni_random random;
        cnni_random_start(&random, rows[i].seed, rows[i].purpose, rows[i].a, rows[i].b);
        first[i] = (uint64_t)cnni_random_bits(&random) << 32 | cnni_random_bits(&random);
        for (int32_t j = 0; j < i; j++)
            ck_assert_msg(first[i] != first[j], "streams %d and %d begin alike", i, j);
    }
}
END_TEST

/* Bounds of five standard deviations of the mean. */
START_TEST(uniform_numbers_are_uniform)
{
    enum { COUNT = 100000 };
    struct cnni_random random;
    double sum = 0, squares = 0;
    cnni_random_start(&random, 3, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < COUNT; i++) {
        double x = cnni_random_uniform(&random);
        assert_value(x >= 0 && x < 1, "%g", x);
        sum += x;
        squares += x * x;
    }
    ck_assert_double_eq_tol(sum / COUNT, 0.5, 5 * sqrt(1.0 / 12 / COUNT));
    ck_assert_double_eq_tol(squares / COUNT, 1.0 / 3, 5 * sqrt(4.0 / 45 / COUNT));
}
END_TEST

/* The first four moments, and the share within one standard deviation. */
START_TEST(normal_numbers_are_normal)
{
    enum { COUNT = 100000 };
    struct cnni_random random;
    double sums[5] = {0};
    int32_t within = 0;
    cnni_random_start(&random, 4, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < COUNT; i++) {
        double x = cnni_random_normal(&random), power = 1;
        for (int32_t moment = 1; moment <= 4; moment++)
            sums[moment] += power *= x;
        within += fabs(x) < 1;
    }
    ck_assert_double_eq_tol(sums[1] / COUNT, 0, 5 * sqrt(1.0 / COUNT));
    ck_assert_double_eq_tol(sums[2] / COUNT, 1, 5 * sqrt(2.0 / COUNT));
    ck_assert_double_eq_tol(sums[3] / COUNT, 0, 5 * sqrt(15.0 / COUNT));
    ck_assert_double_eq_tol(sums[4] / COUNT, 3, 5 * sqrt(96.0 / COUNT));
    ck_assert_double_eq_tol(within / (double)COUNT, 0.682689492, 5 * sqrt(0.2166 / COUNT));
}
END_TEST

/* Distribution functions that can be written down, at nine places each; and the variance. */
static double uniform_share(double x)
{
    return x;
}

static double arcsine_share(double x)
{
    return 2 * asin(sqrt(x)) / acos(-1);
}

static double cubic_share(double x)
{
    return x * x * (3 - 2 * x);
}

START_TEST(beta_numbers_are_distributed_so)
{
    enum { COUNT = 100000 };
    static const struct {
        double alpha;
        double (*share)(double x); /* of the numbers below x */
    } rows[] = {
        {1, uniform_share}, {0.5, arcsine_share}, {2, cubic_share}, {0.2, NULL}, {40, NULL}};
    struct cnni_random random;
    const double alpha = rows[_i].alpha, variance = 0.25 / (2 * alpha + 1);
    const double fourth = variance * variance * (3 - 6 / (2 * alpha + 3));
    double sum = 0, squares = 0;
    int32_t below[10] = {0};
    cnni_random_start(&random, 6, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < COUNT; i++) {
        double x = cnni_random_beta(&random, alpha);
        assert_value(x >= 0 && x <= 1, "%g", x);
        sum += x - 0.5;
        squares += (x - 0.5) * (x - 0.5);
        for (int32_t k = 1; k < 10; k++)
            below[k] += x < 0.1 * k;
    }
    ck_assert_double_eq_tol(sum / COUNT, 0, 5 * sqrt(variance / COUNT));
    ck_assert_double_eq_tol(squares / COUNT, variance,
                            5 * sqrt((fourth - variance * variance) / COUNT));
    for (int32_t k = 1; k < 10 && rows[_i].share != NULL; k++) {
        double share = rows[_i].share(0.1 * k);
        ck_assert_double_eq_tol(below[k] / (double)COUNT, share,
                                5 * sqrt(share * (1 - share) / COUNT));
    }
}
END_TEST

/* Also where x^(1 / alpha) is 0 for most x. */
START_TEST(beta_numbers_of_a_tiny_alpha_are_0_or_1)
{
    struct cnni_random random;
    int32_t ones = 0;
    cnni_random_start(&random, 6, CNNI_RANDOM_CHECK, 1, 0);
    for (int32_t i = 0; i < 1000; i++) {
        double x = cnni_random_beta(&random, 1e-3);
        assert_value(x >= 0 && x <= 1, "%g", x);
        ones += x > 0.5;
    }
    ck_assert_double_eq_tol(ones, 500, 5 * sqrt(250));
}
END_TEST

START_TEST(beta_numbers_are_pinned)
{
    static const double expected[] = {0.0073197027766927734, 0.9873073734742679,
                                      0.08259281551362534,   0.7815430574266115,
                                      0.9808279959224695,    0.9999999557492707};
    struct cnni_random random;
    cnni_random_start(&random, 7, CNNI_RANDOM_MIX, 1, 0);
    for (int32_t i = 0; i < CNNI_COUNT(expected); i++)
        ck_assert_double_eq_tol(cnni_random_beta(&random, 0.2), expected[i], 1e-13);
}
END_TEST

START_TEST(numbers_below_a_bound_are_pinned)
{
    static const uint32_t small[] = {324, 497, 291, 470, 848, 828, 234, 604};
    /* A bound of 3/4 of 2^32 rejects a quarter of the numbers. */
    static const uint32_t large[] = {481682960,  1449556851, 2476535655,
                                     3178317122, 780568668,  815677694};
    struct cnni_random random;
    cnni_random_start(&random, 7, CNNI_RANDOM_SHUFFLE, 1, 0);
    for (int32_t i = 0; i < CNNI_COUNT(small); i++)
        ck_assert_uint_eq(cnni_random_below(&random, 1000), small[i]);
    cnni_random_start(&random, 7, CNNI_RANDOM_SHUFFLE, 2, 0);
    for (int32_t i = 0; i < CNNI_COUNT(large); i++)
        ck_assert_uint_eq(cnni_random_below(&random, 0xC0000000), large[i]);
    for (int32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(cnni_random_below(&random, 1), 0);
}
END_TEST

START_TEST(numbers_below_a_bound_are_even)
{
    enum { BOUND = 7, COUNT = 70000 };
    struct cnni_random random;
    int32_t hits[BOUND] = {0};
    cnni_random_start(&random, 5, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < COUNT; i++)
        hits[cnni_random_below(&random, BOUND)]++;
    for (int32_t i = 0; i < BOUND; i++)
        ck_assert_double_eq_tol(hits[i], COUNT / BOUND, 5 * sqrt(COUNT * 6.0 / 49));
}
END_TEST

START_TEST(a_shuffle_is_pinned)
{
    static const int64_t expected[] = {6, 7, 1, 0, 8, 5, 9, 2, 4, 3};
    struct cnni_random random;
    int64_t indices[10];
    for (int64_t i = 0; i < 10; i++)
        indices[i] = i;
    cnni_random_start(&random, 7, CNNI_RANDOM_SHUFFLE, 1, 0);
    cnni_random_shuffle(&random, indices, 10);
    ck_assert_mem_eq(indices, expected, sizeof expected);
}
END_TEST

START_TEST(a_shuffle_is_a_permutation)
{
    enum { COUNT = 1000 };
    static int64_t indices[COUNT];
    static bool seen[COUNT];
    struct cnni_random random;
    for (int64_t i = 0; i < COUNT; i++)
        indices[i] = i;
    cnni_random_start(&random, 8, CNNI_RANDOM_SHUFFLE, 0, 0);
    cnni_random_shuffle(&random, indices, COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        ck_assert_int_ge(indices[i], 0);
        ck_assert_int_lt(indices[i], COUNT);
        ck_assert(!seen[indices[i]]);
        seen[indices[i]] = true;
    }
    cnni_random_shuffle(&random, indices, 0);
    cnni_random_shuffle(&random, indices, 1);
}
END_TEST

static Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("random");
    tcase_add_test(tcase, known_answers);
    tcase_add_test(tcase, a_stream_is_pinned);
    tcase_add_test(tcase, each_index_gives_another_stream);
    tcase_add_test(tcase, uniform_numbers_are_uniform);
    tcase_add_test(tcase, normal_numbers_are_normal);
    tcase_add_loop_test(tcase, beta_numbers_are_distributed_so, 0, 5);
    tcase_add_test(tcase, beta_numbers_of_a_tiny_alpha_are_0_or_1);
    tcase_add_test(tcase, beta_numbers_are_pinned);
    tcase_add_test(tcase, numbers_below_a_bound_are_pinned);
    tcase_add_test(tcase, numbers_below_a_bound_are_even);
    tcase_add_test(tcase, a_shuffle_is_pinned);
    tcase_add_test(tcase, a_shuffle_is_a_permutation);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(random_suite());
}
