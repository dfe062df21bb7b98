/* SPDX-License-Identifier: MIT
 * Models: building graphs, looking at them, parameters by name; every documented error, and that a
 * failure leaves model and layer as they were.  Class names and pictures are tested in
 * test_model_pictures.c, files in test_model_file.c. */
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

static const int64_t picture[] = {8, 8, 3};

static cnn_layer *new_conv2d(int64_t filters, int64_t size)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, size, size));
    return layer;
}

static cnn_layer *new_dense(int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    return layer;
}

static cnn_layer *new_relu(void)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    return layer;
}

static cnn_layer *new_add(void)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_add_create(&layer, context));
    return layer;
}

/* Fails unless what `shape` and `rank` say is `wanted`. */
static void check_shape(const int64_t *shape, int32_t rank, const int64_t *wanted,
                        int32_t wanted_rank)
{
    ck_assert_int_eq(rank, wanted_rank);
    for (int32_t i = 0; i < rank; i++)
        ck_assert_int_eq(shape[i], wanted[i]);
}

/* ---- Creating ------------------------------------------------------------------------------ */

START_TEST(an_empty_model_knows_its_input)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *model = model_new(context, picture, 3);
    EXPECT_OK(cnn_model_input_shape(shape, &rank, model));
    check_shape(shape, rank, picture, 3);
    ck_assert_int_eq(cnn_model_layer_count(model), 0);
    ck_assert_int_eq(cnn_model_parameters(model), 0);
    ck_assert_int_eq(cnn_model_parameter_count(model), 0);
    ck_assert_int_eq(cnn_model_class_count(model), 0);
    ck_assert_ptr_null(cnn_model_layer(model, 0));
    EXPECT_FAILS(cnn_model_output_shape(shape, &rank, model), CNN_ERROR_STATE,
                 "cnn_model_output_shape", "no layers");
    cnn_model_free(model);
    model = model_new(context, (int64_t[]){1, 2, 1, 2, 1, 2, 1}, 7); /* and one for the batch */
    cnn_model_free(model);
    cnn_model_free(NULL);
}
END_TEST

START_TEST(creating_refuses_what_cannot_be)
{
    static const int64_t ones[] = {1, 1, 1, 1, 1, 1, 1, 1};
    cnn_model *model = (cnn_model *)&model;
    EXPECT_FAILS(cnn_model_create(NULL, context, picture, 3), CNN_ERROR_INVALID, "cnn_model_create",
                 "model is NULL");
    EXPECT_FAILS(cnn_model_create(&model, NULL, picture, 3), CNN_ERROR_INVALID, "cnn_model_create",
                 "context is NULL");
    ck_assert_ptr_null(model);
    EXPECT_FAILS(cnn_model_create(&model, context, NULL, 3), CNN_ERROR_INVALID, "cnn_model_create",
                 "shape is NULL");
    EXPECT_FAILS(cnn_model_create(&model, context, picture, 0), CNN_ERROR_SHAPE, "cnn_model_create",
                 "rank is 0");
    EXPECT_FAILS(cnn_model_create(&model, context, (int64_t[]){8, 0}, 2), CNN_ERROR_SHAPE,
                 "cnn_model_create", "dimension 1 is 0");
    EXPECT_FAILS(cnn_model_create(&model, context, ones, 8), CNN_ERROR_SHAPE, "cnn_model_create",
                 "rank is 8, must be at most 7");
    EXPECT_FAILS(cnn_model_create(&model, context, ones, 9), CNN_ERROR_SHAPE, "cnn_model_create",
                 "rank is 9");
    EXPECT_FAILS(cnn_model_create(&model, context, (int64_t[]){INT64_MAX, 2}, 2), CNN_ERROR_SHAPE,
                 "cnn_model_create", "[9223372036854775807][2]");
    ck_assert_int_eq(accounts.calls, 0);
}
END_TEST

/* ---- Chains -------------------------------------------------------------------------------- */

START_TEST(a_chain_is_built_as_it_is_added)
{
    static const struct {
        cnn_layer_kind kind;
        const char *name;
        int64_t shape[3];
        int32_t rank;
        int64_t parameters;
    } wanted[] = {
        {CNN_CONV2D, "conv2d1", {6, 6, 4}, 3, 4 * 27 + 4}, {CNN_RELU, "relu1", {6, 6, 4}, 3, 0},
        {CNN_MAXPOOL2D, "maxpool2d1", {3, 3, 4}, 3, 0},    {CNN_FLATTEN, "flatten1", {36}, 1, 0},
        {CNN_DENSE, "dense1", {3}, 1, 3 * 36 + 3},         {CNN_SOFTMAX, "softmax1", {3}, 1, 0},
    };
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *model = model_chain(context);
    ck_assert_int_eq(cnn_model_layer_count(model), 6);
    for (int32_t i = 0; i < 6; i++) {
        cnn_layer *layer = cnn_model_layer(model, i);
        ck_assert_int_eq(cnn_layer_get_kind(layer), wanted[i].kind);
        ck_assert_str_eq(cnn_layer_name(layer), wanted[i].name);
        EXPECT_OK(cnn_model_layer_shape(shape, &rank, model, i));
        check_shape(shape, rank, wanted[i].shape, wanted[i].rank);
        ck_assert_int_eq(cnn_model_layer_parameters(model, i), wanted[i].parameters);
    }
    EXPECT_OK(cnn_model_output_shape(shape, &rank, model));
    check_shape(shape, rank, wanted[5].shape, 1);
    ck_assert_int_eq(cnn_model_parameters(model), 4 * 27 + 4 + 3 * 36 + 3);
    ck_assert_ptr_null(cnn_model_layer(model, 6));
    ck_assert_ptr_null(cnn_model_layer(model, -1));
    ck_assert_int_eq(cnn_model_layer_parameters(model, 6), 0);
    ck_assert_int_eq(cnn_model_layer_parameters(model, -1), 0);
    EXPECT_FAILS(cnn_model_layer_shape(shape, &rank, model, 6), CNN_ERROR_INVALID,
                 "cnn_model_layer_shape", "index is 6, the model has 6 layers");
    EXPECT_FAILS(cnn_model_layer_shape(shape, &rank, model, -1), CNN_ERROR_INVALID,
                 "cnn_model_layer_shape", "index is -1");
    cnn_model_free(model);
}
END_TEST

START_TEST(layers_are_named_by_kind_and_number)
{
    static const char *const names[] = {"relu1", "relu2", "mine", "relu4", "relu3"};
    cnn_model *model = model_new(context, picture, 3);
    for (int32_t i = 0; i < 5; i++) {
        cnn_layer *layer = new_relu();
        if (i == 2 || i == 3)
            EXPECT_OK(cnn_layer_set_name(layer, names[i]));
        model_take(model, layer);
        ck_assert_str_eq(cnn_layer_name(cnn_model_layer(model, i)), names[i]);
    }
    cnn_layer *layer = new_relu();
    EXPECT_OK(cnn_layer_set_name(layer, "mine"));
    EXPECT_FAILS(cnn_model_add(model, layer), CNN_ERROR_INVALID, "cnn_model_add",
                 "another layer is named \"mine\" already");
    EXPECT_OK(cnn_layer_set_name(layer, "yours"));
    EXPECT_OK(cnn_model_add(model, layer));
    cnn_layer_free(layer);
    EXPECT_FAILS(cnn_layer_set_name(cnn_model_layer(model, 0), "late"), CNN_ERROR_STATE,
                 "cnn_layer_set_name", "\"relu1\" is in a model");
    cnn_model_free(model);
}
END_TEST

START_TEST(adding_refuses_what_does_not_fit)
{
    cnn_model *model = model_new(context, picture, 3);
    cnn_layer *large = new_conv2d(4, 9), *dense = new_dense(3);
    EXPECT_FAILS(cnn_model_add(NULL, large), CNN_ERROR_INVALID, "cnn_model_add", "model is NULL");
    EXPECT_FAILS(cnn_model_add(model, NULL), CNN_ERROR_INVALID, "cnn_model_add", "layer is NULL");
    EXPECT_FAILS(
        cnn_model_add(model, large), CNN_ERROR_SHAPE, "cnn_model_add",
        "\"conv2d\" has a 9x9 kernel (dilation 1x1), larger than its padded input [8][8][3]");
    EXPECT_FAILS(cnn_model_add(model, dense), CNN_ERROR_SHAPE, "cnn_model_add",
                 "\"dense\" gets [8][8][3], a dense takes [features]");
    cnn_layer *vast;
    EXPECT_OK(cnn_maxpool2d_create(&vast, context, 65536, 32768));
    EXPECT_OK(cnn_maxpool2d_set_padding(vast, 32768, 16384));
    EXPECT_FAILS(cnn_model_add(model, vast), CNN_ERROR_SHAPE, "cnn_model_add",
                 "\"maxpool2d\" has a 65536x32768 window, must have at most 2147483647 pixels");
    cnn_layer_free(vast);
    ck_assert_int_eq(cnn_model_layer_count(model), 0);
    ck_assert_int_eq(cnn_layer_parameter_count(large), 0);
    EXPECT_OK(cnn_conv2d_set_padding(large, 1, 1)); /* not built, and no longer too large */
    EXPECT_OK(cnn_layer_set_name(large, "large"));
    EXPECT_OK(cnn_model_add(model, large));
    EXPECT_FAILS(cnn_model_add(model, large), CNN_ERROR_STATE, "cnn_model_add",
                 "\"large\" is in a model already");
    cnn_layer_free(large);
    cnn_layer_free(dense);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_layer_is_in_one_model_at_a_time)
{
    cnn_model *first = model_new(context, picture, 3), *second = model_new(context, picture, 3);
    cnn_layer *layer = new_conv2d(2, 3);
    cnn_tensor *input = TENSOR(context, CNN_FLOAT32, 1, 8, 8, 3);
    cnn_tensor *output = TENSOR(context, CNN_FLOAT32, 1, 6, 6, 2);
    EXPECT_OK(cnn_layer_forward(layer, output, &input, 1, 1));
    EXPECT_OK(cnn_model_add(first, layer));
    EXPECT_FAILS(cnn_model_add(second, layer), CNN_ERROR_STATE, "cnn_model_add",
                 "\"conv2d1\" is in a model already");
    EXPECT_FAILS(cnn_layer_forward(layer, output, &input, 1, 0), CNN_ERROR_STATE,
                 "cnn_layer_forward", "belongs to a model");
    EXPECT_FAILS(cnn_layer_backward(layer, &input, 1, output), CNN_ERROR_STATE,
                 "cnn_layer_backward", "belongs to a model");
    EXPECT_FAILS(cnn_layer_build(layer, picture, 3), CNN_ERROR_STATE, "cnn_layer_build",
                 "is in a model");
    cnn_model_free(first);
    EXPECT_OK(cnn_layer_forward(layer, output, &input, 1, 0));
    EXPECT_OK(cnn_model_add(second, layer));
    cnn_model_free(second);
    cnn_layer_free(layer);
    cnn_tensor_free(input);
    cnn_tensor_free(output);
}
END_TEST

START_TEST(contexts_are_not_mixed)
{
    cnn_context *other;
    EXPECT_OK(cnn_context_create_isolated(&other));
    cnn_model *model = model_new(other, picture, 3);
    cnn_layer *layer = new_relu();
    EXPECT_FAILS(cnn_model_add(model, layer), CNN_ERROR_INVALID, "cnn_model_add",
                 "\"relu\" was made from another context");
    cnn_layer_free(layer);
    cnn_model_free(model);
    cnn_context_free(other);
}
END_TEST

START_TEST(there_is_a_limit_of_layers)
{
    cnn_model *model = model_new(context, picture, 3);
    cnn_layer *third = new_relu();
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, 2));
    model_take(model, new_relu());
    model_take(model, new_relu());
    EXPECT_FAILS(cnn_model_add(model, third), CNN_ERROR_LIMIT, "cnn_model_add",
                 "the number of layers is 3, more than the limit \"layers\" of 2");
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, 3));
    EXPECT_OK(cnn_model_add(model, third));
    cnn_layer_free(third);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_failed_addition_leaves_the_layer_unbuilt)
{
    cnn_model *model = model_new(context, picture, 3);
    cnn_layer *layer = new_conv2d(4, 3);
    const int64_t calls = accounts.calls, blocks = accounts.blocks;
    int64_t shape[CNN_MAX_RANK];
    int32_t rank, refused = 0;
    cnn_status status = CNN_ERROR_MEMORY;
    for (accounts.refuse_once = true; status != CNN_OK; refused++) {
        accounts.calls = calls;
        accounts.refuse_at = calls + refused + 1;
        EXPECT_OK(cnn_conv2d_set_stride(layer, 1 + refused % 2, 1));
        EXPECT_OK(cnn_layer_set_initializer(layer, CNN_HE_UNIFORM));
        status = cnn_model_add(model, layer);
        if (status == CNN_OK)
            break;
        ck_assert_int_eq(status, CNN_ERROR_MEMORY);
        ck_assert_int_eq(cnn_layer_parameter_count(layer), 0);
        ck_assert_int_eq(cnn_model_layer_count(model), 0);
        ck_assert_int_eq(cnn_model_parameter_count(model), 0);
        ck_assert_str_eq(cnn_layer_name(layer), "conv2d");
    }
    ck_assert_int_gt(refused, 3);
    ck_assert_int_gt(accounts.blocks, blocks);
    EXPECT_OK(cnn_model_layer_shape(shape, &rank, model, 0));
    check_shape(shape, rank, (int64_t[]){refused % 2 ? 3 : 6, 6, 4}, 3);
    cnn_layer_free(layer);
    cnn_model_free(model);
}
END_TEST

START_TEST(sessions_and_trainers_close_the_graph)
{
    for (int32_t training = 0; training < 2; training++) {
        cnn_model *model = model_chain(context);
        cnn_layer *layer = new_relu();
        cnn_session *session = NULL;
        cnn_optimizer *optimizer = NULL;
        cnn_trainer *trainer = NULL;
        EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
        if (training)
            EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2));
        else
            EXPECT_OK(cnn_session_create(&session, model, 2));
        EXPECT_FAILS(cnn_model_add(model, layer), CNN_ERROR_STATE, "cnn_model_add",
                     "a session or trainer of the model exists or has existed");
        cnn_session_free(session);
        cnn_trainer_free(trainer);
        EXPECT_FAILS(cnn_model_add(model, layer), CNN_ERROR_STATE, "cnn_model_add", "exists");
        cnn_optimizer_free(optimizer);
        cnn_layer_free(layer);
        cnn_model_free(model);
    }
}
END_TEST

START_TEST(failed_plans_leave_the_graph_open)
{
    cnn_session *session;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_model *model = model_new(context, picture, 3);
    model_take(model, new_conv2d(4, 3));
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    EXPECT_FAILS(cnn_session_create(&session, model, 0), CNN_ERROR_INVALID, "cnn_session_create",
                 "the batch is 0");
    EXPECT_FAILS(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2),
                 CNN_ERROR_SHAPE, "cnn_trainer_create", "the model's output is [6][6][4]");
    EXPECT_FAILS(cnn_trainer_create(&trainer, model, optimizer, 77, 2), CNN_ERROR_INVALID,
                 "cnn_trainer_create", "loss is 77");
    model_take(model, new_relu());
    cnn_model_free(model);
    cnn_optimizer_free(optimizer);
}
END_TEST

START_TEST(null_is_answered)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *model = model_chain(context);
    ck_assert_int_eq(cnn_model_layer_count(NULL), 0);
    ck_assert_ptr_null(cnn_model_layer(NULL, 0));
    ck_assert_int_eq(cnn_model_parameters(NULL), 0);
    ck_assert_int_eq(cnn_model_layer_parameters(NULL, 0), 0);
    ck_assert_int_eq(cnn_model_parameter_count(NULL), 0);
    ck_assert_ptr_null(cnn_model_parameter_name(NULL, 0));
    ck_assert_int_eq(cnn_model_class_count(NULL), 0);
    ck_assert_ptr_null(cnn_model_class_name(NULL, 0));
    EXPECT_FAILS(cnn_model_input_shape(shape, &rank, NULL), CNN_ERROR_INVALID,
                 "cnn_model_input_shape", "model is NULL");
    EXPECT_FAILS(cnn_model_input_shape(NULL, &rank, model), CNN_ERROR_INVALID,
                 "cnn_model_input_shape", "shape is NULL");
    EXPECT_FAILS(cnn_model_input_shape(shape, NULL, model), CNN_ERROR_INVALID,
                 "cnn_model_input_shape", "rank is NULL");
    EXPECT_FAILS(cnn_model_layer_shape(shape, &rank, NULL, 0), CNN_ERROR_INVALID,
                 "cnn_model_layer_shape", "model is NULL");
    EXPECT_FAILS(cnn_model_layer_shape(NULL, &rank, model, 0), CNN_ERROR_INVALID,
                 "cnn_model_layer_shape", "shape is NULL");
    EXPECT_FAILS(cnn_model_output_shape(shape, &rank, NULL), CNN_ERROR_INVALID,
                 "cnn_model_output_shape", "model is NULL");
    EXPECT_FAILS(cnn_model_output_shape(shape, NULL, model), CNN_ERROR_INVALID,
                 "cnn_model_output_shape", "rank is NULL");
    cnn_model_free(model);
}
END_TEST

/* ---- Graphs -------------------------------------------------------------------------------- */

START_TEST(inputs_are_named_by_number)
{
    cnn_model *model = model_new(context, picture, 3);
    cnn_layer *add = new_add(), *relu = new_relu();
    model_take(model, new_relu());
    model_take(model, new_conv2d(3, 1));
    model_take(model, new_conv2d(5, 1));
    static const struct {
        int32_t inputs[2];
        int32_t count;
        cnn_status status;
        const char *word;
    } rows[] = {
        /* A cycle: its own number; forward: that of the next one; dangling: of none. */
        {{0, 3},
         2,
         CNN_ERROR_INVALID,
         "layer \"add\": inputs[1] is 3, must be CNN_MODEL_INPUT (-1) or"},
        {{4, 0}, 2, CNN_ERROR_INVALID, "layer \"add\": inputs[0] is 4, must be"},
        {{-2, 0}, 2, CNN_ERROR_INVALID, "layer \"add\": inputs[0] is -2, must be"},
        {{0, 1}, 1, CNN_ERROR_INVALID, "\"add\" gets 1 inputs, a add takes 2 to 64"},
        {{0, 1}, 0, CNN_ERROR_INVALID, "gets 0 inputs"},
        {{0, 1}, -1, CNN_ERROR_INVALID, "gets -1 inputs"},
        {{0, 1}, 65, CNN_ERROR_INVALID, "gets 65 inputs"},
        {{0, 2}, 2, CNN_ERROR_SHAPE, "the inputs of layer \"add\" are [8][8][3] and [8][8][5]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT_FAILS(cnn_model_add_with_inputs(model, add, rows[i].inputs, rows[i].count),
                     rows[i].status, "cnn_model_add_with_inputs", rows[i].word);
    EXPECT_FAILS(cnn_model_add_with_inputs(model, add, NULL, 2), CNN_ERROR_INVALID,
                 "cnn_model_add_with_inputs", "inputs is NULL");
    EXPECT_FAILS(cnn_model_add_with_inputs(NULL, add, rows[0].inputs, 2), CNN_ERROR_INVALID,
                 "cnn_model_add_with_inputs", "model is NULL");
    EXPECT_FAILS(cnn_model_add_with_inputs(model, NULL, rows[0].inputs, 2), CNN_ERROR_INVALID,
                 "cnn_model_add_with_inputs", "layer is NULL");
    EXPECT_FAILS(cnn_model_add_with_inputs(model, relu, rows[0].inputs, 2), CNN_ERROR_INVALID,
                 "cnn_model_add_with_inputs", "\"relu\" gets 2 inputs, a relu takes 1 to 1");
    EXPECT_FAILS(cnn_model_add(model, add), CNN_ERROR_INVALID, "cnn_model_add", "gets 1 inputs");
    ck_assert_int_eq(cnn_model_layer_count(model), 3);
    EXPECT_OK(cnn_model_add_with_inputs(model, add, (int32_t[]){1, CNN_MODEL_INPUT}, 2));
    cnn_layer_free(add);
    cnn_layer_free(relu);
    cnn_model_free(model);
}
END_TEST

START_TEST(an_output_that_nobody_takes_is_refused)
{
    cnn_session *session;
    cnn_trainer *trainer;
    cnn_optimizer *optimizer;
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
    cnn_model *model = model_new(context, picture, 3);
    EXPECT_FAILS(cnn_session_create(&session, model, 1), CNN_ERROR_STATE, "cnn_session_create",
                 "no layers");
    EXPECT_FAILS(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, 1),
                 CNN_ERROR_STATE, "cnn_trainer_create", "no layers");
    model_take(model, new_conv2d(3, 1));
    cnn_layer *side = new_relu();
    EXPECT_OK(cnn_model_add_with_inputs(model, side, (int32_t[]){CNN_MODEL_INPUT}, 1));
    cnn_layer_free(side);
    EXPECT_FAILS(cnn_session_create(&session, model, 1), CNN_ERROR_STATE, "cnn_session_create",
                 "nobody takes the output of layer \"conv2d1\"");
    ck_assert_ptr_null(session);
    EXPECT_FAILS(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, 1),
                 CNN_ERROR_STATE, "cnn_trainer_create", "\"conv2d1\"");
    ck_assert_ptr_null(trainer);
    cnn_layer *add = new_add();
    EXPECT_OK(cnn_model_add_with_inputs(model, add, (int32_t[]){0, 1}, 2));
    cnn_layer_free(add);
    EXPECT_OK(cnn_session_create(&session, model, 1));
    cnn_session_free(session);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, 1));
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
}
END_TEST

/* ---- Parameters ---------------------------------------------------------------------------- */

START_TEST(parameters_have_names)
{
    static const char *const names[] = {"conv2d1.weight", "conv2d1.bias", "dense1.weight",
                                        "dense1.bias"};
    static const int64_t shapes[][4] = {{4, 3, 3, 3}, {4}, {3, 36}, {3}};
    static const int32_t ranks[] = {4, 1, 2, 1};
    cnn_model *model = model_chain(context);
    ck_assert_int_eq(cnn_model_parameter_count(model), 4);
    for (int32_t i = 0; i < 4; i++) {
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        ck_assert_str_eq(cnn_model_parameter_name(model, i), names[i]);
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, names[i]));
        check_shape(shape, rank, shapes[i], ranks[i]);
        cnn_tensor *values = tensor_noise(context, shape, rank, 3);
        cnn_tensor *got = tensor_new(context, CNN_FLOAT32, shape, rank);
        EXPECT_OK(cnn_model_set_parameter(model, names[i], values));
        EXPECT_OK(cnn_model_get_parameter(model, names[i], got));
        ck_assert(tensors_equal(values, got));
        EXPECT_FAILS(cnn_model_get_gradient(model, names[i], got), CNN_ERROR_STATE,
                     "cnn_model_get_gradient", "no backward pass");
        cnn_tensor_free(values);
        cnn_tensor_free(got);
    }
    ck_assert_ptr_null(cnn_model_parameter_name(model, 4));
    ck_assert_ptr_null(cnn_model_parameter_name(model, -1));
    cnn_model_free(model);
}
END_TEST

START_TEST(parameters_that_are_not_there_or_do_not_fit)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *model = model_chain(context);
    const uint64_t before = model_hash(model, context);
    cnn_tensor *values = TENSOR(context, CNN_FLOAT32, 3, 36);
    cnn_tensor *turned = TENSOR(context, CNN_FLOAT32, 36, 3);
    cnn_tensor *whole = TENSOR(context, CNN_INT32, 3, 36);
    static const char *const missing[] = {
        "", "conv2d1", "conv2d1.", "conv2d2.weight", "conv2d1.weight ", "relu1.weight"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        EXPECT_FAILS(cnn_model_parameter_shape(shape, &rank, model, missing[i]),
                     CNN_ERROR_NOT_FOUND, "cnn_model_parameter_shape", "has no parameter \"");
        EXPECT_FAILS(cnn_model_get_parameter(model, missing[i], values), CNN_ERROR_NOT_FOUND,
                     "cnn_model_get_parameter", missing[i]);
        EXPECT_FAILS(cnn_model_set_parameter(model, missing[i], values), CNN_ERROR_NOT_FOUND,
                     "cnn_model_set_parameter", missing[i]);
        EXPECT_FAILS(cnn_model_get_gradient(model, missing[i], values), CNN_ERROR_NOT_FOUND,
                     "cnn_model_get_gradient", missing[i]);
    }
    EXPECT_FAILS(cnn_model_get_parameter(model, "a\nb", values), CNN_ERROR_NOT_FOUND,
                 "cnn_model_get_parameter", "a\\x0Ab");
    cnn_tensor *wrong[] = {turned, whole};
    for (int32_t i = 0; i < 2; i++) {
        ck_assert_int_eq(cnn_model_get_parameter(model, "dense1.weight", wrong[i]),
                         CNN_ERROR_SHAPE);
        EXPECT_FAILS(cnn_model_set_parameter(model, "dense1.weight", wrong[i]), CNN_ERROR_SHAPE,
                     "cnn_model_set_parameter", "\"dense1\" is float32 [3][36]");
        ck_assert_int_eq(cnn_model_get_gradient(model, "dense1.weight", wrong[i]), CNN_ERROR_SHAPE);
    }
    ck_assert_int_eq(cnn_model_set_parameter(model, "dense1.weight", NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_set_parameter(model, NULL, values), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_get_parameter(model, NULL, values), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_get_gradient(model, NULL, values), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_parameter_shape(shape, &rank, model, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_parameter_shape(NULL, &rank, model, "dense1.bias"),
                     CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_set_parameter(NULL, "dense1.weight", values), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_get_parameter(NULL, "dense1.weight", values), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_get_gradient(NULL, "dense1.weight", values), CNN_ERROR_INVALID);
    ck_assert_uint_eq(model_hash(model, context), before);
    cnn_tensor_free(values);
    cnn_tensor_free(turned);
    cnn_tensor_free(whole);
    cnn_model_free(model);
}
END_TEST

START_TEST(equal_programs_get_equal_weights)
{
    uint64_t hashes[3];
    for (int32_t i = 0; i < 3; i++) {
        EXPECT_OK(cnn_context_set_seed(context, i == 2 ? 8 : 7));
        cnn_model *model = model_chain(context);
        hashes[i] = model_hash(model, context);
        cnn_model_free(model);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
    ck_assert_uint_ne(hashes[0], hashes[2]);
}
END_TEST

static Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, an_empty_model_knows_its_input);
    tcase_add_test(tcase, creating_refuses_what_cannot_be);
    tcase_add_test(tcase, a_chain_is_built_as_it_is_added);
    tcase_add_test(tcase, layers_are_named_by_kind_and_number);
    tcase_add_test(tcase, adding_refuses_what_does_not_fit);
    tcase_add_test(tcase, a_layer_is_in_one_model_at_a_time);
    tcase_add_test(tcase, contexts_are_not_mixed);
    tcase_add_test(tcase, there_is_a_limit_of_layers);
    tcase_add_test(tcase, a_failed_addition_leaves_the_layer_unbuilt);
    tcase_add_test(tcase, sessions_and_trainers_close_the_graph);
    tcase_add_test(tcase, failed_plans_leave_the_graph_open);
    tcase_add_test(tcase, null_is_answered);
    tcase_add_test(tcase, inputs_are_named_by_number);
    tcase_add_test(tcase, an_output_that_nobody_takes_is_refused);
    tcase_add_test(tcase, parameters_have_names);
    tcase_add_test(tcase, parameters_that_are_not_there_or_do_not_fit);
    tcase_add_test(tcase, equal_programs_get_equal_weights);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_suite());
}
