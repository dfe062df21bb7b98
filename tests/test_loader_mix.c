/* SPDX-License-Identifier: MIT
 * Loaders that mix the samples of a batch: all kinds of datasets, bad samples, and epochs with and
 * without.  What mixing does is in test_mix.c; that threads do not matter, in test_loader.c. */
#include <check.h>
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "support/expect.h"
#include "support/files.h"
#include "support/loading.h"
#include "support/suite.h"

/* ---- Datasets whose samples are their labels: all numbers are 0, or all are 1 --------------- */

enum { COUNT = 11, BATCH = 4 };

static cnn_dataset *make_memory(cnn_dtype dtype)
{
    cnn_dataset *dataset;
    cnn_tensor *samples, *labels;
    const int64_t shape[] = {COUNT, SIDE_H, SIDE_W, 3}, count = COUNT;
    EXPECT_OK(cnn_tensor_create(&samples, context, dtype, shape, 4));
    EXPECT_OK(cnn_tensor_create(&labels, context, CNN_INT32, &count, 1));
    for (int64_t i = 0; i < COUNT; i++)
        ((int32_t *)cnn_tensor_data(labels))[i] = (int32_t)(i % 2);
    for (int64_t k = 0; k < cnn_tensor_count(samples); k++)
        if (k / ROW % 2 == 1 && dtype == CNN_UINT8)
            ((uint8_t *)cnn_tensor_data(samples))[k] = 255;
        else if (k / ROW % 2 == 1)
            ((float *)cnn_tensor_data(samples))[k] = 1;
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, labels, 2));
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
    return dataset;
}

/* Every third one is bad where `user` says so. */
static cnn_status make_sample(void *user, int64_t index, cnn_tensor **image, int32_t *label)
{
    const bool *some_bad = user;
    if (*some_bad && index % 3 == 0)
        return CNN_ERROR_IO;
    *label = (int32_t)(index % 2);
    EXPECT_OK(cnn_tensor_create(image, context, CNN_UINT8, (int64_t[]){5, 7, 3}, 3));
    memset(cnn_tensor_data(*image), *label == 1 ? 255 : 0, 5 * 7 * 3);
    return CNN_OK;
}

static cnn_dataset *make_callback(bool *some_bad)
{
    cnn_dataset *dataset;
    EXPECT_OK(cnn_dataset_from_callback(&dataset, context, COUNT, 2, make_sample, some_bad));
    return dataset;
}

/* The means of the model are 0 and its deviations 1, so that bytes become 0 .. 1. */
static cnn_loader *make_mixing(cnn_dataset *dataset, double mixup, double cutmix)
{
    cnn_loader *loader;
    EXPECT_OK(cnn_model_set_normalization(model, (float[]){0, 0, 0}, (float[]){1, 1, 1}, 3));
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    cnn_dataset_free(dataset);
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 3));
    EXPECT_OK(cnn_loader_set_mixup(loader, mixup));
    EXPECT_OK(cnn_loader_set_cutmix(loader, cutmix));
    return loader;
}

/* The share of class 1 is the mean of the sample's numbers.  Returns how many are mixed. */
static int32_t check_shares(const struct epoch *epoch)
{
    int32_t mixed = 0;
    for (int32_t i = 0; i < epoch->samples; i++) {
        const float *shares = epoch->shares + 2 * i;
        double sum = 0;
        for (int32_t k = 0; k < ROW; k++)
            sum += (double)epoch->inputs[i * ROW + k];
        ck_assert_double_eq_tol((double)shares[1], sum / ROW, 1e-5);
        ck_assert_float_eq_tol(shares[0] + shares[1], 1, 1e-6f);
        mixed += shares[1] > 0 && shares[1] < 1;
    }
    return mixed;
}

START_TEST(every_kind_of_dataset_is_mixed)
{
    static const double alphas[][2] = {{1, 0}, {0, 1}, {0.3, 2}};
    bool some_bad = false;
    cnn_dataset *datasets[] = {make_memory(CNN_FLOAT32), make_memory(CNN_UINT8),
                               make_callback(&some_bad)};
    for (int32_t kind = 0; kind < 3; kind++) {
        cnn_loader *loader = make_mixing(datasets[kind], alphas[_i][0], alphas[_i][1]);
        int32_t mixed = 0;
        ck_assert_int_eq(cnn_loader_label_dtype(loader), CNN_FLOAT32);
        for (int32_t e = 0; e < 10; e++) {
            const struct epoch *epoch = read_epoch(kind == 0 ? 0 : 1, loader);
            ck_assert_int_eq(epoch->samples, COUNT);
            ck_assert_int_eq(epoch->sizes[2], 3); /* one of these stays alone */
            mixed += check_shares(epoch);
            ck_assert(kind == 0 || e < 9 || same_epochs(epoch, &epochs[0]));
        }
        ck_assert_int_gt(mixed, 30);
        cnn_loader_free(loader);
    }
}
END_TEST

START_TEST(only_good_samples_are_mixed)
{
    bool some_bad = true;
    cnn_loader *loader = make_mixing(make_callback(&some_bad), 0.5, 1);
    for (int32_t e = 0; e < 5; e++) {
        const struct epoch *epoch = read_epoch(0, loader);
        ck_assert_int_eq(epoch->samples, COUNT - 4);
        check_shares(epoch);
    }
    ck_assert_int_eq(cnn_loader_skipped(loader), 5 * 4);
    cnn_loader_free(loader);
}
END_TEST

/* The same with files: whatever threads prepared them, and from the cache. */
START_TEST(bad_files_change_nothing_but_themselves)
{
    make_pictures("spoiled", 5, 4);
    file_cut(folder_path("spoiled/cat/02.jpg"), 100);
    for (int32_t threads = 0; threads < 4; threads++) {
        cnn_loader *loader = make_loader("spoiled", 4);
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        EXPECT_OK(cnn_loader_set_cache(loader, (size_t)1 << (10 + 5 * threads)));
        EXPECT_OK(cnn_loader_set_mixup(loader, 1));
        const struct epoch *epoch = read_epoch(threads == 0 ? 0 : 1, loader);
        ck_assert_int_eq(epoch->samples, 8);
        ck_assert(threads == 0 || same_epochs(epoch, &epochs[0]));
        cnn_loader_free(loader);
    }
    folder_remove(folder_path("spoiled"));
}
END_TEST

START_TEST(mixing_can_be_switched_between_epochs)
{
    cnn_loader *loader = make_loader("pictures", 5);
    const struct epoch *plain = read_epoch(0, loader);
    EXPECT_OK(cnn_loader_set_cutmix(loader, 1));
    const struct epoch *mixed = read_epoch(1, loader);
    ck_assert_mem_ne(plain->inputs, mixed->inputs, sizeof plain->inputs);
    EXPECT_OK(cnn_loader_set_cutmix(loader, 0));
    ck_assert_int_eq(cnn_loader_label_dtype(loader), CNN_INT32);
    ck_assert(same_epochs(read_epoch(2, loader), plain));
    EXPECT_OK(cnn_loader_set_mixup(loader, 1));
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(!same_epochs(read_epoch(2, loader), mixed));
    EXPECT_OK(cnn_loader_set_mixup(loader, 0));
    EXPECT_OK(cnn_loader_set_cutmix(loader, 1));
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(same_epochs(read_epoch(2, loader), mixed));
    cnn_loader_free(loader);
}
END_TEST

/* A borrower may do as he likes with what was lent; the next batch is what it would have been. */
START_TEST(borrowed_shares_may_be_overwritten)
{
    cnn_tensor *inputs, *labels;
    cnn_loader *loader = make_mixing(make_memory(CNN_UINT8), 1, 0);
    const struct epoch *wanted = read_epoch(0, loader);
    EXPECT_OK(cnn_loader_start(loader, 0));
    for (;;) {
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        if (inputs == NULL)
            break;
        int64_t count = cnn_tensor_count(labels);
        EXPECT_OK(cnn_tensor_fill(labels, 9));
        EXPECT_OK(cnn_tensor_fill(inputs, 9));
        EXPECT_OK(cnn_tensor_reshape(labels, &count, 1));
    }
    EXPECT_OK(cnn_loader_start(loader, 0));
    ck_assert(same_epochs(read_epoch(1, loader), wanted));
    cnn_loader_free(loader);
}
END_TEST

START_TEST(mixing_rounds_in_its_own_way)
{
    cnn_loader *loader = make_mixing(make_memory(CNN_FLOAT32), 0.5, 1);
    const struct epoch *wanted = read_epoch(0, loader);
    EXPECT_OK(cnn_loader_start(loader, 0));
    fesetround(FE_UPWARD);
    const struct epoch *epoch = read_epoch(1, loader);
    int mode = fegetround();
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(mode, FE_UPWARD);
    ck_assert(same_epochs(epoch, wanted));
    cnn_loader_free(loader);
}
END_TEST

static Suite *loader_mix_suite(void)
{
    Suite *suite = suite_create("loader_mix");
    TCase *tcase = tcase_create("loader_mix");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, every_kind_of_dataset_is_mixed, 0, 3);
    tcase_add_test(tcase, only_good_samples_are_mixed);
    tcase_add_test(tcase, bad_files_change_nothing_but_themselves);
    tcase_add_test(tcase, mixing_can_be_switched_between_epochs);
    tcase_add_test(tcase, borrowed_shares_may_be_overwritten);
    tcase_add_test(tcase, mixing_rounds_in_its_own_way);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loader_mix_suite());
}
