/* SPDX-License-Identifier: MIT
 * Datasets of samples in memory and from callbacks; every documented error.  For folders:
 * test_dataset_folder.c; halves: test_dataset_split.c; what samples hold: test_loader.c. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cnn/dataset.h"
#include "support/datasets.h"
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

static cnn_tensor *make_tensor(cnn_dtype dtype, int32_t rank, const int64_t *shape)
{
    cnn_tensor *tensor;
    ck_assert_int_eq(cnn_tensor_create(&tensor, context, dtype, shape, rank), CNN_OK);
    return tensor;
}

START_TEST(samples_in_memory)
{
    cnn_dataset *dataset = dataset_squares(context, 7, 3);
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
    cnn_dataset *dataset = dataset_squares(context, 2, 2);
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

static Suite *dataset_suite(void)
{
    Suite *suite = suite_create("dataset");
    TCase *tcase = tcase_create("dataset");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, samples_in_memory);
    tcase_add_test(tcase, questions_beyond_the_end_have_answers);
    tcase_add_test(tcase, tensors_that_do_not_fit_are_refused);
    tcase_add_test(tcase, samples_in_memory_have_a_limit);
    tcase_add_test(tcase, labels_are_checked_and_copied);
    tcase_add_test(tcase, samples_from_a_callback);
    tcase_add_test(tcase, callbacks_are_split_as_one_class);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(dataset_suite());
}
