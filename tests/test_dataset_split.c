/* SPDX-License-Identifier: MIT
 * Halves of datasets: their share of every class, the seed, how long they live, every documented
 * error, and memory that runs out while opening and splitting. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cnn/dataset.h"
#include "support/accounts.h"
#include "support/datasets.h"
#include "support/folders.h"
#include "support/suite.h"

static cnn_context *context;

static void set_up(void)
{
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* Paths of a dataset are ascending, and each is in exactly one of the two halves. */
static void check_halves(const cnn_dataset *whole, const cnn_dataset *first,
                         const cnn_dataset *second)
{
    int64_t a = 0, b = 0;
    ck_assert_int_eq(cnn_dataset_count(first) + cnn_dataset_count(second),
                     cnn_dataset_count(whole));
    for (int64_t i = 0; i < cnn_dataset_count(whole); i++) {
        const char *path = cnn_dataset_path(whole, i);
        const cnn_dataset *half =
            a < cnn_dataset_count(first) && strcmp(cnn_dataset_path(first, a), path) == 0 ? first
                                                                                          : second;
        int64_t *place = half == first ? &a : &b;
        ck_assert_str_eq(cnn_dataset_path(half, *place), path);
        ck_assert_int_eq(cnn_dataset_label(half, *place), cnn_dataset_label(whole, i));
        ++*place;
    }
}

START_TEST(halves_have_the_share_of_every_class)
{
    cnn_dataset *first, *second;
    folder_make(folder_path("split"));
    folder_class(folder_path("split/a"), 40);
    folder_class(folder_path("split/b"), 15);
    folder_class(folder_path("split/c"), 2);
    folder_class(folder_path("split/d"), 3);
    cnn_dataset *whole = dataset_open_part(context, folder_path("split"), CNN_TRAIN);
    static const struct {
        double fraction;
        int64_t counts[4];
    } rows[] = {
        {0.1, {4, 2, 1, 1}},     {0.5, {20, 8, 1, 2}},     {0.001, {1, 1, 1, 1}},
        {0.999, {39, 14, 1, 2}}, {1 / 3.0, {13, 5, 1, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(cnn_dataset_split(&first, &second, whole, rows[i].fraction, 5), CNN_OK);
        for (int32_t k = 0; k < 4; k++)
            ck_assert_int_eq(dataset_count_label(second, k), rows[i].counts[k]);
        check_halves(whole, first, second);
        cnn_dataset_free(first);
        cnn_dataset_free(second);
    }
    cnn_dataset_free(whole);
}
END_TEST

static bool same_samples(const cnn_dataset *a, const cnn_dataset *b)
{
    bool same = cnn_dataset_count(a) == cnn_dataset_count(b);
    for (int64_t i = 0; same && i < cnn_dataset_count(a); i++)
        same = strcmp(cnn_dataset_path(a, i), cnn_dataset_path(b, i)) == 0;
    return same;
}

START_TEST(the_seed_decides_the_halves)
{
    cnn_dataset *first[3], *second[3];
    folder_classes("seeds", 50);
    folder_class(folder_path("seeds/c"), 50);
    folder_remove(folder_path("seeds/b"));
    cnn_dataset *whole = dataset_open_part(context, folder_path("seeds"), CNN_TRAIN);
    for (int32_t i = 0; i < 3; i++)
        ck_assert_int_eq(cnn_dataset_split(&first[i], &second[i], whole, 0.3, i == 2 ? 8 : 7),
                         CNN_OK);
    ck_assert(same_samples(first[0], first[1]) && same_samples(second[0], second[1]));
    ck_assert(!same_samples(second[0], second[2]));
    /* Classes of one size are not cut alike. */
    bool alike = true;
    for (int64_t i = 0; i < 15; i++)
        alike = alike && strcmp(strrchr(cnn_dataset_path(second[0], i), '/'),
                                strrchr(cnn_dataset_path(second[0], 15 + i), '/')) == 0;
    ck_assert(!alike);
    for (int32_t i = 0; i < 3; i++) {
        cnn_dataset_free(first[i]);
        cnn_dataset_free(second[i]);
    }
    cnn_dataset_free(whole);
}
END_TEST

START_TEST(halves_can_be_split_and_live_on_their_own)
{
    cnn_dataset *first, *second, *third, *fourth;
    folder_classes("again", 21);
    folder_class(folder_path("again/c"), 20);
    folder_remove(folder_path("again/b"));
    cnn_dataset *whole = dataset_open_part(context, folder_path("again"), CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_split(&first, &second, whole, 0.25, 1), CNN_OK);
    cnn_dataset_free(whole);
    ck_assert_int_eq(cnn_dataset_split(&third, &fourth, first, 0.5, 1), CNN_OK);
    check_halves(first, third, fourth);
    const char *path = cnn_dataset_path(third, 0);
    const char *name = cnn_dataset_class_name(third, 0);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    cnn_dataset_free(third);
    /* Borrowed until the last of the family is gone. */
    ck_assert_ptr_nonnull(strstr(path, "/again/a/"));
    ck_assert_str_eq(name, "a");
    ck_assert_str_eq(cnn_dataset_class_name(fourth, 1), "c");
    cnn_dataset_free(fourth);
}
END_TEST

START_TEST(splits_that_do_not_do_are_refused)
{
    static const double fractions[] = {0, 1, -0.5, 2, __builtin_nan("")};
    cnn_dataset *first = NULL, *second = NULL;
    cnn_dataset *dataset = dataset_squares(context, 4, 2), *small = dataset_squares(context, 3, 2),
                *gap = dataset_squares(context, 2, 2);
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++)
        ck_assert_int_eq(cnn_dataset_split(&first, &second, dataset, fractions[i], 0),
                         CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_split(NULL, &second, dataset, 0.5, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_split(&first, NULL, dataset, 0.5, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_split(&first, &second, NULL, 0.5, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_split(&first, &second, small, 0.5, 0), CNN_ERROR_SHAPE);
    ck_assert_str_eq(cnn_error_message(),
                     "cnn_dataset_split: the class \"1\" has 1 sample, must have at least 2");
    ck_assert_int_eq(cnn_dataset_split(&first, &second, gap, 0.5, 0), CNN_ERROR_SHAPE);
    ck_assert_ptr_null(first);
    ck_assert_ptr_null(second);
    cnn_dataset_free(dataset);
    cnn_dataset_free(small);
    cnn_dataset_free(gap);
}
END_TEST

/* Opens and splits where call number `refuse_at` of the allocator fails. */
static cnn_status open_and_split(struct accounts *accounts, int64_t refuse_at)
{
    cnn_context *own = accounts_context(accounts);
    cnn_dataset *dataset, *first = NULL, *second = NULL;
    accounts->refuse_at = refuse_at;
    accounts->refuse_once = true;
    cnn_status status = cnn_dataset_open(&dataset, own, folder_path("poor"), CNN_TRAIN);
    if (status == CNN_OK)
        status = cnn_dataset_split(&first, &second, dataset, 0.5, 0);
    ck_assert_int_eq(first == NULL, status != CNN_OK);
    ck_assert_int_eq(second == NULL, status != CNN_OK);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    cnn_dataset_free(dataset);
    cnn_context_free(own);
    return status;
}

START_TEST(refused_memory_is_an_error_and_nothing_leaks)
{
    struct accounts accounts;
    int64_t refuse_at = 1;
    folder_classes("poor", 80);
    folder_class(folder_path("poor/c"), 2);
    file_write(folder_path("poor/b/more.jpg"), "", 0);
    while (open_and_split(&accounts, refuse_at) != CNN_OK) {
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "memory"));
        ck_assert_int_eq(accounts.blocks, 0);
        refuse_at++;
    }
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_int_lt(accounts.calls, refuse_at);
    ck_assert_int_gt(refuse_at, 10);
}
END_TEST

static Suite *dataset_split_suite(void)
{
    Suite *suite = suite_create("dataset_split");
    TCase *tcase = tcase_create("dataset_split");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, halves_have_the_share_of_every_class);
    tcase_add_test(tcase, the_seed_decides_the_halves);
    tcase_add_test(tcase, halves_can_be_split_and_live_on_their_own);
    tcase_add_test(tcase, splits_that_do_not_do_are_refused);
    tcase_add_test(tcase, refused_memory_is_an_error_and_nothing_leaks);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(dataset_split_suite());
}
