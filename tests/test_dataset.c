/* SPDX-License-Identifier: MIT
 * Datasets: which files of a folder are samples, in what order, of which class; samples in memory
 * and from callbacks; splitting; every documented error.  For what samples hold: test_loader.c. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cnn/dataset.h"
#include "support/accounts.h"
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

/* ---- Helpers ------------------------------------------------------------------------------- */

/* Opening does not look into files: empty ones do. */
static void make_files(const char *folder, const char *const *names, int32_t count)
{
    char path[2048];
    folder_make(folder);
    for (int32_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        file_write(path, "", 0);
    }
}

/* A class folder with `count` files 000.jpg, 001.jpg, ... */
static void make_class(const char *folder, int32_t count)
{
    char path[2048];
    folder_make(folder);
    for (int32_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%03d.jpg", folder, i);
        file_write(path, "", 0);
    }
}

static cnn_dataset *open_part(const char *path, cnn_part part)
{
    cnn_dataset *dataset;
    cnn_status status = cnn_dataset_open(&dataset, context, path, part);
    ck_assert_msg(status == CNN_OK, "%s", cnn_error_message());
    return dataset;
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

/* ---- Folders ------------------------------------------------------------------------------- */

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
    make_files(folder_path("order/Zebra"), zebras, 7);
    make_class(folder_path("order/cat"), 1);
    make_files(folder_path("order/k\xC3\xA4tzchen"), cats, 1);
    cnn_dataset *dataset = open_part(root, CNN_TRAIN);
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
    make_files(folder_path("leave/one"), names, 10);
    make_class(folder_path("leave/two"), 1);
    make_class(folder_path("leave/.hidden"), 1);
    make_class(folder_path("leave/two/deeper"), 1);
    file_write(folder_path("leave/loose.jpg"), "", 0);
    ck_assert_int_eq(symlink("loose.jpg", folder_path("leave/link")), 0);
    ck_assert_int_eq(symlink("nowhere", folder_path("leave/dangling")), 0);
    cnn_dataset *dataset = open_part(root, CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 2);
    ck_assert_int_eq(cnn_dataset_count(dataset), 3);
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 0), "/one/a.jpg"));
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 1), "/one/x.png"));
    ck_assert_ptr_nonnull(strstr(cnn_dataset_path(dataset, 2), "/two/000.jpg"));
    cnn_dataset_free(dataset);
}
END_TEST

/* Makes the folders of `path`, and in the last one classes of `count` and 1 pictures. */
static void make_layout(const char *path, int32_t count)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = copy; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(folder_path("%s", copy), 0777);
        *slash = '/';
    }
    folder_make(folder_path("%s", path));
    make_class(folder_path("%s/a", path), count);
    make_class(folder_path("%s/b", path), 1);
}

START_TEST(parts_have_names)
{
    ck_assert_str_eq(cnn_part_name(CNN_TRAIN), "train");
    ck_assert_str_eq(cnn_part_name(CNN_TEST), "test");
    ck_assert_str_eq(cnn_part_name(0), "unknown part");
    ck_assert_str_eq(cnn_part_name(-1), "unknown part");
    ck_assert_str_eq(cnn_part_name(3), "unknown part");
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
        make_layout(layouts[i].train, 5);
        make_layout(layouts[i].test, 2);
        cnn_dataset *train = open_part(folder_path("%s", layouts[i].root), CNN_TRAIN);
        cnn_dataset *test = open_part(folder_path("%s", layouts[i].root), CNN_TEST);
        ck_assert_int_eq(cnn_dataset_count(train), 6);
        ck_assert_int_eq(cnn_dataset_count(test), 3);
        ck_assert_str_eq(cnn_dataset_path(train, 5), folder_path("%s/b/000.jpg", layouts[i].train));
        ck_assert_str_eq(cnn_dataset_path(test, 2), folder_path("%s/b/000.jpg", layouts[i].test));
        cnn_dataset_free(train);
        cnn_dataset_free(test);
    }
}
END_TEST

START_TEST(a_class_may_have_the_name_of_its_part)
{
    folder_make(folder_path("vehicles"));
    folder_make(folder_path("vehicles/train"));
    make_class(folder_path("vehicles/train/train"), 1);
    make_class(folder_path("vehicles/train/truck"), 1);
    cnn_dataset *dataset = open_part(folder_path("vehicles"), CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 2);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 0), "train");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(paths_may_end_in_slashes_be_relative_and_go_through_links)
{
    make_layout("plain", 1);
    cnn_dataset *dataset = open_part(folder_path("plain/"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), folder_path("plain/a/000.jpg"));
    cnn_dataset_free(dataset);
    ck_assert_int_eq(symlink("plain", folder_path("linked")), 0);
    dataset = open_part(folder_path("linked"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), folder_path("linked/a/000.jpg"));
    cnn_dataset_free(dataset);
    ck_assert_int_eq(chdir(folder_path("plain")), 0);
    dataset = open_part(".", CNN_TRAIN);
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
    make_class(folder_path("bare/lonely"), 3);
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"lonely\"");
    folder_make(folder_path("bare/nothing"));
    check_refused(folder_path("bare"), CNN_TRAIN, CNN_ERROR_FORMAT, "/bare/nothing\"");
    check_refused(folder_path("bare"), CNN_TEST, CNN_ERROR_NOT_FOUND, "\"test\"");
    file_write(folder_path("bare/nothing/a.png"), "", 0);
    cnn_dataset_free(open_part(folder_path("bare"), CNN_TRAIN));
}
END_TEST

/* As cnn_model_set_classes() asks for. */
START_TEST(class_names_must_be_printable_utf8)
{
    make_layout("names", 1);
    make_class(folder_path("names/latin\xE9"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"latin\\xE9\"");
    folder_remove(folder_path("names/latin\xE9"));
    make_class(folder_path("names/line\nbreak"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"line\\x0Abreak\" in \"");
    folder_remove(folder_path("names/line\nbreak"));
    make_class(folder_path("names/\xC2\x85"), 1);
    check_refused(folder_path("names"), CNN_TRAIN, CNN_ERROR_FORMAT, "\"\\xC2\\x85\" in \"");
    folder_remove(folder_path("names/\xC2\x85"));
    make_class(folder_path("names/\xC3\xA4 \\x0A"), 1);
    cnn_dataset *dataset = open_part(folder_path("names"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 2), "\xC3\xA4 \\x0A");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(class_folders_may_not_be_links)
{
    make_layout("chain", 1);
    ck_assert_int_eq(symlink("a", folder_path("chain/c")), 0);
    check_refused(folder_path("chain"), CNN_TRAIN, CNN_ERROR_IO, "\"c\"");
    /* Nor may a part, which can be opened by itself. */
    folder_make(folder_path("parts"));
    ck_assert_int_eq(symlink("../chain", folder_path("parts/test")), 0);
    ck_assert_int_eq(unlink(folder_path("chain/c")), 0);
    check_refused(folder_path("parts"), CNN_TEST, CNN_ERROR_IO, "\"test\" in \"");
    check_refused(folder_path("parts"), CNN_TRAIN, CNN_ERROR_IO,
                  "must be a folder: put one there, or open what the link leads to");
    cnn_dataset_free(open_part(folder_path("parts/test"), CNN_TRAIN));
}
END_TEST

START_TEST(links_beside_the_parts_do_not_matter)
{
    make_layout("beside/train", 2);
    make_layout("beside/test", 3);
    ck_assert_int_eq(symlink("train", folder_path("beside/latest")), 0);
    cnn_dataset_free(open_part(folder_path("beside"), CNN_TRAIN));
    cnn_dataset_free(open_part(folder_path("beside"), CNN_TEST));
    folder_remove(folder_path("beside/train"));
    ck_assert_int_eq(symlink("test", folder_path("beside/train")), 0);
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO, "\"train\" in \"");
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO,
                  "/beside\" is a symbolic link, must be a folder");
    cnn_dataset_free(open_part(folder_path("beside"), CNN_TEST));
    /* Where there is no such part, links stand for classes. */
    ck_assert_int_eq(rename(folder_path("beside/train"), folder_path("beside/newest")), 0);
    check_refused(folder_path("beside"), CNN_TRAIN, CNN_ERROR_IO, "\"newest\" in \"");
    /* Deeper down a folder of the part's name is a class beside one that is missing. */
    make_layout("nested/test/test", 1);
    cnn_dataset_free(open_part(folder_path("nested"), CNN_TEST));
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
    make_layout("raced", 1);
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
    make_layout("failing", 1);
    failing.openat = fail_to_open;
    cnni_file_set_calls(&failing);
    for (int32_t i = 0; i < CNNI_COUNT(errors); i++) {
        open_error = errors[i].error;
        check_refused(folder_path("failing"), CNN_TRAIN, errors[i].status,
                      "cannot open the folder \"");
    }
    failing.openat = interrupt_once;
    cnn_dataset_free(open_part(folder_path("failing"), CNN_TRAIN));
    cnni_file_set_calls(NULL);
}
END_TEST

START_TEST(names_as_long_as_the_system_allows)
{
    char name[256], path[4200];
    memset(name, 'n', 251);
    strcpy(name + 251, ".jpg");
    make_layout("long", 1);
    file_write(folder_path("long/a/%s", name), "", 0);
    cnn_dataset *dataset = open_part(folder_path("long"), CNN_TRAIN);
    ck_assert_str_eq(cnn_dataset_path(dataset, 1), folder_path("long/a/%s", name));
    cnn_dataset_free(dataset);
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    check_refused(path, CNN_TRAIN, CNN_ERROR_IO, "pppp");
}
END_TEST

START_TEST(limits_hold)
{
    make_layout("limits", 4);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, 4), CNN_OK);
    check_refused(folder_path("limits"), CNN_TRAIN, CNN_ERROR_LIMIT, "\"samples\"");
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, 5), CNN_OK);
    cnn_dataset_free(open_part(folder_path("limits"), CNN_TRAIN));
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_CLASSES, 1), CNN_OK);
    check_refused(folder_path("limits"), CNN_TRAIN, CNN_ERROR_LIMIT, "\"classes\"");
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
    make_layout("closed", 4);
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
    check_refused("x", 3, CNN_ERROR_INVALID, "part is 3");
}
END_TEST

START_TEST(a_thousand_names_are_all_there)
{
    make_layout("many", 1000);
    cnn_dataset *dataset = open_part(folder_path("many"), CNN_TRAIN);
    ck_assert_int_eq(cnn_dataset_count(dataset), 1001);
    for (int32_t i = 0; i < 1000; i++)
        ck_assert_str_eq(cnn_dataset_path(dataset, i), folder_path("many/a/%03d.jpg", i));
    cnn_dataset_free(dataset);
}
END_TEST

/* ---- Memory and callbacks ------------------------------------------------------------------ */

static cnn_tensor *make_tensor(cnn_dtype dtype, int32_t rank, const int64_t *shape)
{
    cnn_tensor *tensor;
    ck_assert_int_eq(cnn_tensor_create(&tensor, context, dtype, shape, rank), CNN_OK);
    return tensor;
}

/* `count` samples of 2 x 2 pixels with labels 0, 1, ... classes - 1, 0, ... */
static cnn_dataset *make_memory(int64_t count, int32_t classes)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = make_tensor(CNN_UINT8, 4, (int64_t[]){count, 2, 2, 3});
    cnn_tensor *labels = make_tensor(CNN_INT32, 1, &count);
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)cnn_tensor_data(labels))[i] = (int32_t)(i % classes);
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, classes), CNN_OK);
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
    return dataset;
}

START_TEST(samples_in_memory)
{
    cnn_dataset *dataset = make_memory(7, 3);
    ck_assert_int_eq(cnn_dataset_count(dataset), 7);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 3);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 2), "2");
    ck_assert_int_eq(cnn_dataset_label(dataset, 5), 2);
    ck_assert_str_eq(cnn_dataset_path(dataset, 6), "");
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(questions_beyond_the_end_have_answers)
{
    cnn_dataset *dataset = make_memory(2, 2);
    for (int64_t i = -1; i <= 2; i += 3) {
        ck_assert_int_eq(cnn_dataset_label(dataset, i), -1);
        ck_assert_ptr_null(cnn_dataset_path(dataset, i));
        ck_assert_ptr_null(cnn_dataset_class_name(dataset, (int32_t)i));
    }
    cnn_dataset_free(dataset);
    cnn_dataset_free(NULL);
    ck_assert_int_eq(cnn_dataset_count(NULL), 0);
    ck_assert_int_eq(cnn_dataset_class_count(NULL), 0);
    ck_assert_int_eq(cnn_dataset_label(NULL, 0), -1);
    ck_assert_ptr_null(cnn_dataset_path(NULL, 0));
    ck_assert_ptr_null(cnn_dataset_class_name(NULL, 0));
}
END_TEST

START_TEST(tensors_that_do_not_fit_are_refused)
{
    static const struct {
        cnn_dtype samples_type;
        int32_t samples_rank;
        int64_t samples[4];
        cnn_dtype labels_type;
        int32_t labels_rank;
        int64_t labels[2];
        int32_t classes;
        cnn_status status;
    } rows[] = {
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_INT32, 1, {2}, 2, CNN_OK},
        {CNN_UINT8, 4, {2, 3, 3, 1}, CNN_INT32, 1, {2}, 2, CNN_OK},
        {CNN_FLOAT32, 4, {2, 3, 3, 5}, CNN_INT32, 1, {2}, 2, CNN_OK},
        {CNN_UINT8, 4, {2, 3, 3, 2}, CNN_INT32, 1, {2}, 2, CNN_ERROR_SHAPE},
        {CNN_UINT8, 3, {2, 3, 3}, CNN_INT32, 1, {2}, 2, CNN_ERROR_SHAPE},
        {CNN_INT32, 4, {2, 3, 3, 3}, CNN_INT32, 1, {2}, 2, CNN_ERROR_SHAPE},
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_INT32, 1, {3}, 2, CNN_ERROR_SHAPE},
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_INT32, 2, {2, 1}, 2, CNN_ERROR_SHAPE},
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_FLOAT32, 1, {2}, 2, CNN_ERROR_SHAPE},
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_INT32, 1, {2}, 0, CNN_ERROR_INVALID},
        {CNN_UINT8, 4, {2, 3, 3, 3}, CNN_INT32, 1, {2}, 100001, CNN_ERROR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cnn_dataset *dataset;
        cnn_tensor *samples =
            make_tensor(rows[i].samples_type, rows[i].samples_rank, rows[i].samples);
        cnn_tensor *labels = make_tensor(rows[i].labels_type, rows[i].labels_rank, rows[i].labels);
        cnn_status status =
            cnn_dataset_from_memory(&dataset, context, samples, labels, rows[i].classes);
        ck_assert_msg(status == rows[i].status, "row %zu: %d %s", i, status, cnn_error_message());
        ck_assert_int_eq(dataset == NULL, status != CNN_OK);
        cnn_dataset_free(dataset);
        cnn_tensor_free(samples);
        cnn_tensor_free(labels);
    }
}
END_TEST

START_TEST(samples_in_memory_have_a_limit)
{
    const int64_t shape[] = {3, 1, 1, 1};
    cnn_tensor *samples = make_tensor(CNN_UINT8, 4, shape);
    cnn_tensor *labels = make_tensor(CNN_INT32, 1, shape);
    for (int64_t most = 2; most <= 3; most++) {
        cnn_dataset *dataset;
        ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, most), CNN_OK);
        ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, 1),
                         most < 3 ? CNN_ERROR_LIMIT : CNN_OK);
        ck_assert_int_eq(dataset == NULL, most < 3);
        cnn_dataset_free(dataset);
    }
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
}
END_TEST

START_TEST(labels_are_checked_and_copied)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = make_tensor(CNN_FLOAT32, 4, (int64_t[]){3, 1, 1, 1});
    cnn_tensor *labels = make_tensor(CNN_INT32, 1, (int64_t[]){3});
    int32_t *label = cnn_tensor_data(labels);
    label[1] = 2;
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, 2),
                     CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(), "cnn_dataset_from_memory: label 1 is 2, must be 0 to 1");
    label[1] = -1;
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, 2),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, NULL, labels, 2),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, NULL, 2),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_memory(NULL, context, samples, labels, 2), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, NULL, samples, labels, 2),
                     CNN_ERROR_INVALID);
    label[1] = 1;
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, 2), CNN_OK);
    label[1] = 7;
    ck_assert_int_eq(cnn_dataset_label(dataset, 1), 1);
    cnn_dataset_free(dataset);
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
}
END_TEST

static cnn_status never(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    (void)user;
    (void)index;
    (void)image;
    (void)label;
    ck_abort_msg("called too early");
}

START_TEST(samples_from_a_callback)
{
    cnn_dataset *dataset;
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, 5, 2, never, NULL), CNN_OK);
    ck_assert_int_eq(cnn_dataset_count(dataset), 5);
    ck_assert_int_eq(cnn_dataset_class_count(dataset), 2);
    ck_assert_str_eq(cnn_dataset_class_name(dataset, 1), "1");
    ck_assert_int_eq(cnn_dataset_label(dataset, 0), -1);
    ck_assert_str_eq(cnn_dataset_path(dataset, 0), "");
    cnn_dataset_free(dataset);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, 0, 2, never, NULL),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, 5, 0, never, NULL),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, 5, 2, NULL, NULL),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_callback(NULL, context, 5, 2, never, NULL),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, NULL, 5, 2, never, NULL),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, INT64_MAX, 2, never, NULL),
                     CNN_ERROR_LIMIT);
    ck_assert_int_eq(cnn_dataset_from_callback(&dataset, context, 5, 100001, never, NULL),
                     CNN_ERROR_LIMIT);
    ck_assert_ptr_null(dataset);
}
END_TEST

/* ---- Splitting ----------------------------------------------------------------------------- */

static int64_t count_label(const cnn_dataset *dataset, int32_t label)
{
    int64_t count = 0;
    for (int64_t i = 0; i < cnn_dataset_count(dataset); i++)
        count += cnn_dataset_label(dataset, i) == label;
    return count;
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
    make_class(folder_path("split/a"), 40);
    make_class(folder_path("split/b"), 15);
    make_class(folder_path("split/c"), 2);
    make_class(folder_path("split/d"), 3);
    cnn_dataset *whole = open_part(folder_path("split"), CNN_TRAIN);
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
            ck_assert_int_eq(count_label(second, k), rows[i].counts[k]);
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
    make_layout("seeds", 50);
    make_class(folder_path("seeds/c"), 50);
    folder_remove(folder_path("seeds/b"));
    cnn_dataset *whole = open_part(folder_path("seeds"), CNN_TRAIN);
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
    make_layout("again", 21);
    make_class(folder_path("again/c"), 20);
    folder_remove(folder_path("again/b"));
    cnn_dataset *whole = open_part(folder_path("again"), CNN_TRAIN);
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

START_TEST(callbacks_are_split_as_one_class)
{
    cnn_dataset *whole, *first, *second;
    ck_assert_int_eq(cnn_dataset_from_callback(&whole, context, 10, 3, never, NULL), CNN_OK);
    ck_assert_int_eq(cnn_dataset_split(&first, &second, whole, 0.3, 1), CNN_OK);
    ck_assert_int_eq(cnn_dataset_count(first), 7);
    ck_assert_int_eq(cnn_dataset_count(second), 3);
    ck_assert_int_eq(cnn_dataset_class_count(second), 3);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    cnn_dataset_free(whole);
}
END_TEST

START_TEST(splits_that_do_not_do_are_refused)
{
    static const double fractions[] = {0, 1, -0.5, 2, __builtin_nan("")};
    cnn_dataset *first = NULL, *second = NULL;
    cnn_dataset *dataset = make_memory(4, 2), *small = make_memory(3, 2), *gap = make_memory(2, 2);
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

/* ---- Memory that runs out ------------------------------------------------------------------ */

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
    make_layout("poor", 80);
    make_class(folder_path("poor/c"), 2);
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

START_TEST(real_pictures)
{
    const char *data = test_data_folder();
    char path[2048];
    if (data == NULL)
        return;
    snprintf(path, sizeof path, "%s/cats-vs-dogs", data);
    for (cnn_part part = CNN_TRAIN; part <= CNN_TEST; part++) {
        cnn_dataset *pictures = open_part(path, part);
        ck_assert_int_eq(cnn_dataset_class_count(pictures), 2);
        ck_assert_str_eq(cnn_dataset_class_name(pictures, 0), "cats");
        ck_assert_str_eq(cnn_dataset_class_name(pictures, 1), "dogs");
        ck_assert_int_gt(count_label(pictures, 0), 0);
        ck_assert_int_eq(count_label(pictures, 0), count_label(pictures, 1));
        ck_assert_int_eq(2 * count_label(pictures, 0), cnn_dataset_count(pictures));
        cnn_dataset_free(pictures);
    }
}
END_TEST

static Suite *dataset_suite(void)
{
    Suite *suite = suite_create("dataset");
    TCase *tcase = tcase_create("dataset");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, classes_and_pictures_are_in_byte_order);
    tcase_add_test(tcase, what_is_no_picture_is_left_out);
    tcase_add_test(tcase, parts_are_found_in_every_layout);
    tcase_add_test(tcase, parts_have_names);
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
    tcase_add_test(tcase, samples_in_memory);
    tcase_add_test(tcase, questions_beyond_the_end_have_answers);
    tcase_add_test(tcase, tensors_that_do_not_fit_are_refused);
    tcase_add_test(tcase, samples_in_memory_have_a_limit);
    tcase_add_test(tcase, labels_are_checked_and_copied);
    tcase_add_test(tcase, samples_from_a_callback);
    tcase_add_test(tcase, halves_have_the_share_of_every_class);
    tcase_add_test(tcase, the_seed_decides_the_halves);
    tcase_add_test(tcase, halves_can_be_split_and_live_on_their_own);
    tcase_add_test(tcase, callbacks_are_split_as_one_class);
    tcase_add_test(tcase, splits_that_do_not_do_are_refused);
    tcase_add_test(tcase, refused_memory_is_an_error_and_nothing_leaks);
    tcase_add_test(tcase, real_pictures);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(dataset_suite());
}
