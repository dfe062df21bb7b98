/* SPDX-License-Identifier: MIT
 * Epochs that begin in their middle, and what two loaders must have in common to go on with one
 * another's: their descriptions.  The fingerprints in them are in test_fingerprint.c. */
#include <stdio.h>
#include <string.h>

#include "support/datasets.h"
#include "support/expect.h"
#include "support/loading.h"
#include "support/suite.h"

enum { BATCHES = 6, SAMPLES = 17 };

static cnn_loader *shuffled(int32_t threads)
{
    cnn_loader *loader = make_loader("pictures", 3);
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 7));
    EXPECT_OK(cnn_loader_set_random_flip(loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 20));
    EXPECT_OK(cnn_loader_set_threads(loader, threads));
    return loader;
}

/* ---- Beginning in the middle --------------------------------------------------------------- */

/* With that many threads: what comes from batch `batch` on is what comes then in a whole epoch, and
 * so is the epoch after it. */
static void begin_at(cnn_loader *loader, int64_t batch)
{
    const int32_t before = (int32_t)batch * 3 < SAMPLES ? (int32_t)batch * 3 : SAMPLES;
    EXPECT_OK(cnn_loader_start_at(loader, 2, batch));
    ck_assert_int_eq(cnn_loader_batch(loader), batch);
    ck_assert_int_eq(cnn_loader_epoch(loader), 2);
    const struct epoch *rest = read_epoch(2, loader);
    EXPECT_OK(rest->status);
    ck_assert_int_eq(rest->samples, SAMPLES - before);
    ck_assert_int_eq(rest->batches, BATCHES - batch);
    ck_assert_mem_eq(rest->labels, epochs[0].labels + before,
                     sizeof(int32_t) * (size_t)rest->samples);
    ck_assert_mem_eq(rest->inputs, epochs[0].inputs + before * ROW,
                     sizeof(float) * ROW * (size_t)rest->samples);
    ck_assert_int_eq(cnn_loader_epoch(loader), 3);
    ck_assert_int_eq(cnn_loader_batch(loader), 0);
    ck_assert(same_epochs(read_epoch(3, loader), &epochs[1]));
}

START_TEST(an_epoch_can_begin_at_any_batch)
{
    static const int32_t threads[] = {0, 1, 3};
    cnn_loader *loader = shuffled(2);
    EXPECT_OK(cnn_loader_start(loader, 2));
    read_epoch(0, loader);
    read_epoch(1, loader);
    cnn_loader_free(loader);
    loader = shuffled(threads[_i]);
    for (int64_t batch = 0; batch <= BATCHES; batch++)
        begin_at(loader, batch);
    for (int64_t batch = BATCHES; batch-- > 0;) /* also while another is running */
        begin_at(loader, batch);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(the_number_of_the_batch_that_comes_next)
{
    cnn_loader *loader = shuffled(1);
    cnn_tensor *inputs, *labels;
    ck_assert_int_eq(cnn_loader_batch(NULL), 0);
    for (int64_t i = 0; i <= BATCHES; i++) {
        ck_assert_int_eq(cnn_loader_batch(loader), i);
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        ck_assert_int_eq(inputs == NULL, i == BATCHES);
    }
    ck_assert_int_eq(cnn_loader_batch(loader), 0);
    ck_assert_int_eq(cnn_loader_epoch(loader), 1);
    cnn_loader_free(loader);
}
END_TEST

/* Without preparing the batches before: a bad picture among them is not met. */
START_TEST(what_comes_before_is_not_prepared)
{
    make_pictures("bad", 3, 3);
    file_write(folder_path("bad/cat/00.jpg"), "no picture", 10);
    cnn_loader *loader = make_loader("bad", 1);
    EXPECT_OK(cnn_loader_set_threads(loader, 0));
    EXPECT_OK(cnn_loader_start_at(loader, 0, 1));
    EXPECT_OK(read_epoch(0, loader)->status);
    ck_assert_int_eq(cnn_loader_skipped(loader), 0);
    EXPECT_OK(read_epoch(0, loader)->status);
    ck_assert_int_eq(cnn_loader_skipped(loader), 1);
    cnn_loader_free(loader);
}
END_TEST

/* An end without a good sample is none of an epoch whose beginning had some. */
START_TEST(a_rest_of_bad_samples_is_no_error)
{
    static const char *const names[] = {"0.jpg"};
    folder_make(folder_path("rest"));
    folder_files(folder_path("rest/a"), names, 1);
    folder_files(folder_path("rest/b"), names, 1);
    cnn_loader *loader = make_loader("rest", 1);
    ck_assert_int_eq(read_epoch(0, loader)->status, CNN_ERROR_FORMAT);
    EXPECT_OK(cnn_loader_start_at(loader, 0, 1));
    EXPECT_OK(read_epoch(0, loader)->status);
    ck_assert_int_eq(cnn_loader_epoch(loader), 1);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(places_that_are_none)
{
    cnn_loader *loader = shuffled(1);
    cnn_tensor *inputs, *labels;
    EXPECT_OK(cnn_loader_start_at(loader, 1, 2));
    EXPECT_FAILS(cnn_loader_start_at(NULL, 0, 0), CNN_ERROR_INVALID, "cnn_loader_start_at",
                 "loader");
    EXPECT_FAILS(cnn_loader_start_at(loader, -1, 0), CNN_ERROR_INVALID, "cnn_loader_start_at",
                 "epoch is -1");
    EXPECT_FAILS(cnn_loader_start_at(loader, 0, -1), CNN_ERROR_INVALID, "cnn_loader_start_at",
                 "batch is -1, must be 0 to 6");
    EXPECT_FAILS(cnn_loader_start_at(loader, 0, BATCHES + 1), CNN_ERROR_INVALID,
                 "cnn_loader_start_at", "batch is 7");
    EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
    ck_assert_int_eq(cnn_loader_batch(loader), 3);
    cnn_loader_free(loader);
}
END_TEST

/* ---- What they are ------------------------------------------------------------------------- */

START_TEST(a_description_has_all_settings)
{
    char text[1024], cut[20], wanted[1024];
    cnn_loader *loader = shuffled(1);
    cnn_dataset *dataset = open_folder("pictures");
    snprintf(wanted, sizeof wanted,
             "{\"dataset\":{\"samples\":17,\"classes\":2,\"fingerprint\":%u},\"batch\":3,"
             "\"shuffle\":1,\"seed\":7,\"min_area\":1,\"max_area\":1,\"max_ratio\":1,"
             "\"rotation\":20,\"flip\":0.5,\"brightness\":0,\"contrast\":0,"
             "\"translation\":0,\"zoom\":0,\"shear\":0,\"saturation\":0,\"hue\":0,\"erasing\":0,"
             "\"erasing_min_area\":0,\"erasing_max_area\":0,\"erasing_max_ratio\":0,\"mixup\":0,"
             "\"cutmix\":0}",
             cnn_dataset_fingerprint(dataset));
    ck_assert_uint_eq(cnn_loader_describe(loader, text, sizeof text), strlen(wanted));
    ck_assert_str_eq(text, wanted);
    ck_assert_uint_eq(cnn_loader_describe(loader, NULL, 0), strlen(wanted));
    ck_assert_uint_eq(cnn_loader_describe(loader, NULL, 10), strlen(wanted));
    ck_assert_uint_eq(cnn_loader_describe(loader, cut, sizeof cut), strlen(wanted));
    ck_assert(strlen(cut) == sizeof cut - 1 && strncmp(cut, wanted, sizeof cut - 1) == 0);
    ck_assert_uint_eq(cnn_loader_describe(NULL, cut, sizeof cut), 0);
    ck_assert_str_eq(cut, "");
    cnn_dataset_free(dataset);
    cnn_loader_free(loader);
}
END_TEST

static Suite *loader_start_suite(void)
{
    Suite *suite = suite_create("loader_start");
    TCase *tcase = tcase_create("loader_start");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_add_loop_test(tcase, an_epoch_can_begin_at_any_batch, 0, 3);
    tcase_add_test(tcase, the_number_of_the_batch_that_comes_next);
    tcase_add_test(tcase, what_comes_before_is_not_prepared);
    tcase_add_test(tcase, a_rest_of_bad_samples_is_no_error);
    tcase_add_test(tcase, places_that_are_none);
    tcase_add_test(tcase, a_description_has_all_settings);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loader_start_suite());
}
