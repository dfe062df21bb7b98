/* SPDX-License-Identifier: MIT
 * Loaders of samples in memory and from callbacks; the arguments of every function. */
#include <check.h>
#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/loading.h"
#include "support/log_lines.h"
#include "support/pictures.h"
#include "support/suite.h"

static void augment_everything(cnn_loader *loader)
{
    EXPECT_OK(cnn_loader_set_random_crop(loader, 0.25, 0.8, 1.5));
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 15));
    EXPECT_OK(cnn_loader_set_random_flip(loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_color(loader, 0.3, 0.3));
}

/* ---- Samples in memory and from callbacks -------------------------------------------------- */

/* `count` painted pictures of [h][w][3]; label i % 2. */
static cnn_dataset *make_memory(cnn_dtype dtype, int64_t count, int64_t h, int64_t w)
{
    cnn_dataset *dataset;
    cnn_tensor *samples, *labels;
    EXPECT_OK(cnn_tensor_create(&samples, context, dtype, (int64_t[]){count, h, w, 3}, 4));
    EXPECT_OK(cnn_tensor_create(&labels, context, CNN_INT32, &count, 1));
    for (int64_t i = 0; i < count; i++) {
        if (dtype == CNN_UINT8)
            picture_paint((uint8_t *)cnn_tensor_data(samples) + i * h * w * 3, (int32_t)h,
                          (int32_t)w, (uint32_t)i);
        ((int32_t *)cnn_tensor_data(labels))[i] = (int32_t)(i % 2);
    }
    for (int64_t i = 0; dtype == CNN_FLOAT32 && i < cnn_tensor_count(samples); i++)
        ((float *)cnn_tensor_data(samples))[i] = (float)i;
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, labels, 2));
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
    return dataset;
}

/* A callback that paints what make_memory() does, in every third place not. */
struct painter {
    pthread_t thread;
    int32_t calls, bad_every;
    int32_t failure; /* how it does not */
};

static cnn_status paint(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    struct painter *painter = user;
    bool bad = painter->bad_every > 0 && index % painter->bad_every == 0;
    int64_t channels = bad && painter->failure == 2 ? 1 : 3;
    ck_assert(pthread_equal(pthread_self(), painter->thread));
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    painter->calls++;
    if (bad && painter->failure == 0)
        return CNN_ERROR_IO;
    *label = bad && painter->failure == 1 ? 2 : (int32_t)(index % 2);
    if (bad && painter->failure == 3)
        return CNN_OK;
    EXPECT_OK(cnn_tensor_create(image, context, CNN_UINT8, (int64_t[]){33, 29, channels}, 3));
    if (!bad)
        picture_paint(cnn_tensor_data(*image), 33, 29, (uint32_t)index);
    return CNN_OK;
}

static cnn_loader *make_loader_of(cnn_dataset *dataset)
{
    cnn_loader *loader;
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, 4));
    cnn_dataset_free(dataset);
    return loader;
}

START_TEST(pictures_in_memory_are_prepared_like_others)
{
    cnn_loader *loader = make_loader_of(make_memory(CNN_UINT8, 10, 33, 29));
    augment_everything(loader);
    EXPECT_OK(cnn_loader_set_threads(loader, 2));
    EXPECT_OK(cnn_loader_set_cache(loader, 100000));
    const struct epoch *epoch = read_epoch(0, loader);
    EXPECT_OK(epoch->status);
    ck_assert_int_eq(epoch->samples, 10);
    for (int32_t i = 0; i < 10; i++)
        ck_assert_int_eq(epoch->labels[i], i % 2);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(callbacks_run_on_the_caller_s_thread_with_his_rounding)
{
    struct painter painter = {.thread = pthread_self()};
    cnn_dataset *dataset;
    cnn_loader *memory = make_loader_of(make_memory(CNN_UINT8, 10, 33, 29));
    EXPECT_OK(cnn_dataset_from_callback(&dataset, context, 10, 2, paint, &painter));
    cnn_loader *loader = make_loader_of(dataset);
    EXPECT_OK(cnn_loader_set_threads(loader, 4));
    fesetround(FE_UPWARD);
    for (int32_t i = 0; i < 2; i++) {
        augment_everything(memory);
        augment_everything(loader);
        ck_assert(same_epochs(read_epoch(0, memory), read_epoch(1, loader)));
    }
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(painter.calls, 20);
    ck_assert_double_eq(cnn_loader_wait_seconds(loader), 0);
    cnn_loader_free(memory);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(callbacks_may_fail)
{
    static const char *const reasons[] = {"CNN_ERROR_IO for sample 3", "sample 3 the class 2",
                                          "sample 3 as uint8 [33][29][1]",
                                          "no picture of sample 3"};
    struct log_lines lines;
    log_lines_keep(&lines, context);
    fesetround(FE_UPWARD);
    for (int32_t i = 0; i < 4; i++) {
        struct painter painter = {.thread = pthread_self(), .bad_every = 3, .failure = i};
        cnn_dataset *dataset;
        EXPECT_OK(cnn_dataset_from_callback(&dataset, context, 10, 2, paint, &painter));
        cnn_loader *loader = make_loader_of(dataset);
        lines.count = 0;
        ck_assert_int_eq(read_epoch(0, loader)->samples, 6);
        ck_assert_int_eq(cnn_loader_skipped(loader), 4);
        ck_assert_msg(strstr(lines.text[1], reasons[i]) != NULL, "%s", lines.text[1]);
        cnn_loader_free(loader);
    }
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(floats_are_used_as_they_are)
{
    cnn_loader *loader = make_loader_of(make_memory(CNN_FLOAT32, 10, SIDE_H, SIDE_W));
    augment_everything(loader);
    const struct epoch *epoch = read_epoch(0, loader);
    ck_assert_int_eq(epoch->samples, 10);
    for (int32_t i = 0; i < 10 * ROW; i++)
        ck_assert_float_eq(epoch->inputs[i], (float)i);
    cnn_loader_free(loader);
}
END_TEST

/* ---- Arguments ----------------------------------------------------------------------------- */

START_TEST(arguments_of_creating_are_checked)
{
    cnn_loader *loader;
    cnn_dataset *dataset = open_folder("pictures");
    ck_assert_int_eq(cnn_loader_create(NULL, dataset, model, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_create(&loader, NULL, model, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_create(&loader, dataset, NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_create(&loader, dataset, model, 0), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(), "cnn_loader_create: batch is 0, must be at least 1");
    ck_assert_ptr_null(loader);
    cnn_dataset_free(dataset);
}
END_TEST

START_TEST(more_samples_than_can_be_numbered)
{
    const int64_t most = UINT32_MAX;
    struct painter painter = {0};
    cnn_loader *loader;
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_SAMPLES, most + 1));
    for (int64_t count = most; count <= most + 1; count++) {
        cnn_dataset *dataset;
        EXPECT_OK(cnn_dataset_from_callback(&dataset, context, count, 2, paint, &painter));
        ck_assert_int_eq(cnn_loader_create(&loader, dataset, model, 1),
                         count > most ? CNN_ERROR_LIMIT : CNN_OK);
        ck_assert_int_eq(loader == NULL, count > most);
        cnn_loader_free(loader);
        cnn_dataset_free(dataset);
    }
}
END_TEST

START_TEST(models_must_take_the_samples)
{
    static const struct {
        int32_t rank;
        int64_t shape[3];
        cnn_status files, bytes, floats;
    } rows[] = {
        {3, {8, 9, 3}, CNN_OK, CNN_OK, CNN_ERROR_SHAPE},
        {3, {8, 9, 1}, CNN_OK, CNN_ERROR_SHAPE, CNN_ERROR_SHAPE},
        {3, {8, 9, 2}, CNN_ERROR_SHAPE, CNN_ERROR_SHAPE, CNN_ERROR_SHAPE},
        {3, {4, 5, 3}, CNN_OK, CNN_OK, CNN_OK},
        {1, {12}, CNN_ERROR_SHAPE, CNN_ERROR_SHAPE, CNN_ERROR_SHAPE},
    };
    cnn_dataset *datasets[] = {open_folder("pictures"), make_memory(CNN_UINT8, 3, 4, 5),
                               make_memory(CNN_FLOAT32, 3, 4, 5)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cnn_model *other;
        const cnn_status wanted[] = {rows[i].files, rows[i].bytes, rows[i].floats};
        EXPECT_OK(cnn_model_create(&other, context, rows[i].shape, rows[i].rank));
        for (int32_t k = 0; k < 3; k++) {
            cnn_loader *loader;
            ck_assert_int_eq(cnn_loader_create(&loader, datasets[k], other, 2), wanted[k]);
            ck_assert_int_eq(loader == NULL, wanted[k] != CNN_OK);
            cnn_loader_free(loader);
        }
        cnn_model_free(other);
    }
    for (int32_t k = 0; k < 3; k++)
        cnn_dataset_free(datasets[k]);
}
END_TEST

START_TEST(gray_models_get_gray_pictures)
{
    cnn_model *gray;
    cnn_loader *loader;
    cnn_tensor *inputs, *labels;
    cnn_dataset *dataset = open_folder("pictures");
    EXPECT_OK(cnn_model_create(&gray, context, (int64_t[]){7, 5, 1}, 3));
    EXPECT_OK(cnn_loader_create(&loader, dataset, gray, 17));
    cnn_model_free(gray);
    EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
    ck_assert_int_eq(cnn_tensor_count(inputs), 17 * 35);
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
}
END_TEST

static cnn_status call_setter(cnn_loader *loader, int32_t setter)
{
    switch (setter) {
    case 0: return cnn_loader_set_shuffle(loader, 1, 0);
    case 1: return cnn_loader_set_random_crop(loader, 0.5, 1, 1);
    case 2: return cnn_loader_set_random_rotation(loader, 1);
    case 3: return cnn_loader_set_random_flip(loader, 0.5);
    case 4: return cnn_loader_set_random_color(loader, 0, 0);
    case 5: return cnn_loader_set_cache(loader, 0);
    case 6: return cnn_loader_set_threads(loader, 1);
    case 7: return cnn_loader_set_random_affine(loader, 0.1, 0.1, 5);
    case 8: return cnn_loader_set_random_tint(loader, 0.1, 5);
    case 9: return cnn_loader_set_random_erasing(loader, 0.5, 0.02, 0.4, 3.3);
    case 10: return cnn_loader_set_mixup(loader, 0);
    case 11: return cnn_loader_set_cutmix(loader, 0);
    default: return cnn_loader_set_strict(loader, 0);
    }
}

START_TEST(settings_are_refused_while_an_epoch_runs)
{
    cnn_tensor *inputs, *labels;
    cnn_loader *loader = make_loader("pictures", 9);
    for (int32_t setter = 0; setter < 13; setter++) {
        ck_assert_int_eq(call_setter(NULL, setter), CNN_ERROR_INVALID);
        EXPECT_OK(call_setter(loader, setter));
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        ck_assert_int_eq(call_setter(loader, setter), CNN_ERROR_STATE);
        EXPECT_OK(cnn_loader_start(loader, 0));
        EXPECT_OK(call_setter(loader, setter));
        read_epoch(0, loader);
        EXPECT_OK(call_setter(loader, setter));
    }
    cnn_loader_free(loader);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
    const double nan = __builtin_nan(""), infinity = __builtin_inf();
    cnn_loader *loader = make_loader("pictures", 9);
    ck_assert_int_eq(cnn_loader_set_shuffle(loader, 2, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_shuffle(loader, -1, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.6, 0.5, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.5, 1.1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, nan, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.5, nan, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.5, 1, 0.9), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.5, 1, infinity), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_crop(loader, 0.5, 1, nan), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_rotation(loader, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_rotation(loader, 181), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_rotation(loader, nan), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_flip(loader, 1.1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_flip(loader, -0.1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_color(loader, 1.1, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_color(loader, 0, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_affine(loader, -0.1, 0, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_affine(loader, 1.1, 0, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_affine(loader, 0, 1.1, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_affine(loader, 0, nan, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_affine(loader, 0, 0, 61), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(),
                     "cnn_loader_set_random_affine: shear is 61, must be 0 to 60");
    ck_assert_int_eq(cnn_loader_set_random_tint(loader, 1.1, 0), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_tint(loader, 0, 181), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_tint(loader, 0, nan), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_erasing(loader, 1.1, 0.1, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_erasing(loader, 0.5, 0, 1, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_erasing(loader, 0.5, 0.5, 0.4, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_random_erasing(loader, 0.5, 0.1, 1, 0.9), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(),
                     "cnn_loader_set_random_erasing: max_ratio is 0.9, must be "
                     "finite and at least 1");
    ck_assert_int_eq(cnn_loader_set_mixup(loader, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_mixup(loader, 1e-4), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_mixup(loader, nan), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_cutmix(loader, 1001), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(),
                     "cnn_loader_set_cutmix: alpha is 1001, must be 0, or 0.001 to 1000");
    ck_assert_int_eq(cnn_loader_label_dtype(loader), CNN_INT32);
    ck_assert_int_eq(cnn_loader_set_threads(loader, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_set_threads(loader, 65), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(), "cnn_loader_set_threads: threads is 65, must be 0 to 64");
    ck_assert_int_eq(cnn_loader_set_strict(loader, 2), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_start(loader, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_start(loader, INT64_C(1) << 56), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_start(NULL, 0), CNN_ERROR_INVALID);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(the_last_epoch_there_is_works)
{
    cnn_loader *loader = make_loader("pictures", 9);
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, UINT64_MAX));
    augment_everything(loader);
    EXPECT_OK(cnn_loader_start(loader, (INT64_C(1) << 56) - 1));
    ck_assert_int_eq(read_epoch(0, loader)->samples, 17);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(questions_and_next_without_a_handle)
{
    cnn_tensor *inputs = (cnn_tensor *)&inputs, *labels = (cnn_tensor *)&labels;
    ck_assert_int_eq(cnn_loader_next(&inputs, &labels, NULL), CNN_ERROR_INVALID);
    ck_assert_ptr_null(inputs);
    ck_assert_ptr_null(labels);
    cnn_loader *loader = make_loader("pictures", 9);
    ck_assert_int_eq(cnn_loader_next(NULL, &labels, loader), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_next(&inputs, NULL, loader), CNN_ERROR_INVALID);
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    ck_assert_int_eq(cnn_loader_sample_shape(NULL, &rank, loader), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_sample_shape(shape, NULL, loader), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_loader_sample_shape(shape, &rank, NULL), CNN_ERROR_INVALID);
    cnn_loader_free(loader);
    ck_assert_int_eq(cnn_loader_batches(NULL), 0);
    ck_assert_int_eq(cnn_loader_samples(NULL), 0);
    ck_assert_int_eq(cnn_loader_skipped(NULL), 0);
    ck_assert_int_eq(cnn_loader_epoch(NULL), 0);
    ck_assert_int_eq(cnn_loader_batch_size(NULL), 0);
    ck_assert_int_eq(cnn_loader_class_count(NULL), 0);
    ck_assert_int_eq(cnn_loader_label_dtype(NULL), CNN_INT32);
    ck_assert_double_eq(cnn_loader_wait_seconds(NULL), 0);
    ck_assert_double_eq(cnn_loader_work_seconds(NULL), 0);
}
END_TEST

static Suite *loader_sources_suite(void)
{
    Suite *suite = suite_create("loader_sources");
    TCase *tcase = tcase_create("loader_sources");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, pictures_in_memory_are_prepared_like_others);
    tcase_add_test(tcase, callbacks_run_on_the_caller_s_thread_with_his_rounding);
    tcase_add_test(tcase, callbacks_may_fail);
    tcase_add_test(tcase, floats_are_used_as_they_are);
    tcase_add_test(tcase, arguments_of_creating_are_checked);
    tcase_add_test(tcase, more_samples_than_can_be_numbered);
    tcase_add_test(tcase, models_must_take_the_samples);
    tcase_add_test(tcase, gray_models_get_gray_pictures);
    tcase_add_test(tcase, settings_are_refused_while_an_epoch_runs);
    tcase_add_test(tcase, settings_out_of_range_are_refused);
    tcase_add_test(tcase, the_last_epoch_there_is_works);
    tcase_add_test(tcase, questions_and_next_without_a_handle);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loader_sources_suite());
}
