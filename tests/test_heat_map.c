/* SPDX-License-Identifier: MIT
 * Grad-CAM against PyTorch's autograd, at every layer with pixels, and whatever is frozen:
 * cnn_model_heat_map(). */
#include <math.h>
#include <stdio.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    torch_open("heat_maps");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- Networks ------------------------------------------------------------------------------ */

static void take_conv2d(cnn_model *model, cnn_context *own, int64_t filters, int64_t padding)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, own, filters, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding(layer, padding, padding));
    model_take(model, layer);
}

static void take_dense(cnn_model *model, cnn_context *own, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, own, units));
    model_take(model, layer);
}

static void take_plain(cnn_model *model, cnn_context *own,
                       cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, own));
    model_take(model, layer);
}

/* conv2d, relu, maxpool2d, conv2d, relu, flatten, dense, relu, dense, softmax. */
static cnn_model *chain(cnn_context *own)
{
    cnn_layer *layer;
    cnn_model *model = model_new(own, (int64_t[]){10, 10, 3}, 3);
    take_conv2d(model, own, 8, 1);
    take_plain(model, own, cnn_relu_create);
    EXPECT_OK(cnn_maxpool2d_create(&layer, own, 2, 2));
    model_take(model, layer);
    take_conv2d(model, own, 12, 0);
    take_plain(model, own, cnn_relu_create);
    take_plain(model, own, cnn_flatten_create);
    take_dense(model, own, 16);
    take_plain(model, own, cnn_relu_create);
    take_dense(model, own, 4);
    take_plain(model, own, cnn_softmax_create);
    return model;
}

/* What the fixtures are called, the network, its classes, and what layer -1 is. */
static const struct network {
    const char *name;
    cnn_model *(*make)(cnn_context *own);
    int32_t classes;
    int32_t best;
} networks[] = {{"chain", chain, 4, 4}, {"residual", model_residual, 3, 4}};
enum { NETWORKS = sizeof networks / sizeof networks[0], LAYERS = 5, SAMPLES = 3 };

static void set_parameter(cnn_model *model, const char *ours, const char *of_case,
                          const char *theirs)
{
    if (!torch_has(of_case, theirs))
        return;
    cnn_tensor *values = torch_tensor(context, of_case, theirs);
    EXPECT_OK(cnn_model_set_parameter(model, ours, values));
    cnn_tensor_free(values);
}

static cnn_model *make_network(const struct network *network)
{
    static const char *const names[][2] = {
        {"conv2d1.weight", "conv1.weight"}, {"conv2d1.bias", "conv1.bias"},
        {"conv2d2.weight", "conv2.weight"}, {"conv2d2.bias", "conv2.bias"},
        {"dense1.weight", "dense1.weight"}, {"dense1.bias", "dense1.bias"},
        {"dense2.weight", "dense2.weight"}, {"dense2.bias", "dense2.bias"},
    };
    cnn_model *model = network->make(context);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        set_parameter(model, names[i][0], network->name, names[i][1]);
    return model;
}

/* Sample `index` of the fixtures, [1][h][w][c]. */
static cnn_tensor *sample(const struct network *network, int64_t index)
{
    cnn_tensor *x = torch_tensor_nhwc(context, network->name, "x");
    cnn_tensor *one = TENSOR(context, CNN_FLOAT32, 1, cnn_tensor_dim(x, 1), cnn_tensor_dim(x, 2),
                             cnn_tensor_dim(x, 3));
    const int64_t count = cnn_tensor_count(one);
    memcpy(floats(one), floats(x) + index * count, cnn_tensor_bytes(one));
    cnn_tensor_free(x);
    return one;
}

/* ---- Against PyTorch ----------------------------------------------------------------------- */

static void expect_map(const struct network *network, cnn_tensor *map, int32_t layer, int32_t class,
                       int64_t index)
{
    char name[32];
    snprintf(name, sizeof name, "%d_%d", layer, class);
    const struct torch_array wanted = torch_array(network->name, name);
    ck_assert_int_eq(cnn_tensor_rank(map), 2);
    ck_assert_int_eq(cnn_tensor_dim(map, 0), wanted.shape[1]);
    ck_assert_int_eq(cnn_tensor_dim(map, 1), wanted.shape[2]);
    const int64_t count = wanted.shape[1] * wanted.shape[2];
    double values[128], most = 0;
    for (int64_t i = 0; i < count; i++) {
        values[i] = torch_number(network->name, name, index * count + i);
        most = fmax(most, values[i]);
    }
    if (most > 0)
        expect_close(name, floats(map), values, count, 1e-5);
    for (int64_t i = 0; i < count && most == 0; i++)
        ck_assert_float_eq(floats(map)[i], 0);
}

START_TEST(maps_are_those_of_pytorch)
{
    const struct network *network = &networks[_i / LAYERS];
    const int32_t layer = _i % LAYERS;
    cnn_model *model = make_network(network);
    for (int64_t index = 0; index < SAMPLES; index++) {
        cnn_tensor *map, *x = sample(network, index);
        for (int32_t class = 0; class < network->classes; class ++) {
            EXPECT_OK(cnn_model_heat_map(&map, model, x, class, layer));
            expect_map(network, map, layer, class, index);
            cnn_tensor_free(map);
        }
        cnn_tensor_free(x);
    }
    cnn_model_free(model);
}
END_TEST

/* ---- The layer that -1 stands for ---------------------------------------------------------- */

START_TEST(the_layer_is_behind_the_last_convolution)
{
    const struct network *network = &networks[_i];
    cnn_tensor *chosen, *named, *x = sample(network, 0);
    cnn_model *model = make_network(network);
    ck_assert_int_eq(cnn_model_heat_map_layer(model), network->best);
    EXPECT_OK(cnn_model_heat_map(&chosen, model, x, 1, -1));
    EXPECT_OK(cnn_model_heat_map(&named, model, x, 1, network->best));
    ck_assert(tensors_equal(chosen, named));
    cnn_tensor_free(chosen);
    cnn_tensor_free(named);
    cnn_tensor_free(x);
    cnn_model_free(model);
}
END_TEST

/* Pooling, and convolutions of a single pixel, are no such layers. */
START_TEST(layers_without_pixels_are_passed_over)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){6, 6, 2}, 3);
    ck_assert_int_eq(cnn_model_heat_map_layer(NULL), -1);
    ck_assert_int_eq(cnn_model_heat_map_layer(model), -1);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    ck_assert_int_eq(cnn_model_heat_map_layer(model), -1);
    take_conv2d(model, context, 5, 1);
    ck_assert_int_eq(cnn_model_heat_map_layer(model), 1);
    take_conv2d(model, context, 5, 0);
    ck_assert_int_eq(cnn_model_heat_map_layer(model), 1);
    cnn_model_free(model);
}
END_TEST

/* ---- What is trained does not matter ------------------------------------------------------- */

static cnn_model *(*const trained[])(cnn_context *own) = {chain, model_residual, model_normalized,
                                                          model_dropout};
enum { TRAINED = sizeof trained / sizeof trained[0] };

/* The maps of class 1 at all layers with pixels; those of others are NULL. */
static void make_maps(cnn_tensor **maps, cnn_model *model, const cnn_tensor *x)
{
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        const cnn_status status = cnn_model_heat_map(&maps[i], model, x, 1, i);
        ck_assert(status == CNN_OK || status == CNN_ERROR_SHAPE);
    }
}

static void expect_same_maps(cnn_tensor *const *wanted, cnn_model *model, const cnn_tensor *x,
                             const char *what, int32_t number)
{
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        cnn_tensor *map;
        if (wanted[i] == NULL)
            continue;
        EXPECT_OK(cnn_model_heat_map(&map, model, x, 1, i));
        ck_assert_msg(tensors_equal(map, wanted[i]), "%s %d, map of layer %d", what, number, i);
        cnn_tensor_free(map);
    }
}

/* Layers 0 .. n - 1, as a network that is fine-tuned has them, or layer n alone. */
START_TEST(frozen_layers_change_nothing)
{
    struct accounts accounts;
    cnn_context *own = accounts_context(&accounts);
    cnn_tensor *maps[16];
    cnn_model *model = trained[_i](own);
    const int32_t layers = cnn_model_layer_count(model);
    cnn_tensor *x = model_inputs(model, own, 1, 5);
    ck_assert_int_le(layers, 16);
    make_maps(maps, model, x);
    ck_assert_ptr_nonnull(maps[0]);
    for (int32_t n = 1; n <= layers; n++) {
        EXPECT_OK(cnn_model_set_trained(model, 0, n, 0));
        expect_same_maps(maps, model, x, "frozen below", n);
    }
    for (int32_t n = 0; n < layers; n++) {
        EXPECT_OK(cnn_model_set_trained(model, 0, layers, 1));
        EXPECT_OK(cnn_layer_set_trained(cnn_model_layer(model, n), 0));
        expect_same_maps(maps, model, x, "frozen", n);
    }
    for (int32_t i = 0; i < layers; i++)
        cnn_tensor_free(maps[i]);
    cnn_tensor_free(x);
    cnn_model_free(model);
    cnn_context_free(own);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

/* conv2d 1x1 that copies its input, unless there is `nothing_below`; pad2d, conv2d, mean, dense. */
static cnn_model *padded(cnn_context *own, bool nothing_below)
{
    cnn_layer *layer;
    cnn_model *model = model_new(own, (int64_t[]){6, 5, 2}, 3);
    if (!nothing_below) {
        cnn_tensor *copies = TENSOR(own, CNN_FLOAT32, 2, 2, 1, 1);
        floats(copies)[0] = floats(copies)[3] = 1;
        EXPECT_OK(cnn_conv2d_create(&layer, own, 2, 1, 1));
        EXPECT_OK(cnn_layer_set_name(layer, "copy"));
        model_take(model, layer);
        EXPECT_OK(cnn_model_set_parameter(model, "copy.weight", copies));
        cnn_tensor_free(copies);
    }
    EXPECT_OK(cnn_pad2d_create(&layer, own, 1, 1, 2, 0));
    model_take(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, own, 4, 3, 3));
    EXPECT_OK(cnn_layer_set_name(layer, "conv"));
    model_take(model, layer);
    take_plain(model, own, cnn_relu_create);
    take_plain(model, own, cnn_global_avgpool2d_create);
    take_dense(model, own, 3);
    return model;
}

/* A first layer without parameters has nothing below that could be trained. */
START_TEST(the_first_layer_has_a_map)
{
    struct accounts accounts;
    cnn_context *own = accounts_context(&accounts);
    cnn_model *model = padded(own, true), *longer = padded(own, false);
    cnn_tensor *map, *wanted, *x = model_inputs(model, own, 1, 5);
    double sum = 0;
    model_copy_parameters(longer, model, context);
    for (int32_t class = 0; class < 3; class ++) {
        EXPECT_OK(cnn_model_heat_map(&wanted, longer, x, class, 1));
        EXPECT_OK(cnn_model_heat_map(&map, model, x, class, 0));
        expect_tensor_equal("map", map, wanted);
        for (int64_t i = 0; i < cnn_tensor_count(map); i++)
            sum += (double)floats(map)[i];
        cnn_tensor_free(map);
        cnn_tensor_free(wanted);
    }
    ck_assert_double_gt(sum, 0);
    cnn_tensor_free(x);
    cnn_model_free(model);
    cnn_model_free(longer);
    cnn_context_free(own);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

/* ---- What it leaves ------------------------------------------------------------------------ */

static void predict(cnn_model *model, cnn_tensor *output, const cnn_tensor *x)
{
    cnn_session *session;
    EXPECT_OK(cnn_session_create(&session, model, 1));
    EXPECT_OK(session_predict(session, output, x));
    cnn_session_free(session);
}

/* Also its running statistics. */
START_TEST(the_model_stays_as_it_is)
{
    cnn_model *model = _i == 0 ? model_dropout(context) : model_normalized(context);
    cnn_tensor *first, *second, *x = model_inputs(model, context, 1, 5);
    cnn_tensor *before = model_outputs(model, context, 1);
    cnn_tensor *after = model_outputs(model, context, 1);
    const uint64_t hash = model_hash(model, context);
    predict(model, before, x);
    EXPECT_OK(cnn_model_heat_map(&first, model, x, 0, -1));
    EXPECT_OK(cnn_model_heat_map(&second, model, x, 0, -1));
    predict(model, after, x);
    ck_assert(tensors_equal(first, second)); /* dropout does not act, nor anything add up */
    ck_assert(tensors_equal(before, after));
    ck_assert_uint_eq(model_hash(model, context), hash);
    cnn_tensor *gradient = TENSOR(context, CNN_FLOAT32, 3);
    EXPECT_FAILS(cnn_model_get_gradient(model, "dense1.bias", gradient), CNN_ERROR_STATE,
                 "cnn_model_get_gradient", "no backward pass");
    cnn_tensor_free(gradient);
    cnn_tensor_free(first);
    cnn_tensor_free(second);
    cnn_tensor_free(before);
    cnn_tensor_free(after);
    cnn_tensor_free(x);
    cnn_model_free(model);
}
END_TEST

static int64_t count_calls(struct accounts *accounts, cnn_model *model, const cnn_tensor *x,
                           int64_t refuse_at)
{
    cnn_tensor *map = (void *)model;
    const int64_t calls = accounts->calls;
    accounts->refuse_at = refuse_at == 0 ? 0 : calls + refuse_at;
    const cnn_status status = cnn_model_heat_map(&map, model, x, 1, -1);
    accounts->refuse_at = 0;
    if (refuse_at == 0)
        ck_assert_int_eq(status, CNN_OK);
    if (status != CNN_OK) {
        ck_assert_int_eq(status, CNN_ERROR_MEMORY);
        ck_assert_ptr_null(map);
    }
    cnn_tensor_free(map);
    return accounts->calls - calls;
}

START_TEST(nothing_leaks_when_memory_runs_out)
{
    struct accounts accounts = {0};
    cnn_context *own = accounts_context(&accounts);
    cnn_model *model = model_residual(own);
    cnn_tensor *x = model_inputs(model, own, 1, 5);
    const uint64_t hash = model_hash(model, own);
    const int64_t all = count_calls(&accounts, model, x, 0);
    ck_assert_int_gt(all, 10);
    const int64_t blocks = accounts.blocks;
    for (int64_t i = 1; i <= all; i++)
        count_calls(&accounts, model, x, i);
    ck_assert_int_eq(accounts.blocks, blocks);
    ck_assert_uint_eq(model_hash(model, own), hash);
    count_calls(&accounts, model, x, 0);
    cnn_tensor_free(x);
    cnn_model_free(model);
    cnn_context_free(own);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

/* ---- What it refuses ----------------------------------------------------------------------- */

#define EXPECT_REFUSED(model, x, class, layer, status, word)                                       \
    do {                                                                                           \
        cnn_tensor *refused = (void *)&context;                                                    \
        EXPECT_FAILS(cnn_model_heat_map(&refused, model, x, class, layer), status,                 \
                     "cnn_model_heat_map", word);                                                  \
        ck_assert_ptr_null(refused);                                                               \
    } while (0)

START_TEST(what_does_not_fit_is_refused)
{
    cnn_model *model = chain(context), *empty = model_new(context, (int64_t[]){8, 8, 3}, 3);
    cnn_tensor *x = model_inputs(model, context, 1, 7), *two = model_inputs(model, context, 2, 7);
    cnn_tensor *bytes = TENSOR(context, CNN_UINT8, 1, 10, 10, 3);
    EXPECT_FAILS(cnn_model_heat_map(NULL, model, x, 0, -1), CNN_ERROR_INVALID, "cnn_model_heat_map",
                 "map");
    EXPECT_REFUSED(NULL, x, 0, -1, CNN_ERROR_INVALID, "model");
    EXPECT_REFUSED(model, NULL, 0, -1, CNN_ERROR_INVALID, "input");
    EXPECT_REFUSED(model, two, 0, -1, CNN_ERROR_SHAPE, "input has 2 samples");
    EXPECT_REFUSED(model, bytes, 0, -1, CNN_ERROR_SHAPE, "input is uint8");
    EXPECT_REFUSED(model, x, -1, -1, CNN_ERROR_INVALID, "class_index is -1");
    EXPECT_REFUSED(model, x, 4, -1, CNN_ERROR_INVALID, "class_index is 4, must be 0 to 3");
    EXPECT_REFUSED(model, x, 0, -2, CNN_ERROR_INVALID, "layer is -2");
    EXPECT_REFUSED(model, x, 0, 10, CNN_ERROR_INVALID, "layer is 10");
    EXPECT_REFUSED(model, x, 0, 6, CNN_ERROR_SHAPE, "layer 6, \"dense1\"");
    EXPECT_REFUSED(empty, x, 0, -1, CNN_ERROR_STATE, "no layers");
    cnn_tensor_free(x);
    cnn_tensor_free(two);
    cnn_tensor_free(bytes);
    cnn_model_free(model);
    cnn_model_free(empty);
}
END_TEST

START_TEST(other_models_are_refused)
{
    cnn_model *pictures = model_new(context, (int64_t[]){6, 6, 2}, 3);
    cnn_model *dense = model_new(context, (int64_t[]){9}, 1);
    take_conv2d(pictures, context, 5, 1);
    take_dense(dense, context, 3);
    cnn_tensor *x = model_inputs(pictures, context, 1, 7), *y = model_inputs(dense, context, 1, 7);
    EXPECT_REFUSED(pictures, x, 0, -1, CNN_ERROR_SHAPE, "output is [6][6][5], must be [classes]");
    EXPECT_REFUSED(dense, y, 0, -1, CNN_ERROR_SHAPE, "no convolution");
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_model_free(pictures);
    cnn_model_free(dense);
}
END_TEST

/* While a trainer has the model, its gradients are the trainer's. */
START_TEST(a_trainers_model_is_refused)
{
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_tensor *map;
    cnn_model *model = chain(context);
    cnn_tensor *x = model_inputs(model, context, 1, 7);
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    EXPECT_REFUSED(model, x, 0, -1, CNN_ERROR_STATE, "belongs to a trainer");
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_model_heat_map(&map, model, x, 0, -1));
    cnn_tensor_free(map);
    cnn_optimizer_free(sgd);
    cnn_tensor_free(x);
    cnn_model_free(model);
}
END_TEST

static Suite *heat_map_suite(void)
{
    Suite *suite = suite_create("heat_map");
    TCase *tcase = tcase_create("heat_map");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, maps_are_those_of_pytorch, 0, NETWORKS * LAYERS);
    tcase_add_loop_test(tcase, the_layer_is_behind_the_last_convolution, 0, NETWORKS);
    tcase_add_test(tcase, layers_without_pixels_are_passed_over);
    tcase_add_loop_test(tcase, frozen_layers_change_nothing, 0, TRAINED);
    tcase_add_test(tcase, the_first_layer_has_a_map);
    tcase_add_loop_test(tcase, the_model_stays_as_it_is, 0, 2);
    tcase_add_test(tcase, nothing_leaks_when_memory_runs_out);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    tcase_add_test(tcase, other_models_are_refused);
    tcase_add_test(tcase, a_trainers_model_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(heat_map_suite());
}
