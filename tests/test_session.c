/* SPDX-License-Identifier: MIT
 * Sessions: predictions against the layers run one by one, every documented error, memory that is
 * known beforehand, weights that change between runs, and several sessions of one model on several
 * threads. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static struct accounts accounts;
static cnn_context *context;

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 2));
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

static cnn_session *new_session(cnn_model *model, int64_t batch)
{
    cnn_session *session;
    EXPECT_OK(cnn_session_create(&session, model, batch));
    return session;
}

/* ---- Predicting ---------------------------------------------------------------------------- */

/* Layer number `index` of a model is made anew, alone, and gets the same parameters. */
static cnn_layer *clone_layer(cnn_model *model, int32_t index, int32_t same)
{
    cnn_layer *old = cnn_model_layer(model, index), *layer = NULL;
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    switch (cnn_layer_get_kind(old)) {
    case CNN_CONV2D:
        EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 3, 3));
        if (same)
            EXPECT_OK(cnn_conv2d_set_padding_same(layer));
        break;
    case CNN_MAXPOOL2D: EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2)); break;
    case CNN_DENSE: EXPECT_OK(cnn_dense_create(&layer, context, 3)); break;
    case CNN_RELU: EXPECT_OK(cnn_relu_create(&layer, context)); break;
    case CNN_SOFTMAX: EXPECT_OK(cnn_softmax_create(&layer, context)); break;
    case CNN_FLATTEN: EXPECT_OK(cnn_flatten_create(&layer, context)); break;
    case CNN_DROPOUT: EXPECT_OK(cnn_dropout_create(&layer, context, 0.5)); break;
    default: EXPECT_OK(cnn_add_create(&layer, context));
    }
    if (index > 0)
        EXPECT_OK(cnn_model_layer_shape(shape, &rank, model, index - 1));
    else
        EXPECT_OK(cnn_model_input_shape(shape, &rank, model));
    EXPECT_OK(cnn_layer_build(layer, shape, rank));
    for (int32_t i = 0; i < cnn_layer_parameter_count(old); i++) {
        EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, old, i));
        cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
        EXPECT_OK(cnn_layer_get_parameter(old, i, values));
        EXPECT_OK(cnn_layer_set_parameter(layer, i, values));
        cnn_tensor_free(values);
    }
    return layer;
}

/* Reorders the columns of a dense layer behind [h][w][c] = [3][3][4] or [8][8][4] from c, h, w to
 * h, w, c: alone, it takes its inputs as they lie in memory. */
static void reorder_columns(cnn_layer *dense)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, dense, CNN_WEIGHT));
    const int64_t pixels = shape[1] / 4;
    cnn_tensor *file = tensor_new(context, CNN_FLOAT32, shape, rank);
    cnn_tensor *memory = tensor_new(context, CNN_FLOAT32, shape, rank);
    EXPECT_OK(cnn_layer_get_parameter(dense, CNN_WEIGHT, file));
    for (int64_t u = 0; u < shape[0]; u++)
        for (int64_t c = 0; c < 4; c++)
            for (int64_t p = 0; p < pixels; p++)
                floats(memory)[u * shape[1] + p * 4 + c] =
                    floats(file)[u * shape[1] + c * pixels + p];
    EXPECT_OK(cnn_layer_set_parameter(dense, CNN_WEIGHT, memory));
    cnn_tensor_free(file);
    cnn_tensor_free(memory);
}

/* What the layers give one by one; layer 3 of the residual model adds the input. */
static cnn_tensor *predict_by_layers(cnn_model *model, cnn_tensor *inputs, int32_t residual)
{
    cnn_tensor *now = inputs;
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        int64_t shape[CNN_MAX_RANK] = {cnn_tensor_dim(inputs, 0)};
        int32_t rank;
        cnn_layer *layer = clone_layer(model, i, residual);
        const cnn_layer_kind kind = cnn_layer_get_kind(layer);
        if (kind == CNN_DENSE)
            reorder_columns(layer);
        EXPECT_OK(cnn_model_layer_shape(shape + 1, &rank, model, i));
        cnn_tensor *next = tensor_new(context, CNN_FLOAT32, shape, rank + 1);
        EXPECT_OK(cnn_layer_forward(layer, next, (cnn_tensor *[]){now, inputs},
                                    kind == CNN_ADD ? 2 : 1, 0));
        if (now != inputs)
            cnn_tensor_free(now);
        now = next;
        cnn_layer_free(layer);
    }
    return now;
}

static cnn_model *(*const models[])(cnn_context *) = {model_chain, model_dropout, model_residual};
enum { MODELS = 3 };

START_TEST(a_session_computes_what_the_layers_do)
{
    for (int32_t i = 0; i < MODELS; i++)
        for (int64_t n = 1; n <= 5; n += 2) {
            cnn_model *model = models[i](context);
            cnn_session *session = new_session(model, 5);
            cnn_tensor *inputs = model_inputs(model, context, n, 11);
            cnn_tensor *outputs = model_outputs(model, context, n);
            cnn_tensor *wanted = predict_by_layers(model, inputs, i == 2);
            EXPECT_OK(session_predict(session, outputs, inputs));
            expect_tensor_equal("prediction", outputs, wanted);
            EXPECT_OK(session_predict(session, outputs, inputs));
            expect_tensor_equal("second prediction", outputs, wanted);
            cnn_tensor_free(inputs);
            cnn_tensor_free(outputs);
            cnn_tensor_free(wanted);
            cnn_session_free(session);
            cnn_model_free(model);
        }
}
END_TEST

START_TEST(a_model_of_one_layer_is_enough)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){4}, 1);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    cnn_session *session = new_session(model, 2);
    cnn_tensor *inputs = TENSOR(context, CNN_FLOAT32, 2, 4),
               *outputs = tensor_like(context, inputs);
    fill_tensor(inputs, 3);
    EXPECT_OK(session_predict(session, outputs, inputs));
    for (int32_t i = 0; i < 8; i++)
        ck_assert(floats(outputs)[i] == (floats(inputs)[i] > 0 ? floats(inputs)[i] : 0));
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

START_TEST(new_weights_are_used)
{
    cnn_model *model = model_chain(context);
    cnn_session *session = new_session(model, 2), *fresh;
    cnn_tensor *inputs = model_inputs(model, context, 2, 1);
    cnn_tensor *before = model_outputs(model, context, 2), *after = tensor_like(context, before);
    cnn_tensor *wanted = tensor_like(context, before),
               *weights = TENSOR(context, CNN_FLOAT32, 4, 3, 3, 3);
    EXPECT_OK(session_predict(session, before, inputs));
    fill_tensor(weights, 77);
    EXPECT_OK(cnn_model_set_parameter(model, "conv2d1.weight", weights));
    EXPECT_OK(session_predict(session, after, inputs));
    ck_assert(!tensors_equal(before, after));
    fresh = new_session(model, 1); /* packs for another batch */
    cnn_session_free(fresh);
    fresh = new_session(model, 2);
    EXPECT_OK(session_predict(fresh, wanted, inputs));
    ck_assert(tensors_equal(after, wanted));
    cnn_session_free(fresh);
    cnn_session_free(session);
    cnn_tensor *const tensors[] = {inputs, before, after, wanted, weights};
    for (int32_t i = 0; i < 5; i++)
        cnn_tensor_free(tensors[i]);
    cnn_model_free(model);
}
END_TEST

/* ---- Errors -------------------------------------------------------------------------------- */

/* ---- What a session does ------------------------------------------------------------------- */

START_TEST(a_session_describes_itself)
{
    cnn_layer *layer;
    cnn_session *session;
    char text[1024], cut[40];
    cnn_model *model = model_new(context, (int64_t[]){16, 16, 32}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 32, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    model_take(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 1, 1));
    model_take(model, layer);
    EXPECT_OK(cnn_session_create(&session, model, 1));
    const size_t length = cnn_session_describe(session, text, sizeof text);
    ck_assert_str_eq(
        text,
        "layer            output             algorithm                         MFLOP         KB\n"
        "conv2d1          [16][16][32]       Winograd F(4x4), relu             4.719      102.5\n"
        "relu1            [16][16][32]       in passing                        0.000        0.0\n"
        "conv2d2          [16][16][4]        direct                            0.066       37.4\n");
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_uint_eq(cnn_session_describe(session, cut, sizeof cut), length);
    ck_assert(strncmp(cut, text, sizeof cut - 1) == 0 && strlen(cut) == sizeof cut - 1);
    ck_assert_uint_eq(cnn_session_describe(session, NULL, 0), length);
    ck_assert_uint_eq(cnn_session_describe(NULL, cut, sizeof cut), 0);
    ck_assert_str_eq(cut, "");
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

START_TEST(leading_layers_go_depth_first)
{
    enum { BATCH = 75 };
    EXPECT_OK(cnn_context_set_threads(context, 2));
    cnn_model *model = model_front(context);
    cnn_session *large = new_session(model, BATCH), *small = new_session(model, 1);
    char text[4096];
    cnn_session_describe(large, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "The first 7 layers run on 32 samples at a time.\n"));
    cnn_session_describe(small, text, sizeof text);
    ck_assert_ptr_null(strstr(text, "at a time"));
    cnn_tensor *x = model_inputs(model, context, BATCH, 3),
               *y = model_outputs(model, context, BATCH);
    cnn_tensor *one = model_inputs(model, context, 1, 3), *alone = model_outputs(model, context, 1);
    EXPECT_OK(session_predict(large, y, x));
    for (int32_t i = 0; i < BATCH; i++) {
        memcpy(cnn_tensor_data(one), (float *)cnn_tensor_data(x) + (size_t)i * 8 * 8 * 3,
               cnn_tensor_bytes(one));
        EXPECT_OK(session_predict(small, alone, one));
        ck_assert(memcmp((float *)cnn_tensor_data(y) + (size_t)i * 300, cnn_tensor_data(alone),
                         cnn_tensor_bytes(alone)) == 0);
    }
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(one);
    cnn_tensor_free(alone);
    cnn_session_free(large);
    cnn_session_free(small);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_session_measures_its_layers_when_asked)
{
    cnn_model *chain = model_chain(context);
    cnn_session *session = new_session(chain, 4);
    cnn_tensor *x = model_inputs(chain, context, 4, 6), *y = model_outputs(chain, context, 4);
    const size_t bytes = cnn_session_bytes(session);
    const size_t profile = (size_t)cnn_model_layer_count(chain) * sizeof(double);
    for (int32_t round = 0; round < 3; round++) {
        const int32_t on = round == 1;
        EXPECT_OK(cnn_session_profile(session, on));
        ck_assert_uint_eq(cnn_session_bytes(session), bytes + (on ? profile : 0));
        ck_assert_double_eq(cnn_session_layer_seconds(session, 0), 0);
        EXPECT_OK(session_predict(session, y, x));
        ck_assert((cnn_session_layer_seconds(session, 0) > 0) == on);
    }
    EXPECT_OK(cnn_session_profile(session, 1));
    EXPECT_OK(session_predict(session, y, x));
    ck_assert_double_eq(cnn_session_layer_seconds(session, 1), 0); /* a ReLU done in passing */
    ck_assert_double_eq(cnn_session_layer_seconds(session, -1), 0);
    ck_assert_double_eq(cnn_session_layer_seconds(session, cnn_model_layer_count(chain)), 0);
    ck_assert_double_eq(cnn_session_layer_seconds(NULL, 0), 0);
    EXPECT_FAILS(cnn_session_profile(session, 2), CNN_ERROR_INVALID, "cnn_session_profile",
                 "on is 2, must be 0 or 1");
    ck_assert_int_eq(cnn_session_profile(NULL, 1), CNN_ERROR_INVALID);
    cnn_session_free(session);
    cnn_model_free(chain);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
}
END_TEST

/* ---- Algorithms ---------------------------------------------------------------------------- */

/* A model with one layer that suits Winograd, the weights of `from`, and the predictions for `x`.
 * */
static cnn_model *predict_by(cnn_algorithm algorithm, cnn_model *from, cnn_tensor *y, cnn_tensor *x)
{
    cnn_tensor *bytes;
    cnn_model *other;
    cnn_session *session;
    EXPECT_OK(cnn_model_save_memory(&bytes, from));
    EXPECT_OK(cnn_model_load_memory(&other, context, cnn_tensor_const_data(bytes),
                                    cnn_tensor_bytes(bytes)));
    EXPECT_OK(cnn_model_set_algorithm(other, algorithm));
    EXPECT_OK(cnn_session_create(&session, other, 2));
    EXPECT_OK(session_predict(session, y, x));
    EXPECT_FAILS(cnn_model_set_algorithm(other, CNN_FAST), CNN_ERROR_STATE,
                 "cnn_model_set_algorithm", "a session or trainer of the model exists");
    cnn_session_free(session);
    cnn_tensor_free(bytes);
    return other;
}

static double largest_difference(cnn_tensor *a, cnn_tensor *b)
{
    double largest = 0;
    for (int64_t i = 0; i < cnn_tensor_count(a); i++)
        largest = fmax(largest, fabs((double)floats(a)[i] - (double)floats(b)[i]));
    return largest;
}

/* The three algorithms differ in their last bits, by as much as they may. */
START_TEST(algorithms_differ_a_little)
{
    cnn_layer *layer;
    cnn_model *plain = model_new(context, (int64_t[]){12, 12, 32}, 3), *others[3];
    EXPECT_OK(cnn_conv2d_create(&layer, context, 40, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    model_take(plain, layer);
    cnn_tensor *x = model_inputs(plain, context, 2, 5), *y[3];
    for (int32_t i = 0; i < 3; i++) {
        y[i] = model_outputs(plain, context, 2);
        others[i] = predict_by(CNN_EXACT + i, plain, y[i], x);
    }
    ck_assert(!tensors_equal(y[0], y[1]) && !tensors_equal(y[1], y[2]));
    ck_assert_double_lt(largest_difference(y[0], y[1]), 1e-5);
    ck_assert_double_lt(largest_difference(y[0], y[2]), 1e-4);
    for (int32_t i = 0; i < 3; i++) {
        cnn_tensor_free(y[i]);
        cnn_model_free(others[i]);
    }
    EXPECT_FAILS(cnn_model_set_algorithm(plain, 0), CNN_ERROR_INVALID, "cnn_model_set_algorithm",
                 "algorithm is 0");
    ck_assert_int_eq(cnn_model_set_algorithm(NULL, CNN_FAST), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_algorithm_name(CNN_BALANCED), "balanced");
    ck_assert_str_eq(cnn_algorithm_name(0), "unknown algorithm");
    cnn_tensor_free(x);
    cnn_model_free(plain);
}
END_TEST

START_TEST(creating_refuses_what_cannot_be)
{
    static const int64_t bad[] = {0, -1, INT64_C(1) << 31, INT64_MAX, INT64_MIN};
    cnn_model *model = model_chain(context);
    cnn_session *session = (cnn_session *)&session;
    EXPECT_FAILS(cnn_session_create(NULL, model, 1), CNN_ERROR_INVALID, "cnn_session_create",
                 "session is NULL");
    EXPECT_FAILS(cnn_session_create(NULL, NULL, 1), CNN_ERROR_INVALID, "cnn_session_create",
                 "session is NULL");
    EXPECT_FAILS(cnn_session_create(&session, NULL, 1), CNN_ERROR_INVALID, "cnn_session_create",
                 "model is NULL");
    ck_assert_ptr_null(session);
    for (int32_t i = 0; i < 5; i++) {
        session = (cnn_session *)&session;
        EXPECT_FAILS(cnn_session_create(&session, model, bad[i]), CNN_ERROR_INVALID,
                     "cnn_session_create", "the batch is ");
        ck_assert_ptr_null(session);
    }
    cnn_session_free(NULL);
    ck_assert_uint_eq(cnn_session_bytes(NULL), 0);
    cnn_model_free(model);
}
END_TEST

/* A conv2d 1x1 of `stride` behind an input [side][side][1]: what a hostile file may ask for. */
static cnn_model *model_sparse(int64_t side, int64_t stride)
{
    cnn_model *model = model_new(context, (int64_t[]){side, side, 1}, 3);
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, 1, 1, 1));
    EXPECT_OK(cnn_conv2d_set_stride(layer, stride, stride));
    model_take(model, layer);
    return model;
}

START_TEST(hostile_shapes_end_in_a_status)
{
    cnn_session *session;
    cnn_model *model = model_sparse(1 << 29, 1);
    EXPECT_FAILS(cnn_session_create(&session, model, 64), CNN_ERROR_SHAPE, "cnn_session_create",
                 "64 samples of [536870912][536870912][1] are more than memory can hold");
    cnn_model_free(model);
    model = model_sparse(1 << 16, 1 << 16);
    EXPECT_OK(cnn_session_create(&session, model, 1));
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

/* A tensor that the model does not take, as input or as output. */
struct misfit {
    cnn_dtype dtype;
    int64_t shape[5];
    int32_t rank;
    const char *word;
};

START_TEST(running_refuses_what_does_not_fit)
{
    static const struct misfit misfit_inputs[] = {
        {CNN_FLOAT32,
         {2, 8, 8, 4},
         4,
         "inputs[0] is float32 [2][8][8][4], must be float32 [n][8][8][3]"},
        {CNN_FLOAT32, {8, 8, 3}, 3, "inputs[0] is float32 [8][8][3]"},
        {CNN_FLOAT32, {2, 8, 8, 3, 1}, 5, "[2][8][8][3][1]"},
        {CNN_FLOAT32, {384}, 1, "inputs[0] is float32 [384]"},
        {CNN_UINT8, {2, 8, 8, 3}, 4, "inputs[0] is uint8"},
        {CNN_FLOAT32, {3, 8, 8, 3}, 4, "inputs[0] has 3 samples, must have at most 2"},
        {CNN_FLOAT32, {1, 8, 8, 3}, 4, "outputs[0] has 2 samples, must have 1"},
    };
    static const struct misfit misfit_outputs[] = {
        {CNN_FLOAT32, {2, 4}, 2, "outputs[0] is float32 [2][4], must be float32 [n][3]"},
        {CNN_FLOAT32, {2, 3, 1}, 3, "outputs[0] is float32 [2][3][1]"},
        {CNN_INT32, {2, 3}, 2, "outputs[0] is int32"},
        {CNN_FLOAT32, {3, 3}, 2, "outputs[0] has 3 samples"},
        {CNN_FLOAT32, {1, 3}, 2, "outputs[0] has 1 samples, must have 2"},
    };
    cnn_model *model = model_chain(context);
    cnn_session *session = new_session(model, 2);
    cnn_tensor *inputs = model_inputs(model, context, 2, 1),
               *outputs = model_outputs(model, context, 2);
    cnn_tensor *wanted = tensor_like(context, outputs);
    const cnn_tensor *input = inputs;
    EXPECT_OK(session_predict(session, wanted, inputs));
    for (size_t i = 0; i < sizeof misfit_inputs / sizeof misfit_inputs[0]; i++) {
        const struct misfit *row = &misfit_inputs[i];
        cnn_tensor *bad = tensor_new(context, row->dtype, row->shape, row->rank);
        EXPECT_FAILS(session_predict(session, outputs, bad), CNN_ERROR_SHAPE, "cnn_session_run",
                     row->word);
        cnn_tensor_free(bad);
    }
    for (size_t i = 0; i < sizeof misfit_outputs / sizeof misfit_outputs[0]; i++) {
        const struct misfit *row = &misfit_outputs[i];
        cnn_tensor *bad = tensor_new(context, row->dtype, row->shape, row->rank);
        EXPECT_FAILS(session_predict(session, bad, inputs), CNN_ERROR_SHAPE, "cnn_session_run",
                     row->word);
        cnn_tensor_free(bad);
    }
    EXPECT_FAILS(cnn_session_run(NULL, &outputs, 1, &input, 1), CNN_ERROR_INVALID,
                 "cnn_session_run", "session is NULL");
    EXPECT_FAILS(cnn_session_run(session, NULL, 1, &input, 1), CNN_ERROR_INVALID, "cnn_session_run",
                 "outputs is NULL");
    EXPECT_FAILS(cnn_session_run(session, &outputs, 1, NULL, 1), CNN_ERROR_INVALID,
                 "cnn_session_run", "inputs is NULL");
    EXPECT_FAILS(session_predict(session, NULL, inputs), CNN_ERROR_INVALID, "cnn_session_run",
                 "outputs[0] is NULL");
    EXPECT_FAILS(session_predict(session, outputs, NULL), CNN_ERROR_INVALID, "cnn_session_run",
                 "inputs[0] is NULL");
    static const int32_t counts[] = {0, 2, -1, INT32_MAX};
    for (int32_t i = 0; i < 4; i++) {
        EXPECT_FAILS(cnn_session_run(session, &outputs, counts[i], &input, 1), CNN_ERROR_INVALID,
                     "cnn_session_run", "must be 1 and 1");
        EXPECT_FAILS(cnn_session_run(session, &outputs, 1, &input, counts[i]), CNN_ERROR_INVALID,
                     "cnn_session_run", "must be 1 and 1");
    }
    EXPECT_OK(session_predict(session, outputs, inputs));
    ck_assert(tensors_equal(outputs, wanted));
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(wanted);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

START_TEST(input_and_output_are_two_memories)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){4}, 1);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    cnn_session *session = new_session(model, 2);
    cnn_tensor *both = TENSOR(context, CNN_FLOAT32, 2, 4);
    EXPECT_FAILS(session_predict(session, both, both), CNN_ERROR_INVALID, "cnn_session_run",
                 "share the same memory");
    cnn_tensor_free(both);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------- */

enum { HEADER = 64 }; /* what lib/base/memory.c puts before each block */

START_TEST(running_allocates_nothing)
{
    for (int32_t i = 0; i < MODELS; i++) {
        cnn_model *model = models[i](context);
        cnn_session *session = new_session(model, 16);
        cnn_tensor *inputs = model_inputs(model, context, 16, 1);
        cnn_tensor *outputs = model_outputs(model, context, 16);
        cnn_tensor *bias = TENSOR(context, CNN_FLOAT32, 4);
        const int64_t calls = accounts.calls;
        for (int32_t j = 0; j < 3; j++)
            EXPECT_OK(session_predict(session, outputs, inputs));
        EXPECT_OK(cnn_model_set_parameter(model, "conv2d1.bias", bias));
        EXPECT_OK(session_predict(session, outputs, inputs)); /* packs the weights anew */
        ck_assert_int_eq(accounts.calls, calls);
        cnn_tensor_free(inputs);
        cnn_tensor_free(outputs);
        cnn_tensor_free(bias);
        cnn_session_free(session);
        cnn_model_free(model);
    }
}
END_TEST

START_TEST(bytes_are_those_of_the_allocator)
{
    for (int32_t i = 0; i < MODELS; i++) {
        cnn_model *model = models[i](context);
        cnn_session *first = new_session(model, 16); /* makes what belongs to the model */
        const size_t bytes = accounts.bytes;
        const int64_t blocks = accounts.blocks;
        cnn_session *second = new_session(model, 16);
        ck_assert_uint_eq(cnn_session_bytes(first), cnn_session_bytes(second));
        ck_assert_uint_eq(accounts.bytes - bytes,
                          cnn_session_bytes(second) + (size_t)(accounts.blocks - blocks) * HEADER);
        cnn_session *small = new_session(model, 1);
        ck_assert_uint_lt(cnn_session_bytes(small), cnn_session_bytes(second));
        cnn_session_free(first);
        cnn_session_free(small);
        cnn_session_free(second);
        ck_assert_uint_lt(accounts.bytes, bytes);
        cnn_model_free(model);
    }
}
END_TEST

START_TEST(deep_models_need_little)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){16, 16, 8}, 3);
    for (int32_t i = 0; i < 30; i++) {
        EXPECT_OK(cnn_conv2d_create(&layer, context, 8, 3, 3));
        EXPECT_OK(cnn_conv2d_set_padding_same(layer));
        model_take(model, layer);
    }
    cnn_session *session = new_session(model, 8);
    const size_t all = 30 * 8 * 16 * 16 * 8 * sizeof(float);
    ck_assert_uint_lt(cnn_session_bytes(session), all / 5);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

/* ---- Threads ------------------------------------------------------------------------------- */

enum { THREADS = 4, RUNS = 20 };

struct predictor {
    pthread_t thread;
    cnn_model *model;
    int64_t n;
    const cnn_tensor *wanted;
    int32_t wrong;
};

/* Sessions are made and freed while others run. */
static void *predict_often(void *user)
{
    struct predictor *predictor = user;
    cnn_tensor *inputs =
        model_inputs(predictor->model, context, predictor->n, (uint32_t)predictor->n);
    cnn_tensor *outputs = model_outputs(predictor->model, context, predictor->n);
    cnn_session *session = NULL;
    for (int32_t i = 0; i < RUNS; i++) {
        if (i % 5 == 0) {
            cnn_session_free(session);
            session = new_session(predictor->model, predictor->n + i);
        }
        predictor->wrong += session_predict(session, outputs, inputs) != CNN_OK;
        predictor->wrong += !tensors_equal(outputs, predictor->wanted);
    }
    cnn_session_free(session);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    return NULL;
}

START_TEST(sessions_share_a_model_among_threads)
{
    for (int32_t i = 0; i < MODELS; i++) {
        struct predictor predictors[THREADS];
        cnn_tensor *wanted[THREADS];
        cnn_model *model = models[i](context), *twin;
        /* What they should get is found with an equal model, so that this one is packed by them. */
        EXPECT_OK(cnn_context_set_seed(context, 0));
        cnn_model_free(model);
        model = models[i](context);
        EXPECT_OK(cnn_context_set_seed(context, 0));
        twin = models[i](context);
        for (int32_t j = 0; j < THREADS; j++) {
            cnn_session *session = new_session(twin, j + 1);
            cnn_tensor *inputs = model_inputs(twin, context, j + 1, (uint32_t)j + 1);
            wanted[j] = model_outputs(twin, context, j + 1);
            EXPECT_OK(session_predict(session, wanted[j], inputs));
            cnn_tensor_free(inputs);
            cnn_session_free(session);
            predictors[j] = (struct predictor){.model = model, .n = j + 1, .wanted = wanted[j]};
        }
        for (int32_t j = 0; j < THREADS; j++)
            ck_assert_int_eq(
                pthread_create(&predictors[j].thread, NULL, predict_often, &predictors[j]), 0);
        for (int32_t j = 0; j < THREADS; j++) {
            ck_assert_int_eq(pthread_join(predictors[j].thread, NULL), 0);
            ck_assert_int_eq(predictors[j].wrong, 0);
            cnn_tensor_free(wanted[j]);
        }
        cnn_model_free(model);
        cnn_model_free(twin);
    }
}
END_TEST

static Suite *session_suite(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_session_computes_what_the_layers_do);
    tcase_add_test(tcase, a_model_of_one_layer_is_enough);
    tcase_add_test(tcase, new_weights_are_used);
    tcase_add_test(tcase, algorithms_differ_a_little);
    tcase_add_test(tcase, a_session_describes_itself);
    tcase_add_test(tcase, leading_layers_go_depth_first);
    tcase_add_test(tcase, a_session_measures_its_layers_when_asked);
    tcase_add_test(tcase, creating_refuses_what_cannot_be);
    tcase_add_test(tcase, hostile_shapes_end_in_a_status);
    tcase_add_test(tcase, running_refuses_what_does_not_fit);
    tcase_add_test(tcase, input_and_output_are_two_memories);
    tcase_add_test(tcase, running_allocates_nothing);
    tcase_add_test(tcase, bytes_are_those_of_the_allocator);
    tcase_add_test(tcase, deep_models_need_little);
    tcase_add_test(tcase, sessions_share_a_model_among_threads);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(session_suite());
}
