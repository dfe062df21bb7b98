/* SPDX-License-Identifier: MIT
 * Datasets of folders: which files are samples, in what order, of which class; every documented
 * error of opening. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cnn/dataset.h"
#include "support/datasets.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/skip.h"
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

/* Opening fails with `status` and a one-line text that has `word`. */
static void check_refused(const char *path, cnn_part part, cnn_status status, const char *word)
{
    cnn_dataset *dataset = (cnn_dataset *)&dataset;
    ck_assert_int_eq(cnn_dataset_open(&dataset, context, path, part), status);
    ck_assert_ptr_null(dataset);
    ck_assert_msg(strstr(cnn_error_message(), word) != NULL, "no \"%s\" in \"%s\"", word,
                  cnn_error_message());
    ck_assert_msg(strncmp(cnn_error_message(), "cnn_dataset_open: ", 18) == 0, "%s",
                  cnn_error_message());
    ck_assert_ptr_null(strchr(cnn_error_message(), '\n'));
}

START_TEST(classes_and_pictures_are_in_byte_order)
{
    static const char *const zebras[] = {"b.jpg",         "a10.jpg", "a9.jpg",  "A.PNG",
                                         "\xC3\xA4.jpeg", "b.Jpeg",  "\xFF.jpg"};
    static const char *const cats[] = {"only.png"};
    static const struct {
        const char *path;
        int32_t label;
    } wanted[] = {
        {"Zebra/A.PNG", 0},    {"Zebra/a10.jpg", 0}, {"Zebra/a9.jpg", 0},
        {"Zebra/b.Jpeg", 0},   {"Zebra/b.jpg", 0},   {"Zebra/\xC3\xA4.jpeg", 0},
        {"Zebra/\xFF.jpg", 0}, {"cat", 1},           {"k\xC3\xA4tzchen/only.png", 2},
    };
    const char *root = folder_make(folder_path("order"));
    folder_files(folder_path("order/Zebra"), zebras, 7);
    folder_class(folder_path("order/cat"), 1);
    folder_files(folder_path("order/k\xC3\xA4tzchen"), cats, 1);
    cnn_dataset *dataset = dataset_open_part(context, root, CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_count(dataset), 9);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 3);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 0), "Zebra");
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 1), "cat");
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 2), "k\xC3\xA4tzchen");
    for (int32_t i = 0; i < 9; i++) {
        const char *path = cnn_dataset_path(dataset, i);
        ck_assert_int_eq(strncmp(path, root, strlen(root)), 0);
        if (wanted[i].label != 1)
            ck_assert_str_eq(path + strlen(root) + 1, wanted[i].path);
        ck_assert_int_eq(cnn_dataset_label(dataset, i), wanted[i].label);
    }
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(what_is_no_picture_is_left_out)
{
    static const char *const names[] = {"a.jpg", ".b.jpg", "c.txt", "d.jpg.txt", "jpg",
                                        ".jpg",  "e.gif",  "x.png", "f.jpgx",    "README"};
    const char *root = folder_make(folder_path("leave"));
    folder_files(folder_path("leave/one"), names, 10);
    folder_class(folder_path("leave/two"), 1);
    folder_class(folder_path("leave/.hidden"), 1);
    folder_class(folder_path("leave/two/deeper"), 1);
    file_write(folder_path("leave/loose.jpg"), "", 0);
    ck_assert_int_eq(symlink("loose.jpg", folder_path("leave/link")), 0);
    ck_assert_int_eq(symlink("nowhere", folder_path("leave/dangling")), 0);
    cnn_dataset *dataset = dataset_open_part(context, root, CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 2);
    ck_assert_int_eq(cnn_dataset_count(dataset), 3);
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 0), "/one/a.jpg"));
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 1), "/one/x.png"));
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 2), "/two/000.jpg"));
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(parts_have_names)
{
    ck_assert_str_eq(cnn_part_name(CNN_TRAIN), "train");
    ck_assert_str_eq(cnn_part_name(CNN_TEST), "test");
    ck_assert_str_eq(cnn_part_name(0), "unknown part");
    ck_assert_str_eq(cnn_part_name(-1), "unknown part");
    ck_assert_str_eq(cnn_part_name(CNN_VALIDATION), "validation");
    ck_assert_str_eq(cnn_part_name(4), "unknown part");
}
END_TEST

START_TEST(parts_are_found_in_every_layout)
{
    static const struct {
        const char *root, *train, *test;
    } layouts[] = {
        {"layout1", "layout1/train", "layout1/test"},
        {"layout2", "layout2/training_set", "layout2/test_set"},
        {"layout3", "layout3/training_set/training_set", "layout3/test_set/test_set"},
        {"layout4", "layout4/train/train", "layout4/test"},
    };
    for (int32_t i = 0; i < 4; i++) {
        folder_classes(layouts[i].train, 5);
        folder_classes(layouts[i].test, 2);
        cnn_dataset *train =
            dataset_open_part(context, folder_path("%s", layouts[i].root), CNN_TRAIN);
        cnn_dataset *test =
            dataset_open_part(context, folder_path("%s", layouts[i].root), CNN_TEST);
        ck_assert_int_eq(cnn_dataset_count(train), 6);
        ck_assert_int_eq(cnn_dataset_count(test), 3);
        ck_assert_str_eq(cnn_dataset_path(train, 5), folder_path("%s/b/000.jpg", layouts[i].train));
        ck_assert_str_eq(cnn_dataset_path(test, 2), folder_path("%s/b/000.jpg", layouts[i].test));
        cnn_dataset_free(train);
        cnn_dataset_free(test);
    }
}
END_TEST

START_TEST(validation_pictures_have_a_folder_too)
{
    static const char *const names[] = {"validation_set", "validation", "val"};
    folder_classes("three/train", 1);
    check_refused(folder_path("three"), CNN_VALIDATION, CNN_ERROR_NOT_FOUND, "\"val\"");
    for (int32_t i = 0; i < 3; i++) { /* from now on there are those of before, too */
        char path[64];
        snprintf(path, sizeof path, "three/%s", names[i]);
        folder_classes(path, 3 + i);
        cnn_dataset *dataset = dataset_open_part(context, folder_path("three"), CNN_VALIDATION);
        ck_assert_int_eq(cnn_dataset_count(dataset), 4 + i);
        ck_assert_str_eq(cnn_dataset_path(dataset, 0), folder_path("%s/a/000.jpg", path));
        cnn_dataset_free(dataset);
    }
    folder_classes("astray/train", 1);
    ck_assert_int_eq(symlink("train", folder_path("astray/val")), 0);
    check_refused(folder_path("astray"), CNN_VALIDATION, CNN_ERROR_IO, "\"val\" in \"");
}
END_TEST

START_TEST(a_class_may_have_the_name_of_its_part)
{
    folder_make(folder_path("vehicles"));
    folder_make(folder_path("vehicles/train"));
    folder_class(folder_path("vehicles/train/train"), 1);
    folder_class(folder_path("vehicles/train/truck"), 1);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("vehicles"), CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 2);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 0), "train");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(paths_may_end_in_slashes_be_relative_and_go_through_links)
{
    folder_classes("plain", 1);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("plain/"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), folder_path("plain/a/000.jpg"));
    cnn_dataset_free(dataset);
    ck_assert_int_eq(symlink("plain", folder_path("linked")), 0);
    dataset = dataset_open_part(context, folder_path("linked"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), folder_path("linked/a/000.jpg"));
    cnn_dataset_free(dataset);
    ck_assert_int_eq(chdir(folder_path("plain")), 0);
    dataset = dataset_open_part(context, ".", CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), "./a/000.jpg");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(a_folder_that_does_not_do_is_refused_with_the_reason)
{
    check_refused(folder_path("missing"), CNN_TRAIN, CNN_ERROR_NOT_FOUND, "/missing\"");
    check_refused("", CNN_TRAIN, CNN_ERROR_NOT_FOUND, "\"\"");
    file_write(folder_path("file"), "x", 1);
    check_refused(folder_path("file"), CNN_TRAIN, CNN_ERROR_IO, "/file\"");

    folder_make(folder_path("bare"));
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "has no folders");
    file_write(folder_path("bare/a.jpg"), "", 0);
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "has no folders");
    folder_class(folder_path("bare/lonely"), 3);
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"lonely\"");
    folder_make(folder_path("bare/nothing"));
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "/bare/nothing\"");
    check_refused(folder_path("bare"), CNN_TEST, CNN_ERROR_NOT_FOUND, "\"test\"");
    file_write(folder_path("bare/nothing/a.png"), "", 0);
    cnn_dataset_free(dataset_open_part(context, folder_path("bare"), CNN_TRAIN));
}
END_TEST

/* As cnn_model_set_classes() asks for. */
START_TEST(class_names_must_be_printable_utf8)
{
    folder_classes("names", 1);
    folder_class(folder_path("names/latin\xE9"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"latin\\xE9\"");
    folder_remove(folder_path("names/latin\xE9"));
    folder_class(folder_path("names/line\nbreak"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"line\\x0Abreak\" in \"");
    folder_remove(folder_path("names/line\nbreak"));
    folder_class(folder_path("names/\xC2\x85"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"\\xC2\\x85\" in \"");
    folder_remove(folder_path("names/\xC2\x85"));
    folder_class(folder_path("names/\xC3\xA4 \\x0A"), 1);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("names"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 2), "\xC3\xA4 \\x0A");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(class_folders_may_not_be_links)
{
    folder_classes("chain", 1);
    ck_assert_int_eq(symlink("a", folder_path("chain/c")), 0);
    check_refused(folder_path("chain"), CNN_TRAIN, CNN_ERROR_IO, "\"c\"");
    /* Nor may a part, which can be opened by itself. */
    folder_make(folder_path("parts"));
    ck_assert_int_eq(symlink("../chain", folder_path("parts/test")), 0);
    ck_assert_int_eq(unlink(folder_path("chain/c")), 0);
    check_refused(folder_path("parts"), CNN_TEST, CNN_ERROR_IO, "\"test\" in \"");
    check_refused(folder_path("parts"), CNN_TRAIN, CNN_ERROR_IO,
                  "must be a folder: put one there, or open what the link leads to");
    cnn_dataset_free(dataset_open_part(context, folder_path("parts/test"), CNN_TRAIN));
}
END_TEST

START_TEST(links_beside_the_parts_do_not_matter)
{
    folder_classes("beside/train", 2);
    folder_classes("beside/test", 3);
    ck_assert_int_eq(symlink("train", folder_path("beside/latest")), 0);
    cnn_dataset_free(dataset_open_part(context, folder_path("beside"), CNN_TRAIN));
    cnn_dataset_free(dataset_open_part(context, folder_path("beside"), CNN_TEST));
    folder_remove(folder_path("beside/train"));
    ck_assert_int_eq(symlink("test", folder_path("beside/train")), 0);
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO, "\"train\" in \"");
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO,
                  "/beside\" is a symbolic link, must be a folder");
    cnn_dataset_free(dataset_open_part(context, folder_path("beside"), CNN_TEST));
    /* Where there is no such part, links stand for classes. */
    ck_assert_int_eq(rename(folder_path("beside/train"), folder_path("beside/newest")), 0);
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO, "\"newest\" in \"");
    /* Deeper down a folder of the part's name is a class beside one that is missing. */
    folder_classes("nested/test/test", 1);
    cnn_dataset_free(dataset_open_part(context, folder_path("nested"), CNN_TEST));
    ck_assert_int_eq(symlink("test", folder_path("nested/test/more")), 0);
    check_refused(folder_path("nested"), CNN_TEST, CNN_ERROR_IO, "\"more\" in \"");
}
END_TEST

/* The first opening of class folder "a" finds a link where the folder was listed. */
static int exchange_folder(int folder, const char *path, int flags, mode_t mode)
{
    if (strcmp(path, "a") == 0) {
        ck_assert_int_eq(rename(folder_path("raced/a"), folder_path("raced/.a")), 0);
        ck_assert_int_eq(symlink("b", folder_path("raced/a")), 0);
    }
    return openat(folder, path, flags, mode);
}

START_TEST(class_folders_may_not_become_links)
{
    struct cnni_file_calls racing = *cnni_file_system_calls();
    racing.openat = exchange_folder;
    folder_classes("raced", 1);
    cnni_file_set_calls(&racing);
    check_refused(folder_path("raced"), CNN_TRAIN, CNN_ERROR_IO,
                  "/raced/a\" is or lies behind a symbolic link, must be a folder");
    cnni_file_set_calls(NULL);
}
END_TEST

static int open_error;

static int fail_to_open(int folder, const char *path, int flags, mode_t mode)
{
    errno = open_error;
    return strcmp(path, "b") == 0 ? -1 : openat(folder, path, flags, mode);
}

static int interrupt_once(int folder, const char *path, int flags, mode_t mode)
{
    static bool interrupted;
    errno = EINTR;
    interrupted = !interrupted;
    return interrupted ? -1 : openat(folder, path, flags, mode);
}

START_TEST(what_the_system_says_becomes_a_status)
{
    static const struct {
        int error;
        cnn_status status;
    } errors[] = {{EMFILE, CNN_ERROR_MEMORY},
                  {ENFILE, CNN_ERROR_MEMORY},
                  {ENOMEM, CNN_ERROR_MEMORY},
                  {ENOENT, CNN_ERROR_NOT_FOUND},
                  {EACCES, CNN_ERROR_IO}};
    struct cnni_file_calls failing = *cnni_file_system_calls();
    folder_classes("failing", 1);
    failing.openat = fail_to_open;
    cnni_file_set_calls(&failing);
    for (int32_t i = 0; i < CNNI_COUNT(errors); i++) {
        open_error = errors[i].error;
        check_refused(folder_path("failing"), CNN_TRAIN, errors[i].status,
                      "cannot open the folder \"");
    }
    failing.openat = interrupt_once;
    cnn_dataset_free(dataset_open_part(context, folder_path("failing"), CNN_TRAIN));
    cnni_file_set_calls(NULL);
}
END_TEST

START_TEST(names_as_long_as_the_system_allows)
{
    char name[256], path[4200];
    memset(name, 'n', 251);
    strcpy(name + 251, ".jpg");
    folder_classes("long", 1);
    file_write(folder_path("long/a/%s", name), "", 0);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("long"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 1), folder_path("long/a/%s", name));
    cnn_dataset_free(dataset);
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    check_refused(path, CNN_TRAIN, CNN_ERROR_IO, "pppp");
}
END_TEST

START_TEST(limits_hold)
{
    folder_classes("limits", 4);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, 4), CNN_OK);
    check_refused(folder_path("limits"), CNN_TRAIN, CNN_ERROR_LIMIT, "\"samples\"");
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, 5), CNN_OK);
    cnn_dataset_free(dataset_open_part(context, folder_path("limits"), CNN_TRAIN));
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_CLASSES, 1), CNN_OK);
    check_refused(folder_path("limits"), CNN_TRAIN, CNN_ERROR_LIMIT, "\"classes\"");
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
    folder_classes("closed", 4);
    ck_assert_int_eq(chmod(folder_path("."), 0755), 0);
    ck_assert_int_eq(chmod(folder_path("closed"), 0), 0);
    if (!become_ordinary_user())
        return;
    check_refused(folder_path("closed"), CNN_TRAIN, CNN_ERROR_IO, "Permission denied");
}
END_TEST

START_TEST(arguments_of_opening_are_checked)
{
    cnn_dataset *dataset;
    ck_assert_int_eq(cnn_dataset_open(NULL, context, "x", CNN_TRAIN), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_open(&dataset, NULL, "x", CNN_TRAIN), CNN_ERROR_INVALID);
    check_refused(NULL, CNN_TRAIN, CNN_ERROR_INVALID, "path is NULL");
    check_refused("x", 0, CNN_ERROR_INVALID, "part is 0");
    check_refused("x", 4, CNN_ERROR_INVALID, "part is 4");
}
END_TEST

START_TEST(a_thousand_names_are_all_there)
{
    folder_classes("many", 1000);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("many"), CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_count(dataset), 1001);
    for (int32_t i = 0; i < 1000; i++)
        ck_assert_str_eq(cnn_dataset_path(dataset, i), folder_path("many/a/%03d.jpg", i));
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(real_pictures)
{
    const char *data = test_data_folder();
    char path[2048];
    if (data == NULL)
        return;
    snprintf(path, sizeof path, "%s/cats-vs-dogs", data);
    for (cnn_part part = CNN_TRAIN; part <= CNN_TEST; part++) {
        cnn_dataset *pictures = dataset_open_part(context, path, part);
        ck_assert_int_eq(cnn_dataset_class_count(pictures), 2);
        ck_assert_str_eq(cnn_dataset_class_name(pictures, 0), "cats");
        ck_assert_str_eq(cnn_dataset_class_name(pictures, 1), "dogs");
        ck_assert_int_gt(dataset_count_label(pictures, 0), 0);
        ck_assert_int_eq(dataset_count_label(pictures, 0), dataset_count_label(pictures, 1));
        ck_assert_int_eq(2 * dataset_count_label(pictures, 0), cnn_dataset_count(pictures));
        cnn_dataset_free(pictures);
    }
}
END_TEST

static Suite *dataset_folder_suite(void)
{
    Suite *suite = suite_create("dataset_folder");
    TCase *tcase = tcase_create("dataset_folder");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, classes_and_pictures_are_in_byte_order);
    tcase_add_test(tcase, what_is_no_picture_is_left_out);
    tcase_add_test(tcase, parts_are_found_in_every_layout);
    tcase_add_test(tcase, parts_have_names);
    tcase_add_test(tcase, validation_pictures_have_a_folder_too);
    tcase_add_test(tcase, a_class_may_have_the_name_of_its_part);
    tcase_add_test(tcase, paths_may_end_in_slashes_be_relative_and_go_through_links);
    tcase_add_test(tcase, a_folder_that_does_not_do_is_refused_with_the_reason);
    tcase_add_test(tcase, class_names_must_be_printable_utf8);
    tcase_add_test(tcase, class_folders_may_not_be_links);
    tcase_add_test(tcase, links_beside_the_parts_do_not_matter);
    tcase_add_test(tcase, class_folders_may_not_become_links);
    tcase_add_test(tcase, what_the_system_says_becomes_a_status);
    tcase_add_test(tcase, names_as_long_as_the_system_allows);
    tcase_add_test(tcase, limits_hold);
    tcase_add_test(tcase, what_cannot_be_read_is_refused);
    tcase_add_test(tcase, arguments_of_opening_are_checked);
    tcase_add_test(tcase, a_thousand_names_are_all_there);
    tcase_add_test(tcase, real_pictures);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(dataset_folder_suite());
}
