/* SPDX-License-Identifier: MIT
 * Loaders: what batches hold and in what order; that threads and the cache change nothing; epochs
 * that are broken off; a fork.  Bad samples are in test_loader_damage.c, other sources than files
 * and the arguments in test_loader_sources.c; what augmentation does in test_augment.c. */
#include <check.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cnn/image.h"
#include "support/expect.h"
#include "support/loading.h"
#include "support/suite.h"

/* What the public functions for one picture make of sample `index`. */
static void prepare(float *row, const cnn_dataset *dataset, int64_t index)
{
    cnn_tensor *image, *input;
    EXPECT_OK(cnn_image_load(&image, context, cnn_dataset_path(dataset, index), 3));
    EXPECT_OK(
        cnn_tensor_create(&input, context, CNN_FLOAT32, (int64_t[]){1, SIDE_H, SIDE_W, 3}, 4));
    EXPECT_OK(cnn_model_prepare_image(model, input, 0, image));
    memcpy(row, cnn_tensor_data(input), cnn_tensor_bytes(input));
    cnn_tensor_free(image);
    cnn_tensor_free(input);
}

/* ---- Order and contents -------------------------------------------------------------------- */

START_TEST(batches_come_in_order_the_last_one_smaller)
{
    cnn_loader *loader = make_loader("pictures", 5);
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    ck_assert_int_eq(cnn_loader_batches(loader), 4);
    ck_assert_int_eq(cnn_loader_samples(loader), 17);
    ck_assert_int_eq(cnn_loader_batch_size(loader), 5);
    ck_assert_int_eq(cnn_loader_class_count(loader), 2);
    EXPECT_OK(cnn_loader_sample_shape(shape, &rank, loader));
    ck_assert(rank == 3 && shape[0] == SIDE_H && shape[1] == SIDE_W && shape[2] == 3);
    for (int32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(cnn_loader_epoch(loader), i);
        const struct epoch *epoch = read_epoch(0, loader);
        EXPECT_OK(epoch->status);
        ck_assert_int_eq(epoch->batches, 4);
        for (int32_t b = 0; b < 4; b++)
            ck_assert_int_eq(epoch->sizes[b], b < 3 ? 5 : 2);
        for (int32_t k = 0; k < 17; k++)
            ck_assert_int_eq(epoch->labels[k], k >= 10);
    }
    ck_assert_int_eq(cnn_loader_epoch(loader), 3);
    ck_assert_int_eq(cnn_loader_skipped(loader), 0);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(a_batch_may_be_larger_than_the_dataset)
{
    cnn_loader *loader = make_loader("pictures", INT64_MAX);
    ck_assert_int_eq(cnn_loader_batches(loader), 1);
    ck_assert_int_eq(read_epoch(0, loader)->sizes[0], 17);
    cnn_loader_free(loader);
}
END_TEST

/* PNGs are equal to the bit; JPEGs only where they are not decoded at a smaller scale, which the
 * loader alone may do: 10 of them are larger than twice the model's size. */
START_TEST(rows_are_what_prepare_image_makes)
{
    float row[ROW];
    cnn_dataset *dataset = open_folder("pictures");
    cnn_loader *loader = make_loader("pictures", 4);
    const struct epoch *epoch = read_epoch(0, loader);
    for (int32_t i = 0; i < 17; i++) {
        double worst = 0, sum = 0;
        prepare(row, dataset, i);
        for (int32_t k = 0; k < ROW; k++) {
            double difference = __builtin_fabs(row[k] - epoch->inputs[i * ROW + k]);
            worst = difference > worst ? difference : worst;
            sum += difference;
        }
        if (i >= 10)
            ck_assert_double_eq(worst, 0);
        ck_assert_double_lt(sum / ROW, 0.1);
    }
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
}
END_TEST

/* Finds each sample of an unshuffled epoch once in a shuffled one; false where one is missing. */
static bool is_permutation(const struct epoch *shuffled, const struct epoch *ordered)
{
    int32_t found = 0;
    for (int32_t i = 0; i < ordered->samples; i++)
        for (int32_t k = 0; k < shuffled->samples; k++)
            found += ordered->labels[i] == shuffled->labels[k] &&
                     memcmp(ordered->inputs + i * ROW, shuffled->inputs + k * ROW,
                            ROW * sizeof(float)) == 0;
    return found == ordered->samples && shuffled->samples == ordered->samples;
}

START_TEST(shuffling_is_anew_each_epoch_by_the_seed)
{
    cnn_loader *loader = make_loader("pictures", 5);
    const struct epoch *ordered = read_epoch(0, loader);
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 77));
    const struct epoch *first = read_epoch(1, loader), *second = read_epoch(2, loader);
    ck_assert(is_permutation(first, ordered) && is_permutation(second, ordered));
    ck_assert(!same_epochs(first, ordered) && !same_epochs(first, second));
    ck_assert_int_eq(cnn_loader_epoch(loader), 3);
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(same_epochs(read_epoch(3, loader), first));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 78));
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(!same_epochs(read_epoch(3, loader), first));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 0, 0));
    ck_assert(same_epochs(read_epoch(3, loader), ordered));
    cnn_loader_free(loader);
}
END_TEST

START_TEST(halves_of_a_dataset_are_loaded_by_their_own_numbers)
{
    cnn_loader *loader;
    cnn_dataset *whole = open_folder("pictures"), *first, *second;
    float row[ROW];
    EXPECT_OK(cnn_dataset_split(&first, &second, whole, 0.4, 3));
    EXPECT_OK(cnn_loader_create(&loader, second, model, 3));
    const struct epoch *epoch = read_epoch(0, loader);
    ck_assert_int_eq(epoch->samples, 7);
    for (int32_t i = 4; i < 7; i++) {
        prepare(row, second, i);
        ck_assert_mem_eq(row, epoch->inputs + i * ROW, sizeof row);
    }
    cnn_dataset_free(whole);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    cnn_loader_free(loader);
}
END_TEST

/* ---- Threads and cache change nothing ------------------------------------------------------ */

static void augment_nothing(cnn_loader *loader)
{
    (void)loader;
}

static void augment_color(cnn_loader *loader)
{
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 15));
    EXPECT_OK(cnn_loader_set_random_flip(loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_color(loader, 0.3, 0.3));
}

static void augment_everything(cnn_loader *loader)
{
    augment_color(loader);
    EXPECT_OK(cnn_loader_set_random_crop(loader, 0.25, 0.8, 1.5));
    EXPECT_OK(cnn_loader_set_random_affine(loader, 0.1, 0.2, 10));
    EXPECT_OK(cnn_loader_set_random_tint(loader, 0.3, 20));
    EXPECT_OK(cnn_loader_set_random_erasing(loader, 0.5, 0.02, 0.4, 3.3));
}

static void mix_everything(cnn_loader *loader)
{
    augment_everything(loader);
    EXPECT_OK(cnn_loader_set_mixup(loader, 0.5));
    EXPECT_OK(cnn_loader_set_cutmix(loader, 1));
}

static void (*const augmentations[])(cnn_loader *) = {augment_nothing, augment_color,
                                                      augment_everything, mix_everything};

/* Each augmentation changes what the one before made; run as one case per augmentation. */
START_TEST(the_same_bits_for_any_threads_and_cache)
{
    static const int32_t threads[] = {0, 1, 2, 3, 7, 64};
    static const size_t caches[] = {0, 1, 9000, (size_t)1 << 30};
    static struct epoch wanted[3];
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++)
        for (size_t c = 0; c < sizeof caches / sizeof caches[0]; c++) {
            cnn_loader *loader = make_loader("pictures", 4);
            augmentations[_i](loader);
            EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 5));
            EXPECT_OK(cnn_loader_set_threads(loader, threads[t]));
            EXPECT_OK(cnn_loader_set_cache(loader, caches[c]));
            for (int32_t e = 0; e < 3; e++) {
                const struct epoch *epoch = read_epoch(e, loader);
                ck_assert_int_eq(epoch->samples, 17);
                if (t == 0 && c == 0)
                    wanted[e] = *epoch;
                ck_assert_msg(same_epochs(epoch, &wanted[e]), "%d threads, %zu bytes, epoch %d",
                              threads[t], caches[c], e);
            }
            cnn_loader_free(loader);
        }
}
END_TEST

START_TEST(augmentation_is_by_seed_and_epoch)
{
    cnn_loader *loader = make_loader("pictures", 17);
    const struct epoch *plain = read_epoch(0, loader);
    mix_everything(loader);
    const struct epoch *first = read_epoch(1, loader), *second = read_epoch(2, loader);
    ck_assert(!same_epochs(plain, first) && !same_epochs(first, second));
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(same_epochs(read_epoch(3, loader), first));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 0, 1));
    EXPECT_OK(cnn_loader_start(loader, 1));
    ck_assert(!same_epochs(read_epoch(3, loader), first));
    cnn_loader_free(loader);
}
END_TEST

/* With the files gone, only what the cache holds is left. */
static int32_t samples_without_files(size_t cache, void (*augment)(cnn_loader *))
{
    make_pictures("passing", 3, 4);
    cnn_loader *loader = make_loader("passing", 2);
    augment(loader);
    EXPECT_OK(cnn_loader_set_cache(loader, cache));
    ck_assert_int_eq(read_epoch(0, loader)->samples, 7);
    folder_remove(folder_path("passing"));
    const struct epoch *epoch = read_epoch(1, loader);
    int32_t samples = epoch->samples;
    ck_assert_int_eq(epoch->status, samples == 0 ? CNN_ERROR_FORMAT : CNN_OK);
    cnn_loader_free(loader);
    return samples;
}

START_TEST(the_cache_keeps_what_fits)
{
    ck_assert_int_eq(samples_without_files(0, augment_nothing), 0);
    ck_assert_int_eq(samples_without_files((size_t)1 << 20, augment_nothing), 7);
    ck_assert_int_eq(samples_without_files((size_t)1 << 20, mix_everything), 7);
    /* 56 bytes of table and 1440 bytes and a little per picture. */
    ck_assert_int_eq(samples_without_files(5 * 1440, augment_nothing), 4);
    ck_assert_int_eq(samples_without_files(55, augment_nothing), 0);
}
END_TEST

START_TEST(a_new_crop_means_a_new_cache)
{
    cnn_loader *cached = make_loader("pictures", 6), *plain = make_loader("pictures", 6);
    EXPECT_OK(cnn_loader_set_cache(cached, (size_t)1 << 30));
    for (int32_t i = 0; i < 3; i++) {
        for (int32_t k = 0; k < 2; k++)
            ck_assert(same_epochs(read_epoch(0, cached), read_epoch(1, plain)));
        EXPECT_OK(cnn_loader_set_random_crop(cached, 0.1 + 0.2 * i, 1, 1.2));
        EXPECT_OK(cnn_loader_set_random_crop(plain, 0.1 + 0.2 * i, 1, 1.2));
    }
    cnn_loader_free(cached);
    cnn_loader_free(plain);
}
END_TEST

/* ---- Running ------------------------------------------------------------------------------- */

START_TEST(starting_breaks_an_epoch_off)
{
    cnn_tensor *inputs, *labels;
    for (int32_t threads = 0; threads < 4; threads++) {
        cnn_loader *loader = make_loader("pictures", 2);
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 1));
        const struct epoch *whole = read_epoch(0, loader);
        for (int32_t read = 0; read < 9; read++) {
            EXPECT_OK(cnn_loader_start(loader, 3));
            for (int32_t i = 0; i < read; i++)
                EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
            ck_assert_int_eq(cnn_loader_epoch(loader), 3);
            EXPECT_OK(cnn_loader_start(loader, 0));
            ck_assert_int_eq(cnn_loader_epoch(loader), 0);
            ck_assert(same_epochs(read_epoch(1, loader), whole));
        }
        cnn_loader_free(loader);
    }
}
END_TEST

START_TEST(a_loader_may_be_freed_at_any_time)
{
    cnn_tensor *inputs, *labels;
    for (int32_t i = 0; i < 60; i++) {
        cnn_loader *loader = make_loader("pictures", 1 + i % 3);
        EXPECT_OK(cnn_loader_set_threads(loader, i % 8));
        for (int32_t k = 0; k < i % 5; k++)
            EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        usleep((useconds_t)(i * 37 % 1000));
        cnn_loader_free(loader);
    }
    cnn_loader_free(NULL);
}
END_TEST

START_TEST(a_borrower_may_write_into_a_batch_and_reshape_it)
{
    cnn_tensor *inputs, *labels;
    cnn_loader *loader = make_loader("pictures", 3);
    const struct epoch *wanted = read_epoch(0, loader);
    for (;;) {
        EXPECT_OK(cnn_loader_next(&inputs, &labels, loader));
        if (inputs == NULL)
            break;
        int64_t count = cnn_tensor_count(inputs);
        EXPECT_OK(cnn_tensor_fill(inputs, 9));
        EXPECT_OK(cnn_tensor_fill(labels, 9));
        EXPECT_OK(cnn_tensor_reshape(inputs, &count, 1));
    }
    ck_assert(same_epochs(read_epoch(1, loader), wanted));
    cnn_loader_free(loader);
}
END_TEST

START_TEST(times_are_kept)
{
    cnn_loader *loader = make_loader("pictures", 4);
    EXPECT_OK(cnn_loader_set_threads(loader, 0));
    read_epoch(0, loader);
    ck_assert_double_eq(cnn_loader_wait_seconds(loader), 0);
    double work = cnn_loader_work_seconds(loader);
    ck_assert_double_gt(work, 0);
    EXPECT_OK(cnn_loader_set_threads(loader, 2));
    read_epoch(0, loader);
    ck_assert_double_ge(cnn_loader_wait_seconds(loader), 0); /* the threads may be that fast */
    ck_assert_double_gt(cnn_loader_work_seconds(loader), work);
    cnn_loader_free(loader);
}
END_TEST

/* The sanitizers' own locks do not survive a fork while threads are at work, and TSan starts no
 * thread in the child: with them, it comes when all is quiet. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

/* The child's answer is its exit status. */
static void wait_for(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
}

START_TEST(a_child_goes_on_with_the_epoch)
{
    for (int32_t read = SANITIZED; read < 9; read++) {
        cnn_loader *loader = make_loader("pictures", 2);
        EXPECT_OK(cnn_loader_set_threads(loader, 3));
        EXPECT_OK(cnn_loader_set_cache(loader, 20000));
        mix_everything(loader);
        const struct epoch *whole = read_epoch(0, loader);
        EXPECT_OK(cnn_loader_start(loader, 0));
        clear_epoch(1);
        for (int32_t i = 0; i < read; i++)
            ck_assert(read_batch(&epochs[1], loader));
        usleep(SANITIZED ? 100000 : (useconds_t)(read * 100));
        pid_t child = fork();
        if (child == 0) {
            signal(SIGALRM, SIG_DFL);
            alarm(10);
        }
        while (read_batch(&epochs[1], loader))
            continue;
        bool same = same_epochs(&epochs[1], whole);
        cnn_loader_free(loader);
        if (child == 0)
            _exit(same ? 0 : 1);
        ck_assert(same);
        wait_for(child);
    }
}
END_TEST

START_TEST(refused_threads_mean_fewer_threads)
{
    pthread_attr_t attributes, before;
    ck_assert_int_eq(pthread_getattr_default_np(&before), 0);
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, (size_t)1 << 46), 0);
    cnn_loader *loader = make_loader("pictures", 4);
    EXPECT_OK(cnn_loader_set_threads(loader, 4));
    const struct epoch *wanted = read_epoch(0, loader);
    EXPECT_OK(cnn_loader_set_threads(loader, 7));
    if (pthread_setattr_default_np(&attributes) == 0)
        ck_assert(same_epochs(read_epoch(1, loader), wanted));
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&attributes);
    cnn_loader_free(loader);
}
END_TEST

START_TEST(the_host_s_rounding_is_left_alone_and_does_not_matter)
{
    for (int32_t threads = 0; threads < 3; threads++) {
        cnn_loader *loader = make_loader("pictures", 4);
        EXPECT_OK(cnn_loader_set_threads(loader, threads));
        mix_everything(loader);
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
}
END_TEST

static Suite *loader_suite(void)
{
    Suite *suite = suite_create("loader");
    TCase *tcase = tcase_create("loader");
    tcase_add_unchecked_fixture(tcase, loading_set_up_program, folder_tear_down);
    tcase_add_checked_fixture(tcase, loading_set_up, loading_tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, batches_come_in_order_the_last_one_smaller);
    tcase_add_test(tcase, a_batch_may_be_larger_than_the_dataset);
    tcase_add_test(tcase, rows_are_what_prepare_image_makes);
    tcase_add_test(tcase, shuffling_is_anew_each_epoch_by_the_seed);
    tcase_add_test(tcase, halves_of_a_dataset_are_loaded_by_their_own_numbers);
    tcase_add_loop_test(tcase, the_same_bits_for_any_threads_and_cache, 0, 4);
    tcase_add_test(tcase, augmentation_is_by_seed_and_epoch);
    tcase_add_test(tcase, the_cache_keeps_what_fits);
    tcase_add_test(tcase, a_new_crop_means_a_new_cache);
    tcase_add_test(tcase, starting_breaks_an_epoch_off);
    tcase_add_test(tcase, a_loader_may_be_freed_at_any_time);
    tcase_add_test(tcase, a_borrower_may_write_into_a_batch_and_reshape_it);
    tcase_add_test(tcase, times_are_kept);
    tcase_add_test(tcase, a_child_goes_on_with_the_epoch);
    tcase_add_test(tcase, refused_threads_mean_fewer_threads);
    tcase_add_test(tcase, the_host_s_rounding_is_left_alone_and_does_not_matter);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(loader_suite());
}
