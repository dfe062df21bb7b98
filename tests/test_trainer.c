/* SPDX-License-Identifier: MIT
 * Trainers, their steps and the optimizers' settings: every documented error, what a step changes
 * and what a failed one does not, memory, and who may use the model during a step.  Whole epochs
 * are tested in test_fit.c, the numbers in test_training.c. */
#include <math.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static struct accounts accounts;
static cnn_context *context;
static cnn_optimizer *optimizer;

/* What a test does from inside a step: the host's parallel_for calls it once, then runs the
 * items. */
static void (*inside)(void);

static void parallel_for(void *user, int64_t count, cnn_task_fn run, void *task)
{
    void (*call)(void) = inside;
    (void)user;
    inside = NULL;
    if (call != NULL)
        call();
    for (int64_t i = count - 1; i >= 0; i--)
        run(task, i);
}

/* At the level that CNN_CPU names. */
static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 2));
    EXPECT_OK(cnn_context_set_parallel_for(context, parallel_for, NULL));
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.1));
}

static void tear_down(void)
{
    cnn_optimizer_free(optimizer);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

/* ---- Creating ------------------------------------------------------------------------------ */

START_TEST(creating_refuses_what_cannot_be)
{
    static const int64_t batches[] = {0, -1, INT64_C(1) << 31, INT64_MAX};
    static const cnn_loss losses[] = {0, 4, -1, INT32_MAX};
    cnn_model *model = model_chain(context), *empty = model_new(context, (int64_t[]){4}, 1);
    cnn_model *picture = model_new(context, (int64_t[]){4, 4, 2}, 3);
    cnn_layer *layer;
    cnn_trainer *trainer = (cnn_trainer *)&trainer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(picture, layer);
    EXPECT_FAILS(cnn_trainer_create(NULL, model, optimizer, CNN_MEAN_SQUARED_ERROR, 2),
                 CNN_ERROR_INVALID, "cnn_trainer_create", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_create(&trainer, NULL, optimizer, CNN_MEAN_SQUARED_ERROR, 2),
                 CNN_ERROR_INVALID, "cnn_trainer_create", "model is NULL");
    ck_assert_ptr_null(trainer);
    EXPECT_FAILS(cnn_trainer_create(&trainer, model, NULL, CNN_MEAN_SQUARED_ERROR, 2),
                 CNN_ERROR_INVALID, "cnn_trainer_create", "optimizer is NULL");
    for (int32_t i = 0; i < 4; i++) {
        trainer = (cnn_trainer *)&trainer;
        EXPECT_FAILS(
            cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, batches[i]),
            CNN_ERROR_INVALID, "cnn_trainer_create", "the batch is ");
        EXPECT_FAILS(cnn_trainer_create(&trainer, model, optimizer, losses[i], 2),
                     CNN_ERROR_INVALID, "cnn_trainer_create",
                     "must be one of CNN_SOFTMAX_CROSS_ENTROPY");
        ck_assert_ptr_null(trainer);
        ck_assert_str_eq(cnn_loss_name(losses[i]), "unknown loss");
    }
    EXPECT_FAILS(cnn_trainer_create(&trainer, empty, optimizer, CNN_MEAN_SQUARED_ERROR, 2),
                 CNN_ERROR_STATE, "cnn_trainer_create", "no layers");
    EXPECT_FAILS(cnn_trainer_create(&trainer, picture, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2),
                 CNN_ERROR_SHAPE, "cnn_trainer_create",
                 "the model's output is [4][4][2], softmax_cross_entropy takes [classes]");
    EXPECT_OK(cnn_trainer_create(&trainer, picture, optimizer, CNN_BINARY_CROSS_ENTROPY, 2));
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    cnn_trainer_free(trainer);
    cnn_trainer_free(NULL);
    cnn_model_free(model);
    cnn_model_free(empty);
    cnn_model_free(picture);
}
END_TEST

START_TEST(one_trainer_at_a_time)
{
    cnn_model *model = model_chain(context), *other_model = model_chain(context);
    cnn_optimizer *other;
    cnn_trainer *trainer, *second;
    EXPECT_OK(cnn_adam_create(&other, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    EXPECT_FAILS(cnn_trainer_create(&second, model, other, CNN_SOFTMAX_CROSS_ENTROPY, 2),
                 CNN_ERROR_STATE, "cnn_trainer_create", "the model belongs to another trainer");
    ck_assert_ptr_null(second);
    const size_t bytes = accounts.bytes;
    EXPECT_FAILS(cnn_trainer_create(&second, other_model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2),
                 CNN_ERROR_STATE, "cnn_trainer_create", "the optimizer belongs to another trainer");
    ck_assert_ptr_null(second);
    ck_assert_uint_eq(accounts.bytes, bytes); /* nothing was left with the model */
    EXPECT_OK(cnn_trainer_create(&second, other_model, other, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    cnn_trainer_free(trainer);
    cnn_trainer_free(second);
    cnn_optimizer_free(other);
    cnn_model_free(model);
    cnn_model_free(other_model);
}
END_TEST

START_TEST(names_of_losses)
{
    ck_assert_str_eq(cnn_loss_name(CNN_SOFTMAX_CROSS_ENTROPY), "softmax_cross_entropy");
    ck_assert_str_eq(cnn_loss_name(CNN_BINARY_CROSS_ENTROPY), "binary_cross_entropy");
    ck_assert_str_eq(cnn_loss_name(CNN_MEAN_SQUARED_ERROR), "mean_squared_error");
}
END_TEST

/* ---- A trainer with a batch ---------------------------------------------------------------- */

/* A chain, its trainer for batches of 4, and one batch. */
static cnn_model *model;
static cnn_trainer *trainer;
static cnn_tensor *inputs, *targets, *outputs;
static cnn_session *session;

static void set_up_trainer(void)
{
    set_up();
    model = model_dropout(context);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, 4));
    EXPECT_OK(cnn_session_create(&session, model, 4));
    inputs = model_inputs(model, context, 4, 1);
    outputs = model_outputs(model, context, 4);
    targets = tensor_labels(context, 4, 3);
}

static void tear_down_trainer(void)
{
    cnn_session_free(session);
    cnn_trainer_free(trainer);
    cnn_tensor_free(inputs);
    cnn_tensor_free(outputs);
    cnn_tensor_free(targets);
    cnn_model_free(model);
    tear_down();
}

START_TEST(steps_change_weights_and_say_the_loss)
{
    double first, loss = -1;
    uint64_t hash = model_hash(model, context);
    EXPECT_OK(trainer_step(&first, trainer, inputs, targets));
    ck_assert(first > 0 && first < 10);
    for (int32_t i = 0; i < 30; i++) {
        const uint64_t before = hash;
        EXPECT_OK(trainer_step(i % 2 ? &loss : NULL, trainer, inputs, targets));
        hash = model_hash(model, context);
        ck_assert_uint_ne(hash, before);
    }
    ck_assert(loss >= 0 && loss < first);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 31);
}
END_TEST

START_TEST(smaller_batches_are_trained_on)
{
    for (int64_t n = 1; n <= 4; n++) {
        const uint64_t before = model_hash(model, context);
        cnn_tensor *few = model_inputs(model, context, n, 2),
                   *classes = tensor_labels(context, n, 3);
        EXPECT_OK(trainer_step(NULL, trainer, few, classes));
        ck_assert_uint_ne(model_hash(model, context), before);
        cnn_tensor_free(few);
        cnn_tensor_free(classes);
    }
}
END_TEST

START_TEST(label_smoothing_is_for_cross_entropy)
{
    static const double bad[] = {-0.1, 1, 1.5, NAN, INFINITY};
    EXPECT_OK(cnn_trainer_set_label_smoothing(trainer, 0.1));
    EXPECT_OK(cnn_trainer_set_label_smoothing(trainer, 0));
    for (int32_t i = 0; i < 5; i++)
        EXPECT_FAILS(cnn_trainer_set_label_smoothing(trainer, bad[i]), CNN_ERROR_INVALID,
                     "cnn_trainer_set_label_smoothing", "must be at least 0 and below 1");
    EXPECT_FAILS(cnn_trainer_set_label_smoothing(NULL, 0.1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_label_smoothing", "trainer is NULL");
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, 4));
    EXPECT_FAILS(cnn_trainer_set_label_smoothing(trainer, 0.1), CNN_ERROR_INVALID,
                 "cnn_trainer_set_label_smoothing",
                 "the loss is mean_squared_error, must be softmax_cross_entropy");
}
END_TEST

/* ---- Errors of steps ----------------------------------------------------------------------- */

/* A batch that the trainer does not take, for inputs or targets. */
struct misfit {
    cnn_dtype dtype;
    int64_t shape[4];
    int32_t rank;
    const char *word;
};

static const struct misfit misfit_inputs[] = {
    {CNN_FLOAT32,
     {4, 8, 8, 1},
     4,
     "inputs[0] is float32 [4][8][8][1], must be float32 [n][8][8][3]"},
    {CNN_FLOAT32, {8, 8, 3}, 3, "inputs[0] is float32 [8][8][3]"},
    {CNN_INT32, {4, 8, 8, 3}, 4, "inputs[0] is int32"},
    {CNN_FLOAT32, {5, 8, 8, 3}, 4, "inputs[0] has 5 samples, must have at most 4"},
};

static const struct misfit misfit_targets[] = {
    {CNN_INT32, {3}, 1, "targets[0] has 3 samples, must have 4"},
    {CNN_INT32, {5}, 1, "targets[0] has 5 samples"},
    {CNN_INT32, {4, 1}, 2, "targets[0] is int32 [4][1], must be int32 [n]"},
    {CNN_FLOAT32, {4}, 1, "targets[0] is float32 [4], must be float32 [n][3]"},
    {CNN_FLOAT32, {4, 2}, 2, "targets[0] is float32 [4][2]"},
    {CNN_FLOAT32, {3, 3}, 2, "targets[0] has 3 samples"},
    {CNN_UINT8, {4}, 1, "targets[0] is uint8 [4]"},
};

START_TEST(steps_refuse_what_does_not_fit)
{
    double loss = 5;
    const uint64_t before = model_hash(model, context);
    for (size_t i = 0; i < sizeof misfit_inputs / sizeof misfit_inputs[0]; i++) {
        const struct misfit *row = &misfit_inputs[i];
        cnn_tensor *bad = tensor_new(context, row->dtype, row->shape, row->rank);
        EXPECT_FAILS(trainer_step(&loss, trainer, bad, targets), CNN_ERROR_SHAPE,
                     "cnn_trainer_step", row->word);
        cnn_tensor_free(bad);
    }
    for (size_t i = 0; i < sizeof misfit_targets / sizeof misfit_targets[0]; i++) {
        const struct misfit *row = &misfit_targets[i];
        cnn_tensor *bad = tensor_new(context, row->dtype, row->shape, row->rank);
        EXPECT_FAILS(trainer_step(&loss, trainer, inputs, bad), CNN_ERROR_SHAPE, "cnn_trainer_step",
                     row->word);
        cnn_tensor_free(bad);
    }
    static const int32_t classes[] = {3, -1, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < 4; i++) {
        labels(targets)[2] = classes[i];
        EXPECT_FAILS(trainer_step(&loss, trainer, inputs, targets), CNN_ERROR_INVALID,
                     "cnn_trainer_step", "must be 0 to 2");
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "label 2 is "));
    }
    labels(targets)[2] = 2;
    ck_assert_uint_eq(model_hash(model, context), before);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 0);
    EXPECT_OK(trainer_step(&loss, trainer, inputs, targets));
}
END_TEST

/* The weights after two steps of a model with dropout, with a refused step between them or
 * without. */
static uint64_t hash_after_steps(int32_t refused)
{
    cnn_optimizer *sgd;
    cnn_trainer *twin_trainer;
    EXPECT_OK(cnn_context_set_seed(context, 3));
    cnn_model *twin = model_dropout(context);
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&twin_trainer, twin, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 4));
    EXPECT_OK(trainer_step(NULL, twin_trainer, inputs, targets));
    if (refused)
        ck_assert_int_eq(trainer_step(NULL, twin_trainer, outputs, targets), CNN_ERROR_SHAPE);
    EXPECT_OK(trainer_step(NULL, twin_trainer, inputs, targets));
    const uint64_t hash = model_hash(twin, context);
    cnn_trainer_free(twin_trainer);
    cnn_optimizer_free(sgd);
    cnn_model_free(twin);
    return hash;
}

START_TEST(a_refused_step_does_not_move_dropout)
{
    ck_assert_uint_eq(hash_after_steps(0), hash_after_steps(1));
}
END_TEST

START_TEST(steps_refuse_null_and_other_counts)
{
    static const int32_t counts[] = {0, 2, -1, INT32_MAX};
    const cnn_tensor *input = inputs, *target = targets, *none = NULL;
    double loss;
    EXPECT_FAILS(cnn_trainer_step(&loss, NULL, &input, 1, &target, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_step", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_step(&loss, trainer, NULL, 1, &target, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_step", "inputs is NULL");
    EXPECT_FAILS(cnn_trainer_step(&loss, trainer, &none, 1, &target, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_step", "inputs[0] is NULL");
    EXPECT_FAILS(cnn_trainer_step(&loss, trainer, &input, 1, NULL, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_step", "targets is NULL");
    EXPECT_FAILS(cnn_trainer_step(&loss, trainer, &input, 1, &none, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_step", "targets[0] is NULL");
    for (int32_t i = 0; i < 4; i++) {
        EXPECT_FAILS(cnn_trainer_step(&loss, trainer, &input, counts[i], &target, 1),
                     CNN_ERROR_INVALID, "cnn_trainer_step", "input_count is ");
        EXPECT_FAILS(cnn_trainer_step(&loss, trainer, &input, 1, &target, counts[i]),
                     CNN_ERROR_INVALID, "cnn_trainer_step", "target_count is ");
    }
    cnn_trainer_cancel(NULL);
    ck_assert_uint_eq(cnn_trainer_bytes(NULL), 0);
}
END_TEST

START_TEST(binary_targets_are_labels_or_numbers)
{
    cnn_model *yes_or_no = model_new(context, (int64_t[]){5}, 1);
    cnn_trainer *binary;
    cnn_layer *layer;
    double loss;
    EXPECT_OK(cnn_dense_create(&layer, context, 1));
    model_take(yes_or_no, layer);
    cnn_trainer_free(trainer);
    EXPECT_OK(cnn_trainer_create(&binary, yes_or_no, optimizer, CNN_BINARY_CROSS_ENTROPY, 4));
    cnn_tensor *x = model_inputs(yes_or_no, context, 4, 1), *answers = tensor_labels(context, 4, 2);
    cnn_tensor *shares = TENSOR(context, CNN_FLOAT32, 4, 1);
    EXPECT_OK(trainer_step(&loss, binary, x, answers));
    EXPECT_OK(trainer_step(&loss, binary, x, shares));
    labels(answers)[1] = 2;
    EXPECT_FAILS(trainer_step(&loss, binary, x, answers), CNN_ERROR_INVALID, "cnn_trainer_step",
                 "label 1 is 2, must be 0 to 1");
    cnn_tensor_free(x);
    cnn_tensor_free(answers);
    cnn_tensor_free(shares);
    cnn_trainer_free(binary);
    cnn_model_free(yes_or_no);
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_MEAN_SQUARED_ERROR, 4));
    EXPECT_FAILS(trainer_step(&loss, trainer, inputs, targets), CNN_ERROR_SHAPE, "cnn_trainer_step",
                 "targets[0] is int32 [4], must be float32 [n][3]");
    EXPECT_OK(trainer_step(&loss, trainer, inputs, outputs));
}
END_TEST

/* ---- The parts of a step ------------------------------------------------------------------- */

static cnn_status forward(cnn_tensor *to, const cnn_tensor *from)
{
    return cnn_trainer_forward(trainer, &to, 1, &from, 1);
}

static cnn_status backward(const cnn_tensor *gradients)
{
    return cnn_trainer_backward(trainer, &gradients, 1);
}

START_TEST(parts_come_in_their_order)
{
    const uint64_t before = model_hash(model, context);
    EXPECT_FAILS(backward(outputs), CNN_ERROR_STATE, "cnn_trainer_backward",
                 "no cnn_trainer_forward() came before");
    EXPECT_FAILS(cnn_trainer_update(trainer), CNN_ERROR_STATE, "cnn_trainer_update",
                 "no cnn_trainer_backward() came before");
    EXPECT_OK(forward(outputs, inputs));
    EXPECT_FAILS(cnn_trainer_update(trainer), CNN_ERROR_STATE, "cnn_trainer_update", "backward");
    fill_tensor(outputs, 4);
    EXPECT_OK(backward(outputs));
    EXPECT_FAILS(backward(outputs), CNN_ERROR_STATE, "cnn_trainer_backward", "forward");
    EXPECT_OK(forward(outputs, inputs)); /* gradients of two passes add up */
    EXPECT_OK(backward(outputs));
    ck_assert_uint_eq(model_hash(model, context), before);
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 0);
    EXPECT_OK(cnn_trainer_update(trainer));
    ck_assert_int_eq(cnn_optimizer_steps(optimizer), 1);
    ck_assert_uint_ne(model_hash(model, context), before);
    EXPECT_FAILS(cnn_trainer_update(trainer), CNN_ERROR_STATE, "cnn_trainer_update", "backward");
    EXPECT_OK(forward(outputs, inputs));
    EXPECT_OK(
        trainer_step(NULL, trainer, inputs, targets)); /* overwrites what backward would read */
    EXPECT_FAILS(backward(outputs), CNN_ERROR_STATE, "cnn_trainer_backward", "forward");
}
END_TEST

START_TEST(parts_refuse_what_does_not_fit)
{
    cnn_tensor *const none = NULL;
    cnn_tensor *three = TENSOR(context, CNN_FLOAT32, 3, 3),
               *wide = TENSOR(context, CNN_FLOAT32, 4, 4);
    const cnn_tensor *input = inputs, *gradient = outputs;
    for (size_t i = 0; i < sizeof misfit_inputs / sizeof misfit_inputs[0]; i++) {
        const struct misfit *row = &misfit_inputs[i];
        cnn_tensor *bad = tensor_new(context, row->dtype, row->shape, row->rank);
        EXPECT_FAILS(forward(outputs, bad), CNN_ERROR_SHAPE, "cnn_trainer_forward", row->word);
        cnn_tensor_free(bad);
    }
    EXPECT_FAILS(forward(three, inputs), CNN_ERROR_SHAPE, "cnn_trainer_forward",
                 "outputs has 3 samples, must have 4");
    EXPECT_FAILS(forward(wide, inputs), CNN_ERROR_SHAPE, "cnn_trainer_forward",
                 "outputs is float32 [4][4]");
    EXPECT_FAILS(forward(none, inputs), CNN_ERROR_INVALID, "cnn_trainer_forward",
                 "outputs is NULL");
    EXPECT_FAILS(forward(outputs, NULL), CNN_ERROR_INVALID, "cnn_trainer_forward",
                 "inputs[0] is NULL");
    EXPECT_FAILS(cnn_trainer_forward(NULL, &outputs, 1, &input, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_forward", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_forward(trainer, NULL, 1, &input, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_forward", "outputs is NULL");
    EXPECT_FAILS(cnn_trainer_forward(trainer, &outputs, 1, NULL, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_forward", "inputs is NULL");
    EXPECT_FAILS(cnn_trainer_forward(trainer, &outputs, 2, &input, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_forward", "there are 2 outputs, must be 1");
    EXPECT_FAILS(cnn_trainer_forward(trainer, &outputs, 1, &input, 0), CNN_ERROR_INVALID,
                 "cnn_trainer_forward", "input_count is 0");
    cnn_tensor *over;
    EXPECT_OK(cnn_tensor_wrap(&over, context, CNN_FLOAT32, (int64_t[]){4, 3}, 2, floats(inputs),
                              NULL, NULL));
    EXPECT_FAILS(forward(over, inputs), CNN_ERROR_INVALID, "cnn_trainer_forward",
                 "outputs[0] and inputs[0] share the same memory");
    cnn_tensor_free(over);
    EXPECT_OK(forward(outputs, inputs));
    EXPECT_FAILS(backward(three), CNN_ERROR_SHAPE, "cnn_trainer_backward",
                 "output_gradients has 3 samples, must have 4");
    EXPECT_FAILS(backward(wide), CNN_ERROR_SHAPE, "cnn_trainer_backward",
                 "output_gradients is float32 [4][4]");
    EXPECT_FAILS(backward(NULL), CNN_ERROR_INVALID, "cnn_trainer_backward", "is NULL");
    EXPECT_FAILS(cnn_trainer_backward(trainer, NULL, 1), CNN_ERROR_INVALID, "cnn_trainer_backward",
                 "output_gradients is NULL");
    EXPECT_FAILS(cnn_trainer_backward(trainer, &gradient, 3), CNN_ERROR_INVALID,
                 "cnn_trainer_backward", "there are 3 output_gradients");
    EXPECT_FAILS(cnn_trainer_backward(NULL, &gradient, 1), CNN_ERROR_INVALID,
                 "cnn_trainer_backward", "trainer is NULL");
    EXPECT_FAILS(cnn_trainer_update(NULL), CNN_ERROR_INVALID, "cnn_trainer_update",
                 "trainer is NULL");
    EXPECT_OK(backward(outputs)); /* the forward is still good */
    EXPECT_OK(cnn_trainer_update(trainer));
    cnn_tensor_free(three);
    cnn_tensor_free(wide);
}
END_TEST

START_TEST(a_forward_shares_its_inputs)
{
    cnn_tensor *given = tensor_like(context, inputs);
    EXPECT_OK(cnn_tensor_copy(given, inputs));
    EXPECT_OK(forward(outputs, given));
    cnn_tensor_free(given);
    EXPECT_OK(backward(outputs));
    EXPECT_OK(cnn_trainer_update(trainer));
    given = tensor_like(context, inputs);
    EXPECT_OK(forward(outputs, given));
    cnn_tensor_free(given); /* and the trainer is freed between forward and backward */
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------- */

enum { HEADER = 64 }; /* what lib/base/memory.c puts before each block */

START_TEST(steps_allocate_nothing)
{
    const int64_t calls = accounts.calls;
    for (int32_t i = 0; i < 3; i++)
        EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
    EXPECT_OK(forward(outputs, inputs));
    EXPECT_OK(backward(outputs));
    EXPECT_OK(cnn_trainer_update(trainer));
    EXPECT_OK(session_predict(session, outputs, inputs));
    ck_assert_int_eq(accounts.calls, calls);
}
END_TEST

static cnn_status (*const optimizers[])(cnn_optimizer **, cnn_context *, double) = {
    cnn_sgd_create, cnn_adam_create, cnn_adamw_create};

START_TEST(bytes_are_those_of_the_allocator)
{
    cnn_trainer_free(trainer);
    for (int32_t i = 0; i < 3; i++) {
        cnn_optimizer *made;
        EXPECT_OK(optimizers[i](&made, context, 0.1));
        const size_t bytes = accounts.bytes;
        const int64_t blocks = accounts.blocks;
        EXPECT_OK(cnn_trainer_create(&trainer, model, made, CNN_SOFTMAX_CROSS_ENTROPY, 4));
        ck_assert_uint_eq(accounts.bytes - bytes,
                          cnn_trainer_bytes(trainer) + (size_t)(accounts.blocks - blocks) * HEADER);
        cnn_trainer_free(trainer);
        ck_assert_uint_eq(accounts.bytes, bytes);
        cnn_optimizer_free(made);
    }
    trainer = NULL;
}
END_TEST

/* ---- Inside a step ------------------------------------------------------------------------- */

static cnn_tensor *inner_outputs, *inner_weights;
static cnn_status statuses[16];
static char texts[16][200];
static int32_t asked;

static void note(cnn_status status)
{
    strncpy(texts[asked], cnn_error_message(), sizeof texts[0] - 1);
    statuses[asked++] = status;
}

static void use_the_model(void)
{
    cnn_tensor *bytes = NULL;
    note(session_predict(session, inner_outputs, inputs));
    note(cnn_model_set_parameter(model, "conv2d1.bias", inner_weights));
    note(cnn_layer_set_parameter(cnn_model_layer(model, 0), CNN_BIAS, inner_weights));
    note(cnn_model_save_memory(&bytes, model));
    note(cnn_model_save(model, "no-such-folder/model.cnn"));
    note(trainer_step(NULL, trainer, inputs, targets));
    note(forward(inner_outputs, inputs));
    ck_assert_ptr_null(bytes);
}

START_TEST(during_a_step_the_model_is_the_trainers)
{
    inner_outputs = tensor_like(context, outputs);
    inner_weights = TENSOR(context, CNN_FLOAT32, 4);
    const uint64_t wanted = hash_after_steps(0);
    for (int32_t part = 0; part < 4; part++) {
        asked = 0;
        inside = part == 3 ? NULL : use_the_model;
        if (part == 0)
            EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
        else if (part == 1)
            EXPECT_OK(forward(outputs, inputs));
        else if (part == 2)
            EXPECT_OK(backward(outputs));
        else
            EXPECT_OK(cnn_trainer_update(trainer));
        ck_assert_ptr_null(inside); /* it was called */
        ck_assert_int_eq(asked, part == 3 ? 0 : 7);
        for (int32_t i = 0; i < asked; i++) {
            ck_assert_msg(statuses[i] == CNN_ERROR_STATE, "part %d, call %d: %s", part, i,
                          cnn_status_name(statuses[i]));
            ck_assert_msg(strstr(texts[i], "in the middle of a training step") != NULL, "%s",
                          texts[i]);
        }
    }
    EXPECT_OK(session_predict(session, outputs, inputs));
    ck_assert_uint_eq(hash_after_steps(0), wanted);
    cnn_tensor_free(inner_outputs);
    cnn_tensor_free(inner_weights);
}
END_TEST

static void train_while_predicting(void)
{
    note(trainer_step(NULL, trainer, inputs, targets));
    note(session_predict(session, inner_outputs, inputs)); /* another session would be fine */
    note(cnn_layer_set_parameter(cnn_model_layer(model, 0), CNN_BIAS, inner_weights));
}

START_TEST(no_step_while_others_predict)
{
    cnn_session *other;
    EXPECT_OK(cnn_session_create(&other, model, 4));
    inner_outputs = tensor_like(context, outputs);
    inner_weights = TENSOR(context, CNN_FLOAT32, 4);
    EXPECT_OK(cnn_tensor_fill(inner_weights, 1));
    const uint64_t before = model_hash(model, context);
    asked = 0;
    inside = train_while_predicting;
    EXPECT_OK(session_predict(other, outputs, inputs));
    ck_assert_int_eq(asked, 3);
    ck_assert_int_eq(statuses[0], CNN_ERROR_STATE);
    ck_assert_ptr_nonnull(strstr(texts[0], "cnn_trainer_step: 1 other calls are reading"));
    ck_assert_int_eq(statuses[1], CNN_OK);
    ck_assert_int_eq(statuses[2], CNN_ERROR_STATE);
    ck_assert_ptr_nonnull(strstr(texts[2], "cnn_layer_set_parameter: 1 other calls are reading"));
    ck_assert(tensors_equal(outputs, inner_outputs));
    ck_assert_uint_eq(model_hash(model, context), before);
    EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
    cnn_session_free(other);
    cnn_tensor_free(inner_outputs);
    cnn_tensor_free(inner_weights);
}
END_TEST

static cnn_loader *inner_loader;

static void evaluate_the_model(void)
{
    note(cnn_trainer_evaluate(NULL, NULL, trainer, inner_loader));
}

static void predict_with_the_model(void)
{
    note(session_predict(session, inner_outputs, inputs));
    note(cnn_model_set_parameter(model, "conv2d1.bias", inner_weights));
}

/* An evaluation only reads the weights: it may run inside a prediction, and one inside it. */
START_TEST(evaluating_and_predicting_go_together)
{
    cnn_dataset *dataset = dataset_pictures(context, 4);
    EXPECT_OK(cnn_loader_create(&inner_loader, dataset, model, 4));
    EXPECT_OK(cnn_loader_set_threads(inner_loader, 0));
    inner_outputs = tensor_like(context, outputs);
    inner_weights = TENSOR(context, CNN_FLOAT32, 4);
    asked = 0;
    inside = evaluate_the_model;
    EXPECT_OK(session_predict(session, outputs, inputs));
    inside = predict_with_the_model;
    EXPECT_OK(cnn_trainer_evaluate(NULL, NULL, trainer, inner_loader));
    ck_assert_int_eq(asked, 3);
    ck_assert_msg(statuses[0] == CNN_OK, "%s", texts[0]);
    ck_assert_msg(statuses[1] == CNN_OK, "%s", texts[1]);
    ck_assert_int_eq(statuses[2], CNN_ERROR_STATE);
    ck_assert(tensors_equal(outputs, inner_outputs));
    EXPECT_OK(trainer_step(NULL, trainer, inputs, targets));
    cnn_tensor_free(inner_outputs);
    cnn_tensor_free(inner_weights);
    cnn_loader_free(inner_loader);
    cnn_dataset_free(dataset);
}
END_TEST

static Suite *trainer_suite(void)
{
    Suite *suite = suite_create("trainer");
    TCase *tcase = tcase_create("creating");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, creating_refuses_what_cannot_be);
    tcase_add_test(tcase, one_trainer_at_a_time);
    tcase_add_test(tcase, names_of_losses);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("steps");
    tcase_add_checked_fixture(tcase, set_up_trainer, tear_down_trainer);
    tcase_add_test(tcase, steps_change_weights_and_say_the_loss);
    tcase_add_test(tcase, smaller_batches_are_trained_on);
    tcase_add_test(tcase, label_smoothing_is_for_cross_entropy);
    tcase_add_test(tcase, steps_refuse_what_does_not_fit);
    tcase_add_test(tcase, a_refused_step_does_not_move_dropout);
    tcase_add_test(tcase, steps_refuse_null_and_other_counts);
    tcase_add_test(tcase, binary_targets_are_labels_or_numbers);
    tcase_add_test(tcase, parts_come_in_their_order);
    tcase_add_test(tcase, parts_refuse_what_does_not_fit);
    tcase_add_test(tcase, a_forward_shares_its_inputs);
    tcase_add_test(tcase, steps_allocate_nothing);
    tcase_add_test(tcase, bytes_are_those_of_the_allocator);
    tcase_add_test(tcase, during_a_step_the_model_is_the_trainers);
    tcase_add_test(tcase, no_step_while_others_predict);
    tcase_add_test(tcase, evaluating_and_predicting_go_together);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(trainer_suite());
}
