/* SPDX-License-Identifier: MIT
 * Whole training steps against PyTorch, and that a step is the sum of its parts.  The losses
 * alone are in test_losses.c, the updates in test_optimizers.c, refusals in test_trainer.c,
 * epochs in test_fit.c. */
#include <stdio.h>
#include <string.h>

#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

/* As in the fixtures: 20 samples in batches of 8, 8 and 4, over and over. */
enum { STEPS = 20, BATCH = 8, SAMPLES = 20, CLASSES = 4, PIXELS = 10 * 10 * 3 };

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    torch_open("training");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- The network of the fixtures ----------------------------------------------------------- */

/* Ours, theirs. */
static const char *const parameters[][2] = {
    {"conv2d1.weight", "conv1.weight"}, {"conv2d1.bias", "conv1.bias"},
    {"conv2d2.weight", "conv2.weight"}, {"conv2d2.bias", "conv2.bias"},
    {"dense1.weight", "dense1.weight"}, {"dense1.bias", "dense1.bias"},
    {"dense2.weight", "dense2.weight"}, {"dense2.bias", "dense2.bias"},
};
enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

static void take_conv2d(cnn_model *model, int64_t filters, int64_t padding)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding(layer, padding, padding));
    model_take(model, layer);
}

static void take_dense(cnn_model *model, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    model_take(model, layer);
}

static void take_plain(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    model_take(model, layer);
}

static cnn_model *network(void)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){10, 10, 3}, 3);
    take_conv2d(model, 8, 1);
    take_plain(model, cnn_relu_create);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    take_conv2d(model, 12, 0);
    take_plain(model, cnn_relu_create);
    take_plain(model, cnn_flatten_create);
    take_dense(model, 16);
    take_plain(model, cnn_relu_create);
    take_dense(model, CLASSES);
    take_plain(model, cnn_softmax_create);
    for (int32_t i = 0; i < PARAMETERS; i++) {
        cnn_tensor *values = torch_tensor(context, "given", parameters[i][1]);
        EXPECT_OK(cnn_model_set_parameter(model, parameters[i][0], values));
        cnn_tensor_free(values);
    }
    return model;
}

/* Samples `first` .. `end` - 1. */
struct batch {
    cnn_tensor *x, *labels;
};

static struct batch batch_of(int64_t first, int64_t end)
{
    int64_t n = end - first;
    struct batch batch = {TENSOR(context, CNN_FLOAT32, n, 10, 10, 3),
                          TENSOR(context, CNN_INT32, n)};
    cnn_tensor *x = torch_tensor_nhwc(context, "given", "x");
    cnn_tensor *all = torch_tensor(context, "given", "labels");
    memcpy(floats(batch.x), floats(x) + first * PIXELS, cnn_tensor_bytes(batch.x));
    memcpy(labels(batch.labels), labels(all) + first, cnn_tensor_bytes(batch.labels));
    cnn_tensor_free(x);
    cnn_tensor_free(all);
    return batch;
}

static struct batch batch_number(int64_t step)
{
    static const int64_t ends[] = {0, 8, 16, SAMPLES};
    return batch_of(ends[step % 3], ends[step % 3 + 1]);
}

static void free_batch(struct batch *batch)
{
    cnn_tensor_free(batch->x);
    cnn_tensor_free(batch->labels);
}

/* ---- Against PyTorch ----------------------------------------------------------------------- */

static cnn_optimizer *nesterov(void)
{
    cnn_optimizer *optimizer;
    EXPECT_OK(cnn_sgd_create(&optimizer, context, 0.05));
    EXPECT_OK(cnn_sgd_set_momentum(optimizer, 0.9));
    EXPECT_OK(cnn_sgd_set_nesterov(optimizer, 1));
    EXPECT_OK(cnn_optimizer_set_weight_decay(optimizer, 1e-3));
    EXPECT_OK(cnn_optimizer_set_clip_norm(optimizer, 1));
    EXPECT_OK(cnn_optimizer_set_schedule_cosine(optimizer, STEPS, 0));
    return optimizer;
}

static cnn_optimizer *adamw(void)
{
    cnn_optimizer *optimizer;
    EXPECT_OK(cnn_adamw_create(&optimizer, context, 0.004));
    EXPECT_OK(cnn_optimizer_set_weight_decay(optimizer, 0.05));
    return optimizer;
}

static const struct {
    const char *name;
    cnn_optimizer *(*create)(void);
} runs[] = {{"nesterov", nesterov}, {"adamw", adamw}};
enum { RUNS = sizeof runs / sizeof runs[0] };

/* PyTorch's own single precision is off from its double precision, which the fixtures hold, by
 * up to 7e-7 in losses and 6e-7 in weights (make_torch_fixtures.py prints it).  Another order of
 * the sums may be off by some times that. */
static const double loss_tolerance = 4e-6, weight_tolerance = 4e-6;

static void compare_weights(const cnn_model *model, const char *name)
{
    for (int32_t i = 0; i < PARAMETERS; i++) {
        cnn_tensor *wanted = torch_tensor(context, name, parameters[i][1]);
        cnn_tensor *got = tensor_like(context, wanted);
        EXPECT_OK(cnn_model_get_parameter(model, parameters[i][0], got));
        expect_tensor_close(parameters[i][0], got, wanted, weight_tolerance);
        cnn_tensor_free(wanted);
        cnn_tensor_free(got);
    }
}

START_TEST(twenty_steps_are_those_of_pytorch)
{
    cnn_trainer *trainer;
    cnn_model *model = network();
    cnn_optimizer *optimizer = runs[_i].create();
    EXPECT_OK(cnn_trainer_create(&trainer, model, optimizer, CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    for (int64_t step = 0; step < STEPS; step++) {
        double loss;
        struct batch batch = batch_number(step);
        EXPECT_OK(trainer_step(&loss, trainer, batch.x, batch.labels));
        ck_assert_double_eq_tol(loss, torch_number(runs[_i].name, "losses", step), loss_tolerance);
        free_batch(&batch);
    }
    compare_weights(model, runs[_i].name);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(optimizer);
    cnn_model_free(model);
}
END_TEST

/* ---- The parts of a step ------------------------------------------------------------------- */

/* A trainer with its model and what steps by hand need. */
struct training {
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
};

static struct training begin(void)
{
    struct training training = {network(), nesterov(), NULL};
    EXPECT_OK(cnn_trainer_create(&training.trainer, training.model, training.optimizer,
                                 CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    return training;
}

static void end(struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    cnn_model_free(training->model);
}

/* Forward and backward with cross-entropy's gradient by the probabilities, -1 / p / n at the
 * label. */
static void add_gradients(struct training *training, const struct batch *batch, int64_t n)
{
    int64_t rows = cnn_tensor_dim(batch->x, 0);
    cnn_tensor *outputs = TENSOR(context, CNN_FLOAT32, rows, CLASSES);
    const cnn_tensor *x = batch->x, *gradients = outputs;
    EXPECT_OK(cnn_trainer_forward(training->trainer, &outputs, 1, &x, 1));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < CLASSES; k++) {
            float *p = &floats(outputs)[i * CLASSES + k];
            *p = k == labels(batch->labels)[i] ? -1 / *p / (float)n : 0;
        }
    EXPECT_OK(cnn_trainer_backward(training->trainer, &gradients, 1));
    cnn_tensor_free(outputs);
}

static void expect_same_weights(const struct training *got, const struct training *wanted)
{
    for (int32_t i = 0; i < PARAMETERS; i++) {
        cnn_tensor *values = torch_tensor(context, "given", parameters[i][1]);
        cnn_tensor *others = tensor_like(context, values);
        EXPECT_OK(cnn_model_get_parameter(got->model, parameters[i][0], values));
        EXPECT_OK(cnn_model_get_parameter(wanted->model, parameters[i][0], others));
        expect_tensor_close(parameters[i][0], values, others, weight_tolerance);
        cnn_tensor_free(values);
        cnn_tensor_free(others);
    }
}

/* A loss of one's own that is cross-entropy trains as cross-entropy does. */
START_TEST(parts_make_a_step)
{
    struct training whole = begin(), parts = begin();
    for (int64_t step = 0; step < 6; step++) {
        struct batch batch = batch_number(step);
        EXPECT_OK(trainer_step(NULL, whole.trainer, batch.x, batch.labels));
        add_gradients(&parts, &batch, cnn_tensor_dim(batch.x, 0));
        EXPECT_OK(cnn_trainer_update(parts.trainer));
        free_batch(&batch);
    }
    expect_same_weights(&parts, &whole);
    ck_assert_int_eq(cnn_optimizer_steps(parts.optimizer), 6);
    end(&whole);
    end(&parts);
}
END_TEST

/* Gradients of several small batches add up to that of the large one. */
START_TEST(gradients_accumulate)
{
    static const int64_t cuts[] = {0, 3, 4, 8};
    struct training whole = begin(), parts = begin();
    for (int64_t step = 0; step < 3; step++) {
        struct batch batch = batch_of(0, 8);
        EXPECT_OK(trainer_step(NULL, whole.trainer, batch.x, batch.labels));
        free_batch(&batch);
        for (int32_t i = 0; i < 3; i++) {
            batch = batch_of(cuts[i], cuts[i + 1]);
            add_gradients(&parts, &batch, 8);
            free_batch(&batch);
        }
        EXPECT_OK(cnn_trainer_update(parts.trainer));
    }
    expect_same_weights(&parts, &whole);
    end(&whole);
    end(&parts);
}
END_TEST

/* After an update there are no gradients left to add to. */
START_TEST(updates_clear_the_gradients)
{
    struct training training = begin();
    struct batch batch = batch_of(0, 8);
    cnn_tensor *gradient = torch_tensor(context, "given", "conv1.weight");
    add_gradients(&training, &batch, 8);
    EXPECT_OK(cnn_model_get_gradient(training.model, "conv2d1.weight", gradient));
    ck_assert_float_ne(floats(gradient)[0], 0);
    EXPECT_OK(cnn_trainer_update(training.trainer));
    EXPECT_OK(cnn_model_get_gradient(training.model, "conv2d1.weight", gradient));
    for (int64_t i = 0; i < cnn_tensor_count(gradient); i++)
        ck_assert_float_eq(floats(gradient)[i], 0);
    cnn_tensor_free(gradient);
    free_batch(&batch);
    end(&training);
}
END_TEST

/* Label smoothing and shares as targets, in a whole step: shares that are the smoothed labels
 * train as smoothing does. */
START_TEST(smoothed_labels_are_shares)
{
    struct training labelled = begin(), shared = begin();
    struct batch batch = batch_of(0, 8);
    cnn_tensor *shares = TENSOR(context, CNN_FLOAT32, 8, CLASSES);
    for (int64_t i = 0; i < 8 * CLASSES; i++)
        floats(shares)[i] = 0.1f + (i % CLASSES == labels(batch.labels)[i / CLASSES] ? 0.6f : 0);
    EXPECT_OK(cnn_trainer_set_label_smoothing(labelled.trainer, 0.4));
    EXPECT_OK(trainer_step(NULL, labelled.trainer, batch.x, batch.labels));
    EXPECT_OK(trainer_step(NULL, shared.trainer, batch.x, shares));
    expect_same_weights(&shared, &labelled);
    cnn_tensor_free(shares);
    free_batch(&batch);
    end(&labelled);
    end(&shared);
}
END_TEST

static Suite *training_suite(void)
{
    Suite *suite = suite_create("training");
    TCase *tcase = tcase_create("training");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, twenty_steps_are_those_of_pytorch, 0, RUNS);
    tcase_add_test(tcase, parts_make_a_step);
    tcase_add_test(tcase, gradients_accumulate);
    tcase_add_test(tcase, updates_clear_the_gradients);
    tcase_add_test(tcase, smoothed_labels_are_shares);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(training_suite());
}
