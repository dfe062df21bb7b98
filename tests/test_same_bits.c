/* SPDX-License-Identifier: MIT
 * Same bits: what is trained and predicted does not depend on how many threads do the work, in
 * what order, on the batch that a picture is in, or on the instruction set, as long as it has fused
 * multiply-add.  Layers that are in no network here are in test_same_bits_layers.c. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

enum { PICTURES = 40, SIDE = 16, SOURCE = 19, CLASSES = 3, BATCH = 16, EPOCHS = 3 };

/* ---- Something to train and to predict with ------------------------------------------------ */

static void take_conv2d(cnn_model *model, cnn_context *context, int64_t filters, int64_t groups)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_groups(layer, groups));
    model_take(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
}

static void take_maxpool2d(cnn_model *model, cnn_context *context, int64_t window, int64_t stride)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, window, window));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, stride, stride));
    model_take(model, layer);
}

static void take_dropout(cnn_model *model, cnn_context *context, double rate)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dropout_create(&layer, context, rate));
    model_take(model, layer);
}

static void take_dense(cnn_model *model, cnn_context *context, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    model_take(model, layer);
}

/* Layers without normalisation, and sizes that are no multiples of anything. */
static cnn_model *plain_network(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){SIDE, SIDE, 3}, 3);
    take_conv2d(model, context, 34, 1); /* 0, 1 */
    take_conv2d(model, context, 36, 1); /* 2, 3: by Winograd tiles */
    take_maxpool2d(model, context, 2, 2);
    take_conv2d(model, context, 36, 36); /* 5, 6: depthwise */
    take_conv2d(model, context, 36, 2);  /* 7, 8 */
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){8, 4}, 2));
    cnn_layer_free(layer);
    take_dropout(model, context, 0.2);
    take_maxpool2d(model, context, 3, 2);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    take_dense(model, context, 40);
    take_dropout(model, context, 0.5);
    take_dense(model, context, CLASSES);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    return model;
}

static void take_normalized(cnn_model *model, cnn_context *context, int64_t filters, int64_t groups,
                            cnn_status (*activation)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_groups(layer, groups));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    model_take(model, layer);
    EXPECT_OK(cnn_batch_norm_create(&layer, context));
    model_take(model, layer);
    if (activation == NULL)
        return;
    EXPECT_OK(activation(&layer, context));
    model_take(model, layer);
}

/* With batch normalisation, a residual connection and other activations. */
static cnn_model *normalized_network(cnn_context *context)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){SIDE, SIDE, 3}, 3);
    take_normalized(model, context, 34, 1, cnn_relu_create); /* 0, 1, 2 */
    take_maxpool2d(model, context, 2, 2);
    take_normalized(model, context, 34, 1, cnn_relu6_create); /* 4, 5, 6: by Winograd tiles */
    take_normalized(model, context, 34, 34, cnn_silu_create); /* 7, 8, 9 */
    take_normalized(model, context, 34, 1, NULL);             /* 10, 11 */
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (int32_t[]){11, 3}, 2));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    take_normalized(model, context, 20, 1, cnn_gelu_create);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    take_dense(model, context, CLASSES);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    return model;
}

/* Each with one number for every level with fused multiply-add, on every machine.  It changes only
 * where the order of a sum is changed on purpose, which CHANGELOG.md then says: models trained
 * before and after differ. */
static const struct {
    cnn_model *(*create)(cnn_context *context);
    uint64_t bits;
} networks[] = {
    {plain_network, UINT64_C(0xfe974ad86f1aeb9b)},
    {normalized_network, UINT64_C(0x01a74f7a322ff3ae)},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

/* Pictures of three sorts of stripes, with noise. */
static cnn_dataset *pictures(cnn_context *context)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, PICTURES, SOURCE, SOURCE, 3);
    cnn_tensor *classes = tensor_labels(context, PICTURES, CLASSES);
    uint8_t *byte = cnn_tensor_data(samples);
    uint32_t noise = 1;
    for (int32_t i = 0; i < PICTURES; i++)
        for (int32_t y = 0; y < SOURCE; y++)
            for (int32_t x = 0; x < 3 * SOURCE; x++) {
                const int32_t stripes[CLASSES] = {x / 9, y / 3, (x / 3 + y) / 4};
                noise = noise * 1664525u + 1013904223u;
                *byte++ = (uint8_t)(stripes[i % CLASSES] % 2 * 100 + (int32_t)(noise >> 25));
            }
    EXPECT_OK(cnn_dataset_from_memory(&dataset, context, samples, classes, CLASSES));
    cnn_tensor_free(samples);
    cnn_tensor_free(classes);
    return dataset;
}

static cnn_loader *augmented(cnn_dataset *dataset, cnn_model *model, int32_t threads)
{
    cnn_loader *loader;
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, BATCH));
    EXPECT_OK(cnn_loader_set_shuffle(loader, 1, 11));
    EXPECT_OK(cnn_loader_set_random_crop(loader, 0.6, 1, 1.3));
    EXPECT_OK(cnn_loader_set_random_rotation(loader, 15));
    EXPECT_OK(cnn_loader_set_random_flip(loader, 0.5));
    EXPECT_OK(cnn_loader_set_random_color(loader, 0.2, 0.2));
    EXPECT_OK(cnn_loader_set_threads(loader, threads));
    return loader;
}

static void train(cnn_context *context, cnn_model *model, int32_t loader_threads)
{
    double loss;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_dataset *dataset = pictures(context);
    cnn_loader *loader = augmented(dataset, model, loader_threads);
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.02));
    EXPECT_OK(cnn_sgd_set_momentum(optimizer, 0.9));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, 2));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    EXPECT_OK(cnn_trainer_fit(trainer, loader, NULL, EPOCHS, NULL, NULL));
    EXPECT_OK(cnn_trainer_evaluate(&loss, NULL, trainer, loader));
    ck_assert_double_lt(loss, 2); /* numbers, and not NaN, which would all be alike */
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_loader_free(loader);
    cnn_dataset_free(dataset);
}

/* ---- Threads ------------------------------------------------------------------------------- */

/* A whole training in a new context: all weights, before and after, as one number. */
static uint64_t train_anew(int network, int32_t threads, int32_t loader_threads,
                           cnn_parallel_for_fn parallel_for)
{
    cnn_context *context;
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, threads));
    EXPECT_OK(cnn_context_set_parallel_for(context, parallel_for, NULL));
    EXPECT_OK(cnn_context_set_seed(context, 3));
    cnn_model *model = networks[network].create(context);
    uint64_t before = model_hash(model, context);
    train(context, model, loader_threads);
    uint64_t after = model_hash(model, context);
    ck_assert(before != after);
    cnn_model_free(model);
    cnn_context_free(context);
    return hash_bytes(before, &after, sizeof after);
}

START_TEST(training_does_not_depend_on_threads)
{
    static const int32_t threads[][2] = {{1, 1}, {2, 2}, {3, 0},
                                         {4, 1}, {7, 3}, {16, 2}}; /* the context's, the loader's */
    uint64_t wanted = train_anew(_i, 1, 0, NULL);
    /* In an emulator, where each training takes seconds, the first half of them. */
    const size_t rows = sizeof threads / sizeof threads[0] / (getenv("CNN_TEST_EMULATED") ? 2 : 1);
    for (size_t i = 0; i < rows; i++)
        ck_assert_msg(train_anew(_i, threads[i][0], threads[i][1], NULL) == wanted,
                      "other bits with %d threads and %d in the loader", threads[i][0],
                      threads[i][1]);
}
END_TEST

/* From the last item to the first. */
static void backwards(void *user, int64_t count, cnn_task_fn run, void *task)
{
    (void)user;
    for (int64_t i = count - 1; i >= 0; i--)
        run(task, i);
}

START_TEST(training_does_not_depend_on_the_order_of_work)
{
    ck_assert(train_anew(_i, 5, 1, backwards) == train_anew(_i, 1, 1, NULL));
}
END_TEST

START_TEST(training_does_not_depend_on_the_instruction_set)
{
    cnn_context *level;
    EXPECT_OK(cnn_context_create(&level));
    const bool fused = strcmp(cnn_context_cpu_name(level), "generic") != 0;
    cnn_context_free(level);
    if (fused)
        ck_assert_uint_eq(train_anew(_i, 2, 1, NULL), networks[_i].bits);
}
END_TEST

/* ---- Batches ------------------------------------------------------------------------------- */

static cnn_context *context;
static cnn_model *model;
static cnn_tensor *inputs, *alone; /* PICTURES of them, and the predictions one by one */

static void predict(cnn_session *session, cnn_tensor *outputs, int64_t first, int64_t end)
{
    const int64_t pixels = SIDE * SIDE * 3, n = end - first;
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, n, SIDE, SIDE, 3);
    cnn_tensor *y = TENSOR(context, CNN_FLOAT32, n, CLASSES);
    memcpy(floats(x), floats(inputs) + first * pixels, cnn_tensor_bytes(x));
    EXPECT_OK(session_predict(session, y, x));
    memcpy(floats(outputs) + first * CLASSES, floats(y), cnn_tensor_bytes(y));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
}

/* All pictures, in batches of `batch`, the last one smaller. */
static cnn_tensor *predict_all(int64_t batch, int64_t max_batch)
{
    cnn_session *session;
    cnn_tensor *outputs = TENSOR(context, CNN_FLOAT32, PICTURES, CLASSES);
    EXPECT_OK(cnn_session_create(&session, model, max_batch));
    for (int64_t first = 0; first < PICTURES; first += batch)
        predict(session, outputs, first, first + batch < PICTURES ? first + batch : PICTURES);
    cnn_session_free(session);
    return outputs;
}

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
}

/* Untrained, but for statistics that are none of 0 and 1. */
static void begin(int network)
{
    model = networks[network].create(context);
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        const char *name = cnn_model_parameter_name(model, i);
        if (strstr(name, "running_") == NULL)
            continue;
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
        fill_tensor(values, (uint64_t)i);
        for (int64_t j = 0; j < shape[0]; j++)
            floats(values)[j] = 0.5f + 0.3f * floats(values)[j];
        EXPECT_OK(cnn_model_set_parameter(model, name, values));
        cnn_tensor_free(values);
    }
    inputs = model_inputs(model, context, PICTURES, 8);
    alone = predict_all(1, 1);
}

static void tear_down(void)
{
    cnn_tensor_free(inputs);
    cnn_tensor_free(alone);
    cnn_model_free(model);
    cnn_context_free(context);
}

START_TEST(predictions_do_not_depend_on_the_batch)
{
    begin(_i);
    static const int64_t batches[][2] = {{1, 32}, {2, 2}, {3, 7}, {7, 7}, {32, 32}, {40, 40}};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        cnn_tensor *outputs = predict_all(batches[i][0], batches[i][1]);
        ck_assert_msg(tensors_equal(outputs, alone),
                      "other bits in batches of %lld of at most %lld", (long long)batches[i][0],
                      (long long)batches[i][1]);
        cnn_tensor_free(outputs);
    }
}
END_TEST

/* Nor on a training that has fused other layers, or on threads. */
START_TEST(predictions_do_not_depend_on_threads)
{
    begin(_i);
    static const int32_t threads[] = {1, 3, 7};
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        EXPECT_OK(cnn_context_set_threads(context, threads[i]));
        cnn_tensor *outputs = predict_all(13, 13);
        ck_assert_msg(tensors_equal(outputs, alone), "other bits with %d threads", threads[i]);
        cnn_tensor_free(outputs);
    }
}
END_TEST

/* ---- Sessions side by side ----------------------------------------------------------------- */

enum { SESSIONS = 4, ROUNDS = 10 };

struct worker {
    pthread_t thread;
    cnn_session *session;
    cnn_tensor *x, *y; /* a batch of its own size */
    int32_t different; /* rounds with other bits than alone */
};

/* Check's assertions are for the thread that runs the test: failures are counted. */
static void *work(void *user)
{
    struct worker *worker = user;
    int64_t n = cnn_tensor_dim(worker->x, 0);
    size_t bytes = (size_t)(n * CLASSES) * sizeof(float);
    for (int32_t round = 0; round < ROUNDS; round++) {
        memset(cnn_tensor_data(worker->y), 0, bytes);
        cnn_status status = session_predict(worker->session, worker->y, worker->x);
        worker->different += status != CNN_OK || memcmp(cnn_tensor_const_data(worker->y),
                                                        cnn_tensor_const_data(alone), bytes) != 0;
    }
    return NULL;
}

START_TEST(sessions_side_by_side_predict_as_one_alone)
{
    begin(_i);
    struct worker workers[SESSIONS] = {{.different = 0}};
    for (int64_t i = 0; i < SESSIONS; i++) {
        int64_t n = 1 + 3 * i;
        EXPECT_OK(cnn_session_create(&workers[i].session, model, n));
        workers[i].x = TENSOR(context, CNN_FLOAT32, n, SIDE, SIDE, 3);
        workers[i].y = TENSOR(context, CNN_FLOAT32, n, CLASSES);
        memcpy(floats(workers[i].x), floats(inputs), cnn_tensor_bytes(workers[i].x));
    }
    for (int32_t i = 0; i < SESSIONS; i++)
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (int32_t i = 0; i < SESSIONS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_int_eq(workers[i].different, 0);
        cnn_session_free(workers[i].session);
        cnn_tensor_free(workers[i].x);
        cnn_tensor_free(workers[i].y);
    }
}
END_TEST

static Suite *same_bits_suite(void)
{
    Suite *suite = suite_create("same_bits");
    TCase *tcase = tcase_create("training");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, training_does_not_depend_on_threads, 0, NETWORKS);
    tcase_add_loop_test(tcase, training_does_not_depend_on_the_order_of_work, 0, NETWORKS);
    tcase_add_loop_test(tcase, training_does_not_depend_on_the_instruction_set, 0, NETWORKS);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("predicting");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, predictions_do_not_depend_on_the_batch, 0, NETWORKS);
    tcase_add_loop_test(tcase, predictions_do_not_depend_on_threads, 0, NETWORKS);
    tcase_add_loop_test(tcase, sessions_side_by_side_predict_as_one_alone, 0, NETWORKS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(same_bits_suite());
}
