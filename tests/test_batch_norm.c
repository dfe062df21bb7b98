/* SPDX-License-Identifier: MIT
 * Batch normalisation: alone and in a residual network against PyTorch; what plans do along with it
 * against doing it apart; whether its statistics follow training and stay when they have to. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cnn/session.h"
#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"

static cnn_context *context;
static bool fenced; /* see add_behind() */

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
    fenced = false;
    torch_open("batch_norm");
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- Alone --------------------------------------------------------------------------------- */

/* x is up to a thousand times as far from 0 as its values are apart. */
static const double far_tolerance = 2e-4, near_tolerance = 5e-6;

static const char *const cases[] = {"picture", "many_channels", "blocks", "vector",
                                    "far_from_zero"};
enum { CASES = sizeof cases / sizeof cases[0] };

struct subject {
    const char *name;
    cnn_layer *layer;
    cnn_tensor *x, *y;
    double tolerance;
};

static void set_parameter(const struct subject *subject, cnn_parameter parameter, const char *name)
{
    cnn_tensor *values = torch_tensor(context, subject->name, name);
    EXPECT_OK(cnn_layer_set_parameter(subject->layer, parameter, values));
    cnn_tensor_free(values);
}

static struct subject subject_of(const char *name)
{
    struct subject subject = {.name = name, .x = torch_tensor_nhwc(context, name, "x")};
    subject.tolerance = strcmp(name, "far_from_zero") == 0 ? far_tolerance : near_tolerance;
    subject.y = tensor_like(context, subject.x);
    int64_t shape[CNN_MAX_RANK];
    const int32_t rank = cnn_tensor_rank(subject.x) - 1;
    for (int32_t i = 0; i < rank; i++)
        shape[i] = cnn_tensor_dim(subject.x, i + 1);
    EXPECT_OK(cnn_batch_norm_create(&subject.layer, context));
    /* The fixtures have them as float32. */
    EXPECT_OK(cnn_batch_norm_set_epsilon(subject.layer, torch_number(name, "options", 0)));
    EXPECT_OK(cnn_batch_norm_set_momentum(subject.layer, torch_number(name, "options", 1)));
    EXPECT_OK(cnn_layer_build(subject.layer, shape, rank));
    ck_assert_int_eq(cnn_layer_parameter_count(subject.layer), 4);
    set_parameter(&subject, CNN_WEIGHT, "w");
    set_parameter(&subject, CNN_BIAS, "b");
    set_parameter(&subject, CNN_RUNNING_MEAN, "mean");
    set_parameter(&subject, CNN_RUNNING_VARIANCE, "variance");
    return subject;
}

static void free_subject(struct subject *subject)
{
    cnn_tensor_free(subject->x);
    cnn_tensor_free(subject->y);
    cnn_layer_free(subject->layer);
}

static void compare(const struct subject *subject, const char *name, const cnn_tensor *got)
{
    char what[64];
    snprintf(what, sizeof what, "%s/%s", subject->name, name);
    cnn_tensor *wanted = torch_tensor_nhwc(context, subject->name, name);
    expect_tensor_close(what, got, wanted, subject->tolerance);
    cnn_tensor_free(wanted);
}

static void compare_parameter(const struct subject *subject, cnn_parameter parameter,
                              const char *name, bool gradient)
{
    cnn_tensor *values = torch_tensor(context, subject->name, name);
    EXPECT_OK(gradient ? cnn_layer_get_gradient(subject->layer, parameter, values)
                       : cnn_layer_get_parameter(subject->layer, parameter, values));
    compare(subject, name, values);
    cnn_tensor_free(values);
}

START_TEST(a_layer_is_that_of_pytorch)
{
    struct subject subject = subject_of(cases[_i]);
    cnn_tensor *dx = tensor_like(context, subject.x),
               *dy = torch_tensor_nhwc(context, cases[_i], "dy");
    cnn_tensor *other = torch_tensor_nhwc(context, cases[_i], "other");
    EXPECT_OK(cnn_layer_forward(subject.layer, subject.y, &subject.x, 1, 1));
    compare(&subject, "y", subject.y);
    compare_parameter(&subject, CNN_RUNNING_MEAN, "mean1", false);
    compare_parameter(&subject, CNN_RUNNING_VARIANCE, "variance1", false);
    EXPECT_OK(cnn_layer_backward(subject.layer, &dx, 1, dy));
    compare(&subject, "dx", dx);
    compare_parameter(&subject, CNN_WEIGHT, "dw", true);
    compare_parameter(&subject, CNN_BIAS, "db", true);
    EXPECT_OK(cnn_layer_forward(subject.layer, subject.y, &other, 1, 1));
    compare_parameter(&subject, CNN_RUNNING_MEAN, "mean2", false);
    compare_parameter(&subject, CNN_RUNNING_VARIANCE, "variance2", false);
    EXPECT_OK(cnn_layer_forward(subject.layer, subject.y, &subject.x, 1, 0));
    compare(&subject, "predicted", subject.y);
    compare_parameter(&subject, CNN_RUNNING_MEAN, "mean2", false);
    cnn_tensor_free(dx);
    cnn_tensor_free(dy);
    cnn_tensor_free(other);
    free_subject(&subject);
}
END_TEST

START_TEST(statistics_have_no_gradients)
{
    struct subject subject = subject_of("vector");
    cnn_tensor *dx = tensor_like(context, subject.x), *dy = torch_tensor(context, "vector", "dy");
    cnn_tensor *values = torch_tensor(context, "vector", "mean");
    EXPECT_OK(cnn_layer_forward(subject.layer, subject.y, &subject.x, 1, 1));
    EXPECT_OK(cnn_layer_backward(subject.layer, &dx, 1, dy));
    EXPECT_FAILS(cnn_layer_get_gradient(subject.layer, CNN_RUNNING_MEAN, values), CNN_ERROR_STATE,
                 "cnn_layer_get_gradient", "running_mean");
    cnn_tensor_free(dx);
    cnn_tensor_free(dy);
    cnn_tensor_free(values);
    free_subject(&subject);
}
END_TEST

START_TEST(options_have_ranges)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_batch_norm_create(&layer, context));
    EXPECT_FAILS(cnn_batch_norm_set_epsilon(layer, 0), CNN_ERROR_INVALID,
                 "cnn_batch_norm_set_epsilon", "epsilon");
    EXPECT_FAILS(cnn_batch_norm_set_epsilon(layer, NAN), CNN_ERROR_INVALID,
                 "cnn_batch_norm_set_epsilon", "epsilon");
    EXPECT_FAILS(cnn_batch_norm_set_momentum(layer, -0.1), CNN_ERROR_INVALID,
                 "cnn_batch_norm_set_momentum", "momentum");
    EXPECT_FAILS(cnn_batch_norm_set_momentum(layer, 1.1), CNN_ERROR_INVALID,
                 "cnn_batch_norm_set_momentum", "momentum");
    EXPECT_OK(cnn_layer_build(layer, (int64_t[]){4, 4, 3}, 3));
    EXPECT_FAILS(cnn_batch_norm_set_epsilon(layer, 1e-3), CNN_ERROR_STATE,
                 "cnn_batch_norm_set_epsilon", "built");
    EXPECT_FAILS(cnn_layer_build(layer, (int64_t[]){4, 4, 5}, 3), CNN_ERROR_SHAPE,
                 "cnn_layer_build", "[5]");
    cnn_layer_free(layer);
}
END_TEST

/* ---- A residual network -------------------------------------------------------------------- */

enum { SAMPLES = 24, BATCH = 6, STEPS = 8 };

/* Where fenced, a dropout stands behind each layer, which changes no prediction, and which no layer
 * does along with itself. */
static int32_t add_behind(cnn_model *model, cnn_layer *layer, const int32_t *inputs, int32_t count)
{
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, inputs, count));
    cnn_layer_free(layer);
    if (fenced) {
        EXPECT_OK(cnn_dropout_create(&layer, context, 0.5));
        model_take(model, layer);
    }
    return cnn_model_layer_count(model) - 1;
}

static int32_t add(cnn_model *model, cnn_layer *layer, int32_t input)
{
    return add_behind(model, layer, &input, 1);
}

static int32_t add_plain(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *),
                         int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    return add(model, layer, input);
}

static int32_t add_conv(cnn_model *model, int64_t filters, int64_t size, int64_t stride,
                        int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, filters, size, size));
    EXPECT_OK(cnn_conv2d_set_stride(layer, stride, stride));
    EXPECT_OK(cnn_conv2d_set_padding(layer, size / 2, size / 2));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    return add_plain(model, cnn_batch_norm_create, add(model, layer, input));
}

static int32_t add_sum(cnn_model *model, int32_t a, int32_t b)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_add_create(&layer, context));
    return add_plain(model, cnn_relu_create, add_behind(model, layer, (int32_t[]){a, b}, 2));
}

static int32_t add_block(cnn_model *model, int64_t filters, int64_t stride, int32_t input)
{
    int32_t inner = add_conv(model, filters, 3, stride, input);
    inner = add_conv(model, filters, 3, 1, add_plain(model, cnn_relu_create, inner));
    return add_sum(model, inner, stride == 1 ? input : add_conv(model, filters, 1, stride, input));
}

/* With 8 and 16 channels in its blocks, or more. */
static cnn_model *network(int64_t narrow)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){8, 8, 3}, 3);
    int32_t last =
        add_plain(model, cnn_relu_create, add_conv(model, narrow, 3, 1, CNN_MODEL_INPUT));
    last = add_block(model, narrow, 1, last);
    last = add_block(model, 2 * narrow, 2, last);
    last = add_plain(model, cnn_flatten_create, last);
    EXPECT_OK(cnn_dense_create(&layer, context, 4));
    add(model, layer, last);
    return model;
}

static void set_given(cnn_model *model)
{
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        if (!torch_has("given", name))
            continue;
        cnn_tensor *values = torch_tensor(context, "given", name);
        EXPECT_OK(cnn_model_set_parameter(model, name, values));
        cnn_tensor_free(values);
    }
}

struct training {
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
};

static struct training begin(cnn_model *model)
{
    struct training training = {.model = model};
    EXPECT_OK(cnn_sgd_create(&training.optimizer, context, 0.02));
    EXPECT_OK(cnn_sgd_set_momentum(training.optimizer, 0.9));
    EXPECT_OK(cnn_sgd_set_nesterov(training.optimizer, 1));
    EXPECT_OK(cnn_optimizer_set_weight_decay(training.optimizer, 1e-3));
    EXPECT_OK(cnn_trainer_create(&training.trainer, model, training.optimizer,
                                 CNN_SOFTMAX_CROSS_ENTROPY, BATCH));
    return training;
}

static void end(struct training *training)
{
    cnn_trainer_free(training->trainer);
    cnn_optimizer_free(training->optimizer);
    cnn_model_free(training->model);
}

/* Samples `first` .. `first + n - 1` of the fixtures. */
static cnn_tensor *given_x(int64_t first, int64_t n)
{
    cnn_tensor *all = torch_tensor_nhwc(context, "given", "x");
    cnn_tensor *some = TENSOR(context, CNN_FLOAT32, n, 8, 8, 3);
    memcpy(floats(some), floats(all) + first * 8 * 8 * 3, cnn_tensor_bytes(some));
    cnn_tensor_free(all);
    return some;
}

static double step(const struct training *training, int64_t number)
{
    double loss;
    const int64_t first = number * BATCH % SAMPLES;
    cnn_tensor *x = given_x(first, BATCH), *y = TENSOR(context, CNN_INT32, BATCH);
    cnn_tensor *all = torch_tensor(context, "given", "labels");
    memcpy(labels(y), labels(all) + first, cnn_tensor_bytes(y));
    EXPECT_OK(trainer_step(&loss, training->trainer, x, y));
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(all);
    return loss;
}

static cnn_tensor *predict(cnn_session *session, int64_t first, int64_t n)
{
    cnn_tensor *x = given_x(first, n), *y = TENSOR(context, CNN_FLOAT32, n, 4);
    EXPECT_OK(session_predict(session, y, x));
    cnn_tensor_free(x);
    return y;
}

/* PyTorch's own single precision is off by 5e-7 in losses and 4e-7 in weights, and by 4e-6 in
 * outputs of up to 5 (make_torch_batch_norm.py prints it). */
static const double trained_tolerance = 4e-6;

START_TEST(steps_of_a_residual_network_are_those_of_pytorch)
{
    struct training training = begin(network(8));
    set_given(training.model);
    for (int64_t i = 0; i < STEPS; i++)
        ck_assert_double_eq_tol(step(&training, i), torch_number("trained", "losses", i),
                                trained_tolerance);
    for (int32_t i = 0; i < cnn_model_parameter_count(training.model); i++) {
        const char *name = cnn_model_parameter_name(training.model, i);
        cnn_tensor *wanted = torch_tensor(context, "trained", name);
        cnn_tensor *got = tensor_like(context, wanted);
        EXPECT_OK(cnn_model_get_parameter(training.model, name, got));
        expect_tensor_close(name, got, wanted, trained_tolerance);
        cnn_tensor_free(wanted);
        cnn_tensor_free(got);
    }
    cnn_session *session;
    EXPECT_OK(cnn_session_create(&session, training.model, SAMPLES));
    cnn_tensor *got = predict(session, 0, SAMPLES);
    cnn_tensor *wanted = torch_tensor(context, "trained", "outputs");
    expect_tensor_close("outputs", got, wanted, trained_tolerance);
    cnn_tensor_free(got);
    cnn_tensor_free(wanted);
    cnn_session_free(session);
    end(&training);
}
END_TEST

START_TEST(gradients_agree_with_differences)
{
    double error;
    char worst[64];
    cnn_model *model = network(8);
    const uint64_t before = model_hash(model, context);
    cnn_tensor *x = given_x(0, BATCH), *y = tensor_labels(context, BATCH, 4);
    EXPECT_OK(cnn_model_check_gradients(&error, worst, sizeof worst, model,
                                        CNN_SOFTMAX_CROSS_ENTROPY, (const cnn_tensor *const[]){x},
                                        1, (const cnn_tensor *const[]){y}, 1));
    ck_assert_msg(error < 0.05, "%s is off by %g", worst, error);
    ck_assert_uint_eq(model_hash(model, context), before); /* the statistics, too */
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_model_free(model);
}
END_TEST

/* ---- Along with others, and apart ---------------------------------------------------------- */

/* What the session of a model says of layer `index`. */
static bool is_in_passing(cnn_session *session, const char *layer)
{
    char text[4096];
    cnn_session_describe(session, text, sizeof text);
    const char *line = strstr(text, layer);
    ck_assert_ptr_nonnull(line);
    const char *found = strstr(line, "in passing");
    return found != NULL && found < strchr(line, '\n');
}

START_TEST(predictions_do_it_in_the_convolutions)
{
    cnn_session *session;
    cnn_model *model = network(8);
    EXPECT_OK(cnn_session_create(&session, model, BATCH));
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        const char *name = cnn_layer_name(cnn_model_layer(model, i));
        const cnn_layer_kind kind = cnn_layer_get_kind(cnn_model_layer(model, i));
        ck_assert_int_eq(is_in_passing(session, name),
                         kind == CNN_BATCH_NORM || kind == CNN_RELU || kind == CNN_ADD);
    }
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

/* With 32 channels the convolutions are Winograd's.  Scaling the weights rounds once more, and
 * Winograd's error is that of other numbers. */
static const double folded_tolerance[] = {2e-6, 2e-5};

START_TEST(together_and_apart_predict_the_same)
{
    cnn_session *together, *apart;
    struct training training = begin(network(_i == 0 ? 8 : 32));
    for (int64_t i = 0; i < 4; i++)
        step(&training, i);
    fenced = true;
    cnn_model *model = network(_i == 0 ? 8 : 32);
    model_copy_parameters(model, training.model, context);
    EXPECT_OK(cnn_session_create(&together, training.model, SAMPLES));
    EXPECT_OK(cnn_session_create(&apart, model, SAMPLES));
    ck_assert(is_in_passing(together, "batch_norm4") && !is_in_passing(apart, "batch_norm4"));
    cnn_tensor *got = predict(together, 0, SAMPLES), *wanted = predict(apart, 0, SAMPLES);
    expect_tensor_close("outputs", got, wanted, folded_tolerance[_i]);
    cnn_tensor_free(got);
    cnn_tensor_free(wanted);
    cnn_session_free(together);
    cnn_session_free(apart);
    cnn_model_free(model);
    end(&training);
}
END_TEST

START_TEST(a_session_follows_the_statistics)
{
    cnn_session *session;
    struct training training = begin(network(8));
    EXPECT_OK(cnn_session_create(&session, training.model, SAMPLES));
    cnn_tensor *before = predict(session, 0, SAMPLES);
    cnn_tensor *x = given_x(0, BATCH), *y = TENSOR(context, CNN_FLOAT32, BATCH, 4);
    /* A forward pass without an update changes nothing but the statistics. */
    EXPECT_OK(cnn_trainer_forward(training.trainer, (cnn_tensor *const[]){y}, 1,
                                  (const cnn_tensor *const[]){x}, 1));
    cnn_tensor *after = predict(session, 0, SAMPLES);
    ck_assert(!tensors_equal(before, after));
    cnn_tensor *mean = TENSOR(context, CNN_FLOAT32, 8);
    EXPECT_OK(cnn_tensor_fill(mean, 0.25));
    EXPECT_OK(cnn_model_set_parameter(training.model, "batch_norm3.running_mean", mean));
    cnn_tensor *moved = predict(session, 0, SAMPLES);
    ck_assert(!tensors_equal(after, moved));
    cnn_tensor_free(mean);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(before);
    cnn_tensor_free(after);
    cnn_tensor_free(moved);
    cnn_session_free(session);
    end(&training);
}
END_TEST

static void copy_parameter(float values[8], const cnn_model *model, const char *name)
{
    cnn_tensor *tensor = TENSOR(context, CNN_FLOAT32, 8);
    EXPECT_OK(cnn_model_get_parameter(model, name, tensor));
    memcpy(values, floats(tensor), 8 * sizeof *values);
    cnn_tensor_free(tensor);
}

/* Its statistics stay, and it normalises by them. */
START_TEST(a_frozen_layer_predicts)
{
    static const char *const names[] = {"batch_norm2.running_mean", "batch_norm2.running_var",
                                        "batch_norm2.weight", "batch_norm1.running_mean"};
    float before[8], after[8];
    struct training training = begin(network(8));
    step(&training, 0);
    for (int32_t i = 0; i < cnn_model_layer_count(training.model); i++) {
        cnn_layer *layer = cnn_model_layer(training.model, i);
        EXPECT_OK(cnn_layer_set_trained(layer, strcmp(cnn_layer_name(layer), "batch_norm2") != 0));
    }
    for (int32_t i = 0; i < 4; i++) {
        copy_parameter(before, training.model, names[i]);
        step(&training, 1);
        copy_parameter(after, training.model, names[i]);
        ck_assert_int_eq(memcmp(before, after, sizeof before) == 0, i < 3);
    }
    end(&training);
}
END_TEST

START_TEST(gradients_through_a_frozen_layer)
{
    double error;
    char worst[64];
    cnn_model *model = network(8);
    cnn_tensor *x = given_x(0, BATCH), *y = tensor_labels(context, BATCH, 4);
    cnn_tensor *variance = TENSOR(context, CNN_FLOAT32, 8);
    EXPECT_OK(cnn_tensor_fill(variance, 0.5));
    EXPECT_OK(cnn_model_set_parameter(model, "batch_norm2.running_var", variance));
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++)
        if (strcmp(cnn_layer_name(cnn_model_layer(model, i)), "batch_norm2") == 0)
            EXPECT_OK(cnn_layer_set_trained(cnn_model_layer(model, i), 0));
    EXPECT_OK(cnn_model_check_gradients(&error, worst, sizeof worst, model,
                                        CNN_SOFTMAX_CROSS_ENTROPY, (const cnn_tensor *const[]){x},
                                        1, (const cnn_tensor *const[]){y}, 1));
    ck_assert_msg(error < 0.05, "%s is off by %g", worst, error);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(variance);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_prediction_does_not_depend_on_its_batch)
{
    cnn_session *session;
    struct training training = begin(network(_i == 0 ? 8 : 32));
    step(&training, 0);
    EXPECT_OK(cnn_session_create(&session, training.model, SAMPLES));
    cnn_tensor *all = predict(session, 0, SAMPLES);
    for (int64_t i = 0; i < SAMPLES; i += 5) {
        cnn_tensor *one = predict(session, i, 1);
        ck_assert_mem_eq(floats(one), floats(all) + i * 4, 4 * sizeof(float));
        cnn_tensor_free(one);
    }
    cnn_tensor_free(all);
    cnn_session_free(session);
    end(&training);
}
END_TEST

START_TEST(a_saved_model_has_its_statistics)
{
    cnn_tensor *bytes;
    cnn_model *loaded;
    struct training training = begin(network(8));
    step(&training, 0);
    EXPECT_OK(cnn_model_save_memory(&bytes, training.model));
    EXPECT_OK(
        cnn_model_load_memory(&loaded, context, cnn_tensor_data(bytes), cnn_tensor_bytes(bytes)));
    ck_assert_uint_eq(model_hash(loaded, context), model_hash(training.model, context));
    ck_assert_int_eq(cnn_model_parameters(loaded), cnn_model_parameters(training.model));
    cnn_model_free(loaded);
    cnn_tensor_free(bytes);
    end(&training);
}
END_TEST

static Suite *batch_norm_suite(void)
{
    Suite *suite = suite_create("batch_norm");
    TCase *tcase = tcase_create("batch_norm");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_layer_is_that_of_pytorch, 0, CASES);
    tcase_add_test(tcase, statistics_have_no_gradients);
    tcase_add_test(tcase, options_have_ranges);
    tcase_add_test(tcase, steps_of_a_residual_network_are_those_of_pytorch);
    tcase_add_test(tcase, gradients_agree_with_differences);
    tcase_add_test(tcase, predictions_do_it_in_the_convolutions);
    tcase_add_loop_test(tcase, together_and_apart_predict_the_same, 0, 2);
    tcase_add_test(tcase, a_session_follows_the_statistics);
    tcase_add_test(tcase, a_frozen_layer_predicts);
    tcase_add_test(tcase, gradients_through_a_frozen_layer);
    tcase_add_loop_test(tcase, a_prediction_does_not_depend_on_its_batch, 0, 2);
    tcase_add_test(tcase, a_saved_model_has_its_statistics);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(batch_norm_suite());
}
