/* SPDX-License-Identifier: MIT
 * The library as a guest: whatever floating-point environment, threads or locale the host has,
 * results are the same bits, and the host finds everything as it left it. */
#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cnn.h"
#include "support/decimal_comma.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

/* The threads of this process; 0 where the system does not tell. */
static int32_t count_threads(void)
{
    int32_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* The most that there were while a loader was at work. */
static int32_t most_threads;

static int32_t watch_threads(void *user, const cnn_progress *progress)
{
    const int32_t count = count_threads();
    (void)user, (void)progress;
    most_threads = count > most_threads ? count : most_threads;
    return 0;
}

/* ---- Everything that computes -------------------------------------------------------------- */

static uint64_t hash_tensor(uint64_t hash, const cnn_tensor *tensor)
{
    return hash_bytes(hash, cnn_tensor_const_data(tensor), cnn_tensor_bytes(tensor));
}

/* 15 % of ten samples is one and a half, but for the rounding. */
static uint64_t split(uint64_t hash, cnn_context *context)
{
    cnn_dataset *dataset = dataset_pictures(context, 30), *first, *second;
    EXPECT_OK(cnn_dataset_split(&first, &second, dataset, 0.15, 1));
    const int64_t count = cnn_dataset_count(second);
    cnn_dataset_free(dataset);
    cnn_dataset_free(first);
    cnn_dataset_free(second);
    return hash_bytes(hash, &count, sizeof count);
}

/* A negative number of loader threads: as many as it has by itself. */
static uint64_t train(uint64_t hash, cnn_context *context, cnn_model *model, int32_t loader_threads)
{
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_loader *loader;
    double loss, share;
    cnn_dataset *dataset = dataset_pictures(context, 24);
    EXPECT_OK(cnn_adamw_create(&optimizer, context, 0.01));
    EXPECT_OK(cnn_optimizer_set_schedule_cosine(optimizer, 11, 1e-4));
    EXPECT_OK(cnn_optimizer_set_warmup(optimizer, 3));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, 0.5));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 16));
    EXPECT_OK(cnn_trainer_set_label_smoothing(trainer, 0.1));
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, 16));
    if (loader_threads >= 0)
        EXPECT_OK(cnn_loader_set_threads(loader, loader_threads));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 9));
    EXPECT_OK(cnn_loader_set_random_crop(loader, 0.5, 0.9, 1.3));
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 20));
    EXPECT_OK(cnn_loader_set_random_flip(loader, 0.3));
    EXPECT_OK(cnn_loader_set_random_color(loader, 0.2, 0.3));
    EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, 2, watch_threads, NULL));
    EXPECT_OK(cnn_trainer_evaluate(&loss, &share, trainer, loader));
    const double numbers[] = {loss, share, cnn_optimizer_learning_rate(optimizer)};
    hash = hash_bytes(hash, numbers, sizeof numbers);
    hash = split(hash, context);
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    return hash;
}

static uint64_t predict(uint64_t hash, cnn_context *context, cnn_model *model)
{
    cnn_session *session;
    cnn_tensor *image = TENSOR(context, CNN_UINT8, 23, 17, 3);
    cnn_tensor *inputs = model_inputs(model, context, 3, 5),
               *outputs = model_outputs(model, context, 3);
    uint8_t *bytes = cnn_tensor_data(image);
    for (int64_t i = 0; i < cnn_tensor_count(image); i++)
        bytes[i] = (uint8_t)(i * i % 251);
    EXPECT_OK(cnn_model_prepare_image(model, inputs, 1, image));
    EXPECT_OK(cnn_session_create(&session, model, 3));
    EXPECT_OK(session_predict(session, outputs, inputs));
    hash = hash_tensor(hash_tensor(hash, inputs), outputs);
    cnn_session_free(session);
    cnn_tensor_free(image);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    return hash;
}

/* A layer alone, on numbers so small that flushing them to zero would show. */
static uint64_t run_layer(uint64_t hash, cnn_context *context)
{
    cnn_layer *layer;
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, 4, 20), *y = TENSOR(context, CNN_FLOAT32, 4, 7);
    cnn_tensor *dx = tensor_like(context, x);
    EXPECT_OK(cnn_dense_create(&layer, context, 7));
    for (uint32_t i = 0; i < 80; i++)
        memcpy(floats(x) + i, &(uint32_t){(i + 1) << 9}, sizeof(float)); /* (i + 1) * 2^-140 */
    EXPECT_OK(cnn_layer_forward(layer, y, &x, 1, 1));
    EXPECT_OK(cnn_layer_backward(layer, &dx, 1, y));
    hash = hash_tensor(hash_tensor(hash, y), dx);
    cnn_layer_free(layer);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(dx);
    return hash;
}

/* Also through a file, whose numbers are text. */
static uint64_t save_and_load(uint64_t hash, cnn_context *context, cnn_model *model)
{
    cnn_tensor *bytes;
    cnn_model *loaded;
    EXPECT_OK(cnn_model_set_normalization(model, (float[]){0.1f, 0.2f, 1.0f / 3},
                                          (float[]){0.7f, 1e-3f, 12345.678f}, 3));
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    EXPECT_OK(cnn_model_load_memory(&loaded, context, cnn_tensor_const_data(bytes),
                                    cnn_tensor_bytes(bytes)));
    float numbers[6];
    EXPECT_OK(cnn_model_normalization(numbers, numbers + 3, loaded, 3));
    ck_assert(numbers[2] == 1.0f / 3 && numbers[5] == 12345.678f);
    hash = hash_tensor(hash, bytes) ^ model_hash(loaded, context);
    cnn_tensor_free(bytes);
    cnn_model_free(loaded);
    return hash;
}

/* One number that everything goes into; at the level that CNN_CPU names. */
static uint64_t compute(cnn_context *context, int32_t loader_threads)
{
    EXPECT_OK(cnn_context_set_seed(context, 4));
    most_threads = 0;
    cnn_model *model = model_dropout(context);
    uint64_t hash = model_hash(model, context);
    hash = train(hash, context, model, loader_threads);
    hash = predict(hash ^ model_hash(model, context), context, model);
    hash = save_and_load(hash, context, model);
    cnn_model_free(model);
    return run_layer(hash, context);
}

static uint64_t compute_alone(int32_t threads)
{
    cnn_context *context;
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, threads));
    const uint64_t hash = compute(context, threads - 1);
    cnn_context_free(context);
    return hash;
}

/* ---- Floating point ------------------------------------------------------------------------ */

#if defined(__x86_64__)
enum { FLUSHES = 3 };

/* Flush-to-zero, and denormals-are-zero. */
static void set_flush(int32_t flush)
{
    _mm_setcsr((_mm_getcsr() & ~0x8040u) | (flush > 0 ? 0x8000u : 0) | (flush > 1 ? 0x40u : 0));
}

static uint32_t control_word(void)
{
    return _mm_getcsr() & ~0x3Fu; /* without the flags of exceptions */
}
#else
enum { FLUSHES = 1 };

static void set_flush(int32_t flush)
{
    (void)flush;
}

static uint32_t control_word(void)
{
    return (uint32_t)fegetround();
}
#endif

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

START_TEST(the_hosts_rounding_changes_no_bit)
{
    const uint64_t wanted = compute_alone(1);
    for (int32_t threads = 1; threads <= 2; threads++)
        for (int32_t i = 0; i < 4; i++)
            for (int32_t flush = 0; flush < FLUSHES; flush++) {
                fesetround(modes[i]);
                set_flush(flush);
                const uint32_t before = control_word();
                const uint64_t hash = compute_alone(threads);
                const uint32_t after = control_word();
                set_flush(0);
                fesetround(FE_TONEAREST);
                ck_assert_msg(hash == wanted, "rounding mode %d, flush %d, %d threads", i, flush,
                              threads);
                ck_assert_uint_eq(before, after);
            }
}
END_TEST

/* ---- Threads ------------------------------------------------------------------------------- */

static void *do_nothing(void *user)
{
    return user;
}

/* The threads before a test.  Sanitizers start one of their own with the first; the system may list
 * one that was joined for another moment. */
static int32_t count_first_threads(void)
{
    pthread_t thread;
    int32_t least = INT32_MAX;
    ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (int32_t i = 0; i < 20; i++) {
        const int32_t count = count_threads();
        least = count < least ? count : least;
        usleep(5000);
    }
    return least;
}

/* Fails unless there are soon as many threads. */
static void check_threads(int32_t wanted)
{
    for (int32_t i = 0; i < 200 && count_threads() != wanted; i++)
        usleep(10000);
    ck_assert_int_eq(count_threads(), wanted);
}

START_TEST(one_thread_starts_none)
{
    cnn_context *context;
    const int32_t before = count_first_threads();
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 1));
    compute(context, -1);
    ck_assert_int_eq(count_threads(), before);
    ck_assert_int_eq(most_threads, before);
    EXPECT_OK(cnn_context_set_threads(context, 3));
    ck_assert_int_eq(count_threads(), before);
    compute(context, 0);
    ck_assert_int_eq(count_threads(), before == 0 ? 0 : before + 2);
    cnn_context_free(context);
    check_threads(before);
}
END_TEST

/* A host's parallel_for that runs items in some order on this thread. */
struct serial_host {
    int64_t calls, items;
    int32_t order;
};

static void run_in_order(void *user, int64_t count, cnn_task_fn run, void *task)
{
    struct serial_host *host = user;
    host->calls++;
    host->items += count;
    for (int64_t i = 0; i < count; i++)
        run(task, host->order == 0   ? i
                  : host->order == 1 ? count - 1 - i
                                     : (i + count / 2) % count);
}

START_TEST(the_hosts_parallel_for_is_used)
{
    const uint64_t wanted = compute_alone(1);
    const int32_t before = count_first_threads();
    for (int32_t order = 0; order < 3; order++) {
        struct serial_host host = {.order = order};
        cnn_context *context;
        EXPECT_OK(cnn_context_create(&context));
        EXPECT_OK(cnn_context_set_threads(context, 5));
        EXPECT_OK(cnn_context_set_parallel_for(context, run_in_order, &host));
        ck_assert_uint_eq(compute(context, -1), wanted);
        ck_assert_int_gt(host.calls, 10);
        ck_assert_int_gt(host.items, host.calls);
        ck_assert_int_le(host.items, 5 * host.calls);
        ck_assert_int_eq(count_threads(), before);
        ck_assert_int_eq(most_threads, before);
        cnn_context_free(context);
    }
}
END_TEST

/* Keeps the largest number of items that it was asked for. */
static void run_and_count(void *user, int64_t count, cnn_task_fn run, void *task)
{
    int64_t *most = user;
    *most = count > *most ? count : *most;
    for (int64_t i = 0; i < count; i++)
        run(task, i);
}

/* Every kind of layer, and pictures so large that each cuts its work in many pieces; the add's
 * inputs are used twice, so that their gradients are summed as well. */
static cnn_model *model_of_everything(cnn_context *context)
{
    cnn_model *model = model_new(context, (int64_t[]){32, 32, 8}, 3);
    cnn_layer *layer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 8, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    model_take(model, layer);
    EXPECT_OK(cnn_dropout_create(&layer, context, 0.5));
    model_take(model, layer);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){0, 2}, 2));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 3, 3));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 1, 1));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 128));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    return model;
}

START_TEST(plans_keep_to_their_threads)
{
    enum { BATCH = 64 };
    cnn_context *context;
    cnn_session *session;
    cnn_trainer *trainer;
    int64_t most = 0;
    double loss;
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_parallel_for(context, run_and_count, &most));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    cnn_model *model = model_of_everything(context);
    cnn_optimizer *optimizers[2];
    EXPECT_OK(cnn_adam_create(&optimizers[0], context, 0.01));
    EXPECT_OK(cnn_sgd_create(&optimizers[1], context, 0.01));
    cnn_tensor *inputs = model_inputs(model, context, BATCH, 5),
               *outputs = model_outputs(model, context, BATCH),
               *labels = tensor_labels(context, BATCH, 3);
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    for (int32_t i = 0; i < 2; i++) {
        EXPECT_OK(cnn_context_set_threads(context, 2));
        EXPECT_OK(cnn_optimizer_set_clip_norm(optimizers[i], 1));
        EXPECT_OK(
            cnn_trainer_create(&trainer, model, optimizers[i], CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
        EXPECT_OK(cnn_context_set_threads(context, 7));
        EXPECT_OK(trainer_step(&loss, trainer, inputs, labels));
        EXPECT_OK(session_predict(session, outputs, inputs));
        ck_assert_int_eq(most, 2);
        cnn_trainer_free(trainer);
        cnn_optimizer_free(optimizers[i]);
    }
    cnn_session_free(session);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(labels);
    cnn_model_free(model);
    cnn_context_free(context);
}
END_TEST

/* A host's parallel_for that has threads of its own. */
struct host_job {
    cnn_task_fn run;
    void *task;
    int64_t count;
    _Atomic int64_t next;
};

static void *run_job(void *user)
{
    struct host_job *job = user;
    fesetround(FE_UPWARD);
    for (int64_t i = job->next++; i < job->count; i = job->next++)
        job->run(job->task, i);
    return fegetround() == FE_UPWARD ? NULL : job;
}

static void run_on_threads(void *user, int64_t count, cnn_task_fn run, void *task)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    struct host_job job = {.run = run, .task = task, .count = count};
    int32_t *wrong = user;
    for (int32_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &job), 0);
    for (int32_t i = 0; i < THREADS; i++) {
        void *result;
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        *wrong += result != NULL;
    }
}

START_TEST(the_hosts_threads_may_do_the_work)
{
    cnn_context *context;
    int32_t wrong = 0;
    const uint64_t wanted = compute_alone(1);
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 4));
    EXPECT_OK(cnn_context_set_parallel_for(context, run_on_threads, &wrong));
    ck_assert_uint_eq(compute(context, 0), wanted);
    ck_assert_int_eq(wrong, 0);
    cnn_context_free(context);
}
END_TEST

/* ---- Processes ----------------------------------------------------------------------------- */

struct steady_predictor {
    cnn_session *session;
    cnn_tensor *inputs, *outputs;
    atomic_int breaches;
    atomic_bool started, stop;
};

/* Allocates nothing: a sanitizer's own locks do not survive a fork. */
static void *predict_steadily(void *user)
{
    struct steady_predictor *predictor = user;
    while (!predictor->stop) {
        if (session_predict(predictor->session, predictor->outputs, predictor->inputs) != CNN_OK)
            predictor->breaches++;
        predictor->started = true;
    }
    return NULL;
}

/* Everything that a child may do with a model that its parent was predicting with. */
static bool use_model(cnn_context *context, cnn_model *model, const cnn_tensor *wanted,
                      const cnn_tensor *inputs)
{
    cnn_session *session;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    double loss;
    char text[64];
    cnn_tensor *outputs = model_outputs(model, context, 4);
    bool good =
        cnn_session_create(&session, model, 4) == CNN_OK &&
        session_predict(session, outputs, inputs) == CNN_OK && tensors_equal(outputs, wanted) &&
        cnn_sgd_create(&optimizer, context, 0.1) == CNN_OK &&
        cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 4) == CNN_OK &&
        trainer_step(&loss, trainer, inputs, tensor_labels(context, 4, 3)) == CNN_OK &&
        session_predict(session, outputs, inputs) == CNN_OK && !tensors_equal(outputs, wanted);
    cnn_context_error(context, text, sizeof text);
    return good;
}

START_TEST(a_child_predicts_and_trains)
{
    static struct steady_predictor predictor;
    if (getenv("CNN_TEST_EMULATED") != NULL) {
        printf("skipped: a fork while a thread predicts, which the emulator does not survive\n");
        return;
    }
    cnn_context *context;
    pthread_t thread;
    EXPECT_OK(cnn_context_create(&context));
    cnn_model *model = model_chain(context);
    predictor.inputs = model_inputs(model, context, 4, 3);
    predictor.outputs = model_outputs(model, context, 4);
    cnn_tensor *wanted = model_outputs(model, context, 4);
    EXPECT_OK(cnn_session_create(&predictor.session, model, 4));
    EXPECT_OK(session_predict(predictor.session, wanted, predictor.inputs));
    ck_assert_int_eq(pthread_create(&thread, NULL, predict_steadily, &predictor), 0);
    while (!predictor.started)
        usleep(100);
    for (int32_t i = 0; i < 10; i++) {
        int status;
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            alarm(10);
            _exit(use_model(context, model, wanted, predictor.inputs) ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child status %d", status);
    }
    predictor.stop = true;
    pthread_join(thread, NULL);
    ck_assert_int_eq(predictor.breaches, 0);
    cnn_session_free(predictor.session);
    cnn_tensor_free(predictor.inputs);
    cnn_tensor_free(predictor.outputs);
    cnn_tensor_free(wanted);
    cnn_model_free(model);
    cnn_context_free(context);
}
END_TEST

/* ---- Locale -------------------------------------------------------------------------------- */

START_TEST(a_decimal_comma_changes_no_file)
{
    const uint64_t wanted = compute_alone(1);
    if (!set_decimal_comma())
        return;
    ck_assert_uint_eq(compute_alone(1), wanted);
    setlocale(LC_ALL, "C");
}
END_TEST

static Suite *host_suite(void)
{
    Suite *suite = suite_create("host");
    TCase *tcase = tcase_create("host");
    tcase_add_test(tcase, the_hosts_rounding_changes_no_bit);
    tcase_add_test(tcase, one_thread_starts_none);
    tcase_add_test(tcase, the_hosts_parallel_for_is_used);
    tcase_add_test(tcase, plans_keep_to_their_threads);
    tcase_add_test(tcase, the_hosts_threads_may_do_the_work);
    tcase_add_test(tcase, a_child_predicts_and_trains);
    tcase_add_test(tcase, a_decimal_comma_changes_no_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(host_suite());
}
