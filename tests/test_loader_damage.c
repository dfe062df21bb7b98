/* SPDX-License-Identifier: MIT
 * Loaders and what goes wrong: bad files of every kind, skipped or fatal; memory that runs out. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/loader_cache.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/loading.h"
#include "support/log_lines.h"
#include "support/pictures.h"
#include "support/suite.h"

/* ---- Bad files ------------------------------------------------------------------------------- */

/* A folder with a bad file of every kind between 6 good ones; in order of their names. */
static const struct {
    const char *name;
    cnn_status status;
    const char *reason;
} bad_files[] = {
    {"b_text.jpg", CNN_ERROR_FORMAT, "not as a JPEG or PNG"},
    {"c_empty.png", CNN_ERROR_FORMAT, "empty"},
    {"d_cut.jpg", CNN_ERROR_FORMAT, ""},
    {"e_folder.jpg", CNN_ERROR_IO, "is a folder"},
    {"f_pipe.jpg", CNN_ERROR_IO, "pipe"},
    {"g_dangling.jpg", CNN_ERROR_IO, "symbolic link"},
    {"h_link.jpg", CNN_ERROR_IO, "symbolic link"},
    {"i_huge.png", CNN_ERROR_LIMIT, "60000"},
    {"j_new\nline.jpg", CNN_ERROR_FORMAT, "j_new\\x0Aline.jpg"},
    {"k_webp.jpg", CNN_ERROR_UNSUPPORTED, "WebP"},
};
enum { BAD = sizeof bad_files / sizeof bad_files[0] };

static void make_mixed(const char *folder)
{
    /* The beginning of a PNG that claims 60,000 x 60,000 pixels. */
    static const char huge[] =
        "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0"
        "\x0F\xB0\xE2\x15\0\0\0\1IDAT";
    folder_make(folder_path("%s", folder));
    folder_make(folder_path("%s/cat", folder));
    folder_make(folder_path("%s/dog", folder));
    for (int32_t i = 0; i < 3; i++) {
        picture_write_jpeg(folder_path("%s/cat/%c_good.jpg", folder, "ayz"[i]), 40 + i, 50,
                           (uint32_t)i);
        picture_write_png(folder_path("%s/dog/%d.png", folder, i), 30, 30 + i, (uint32_t)(9 + i));
    }
    file_write(folder_path("%s/cat/b_text.jpg", folder), "This is no picture.\n", 20);
    file_write(folder_path("%s/cat/c_empty.png", folder), "", 0);
    picture_write_jpeg(folder_path("%s/cat/d_cut.jpg", folder), 40, 40, 0);
    file_cut(folder_path("%s/cat/d_cut.jpg", folder), 700);
    folder_make(folder_path("%s/cat/e_folder.jpg", folder));
    ck_assert_int_eq(mkfifo(folder_path("%s/cat/f_pipe.jpg", folder), 0666), 0);
    ck_assert_int_eq(symlink("nowhere", folder_path("%s/cat/g_dangling.jpg", folder)), 0);
    ck_assert_int_eq(symlink("a_good.jpg", folder_path("%s/cat/h_link.jpg", folder)), 0);
    file_write(folder_path("%s/cat/i_huge.png", folder), huge, sizeof huge);
    file_write(folder_path("%s/cat/j_new\nline.jpg", folder), "GIF", 3);
    file_write(folder_path("%s/cat/k_webp.jpg", folder), "RIFF0000WEBPVP8 ", 16);
}

/* The name of a bad file as messages show it. */
static const char *shown_name(int32_t i)
{
    return strchr(bad_files[i].name, '\n') != NULL ? bad_files[i].reason : bad_files[i].name;
}

START_TEST(bad_pictures_are_skipped_counted_and_reported)
{
    make_mixed("mixed");
    for (int32_t threads = 0; threads < 4; threads++) {
        struct log_lines lines;
        log_lines_keep(&lines, context);
        cnn_loader *loader = make_loader("mixed", 5);
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        ck_assert_int_eq(cnn_tensor_fill(NULL, 0), CNN_ERROR_INVALID);
        char text[1024], context_text[1024] = "?", context_text_after[1024];
        snprintf(text, sizeof text, "%s", cnn_error_message());
        cnn_context_error(context, context_text, sizeof context_text);
        const struct epoch *epoch = read_epoch(threads == 0 ? 0 : 1, loader);
        EXPECT_OK(epoch->status);
        ck_assert_int_eq(epoch->samples, 6);
        for (int32_t i = 0; i < 6; i++)
            ck_assert_int_eq(epoch->labels[i], i >= 3);
        ck_assert(threads == 0 || same_epochs(epoch, &epochs[0]));
        ck_assert_int_eq(cnn_loader_skipped(loader), BAD);
        ck_assert_int_eq(lines.count, BAD);
        for (int32_t i = 0; i < BAD; i++)
            ck_assert_msg(strstr(lines.text[i], shown_name(i)) != NULL &&
                              strstr(lines.text[i], bad_files[i].reason) != NULL,
                          "line %d: %s", i, lines.text[i]);
        /* In another order of another epoch each is counted again, and not reported again. */
        EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 4));
        ck_assert_int_eq(read_epoch(2, loader)->samples, 6);
        ck_assert_int_eq(cnn_loader_skipped(loader), 2 * BAD);
        ck_assert_int_eq(lines.count, BAD);
        /* They were no failures of a call. */
        ck_assert_str_eq(cnn_error_message(), text);
        cnn_context_error(context, context_text_after, sizeof context_text_after);
        ck_assert_str_eq(context_text_after, context_text);
        cnn_loader_free(loader);
    }
    folder_remove(folder_path("mixed"));
}
END_TEST

START_TEST(bad_pictures_end_a_strict_epoch)
{
    cnn_tensor *inputs, *labels;
    make_mixed("strict");
    for (int32_t i = 0; i < BAD; i++) {
        cnn_loader *loader = make_loader("strict", 1);
        EXPECT_OK(cnn_loader_set_threads(loader, i % 4));
        EXPECT_OK(cnn_loader_set_strict(loader, 1));
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader)); /* a_good.jpg */
        ck_assert_int_eq(cnn_loader_next(&inputs, &labels, loader), bad_files[i].status);
        ck_assert_ptr_null(inputs);
        ck_assert_ptr_null(labels);
        ck_assert_msg(strstr(cnn_error_message(), shown_name(i)) != NULL &&
                          strstr(cnn_error_message(), bad_files[i].reason) != NULL &&
                          strncmp(cnn_error_message(), "cnn_loader_next: ", 17) == 0,
                      "%d: %s", i, cnn_error_message());
        ck_assert_int_eq(cnn_loader_skipped(loader), 0);
        /* The epoch is over and comes again. */
        ck_assert_int_eq(cnn_loader_epoch(loader), 0);
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        ck_assert_int_eq(cnn_loader_next(&inputs, &labels, loader), bad_files[i].status);
        EXPECT_OK(cnn_loader_set_strict(loader, 0));
        ck_assert_int_eq(read_epoch(0, loader)->samples, 6);
        cnn_loader_free(loader);
        if (remove(folder_path("strict/cat/%s", bad_files[i].name)) != 0)
            ck_abort_msg("cannot remove %s", bad_files[i].name);
    }
    cnn_loader *loader = make_loader("strict", 1);
    EXPECT_OK(cnn_loader_set_strict(loader, 1));
    ck_assert_int_eq(read_epoch(0, loader)->samples, 6);
    cnn_loader_free(loader);
    folder_remove(folder_path("strict"));
}
END_TEST

/* Skipped are then only those that are no pictures at all; the log says which of the others lack
 * something, each time that they are decoded; of the skipped ones once. */
START_TEST(damaged_jpegs_may_be_let_through)
{
    make_mixed("lenient");
    EXPECT_OK(cnn_context_set_lenient(context, 1));
    for (int32_t threads = 0; threads < 3; threads++) {
        struct log_lines lines;
        log_lines_keep(&lines, context);
        cnn_loader *loader = make_loader("lenient", 4);
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        EXPECT_OK(cnn_loader_set_cache(loader, 1 << 24));
        for (int32_t e = 0; e < 2; e++)
            ck_assert_int_eq(read_epoch(0, loader)->samples, 7);
        ck_assert_int_eq(cnn_loader_skipped(loader), 2 * (BAD - 1));
        ck_assert_int_eq(lines.count, BAD - 1 + 1);
        ck_assert_msg(strstr(lines.text[2], "d_cut.jpg\": decoded a damaged JPEG: ") != NULL &&
                          lines.text[2][0] == '"',
                      "%s", lines.text[2]);
        cnn_loader_free(loader);
    }
    folder_remove(folder_path("lenient"));
}
END_TEST

/* The pictures of a class, unlike the root, cannot be reached through a link that came later. */
START_TEST(a_folder_that_became_a_link_is_not_followed)
{
    make_pictures("moved", 2, 3);
    make_pictures("elsewhere", 2, 3);
    cnn_loader *loader = make_loader("moved", 5);
    ck_assert_int_eq(read_epoch(0, loader)->samples, 5);
    folder_remove(folder_path("moved/cat"));
    ck_assert_int_eq(symlink("../elsewhere/cat", folder_path("moved/cat")), 0);
    ck_assert_int_eq(read_epoch(0, loader)->samples, 3);
    ck_assert_int_eq(cnn_loader_skipped(loader), 2);
    folder_remove(folder_path("moved"));
    ck_assert_int_eq(symlink("elsewhere", folder_path("moved")), 0);
    ck_assert_int_eq(read_epoch(0, loader)->samples, 5);
    cnn_loader_free(loader);
    ck_assert_int_eq(unlink(folder_path("moved")), 0);
    folder_remove(folder_path("elsewhere"));
}
END_TEST

static int open_error;

static int fail_to_open(int folder, const char *path, int flags, mode_t mode)
{
    (void)folder, (void)path, (void)flags, (void)mode;
    errno = open_error;
    return -1;
}

/* The pictures are as good as before: a later epoch has them. */
START_TEST(a_system_without_open_files_makes_no_picture_bad)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM};
    struct cnni_file_calls failing = *cnni_file_system_calls();
    failing.openat = fail_to_open;
    for (int32_t i = 0; i < CNNI_COUNT(errors); i++) {
        cnn_loader *loader = make_loader("pictures", 5);
        open_error = errors[i];
        cnni_file_set_calls(&failing);
        cnn_status status = read_epoch(0, loader)->status;
        cnni_file_set_calls(NULL);
        ck_assert_int_eq(status, CNN_ERROR_MEMORY);
        ck_assert_int_eq(cnn_loader_skipped(loader), 0);
        ck_assert_int_eq(read_epoch(0, loader)->samples, 17);
        cnn_loader_free(loader);
    }
}
END_TEST

START_TEST(an_epoch_of_bad_pictures_is_an_error)
{
    folder_make(folder_path("rotten"));
    folder_make(folder_path("rotten/a"));
    folder_make(folder_path("rotten/b"));
    for (int32_t i = 0; i < 5; i++) {
        file_write(folder_path("rotten/a/%d.jpg", i), "junk", 4);
        file_write(folder_path("rotten/b/%d.jpg", i), "junk", 4);
    }
    cnn_loader *loader = make_loader("rotten", 3);
    for (int32_t i = 1; i < 3; i++) {
        ck_assert_int_eq(read_epoch(0, loader)->status, CNN_ERROR_FORMAT);
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "all 10 samples"));
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "/rotten/a/0.jpg"));
        ck_assert_int_eq(cnn_loader_skipped(loader), 10 * i);
        ck_assert_int_eq(cnn_loader_epoch(loader), 0);
    }
    /* Whole batches of bad ones are passed over. */
    picture_write_png(folder_path("rotten/b/2.jpg"), 9, 9, 1);
    const struct epoch *epoch = read_epoch(0, loader);
    EXPECT_OK(epoch->status);
    ck_assert_int_eq(epoch->batches, 1);
    ck_assert_int_eq(epoch->samples, 1);
    ck_assert_int_eq(epoch->labels[0], 1);
    cnn_loader_free(loader);
    folder_remove(folder_path("rotten"));
}
END_TEST

/* ---- Memory that runs out ------------------------------------------------------------------ */

/* Two epochs of two pictures each in a context of its own. */
static cnn_status run_poor(struct accounts *accounts, int64_t refuse_at, bool once, int32_t threads)
{
    cnn_context *own = accounts_context(accounts);
    cnn_dataset *dataset;
    cnn_loader *loader = NULL;
    accounts->refuse_at = refuse_at;
    accounts->refuse_once = once;
    cnn_status status = cnn_dataset_open(&dataset, own, folder_path("poor"), CNN_TRAIN);
    if (status == CNN_OK)
        status = cnn_loader_create(&loader, dataset, model, 1);
    if (status == CNN_OK) {
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 1));
        EXPECT_OK(cnn_loader_set_cache(loader, 1 << 20));
        for (int32_t e = 0; e < 2 && status == CNN_OK; e++)
            status = read_epoch(0, loader)->status;
        ck_assert_int_eq(cnn_loader_skipped(loader), 0);
        /* The handle is as good as before. */
        accounts->refuse_at = 0;
        ck_assert_int_eq(read_epoch(0, loader)->samples, 2);
    }
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
    cnn_context_free(own);
    return status;
}

START_TEST(refused_memory_is_an_error_and_nothing_leaks)
{
    make_pictures("poor", 1, 1);
    for (int32_t way = 0; way < 4; way++) {
        int32_t failures = 0;
        for (int32_t i = 1; i < 200; i++) {
            struct accounts accounts;
            cnn_status status = run_poor(&accounts, i, way % 2 == 0, way / 2 * 2);
            ck_assert_int_eq(accounts.blocks, 0);
            ck_assert_msg(status == CNN_OK || status == CNN_ERROR_MEMORY, "%d: %s", i,
                          cnn_error_message());
            failures += status != CNN_OK;
        }
        ck_assert_int_ge(failures, 15);
    }
    folder_remove(folder_path("poor"));
}
END_TEST

/* Room that a refused picture was to take is there for the next. */
START_TEST(refused_memory_costs_no_room_in_the_cache)
{
    struct accounts accounts;
    uint8_t pixels[100] = {1};
    const struct cnni_image picture = {pixels, 10, 10, 1};
    struct cnni_cache cache = {.limit = 400}; /* for the table and one picture */
    cnn_context *own = accounts_context(&accounts);
    EXPECT_OK(cnni_cache_prepare(&cache, own, 2, "test"));
    accounts.refuse_at = accounts.calls + 1;
    accounts.refuse_once = true;
    cnni_cache_keep(&cache, own, 0, &picture);
    ck_assert_ptr_null(cnni_cache_find(&cache, 0));
    cnni_cache_keep(&cache, own, 1, &picture);
    ck_assert_ptr_nonnull(cnni_cache_find(&cache, 1));
    cnni_cache_keep(&cache, own, 0, &picture);
    ck_assert_ptr_null(cnni_cache_find(&cache, 0));
    cnni_cache_clear(&cache, own);
    cnn_context_free(own);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

START_TEST(problems_that_nobody_asks_for_leak_nothing)
{
    make_mixed("unasked");
    for (int32_t i = 0; i < 20; i++) {
        struct accounts accounts;
        cnn_context *own = accounts_context(&accounts);
        cnn_dataset *dataset;
        cnn_loader *loader;
        cnn_tensor *inputs, *labels;
        EXPECT_OK(cnn_dataset_open(&dataset, own, folder_path("unasked"), CNN_TRAIN));
        EXPECT_OK(cnn_loader_create(&loader, dataset, model, 4));
        EXPECT_OK(cnn_loader_set_threads(loader, 1 + i % 2));
        for (int32_t e = 0; e < 3; e++) {
            EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
            usleep((useconds_t)(i * 100));
            EXPECT_OK(cnn_loader_start(loader, e));
        }
        cnn_loader_free(loader);
        cnn_dataset_free(dataset);
        cnn_context_free(own);
        ck_assert_int_eq(accounts.blocks, 0);
    }
    folder_remove(folder_path("unasked"));
}
END_TEST

static Suite *loader_damage_suite(void)
{
    Suite *suite = suite_create("loader_damage");
    TCase *tcase = tcase_create("loader_damage");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, bad_pictures_are_skipped_counted_and_reported);
    tcase_add_test(tcase, bad_pictures_end_a_strict_epoch);
    tcase_add_test(tcase, damaged_jpegs_may_be_let_through);
    tcase_add_test(tcase, a_folder_that_became_a_link_is_not_followed);
    tcase_add_test(tcase, a_system_without_open_files_makes_no_picture_bad);
    tcase_add_test(tcase, an_epoch_of_bad_pictures_is_an_error);
    tcase_add_test(tcase, refused_memory_is_an_error_and_nothing_leaks);
    tcase_add_test(tcase, refused_memory_costs_no_room_in_the_cache);
    tcase_add_test(tcase, problems_that_nobody_asks_for_leak_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loader_damage_suite());
}
