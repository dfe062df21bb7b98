/* SPDX-License-Identifier: MIT
 * Mixing the samples of a batch: every number of a sample says which sample and which place it is
 * from, so that what was mixed, and with what, can be read off.  How loaders mix is in
 * test_loader_mix.c. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/crc32c.h"
#include "data/mix.h"
#include "support/suite.h"

enum { MOST = 9, H = 12, W = 20, C = 2, COUNT = H * W * C, CLASSES = 4 };

static float samples[MOST][COUNT], shares[MOST][CLASSES];
static int32_t labels[MOST];
static int64_t partners[MOST];

/* Number `k` of sample `i` as it was. */
static float value_of(int64_t i, int64_t k)
{
    return (float)(1 + i + MOST * k);
}

static struct cnni_mix_batch make_batch(int64_t n, int64_t index)
{
    for (int64_t i = 0; i < n; i++) {
        labels[i] = (int32_t)(i % CLASSES);
        for (int64_t k = 0; k < COUNT; k++)
            samples[i][k] = value_of(i, k);
        for (int64_t k = 0; k < CLASSES; k++)
            shares[i][k] = -1;
    }
    return (struct cnni_mix_batch){.samples = samples[0],
                                   .shares = shares[0],
                                   .labels = labels,
                                   .partners = partners,
                                   .n = n,
                                   .h = H,
                                   .w = W,
                                   .c = C,
                                   .classes = CLASSES,
                                   .seed = 7,
                                   .epoch = 2,
                                   .index = index};
}

/* Mixes batch `index` of `n` samples. */
static void mix(double mixup, double cutmix, int64_t n, int64_t index)
{
    const struct cnni_mix settings = {mixup, cutmix};
    const struct cnni_mix_batch batch = make_batch(n, index);
    cnni_mix(&settings, &batch);
}

/* Whose numbers sample `i` of the `n` also has; itself where there are no others. */
static int64_t partner_of(int64_t i, int64_t n)
{
    for (int64_t k = 0; k + 1 < n; k += 2) {
        if (partners[k] == i)
            return partners[k + 1];
        if (partners[k + 1] == i)
            return partners[k];
    }
    return i;
}

static void check_label(int64_t i, int64_t partner, double share)
{
    for (int32_t k = 0; k < CLASSES; k++) {
        const double wanted = (k == labels[i]) * share + (k == labels[partner]) * (1 - share);
        ck_assert_float_eq_tol(shares[i][k], (float)wanted, 1e-6f);
    }
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

START_TEST(pairs_are_random_and_no_one_is_in_two)
{
    int32_t met[MOST][MOST] = {{0}};
    for (int64_t index = 0; index < 900; index++) {
        mix(1, 0, MOST, index);
        for (int64_t i = 0; i < MOST; i++) {
            const int64_t partner = partner_of(i, MOST);
            ck_assert_int_eq(partner_of(partner, MOST), i);
            met[i][partner]++;
        }
    }
    for (int64_t i = 0; i < MOST; i++)
        for (int64_t k = 0; k < MOST; k++)
            ck_assert_double_eq_tol(met[i][k], 100, 50); /* one stays alone, as often */
}
END_TEST

START_TEST(the_odd_one_stays_as_it_is)
{
    for (int64_t n = 1; n <= MOST; n++) {
        int32_t alone = 0;
        mix(1, 1, n, n);
        for (int64_t i = 0; i < n; i++) {
            if (partner_of(i, n) != i)
                continue;
            alone++;
            check_label(i, i, 1);
            for (int64_t k = 0; k < COUNT; k++)
                ck_assert(samples[i][k] == value_of(i, k));
        }
        ck_assert_int_eq(alone, n % 2);
    }
}
END_TEST

/* ---- Mixup ----------------------------------------------------------------------------------- */

START_TEST(mixup_is_the_formula)
{
    double sum = 0, squares = 0;
    int32_t pairs = 0;
    for (int64_t index = 0; index < 400; index++) {
        mix(0.4, 0, MOST, index);
        for (int64_t i = 0; i < MOST; i++) {
            const int64_t partner = partner_of(i, MOST);
            if (partner == i)
                continue;
            const double own = 1 + (double)i, other = 1 + (double)partner;
            const double share = ((double)samples[i][0] - other) / (own - other);
            ck_assert(share > -1e-5 && share < 1 + 1e-5);
            check_label(i, partner, labels[i] == labels[partner] ? 1 : share);
            float worst = 0;
            for (int64_t k = 0; k < COUNT; k++)
                worst = fmaxf(worst, fabsf(samples[i][k] - samples[i][0] - value_of(-1, k)));
            ck_assert_float_le(worst, 2e-3f);
            /* Both have the same share of themselves. */
            ck_assert_float_eq_tol(samples[partner][0], (float)(own + other) - samples[i][0],
                                   1e-5f);
            if (i < partner) {
                sum += share;
                squares += (share - 0.5) * (share - 0.5);
                pairs++;
            }
        }
    }
    /* Beta(0.4, 0.4), a new one for each pair; five standard deviations. */
    ck_assert_double_eq_tol(sum / pairs, 0.5, 5 * sqrt(0.25 / 1.8 / pairs));
    ck_assert_double_eq_tol(squares / pairs, 0.25 / 1.8, 5 * 0.1 / sqrt(pairs));
}
END_TEST

/* ---- CutMix ---------------------------------------------------------------------------------- */

struct hole {
    int64_t left, top, right, bottom;
};

/* The rectangle in which sample `i` is its partner, all of whose numbers are checked. */
static struct hole find_hole(int64_t i, int64_t partner)
{
    struct hole hole = {W, H, 0, 0};
    int64_t exchanged = 0;
    bool exact = true;
    for (int64_t k = 0; k < COUNT; k++) {
        const int64_t x = k / C % W, y = k / C / W;
        if (samples[i][k] == value_of(i, k))
            continue;
        exact = exact && samples[i][k] == value_of(partner, k);
        exchanged++;
        hole.left = CNNI_MIN(hole.left, x);
        hole.top = CNNI_MIN(hole.top, y);
        hole.right = CNNI_MAX(hole.right, x + 1);
        hole.bottom = CNNI_MAX(hole.bottom, y + 1);
    }
    ck_assert(exact); /* one assertion for all: they take their time */
    if (exchanged == 0)
        return (struct hole){0, 0, 0, 0};
    ck_assert_int_eq(exchanged, (hole.right - hole.left) * (hole.bottom - hole.top) * C);
    return hole;
}

/* Of Beta(1, 1) shares the side is the square root of an even number: on average 2/3, before it is
 * cut at the borders; by how much its middle tells. */
START_TEST(cutmix_exchanges_rectangles)
{
    double xs = 0, ys = 0, areas = 0;
    int32_t pairs = 0, seen = 0;
    for (int64_t index = 0; index < 400; index++) {
        mix(0, 1, MOST, index);
        for (int64_t i = 0; i < MOST; i++) {
            const int64_t partner = partner_of(i, MOST);
            const struct hole hole = find_hole(i, partner), other = find_hole(partner, i);
            const int64_t w = hole.right - hole.left, h = hole.bottom - hole.top;
            ck_assert_mem_eq(&hole, &other, sizeof hole);
            check_label(i, partner, 1 - (double)(w * h) / (H * W));
            if (i >= partner)
                continue;
            pairs++;
            areas += (double)(w * h) / (H * W);
            if (w == 0 || h == 0)
                continue;
            seen++;
            xs += (double)(hole.left + hole.right) / 2 / W;
            ys += (double)(hole.top + hole.bottom) / 2 / H;
            if (hole.left > 0 && hole.right < W && hole.top > 0 && hole.bottom < H)
                ck_assert_double_eq_tol((double)w / W, (double)h / H, 1.0 / W + 1.0 / H);
        }
    }
    ck_assert_int_gt(seen, pairs * 9 / 10);
    ck_assert_double_eq_tol(xs / seen, 0.5, 0.03);
    ck_assert_double_eq_tol(ys / seen, 0.5, 0.03);
    /* The expectation of a side of length s, cut: s - s^2 / 4; of the square, with s^2 even in
     * 0 .. 1: 1/2 - 2 / (4 * 2.5) + 1 / (16 * 3). */
    ck_assert_double_eq_tol(areas / pairs, 0.5 - 0.2 + 1.0 / 48, 0.03);
}
END_TEST

/* ---- Both ------------------------------------------------------------------------------------ */

/* Each pair gets one or the other, independently of its neighbours. */
START_TEST(both_come_equally_often)
{
    int32_t cut = 0, pairs = 0, batches_of_both = 0;
    for (int64_t index = 0; index < 300; index++) {
        int32_t here = 0;
        mix(100, 100, 8, index); /* shares near 1/2: nobody stays whole */
        for (int64_t i = 0; i < 8; i += 2) {
            const int64_t one = partners[i], other = partners[i + 1];
            bool whole = true;
            for (int64_t k = 0; k < COUNT; k++)
                whole = whole && (samples[one][k] == value_of(one, k) ||
                                  samples[one][k] == value_of(other, k));
            here += whole;
        }
        cut += here;
        pairs += 4;
        batches_of_both += here > 0 && here < 4;
    }
    ck_assert_double_eq_tol(cut / (double)pairs, 0.5, 5 * sqrt(0.25 / pairs));
    ck_assert_double_eq_tol(batches_of_both / 300.0, 1 - 2.0 / 16, 5 * sqrt(0.11 / 300));
}
END_TEST

START_TEST(a_mixture_is_a_function_of_seed_epoch_and_batch)
{
    static float first[MOST][COUNT];
    const struct cnni_mix settings = {1, 1};
    struct cnni_mix_batch batch = make_batch(MOST, 3);
    cnni_mix(&settings, &batch);
    memcpy(first, samples, sizeof first);
    for (int32_t i = 0; i < 4; i++) {
        batch = make_batch(MOST, 3 + (i == 1));
        batch.epoch += i == 2;
        batch.seed += i == 3;
        cnni_mix(&settings, &batch);
        ck_assert_int_eq(memcmp(first, samples, sizeof first) == 0, i == 0);
    }
}
END_TEST

/* On every machine and for ever. */
START_TEST(the_bits_of_mixtures_are_pinned)
{
    uint32_t crc = 0;
    for (int64_t index = 0; index < 20; index++) {
        mix(0.3, 0.8, MOST, index);
        crc = cnni_crc32c(crc, samples, sizeof samples);
        crc = cnni_crc32c(crc, shares, sizeof shares);
    }
    ck_assert_uint_eq(crc, 0x03795513);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mix");
    TCase *tcase = tcase_create("mix");
    tcase_add_test(tcase, pairs_are_random_and_no_one_is_in_two);
    tcase_add_test(tcase, the_odd_one_stays_as_it_is);
    tcase_add_test(tcase, mixup_is_the_formula);
    tcase_add_test(tcase, cutmix_exchanges_rectangles);
    tcase_add_test(tcase, both_come_equally_often);
    tcase_add_test(tcase, a_mixture_is_a_function_of_seed_epoch_and_batch);
    tcase_add_test(tcase, the_bits_of_mixtures_are_pinned);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
