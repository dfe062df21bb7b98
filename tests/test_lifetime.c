/* SPDX-License-Identifier: MIT
 * Handles keep alive what they need: they are freed in every order of a small world's handles, on
 * any thread, and used as long as there are any.  The allocator's accounts end at zero each
 * time. */
#include <pthread.h>

#include "base/random.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

/* Every kind of handle, each with what it was made from. */
struct world {
    struct accounts accounts;
    cnn_context *context;
    cnn_tensor *samples, *targets, *inputs, *outputs;
    cnn_layer *layer, *alone;
    cnn_model *model;
    cnn_session *session;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_dataset *dataset, *first, *second;
    cnn_loader *loader;
    int32_t released;
    float values[2 * 8 * 8 * 3];
};

static void count_release(void *user, void *data)
{
    struct world *world = user;
    ck_assert_ptr_eq(data, world->values);
    world->released++;
}

static void make_tensors(struct world *world)
{
    cnn_context *context = world->context;
    world->samples = TENSOR(context, CNN_UINT8, 6, 8, 8, 3);
    world->targets = tensor_labels(context, 6, 3);
    EXPECT_OK(cnn_tensor_wrap(&world->inputs, context, CNN_FLOAT32, (int64_t[]){2, 8, 8, 3}, 4,
                              world->values, count_release, world));
    world->outputs = model_outputs(world->model, context, 2);
}

/* A batch is on loan, a forward waits for its backward, a layer shares its input. */
static void make_world(struct world *world)
{
    cnn_tensor *inputs, *targets;
    const cnn_tensor *input;
    world->context = accounts_context(&world->accounts);
    world->released = 0;
    cnn_context *context = world->context;
    EXPECT_OK(cnn_context_set_threads(context, 2));
    world->model = model_chain(context);
    EXPECT_OK(cnn_relu_create(&world->layer, context));
    EXPECT_OK(cnn_model_add(world->model, world->layer));
    make_tensors(world);
    EXPECT_OK(cnn_relu_create(&world->alone, context));
    EXPECT_OK(cnn_session_create(&world->session, world->model, 2));
    EXPECT_OK(cnn_adam_create(&world->optimizer, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&world->trainer, world->model, world->optimizer,
                                 CNN_SOFTMAX_CROSS_ENTROPY, 2));
    EXPECT_OK(cnn_dataset_from_memory(&world->dataset, context, world->samples, world->targets, 3));
    EXPECT_OK(cnn_dataset_split(&world->first, &world->second, world->dataset, 0.5, 1));
    EXPECT_OK(cnn_loader_create(&world->loader, world->first, world->model, 2));
    EXPECT_OK(cnn_loader_next(&inputs, &targets, world->loader));
    input = world->inputs;
    EXPECT_OK(cnn_trainer_forward(world->trainer, &world->outputs, 1, &input, 1));
    EXPECT_OK(cnn_layer_forward(world->alone, inputs, &world->inputs, 1, 1));
}

enum { HANDLES = 14 };

static void free_handle(struct world *world, int32_t which)
{
    switch (which) {
    case 0: cnn_context_free(world->context); break;
    case 1: cnn_tensor_free(world->samples); break;
    case 2: cnn_tensor_free(world->targets); break;
    case 3: cnn_tensor_free(world->inputs); break;
    case 4: cnn_tensor_free(world->outputs); break;
    case 5: cnn_layer_free(world->layer); break;
    case 6: cnn_layer_free(world->alone); break;
    case 7: cnn_model_free(world->model); break;
    case 8: cnn_session_free(world->session); break;
    case 9: cnn_optimizer_free(world->optimizer); break;
    case 10: cnn_trainer_free(world->trainer); break;
    case 11:
        cnn_dataset_free(world->dataset);
        cnn_dataset_free(world->second);
        break;
    case 12: cnn_dataset_free(world->first); break;
    case 13: cnn_loader_free(world->loader); break;
    }
}

/* The order number `seed`; the first ones begin and end with each of the handles. */
static void choose_order(int64_t order[HANDLES], int32_t seed)
{
    struct cnni_random random;
    cnni_random_start(&random, (uint64_t)seed, 201, 0, 0);
    for (int64_t i = 0; i < HANDLES; i++)
        order[i] = i;
    cnni_random_shuffle(&random, order, HANDLES);
    for (int32_t i = 0; i < HANDLES && seed < 2 * HANDLES; i++)
        if (order[i] == seed % HANDLES) {
            const int32_t to = seed < HANDLES ? 0 : HANDLES - 1;
            order[i] = order[to];
            order[to] = seed % HANDLES;
        }
}

static struct world world;

START_TEST(handles_are_freed_in_any_order)
{
    for (int32_t seed = 0; seed < 120; seed++) {
        int64_t order[HANDLES];
        choose_order(order, seed);
        make_world(&world);
        for (int32_t i = 0; i < HANDLES; i++)
            free_handle(&world, (int32_t)order[i]);
        ck_assert_int_eq(world.accounts.blocks, 0);
        ck_assert_uint_eq(world.accounts.bytes, 0);
        ck_assert_int_eq(world.released, 1);
    }
}
END_TEST

/* ---- Use after the others have gone -------------------------------------------------------- */

static void free_all_but(const int32_t *kept, int32_t count)
{
    for (int32_t i = 0; i < HANDLES; i++) {
        int32_t keep = 0;
        for (int32_t j = 0; j < count; j++)
            keep |= kept[j] == i;
        if (!keep)
            free_handle(&world, i);
    }
}

static void free_kept(const int32_t *kept, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        free_handle(&world, kept[i]);
    ck_assert_int_eq(world.accounts.blocks, 0);
    ck_assert_int_eq(world.released, 1);
}

START_TEST(a_session_works_alone)
{
    static const int32_t kept[] = {3, 4, 8};
    make_world(&world);
    free_all_but(kept, 3);
    EXPECT_OK(session_predict(world.session, world.outputs, world.inputs));
    free_kept(kept, 3);
}
END_TEST

START_TEST(a_trainer_works_alone)
{
    static const int32_t kept[] = {4, 10};
    const cnn_tensor *gradient;
    make_world(&world);
    free_all_but(kept, 2);
    ck_assert_int_eq(world.released, 0); /* the forward shares its input */
    gradient = world.outputs;
    EXPECT_OK(cnn_trainer_backward(world.trainer, &gradient, 1));
    ck_assert_int_eq(world.released, 1);
    EXPECT_OK(cnn_trainer_update(world.trainer));
    ck_assert_uint_gt(cnn_trainer_bytes(world.trainer), 0);
    free_kept(kept, 2);
}
END_TEST

START_TEST(a_loader_works_alone)
{
    static const int32_t kept[] = {13};
    cnn_tensor *inputs = NULL, *targets;
    int64_t samples = 2;
    make_world(&world);
    free_all_but(kept, 1);
    do {
        EXPECT_OK(cnn_loader_next(&inputs, &targets, world.loader));
        samples += cnn_tensor_dim(inputs, 0);
    } while (inputs != NULL);
    ck_assert_int_eq(samples, cnn_loader_samples(world.loader));
    free_kept(kept, 1);
}
END_TEST

START_TEST(a_part_of_a_dataset_works_alone)
{
    static const int32_t kept[] = {12};
    make_world(&world);
    free_all_but(kept, 1);
    ck_assert_int_eq(cnn_dataset_count(world.first), 3);
    ck_assert_str_eq(cnn_dataset_class_name(world.first, 2), "2");
    free_kept(kept, 1);
}
END_TEST

START_TEST(a_layer_outlives_its_model)
{
    static const int32_t kept[] = {4, 5};
    make_world(&world);
    cnn_tensor *result = tensor_like(world.context, world.outputs);
    free_all_but(kept, 2);
    EXPECT_OK(cnn_layer_forward(world.layer, result, &world.outputs, 1, 0));
    EXPECT_OK(cnn_layer_set_name(world.layer, "free again"));
    cnn_tensor_free(result);
    free_kept(kept, 2);
}
END_TEST

START_TEST(a_context_lives_in_its_handles)
{
    static const int32_t kept[] = {5};
    make_world(&world);
    free_all_but(kept, 1);
    ck_assert_int_gt(world.accounts.blocks, 0);
    free_kept(kept, 1);
}
END_TEST

/* ---- Threads ------------------------------------------------------------------------------- */

struct part {
    pthread_t thread;
    int64_t order[HANDLES];
    int32_t first, end;
};

static void *free_part(void *user)
{
    struct part *part = user;
    for (int32_t i = part->first; i < part->end; i++)
        free_handle(&world, (int32_t)part->order[i]);
    return NULL;
}

START_TEST(threads_free_together)
{
    enum { THREADS = 3 };
    for (int32_t seed = 0; seed < 20; seed++) {
        struct part parts[THREADS];
        make_world(&world);
        for (int32_t i = 0; i < THREADS; i++) {
            choose_order(parts[i].order, seed);
            parts[i].first = i * HANDLES / THREADS;
            parts[i].end = (i + 1) * HANDLES / THREADS;
            ck_assert_int_eq(pthread_create(&parts[i].thread, NULL, free_part, &parts[i]), 0);
        }
        for (int32_t i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_join(parts[i].thread, NULL), 0);
        ck_assert_int_eq(world.accounts.blocks, 0);
        ck_assert_uint_eq(world.accounts.bytes, 0);
        ck_assert_int_eq(world.released, 1);
    }
}
END_TEST

static void *free_model(void *user)
{
    cnn_model_free(user);
    return NULL;
}

/* The layer keeps what it shares with the model, however late the model goes. */
START_TEST(a_layer_is_used_while_its_model_goes)
{
    cnn_context *context = accounts_context(&world.accounts);
    cnn_tensor *values = TENSOR(context, CNN_FLOAT32, 3);
    for (int32_t i = 0; i < 100; i++) {
        pthread_t thread;
        cnn_model *model = model_new(context, (int64_t[]){2}, 1);
        cnn_layer *layer;
        EXPECT_OK(cnn_dense_create(&layer, context, 3));
        EXPECT_OK(cnn_model_add(model, layer));
        ck_assert_int_eq(pthread_create(&thread, NULL, free_model, model), 0);
        for (int32_t j = 0; j < 20; j++)
            EXPECT_OK(cnn_layer_set_parameter(layer, CNN_BIAS, values));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        EXPECT_OK(cnn_layer_set_parameter(layer, CNN_BIAS, values));
        cnn_layer_free(layer);
    }
    cnn_tensor_free(values);
    cnn_context_free(context);
    ck_assert_int_eq(world.accounts.blocks, 0);
}
END_TEST

static Suite *lifetime_suite(void)
{
    Suite *suite = suite_create("lifetime");
    TCase *tcase = tcase_create("lifetime");
    tcase_add_test(tcase, handles_are_freed_in_any_order);
    tcase_add_test(tcase, a_session_works_alone);
    tcase_add_test(tcase, a_trainer_works_alone);
    tcase_add_test(tcase, a_loader_works_alone);
    tcase_add_test(tcase, a_part_of_a_dataset_works_alone);
    tcase_add_test(tcase, a_layer_outlives_its_model);
    tcase_add_test(tcase, a_context_lives_in_its_handles);
    tcase_add_test(tcase, threads_free_together);
    tcase_add_test(tcase, a_layer_is_used_while_its_model_goes);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(lifetime_suite());
}
