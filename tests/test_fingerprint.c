/* SPDX-License-Identifier: MIT
 * Fingerprints of datasets: what they know of the samples, and what they do without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/datasets.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/loading.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static uint32_t fingerprint(const char *path, cnn_part part)
{
    cnn_dataset *dataset = dataset_open_part(context, path, part);
    const uint32_t result = cnn_dataset_fingerprint(dataset);
    cnn_dataset_free(dataset);
    return result;
}

START_TEST(a_fingerprint_knows_names_and_order)
{
    static const char *const two[] = {"1.jpg", "2.jpg"}, *const other[] = {"1.jpg", "3.jpg"};
    static const struct {
        const char *folder, *a, *b;
        const char *const *names;
    } folders[] = {{"f0", "a", "b", two},
                   {"f1", "a", "b", two},
                   {"f2", "a", "c", two},
                   {"f3", "a", "b", other}};
    uint32_t prints[4];
    for (int32_t i = 0; i < 4; i++) {
        folder_make(folder_path("%s", folders[i].folder));
        folder_files(folder_path("%s/%s", folders[i].folder, folders[i].a), two, 2);
        folder_files(folder_path("%s/%s", folders[i].folder, folders[i].b), folders[i].names, 2);
        prints[i] = fingerprint(folder_path("%s", folders[i].folder), CNN_TRAIN);
    }
    ck_assert_uint_ne(prints[0], 0);
    ck_assert_uint_eq(prints[0], prints[1]); /* wherever the folder is */
    ck_assert_uint_eq(prints[0], fingerprint(folder_path("f0/"), CNN_TRAIN));
    ck_assert_uint_ne(prints[0], prints[2]); /* another class */
    ck_assert_uint_ne(prints[0], prints[3]); /* another file */
    ck_assert_uint_eq(cnn_dataset_fingerprint(NULL), 0);
}
END_TEST

/* Two classes of one picture each, the second as given. */
static uint32_t print_of(const char *name, const void *bytes, size_t size)
{
    const char *folder = folder_make(folder_path("%s", name));
    folder_class(folder_path("%s/a", name), 1);
    folder_class(folder_path("%s/b", name), 1);
    file_write(folder_path("%s/b/000.jpg", name), bytes, size);
    return fingerprint(folder, CNN_TRAIN);
}

START_TEST(a_fingerprint_knows_what_files_hold)
{
    enum { SIZE = 5000 };
    static char bytes[SIZE];
    const uint32_t print = print_of("c0", bytes, SIZE);
    ck_assert_uint_eq(print_of("c1", bytes, SIZE), print);
    ck_assert_uint_ne(print_of("c2", bytes, SIZE - 1), print);
    for (int32_t at = 0; at < 4096; at += 4095) {
        bytes[at] = 1;
        ck_assert_uint_ne(print_of(at == 0 ? "c3" : "c4", bytes, SIZE), print);
        bytes[at] = 0;
    }
    ck_assert_int_eq(utimensat(AT_FDCWD, folder_path("c1/b/000.jpg"),
                               (const struct timespec[2]){{1, 0}, {1, 0}}, 0),
                     0);
    ck_assert_uint_eq(fingerprint(folder_path("c1"), CNN_TRAIN), print);
}
END_TEST

/* Gone, or something else than a file: all the same. */
START_TEST(a_fingerprint_knows_what_cannot_be_read)
{
    uint32_t prints[4];
    const uint32_t empty = print_of("gone", "", 0);
    const char *path = folder_path("gone/b/000.jpg");
    for (int32_t i = 0; i < 4; i++) {
        cnn_dataset *dataset = dataset_open_part(context, folder_path("gone"), CNN_TRAIN);
        unlink(path);
        if (i == 1)
            ck_assert_int_eq(symlink("../a/000.jpg", path), 0);
        if (i == 2)
            ck_assert_int_eq(mkfifo(path, 0600), 0);
        if (i == 3)
            folder_make(path);
        prints[i] = cnn_dataset_fingerprint(dataset);
        ck_assert_uint_eq(prints[i], prints[0]);
        cnn_dataset_free(dataset);
        remove(path);
        file_write(path, "", 0);
    }
    ck_assert_uint_ne(prints[0], empty);
    ck_assert_uint_ne(prints[0], 0);
}
END_TEST

/* All of a checkpoint's life it is that of the samples as they were. */
START_TEST(a_fingerprint_is_kept)
{
    print_of("kept", "x", 1);
    cnn_dataset *dataset = dataset_open_part(context, folder_path("kept"), CNN_TRAIN);
    const uint32_t print = cnn_dataset_fingerprint(dataset);
    file_write(folder_path("kept/b/000.jpg"), "y", 1);
    ck_assert_uint_eq(cnn_dataset_fingerprint(dataset), print);
    ck_assert_uint_ne(fingerprint(folder_path("kept"), CNN_TRAIN), print);
    cnn_dataset_free(dataset);
}
END_TEST

static int no_room(int folder, const char *path, int flags, mode_t mode)
{
    (void)folder, (void)path, (void)flags, (void)mode;
    errno = EMFILE;
    return -1;
}

/* A wrong one would be kept, and no checkpoint could ever be resumed. */
START_TEST(a_fingerprint_waits_for_room)
{
    struct cnni_file_calls calls = *cnni_file_system_calls();
    char text[1024];
    cnn_loader *loader = make_loader("pictures", 3);
    cnn_dataset *dataset = open_folder("pictures");
    calls.openat = no_room;
    cnni_file_set_calls(&calls);
    ck_assert_uint_eq(cnn_dataset_fingerprint(dataset), 0);
    ck_assert(strstr(cnn_error_message(), "cnn_dataset_fingerprint: cannot open") != NULL);
    ck_assert_uint_eq(cnn_loader_describe(loader, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    cnni_file_set_calls(NULL);
    ck_assert_uint_ne(cnn_dataset_fingerprint(dataset), 0);
    ck_assert_uint_ne(cnn_loader_describe(loader, text, sizeof text), 0);
    cnn_dataset_free(dataset);
    cnn_loader_free(loader);
}
END_TEST

/* Of twelve samples of one value each, whose last one is `last`, and of two halves of them. */
static void print_values(uint32_t prints[3], cnn_dtype type, int32_t last)
{
    enum { COUNT = 12 };
    cnn_dataset *sets[3];
    cnn_tensor *samples = TENSOR(context, type, COUNT, 1, 1, 1);
    cnn_tensor *labels = tensor_labels(context, COUNT, 2);
    if (type == CNN_UINT8)
        ((uint8_t *)cnn_tensor_data(samples))[COUNT - 1] = (uint8_t)last;
    else
        ((float *)cnn_tensor_data(samples))[COUNT - 1] = (float)last;
    EXPECT_OK(cnn_dataset_from_memory(&sets[0], context, samples, labels, 2));
    EXPECT_OK(cnn_dataset_split(&sets[1], &sets[2], sets[0], 0.5, 1));
    for (int32_t i = 0; i < 3; i++) {
        prints[i] = cnn_dataset_fingerprint(sets[i]);
        cnn_dataset_free(sets[i]);
    }
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
}

/* The half that has not the last sample knows nothing of it. */
START_TEST(a_fingerprint_knows_samples_in_memory)
{
    const cnn_dtype type = _i == 0 ? CNN_UINT8 : CNN_FLOAT32;
    uint32_t zeros[3], again[3], ones[3];
    print_values(zeros, type, 0);
    print_values(again, type, 0);
    print_values(ones, type, 1);
    ck_assert_mem_eq(zeros, again, sizeof zeros);
    ck_assert_uint_ne(zeros[0], ones[0]);
    ck_assert_int_eq((zeros[1] != ones[1]) + (zeros[2] != ones[2]), 1);
}
END_TEST

/* As rows of the same bytes. */
START_TEST(a_fingerprint_knows_shapes)
{
    cnn_dataset *sets[2];
    cnn_tensor *labels = tensor_labels(context, 4, 2);
    for (int32_t i = 0; i < 2; i++) {
        cnn_tensor *samples = TENSOR(context, CNN_UINT8, 4, 1 + i, 2 - i, 3);
        EXPECT_OK(cnn_dataset_from_memory(&sets[i], context, samples, labels, 2));
        cnn_tensor_free(samples);
    }
    ck_assert_uint_ne(cnn_dataset_fingerprint(sets[0]), cnn_dataset_fingerprint(sets[1]));
    for (int32_t i = 0; i < 2; i++)
        cnn_dataset_free(sets[i]);
    cnn_tensor_free(labels);
}
END_TEST

START_TEST(a_fingerprint_knows_labels_and_parts)
{
    cnn_dataset *two = dataset_squares(context, 12, 2), *three = dataset_squares(context, 12, 3);
    cnn_dataset *more = dataset_squares(context, 13, 2), *first, *second, *again, *rest;
    ck_assert_uint_ne(cnn_dataset_fingerprint(two), cnn_dataset_fingerprint(three));
    ck_assert_uint_ne(cnn_dataset_fingerprint(two), cnn_dataset_fingerprint(more));
    EXPECT_OK(cnn_dataset_split(&first, &second, two, 0.5, 1));
    ck_assert_uint_ne(cnn_dataset_fingerprint(first), cnn_dataset_fingerprint(two));
    cnn_dataset *files = open_folder("pictures");
    EXPECT_OK(cnn_dataset_split(&again, &rest, files, 0.3, 1));
    const uint32_t print = cnn_dataset_fingerprint(again);
    cnn_dataset_free(again);
    cnn_dataset_free(rest);
    EXPECT_OK(cnn_dataset_split(&again, &rest, files, 0.3, 2));
    ck_assert_uint_ne(cnn_dataset_fingerprint(again), print); /* another seed */
    cnn_dataset *const all[] = {two, three, more, first, second, again, rest, files};
    for (int32_t i = 0; i < 8; i++)
        cnn_dataset_free(all[i]);
}
END_TEST

static Suite *fingerprint_suite(void)
{
    Suite *suite = suite_create("fingerprint");
    TCase *tcase = tcase_create("fingerprint");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_add_test(tcase, a_fingerprint_knows_names_and_order);
    tcase_add_test(tcase, a_fingerprint_knows_what_files_hold);
    tcase_add_test(tcase, a_fingerprint_knows_what_cannot_be_read);
    tcase_add_test(tcase, a_fingerprint_is_kept);
    tcase_add_test(tcase, a_fingerprint_waits_for_room);
    tcase_add_loop_test(tcase, a_fingerprint_knows_samples_in_memory, 0, 2);
    tcase_add_test(tcase, a_fingerprint_knows_shapes);
    tcase_add_test(tcase, a_fingerprint_knows_labels_and_parts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(fingerprint_suite());
}
