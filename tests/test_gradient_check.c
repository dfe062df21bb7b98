/* SPDX-License-Identifier: MIT
 * cnn_model_check_gradients(): its figure is small for right gradients, whatever the graph and
 * the loss, and large for wrong ones, which are planted by giving a layer another class. */
#include <math.h>
#include <string.h>

#include "cnn/trainer.h"
#include "kernels/kernels.h"
#include "layers/layer_internal.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

/* What cnn/trainer.h promises. */
static const double right = 0.05;

static cnn_context *context;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_context_set_threads(context, 2));
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* ---- Models -------------------------------------------------------------------------------- */

static void take_plain(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    model_take(model, layer);
}

static void take_dense(cnn_model *model, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    model_take(model, layer);
}

static void take_add(cnn_model *model, const int32_t *inputs, int32_t count)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, inputs, count));
    cnn_layer_free(layer);
}

static void take_dense_of(cnn_model *model, int64_t units, int32_t input)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, &input, 1));
    cnn_layer_free(layer);
}

static cnn_model *chain(void)
{
    return model_chain(context);
}

static cnn_model *with_dropout(void)
{
    return model_dropout(context);
}

static cnn_model *residual(void)
{
    return model_residual(context);
}

/* The same output twice, and three times with another between. */
static cnn_model *twice(void)
{
    cnn_model *model = model_new(context, (int64_t[]){6}, 1);
    take_dense(model, 5);
    take_plain(model, cnn_relu_create);
    take_add(model, (int32_t[]){1, 1}, 2);
    take_dense(model, 5);
    take_add(model, (int32_t[]){2, 3, 2, 1, 2}, 5);
    take_dense(model, 3);
    return model;
}

/* The model's input twice, and once more behind a layer; what is read later stays as it was. */
static cnn_model *input_again(void)
{
    cnn_model *model = model_new(context, (int64_t[]){4}, 1);
    take_add(model, (int32_t[]){CNN_MODEL_INPUT, CNN_MODEL_INPUT}, 2);
    take_dense(model, 4);
    take_plain(model, cnn_softmax_create);
    take_add(model, (int32_t[]){2, CNN_MODEL_INPUT, 0, 1}, 4);
    take_dense(model, 3);
    return model;
}

/* Branches of different depth that meet, one of them through a ReLU that may not work in place. */
static cnn_model *branches(void)
{
    cnn_model *model = model_new(context, (int64_t[]){7}, 1);
    take_dense(model, 6);                     /* 0 */
    take_plain(model, cnn_relu_create);       /* 1 */
    take_dense_of(model, 6, 0);               /* 2 */
    take_plain(model, cnn_relu_create);       /* 3 */
    take_dense_of(model, 6, 1);               /* 4 */
    take_add(model, (int32_t[]){4, 3}, 2);    /* 5 */
    take_plain(model, cnn_relu_create);       /* 6 */
    take_add(model, (int32_t[]){0, 6, 5}, 3); /* 7 */
    take_dense(model, 3);
    return model;
}

/* Strided, dilated, grouped and depthwise convolutions, and pooling that overlaps. */
static cnn_model *convolutions(void)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (int64_t[]){12, 11, 4}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 8, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_groups(layer, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 3, 3));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 1, 2));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, 1, 1));
    model_take(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 8, 3, 3));
    EXPECT_OK(cnn_conv2d_set_groups(layer, 8));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    model_take(model, layer);
    take_plain(model, cnn_relu_create);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 5, 2, 2));
    EXPECT_OK(cnn_conv2d_set_stride(layer, 2, 2));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, 2, 1));
    model_take(model, layer);
    take_plain(model, cnn_flatten_create);
    take_dense(model, 3);
    return model;
}

static const struct {
    const char *name;
    cnn_model *(*make)(void);
} models[] = {
    {"chain", chain},
    {"with dropout", with_dropout},
    {"residual", residual},
    {"twice", twice},
    {"input again", input_again},
    {"branches", branches},
    {"convolutions", convolutions},
};
enum { MODELS = sizeof models / sizeof models[0] };

/* ---- Checking ------------------------------------------------------------------------------ */

enum { SAMPLES = 4, CLASSES = 3 };

static cnn_tensor *targets_for(cnn_loss loss)
{
    if (loss == CNN_SOFTMAX_CROSS_ENTROPY)
        return tensor_labels(context, SAMPLES, CLASSES);
    cnn_tensor *targets = tensor_noise(context, (int64_t[]){SAMPLES, CLASSES}, 2, 9);
    for (int64_t i = 0; i < SAMPLES * CLASSES; i++)
        floats(targets)[i] = floats(targets)[i] / 2 + 0.5f;
    return targets;
}

static double check(cnn_model *model, cnn_loss loss, char worst[64])
{
    double error = -1;
    cnn_tensor *x = model_inputs(model, context, SAMPLES, 7), *targets = targets_for(loss);
    const cnn_tensor *inputs = x, *wanted = targets;
    EXPECT_OK(cnn_model_check_gradients(&error, worst, 64, model, loss, &inputs, 1, &wanted, 1));
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    return error;
}

START_TEST(right_gradients_are_found_right)
{
    static const cnn_loss losses[] = {CNN_SOFTMAX_CROSS_ENTROPY, CNN_BINARY_CROSS_ENTROPY,
                                      CNN_MEAN_SQUARED_ERROR};
    cnn_model *model = models[_i].make();
    uint64_t before = model_hash(model, context);
    for (int32_t i = 0; i < 3; i++) {
        char worst[64] = "";
        double error = check(model, losses[i], worst);
        ck_assert_msg(error >= 0 && error < right, "%s, %s: %g at %s", models[_i].name,
                      cnn_loss_name(losses[i]), error, worst);
        ck_assert_str_ne(worst, "");
    }
    ck_assert(model_hash(model, context) == before);
    cnn_model_free(model);
}
END_TEST

/* ---- Wrong gradients ----------------------------------------------------------------------- */

/* Each takes the place of a class' backward. */

static void forget_bias(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_parameter *bias = &layer->parameter[CNN_BIAS];
    cnni_layer_class(layer->class->kind)->backward(run);
    memset(bias->gradient, 0, (size_t)bias->count * sizeof(float));
}

static void halve_weight(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_parameter *weight = &layer->parameter[CNN_WEIGHT];
    cnni_layer_class(layer->class->kind)->backward(run);
    for (int64_t i = 0; i < weight->count; i++)
        weight->gradient[i] /= 2;
}

static void swap_weights(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_parameter *weight = &layer->parameter[CNN_WEIGHT];
    cnni_layer_class(layer->class->kind)->backward(run);
    for (int64_t i = 0; i + 1 < weight->count; i += 2) {
        float first = weight->gradient[i];
        weight->gradient[i] = weight->gradient[i + 1];
        weight->gradient[i + 1] = first;
    }
}

static int64_t input_elements(const struct cnni_layer_run *run)
{
    return run->n * cnni_shape_count(&run->plan->input);
}

static void lose_input(const struct cnni_layer_run *run)
{
    cnni_layer_class(run->plan->layer->class->kind)->backward(run);
    memset(run->dx[0], 0, (size_t)input_elements(run) * sizeof(float));
}

static void turn_input(const struct cnni_layer_run *run)
{
    cnni_layer_class(run->plan->layer->class->kind)->backward(run);
    for (int64_t i = 0; i < input_elements(run); i++)
        run->dx[0][i] = -run->dx[0][i];
}

/* As if the ReLU were not there. */
static void pass_all(const struct cnni_layer_run *run)
{
    memmove(run->dx[0], run->dy, (size_t)input_elements(run) * sizeof(float));
}

/* As if the ReLU before, whose backward the pooling does, were not there: windows that nobody won
 * are given to their first pixel. */
static void open_gates(const struct cnni_layer_run *run)
{
    uint8_t *winners = run->state;
    for (int64_t i = 0; i < run->n * cnni_shape_count(&run->plan->output); i++)
        winners[i] = winners[i] == CNNI_NO_WINNER_BYTE ? 0 : winners[i];
    cnni_layer_class(run->plan->layer->class->kind)->backward(run);
}

/* NaN in one place. */
static void spoil(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    cnni_layer_class(layer->class->kind)->backward(run);
    layer->parameter[CNN_WEIGHT].gradient[0] = NAN;
}

/* As model_chain(), with windows of 1x2, which no convolution takes over. */
static cnn_model *flat_windows(cnn_context *own)
{
    cnn_layer *layer;
    cnn_model *model = model_new(own, (int64_t[]){8, 8, 3}, 3);
    EXPECT_OK(cnn_conv2d_create(&layer, own, 4, 3, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, own, 1, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, own));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, own, 3));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, own));
    model_take(model, layer);
    return model;
}

/* In model_chain(): conv2d, relu, maxpool2d, flatten, dense, softmax; or in model_residual():
 * conv2d, relu, conv2d, add ... */
static const struct {
    const char *name;
    cnn_model *(*make)(cnn_context *context);
    int32_t layer;
    void (*backward)(const struct cnni_layer_run *run);
    const char *worst; /* what is blamed, or NULL where several may be */
} plants[] = {
    {"a convolution's bias", model_chain, 0, forget_bias, "conv2d1.bias"},
    {"a convolution's weight, halved", model_chain, 0, halve_weight, "conv2d1.weight"},
    {"a convolution's weight, swapped", model_chain, 0, swap_weights, "conv2d1.weight"},
    {"a ReLU that lets all through", model_residual, 1, pass_all, NULL},
    {"max-pooling that lets all through a ReLU", flat_windows, 2, open_gates, NULL},
    {"max-pooling that loses all", flat_windows, 2, lose_input, NULL},
    {"flattening with the wrong sign", model_chain, 3, turn_input, NULL},
    {"a dense layer's bias", model_chain, 4, forget_bias, "dense1.bias"},
    {"a dense layer's weight, halved", model_chain, 4, halve_weight, "dense1.weight"},
    {"a dense layer's input, lost", model_chain, 4, lose_input, NULL},
    {"NaN", model_chain, 4, spoil, "dense1.weight"},
};
enum { PLANTS = sizeof plants / sizeof plants[0] };

START_TEST(wrong_gradients_are_found_wrong)
{
    char worst[64];
    cnn_model *model = plants[_i].make(context);
    cnn_layer *layer = cnn_model_layer(model, plants[_i].layer);
    const struct cnni_layer_class *true_class = layer->class;
    struct cnni_layer_class wrong = *true_class;
    wrong.backward = plants[_i].backward;
    layer->class = &wrong;
    double error = check(model, CNN_SOFTMAX_CROSS_ENTROPY, worst);
    ck_assert_msg(error > 0.3, "%s: only %g, at %s", plants[_i].name, error, worst);
    if (plants[_i].worst != NULL)
        ck_assert_str_eq(worst, plants[_i].worst);
    layer->class = true_class;
    ck_assert_double_lt(check(model, CNN_SOFTMAX_CROSS_ENTROPY, worst), right);
    cnn_model_free(model);
}
END_TEST

/* ---- What it leaves, and refuses ----------------------------------------------------------- */

/* The gradients are gone, and a trainer can have the model afterwards. */
START_TEST(the_model_is_free_afterwards)
{
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    char worst[64];
    cnn_model *model = chain();
    cnn_tensor *gradient = TENSOR(context, CNN_FLOAT32, 3);
    check(model, CNN_SOFTMAX_CROSS_ENTROPY, worst);
    EXPECT_OK(cnn_tensor_fill(gradient, 1));
    EXPECT_FAILS(cnn_model_get_gradient(model, "dense1.bias", gradient), CNN_ERROR_STATE,
                 "cnn_model_get_gradient", "no backward pass");
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    EXPECT_OK(cnn_model_get_gradient(model, "dense1.bias", gradient));
    for (int32_t i = 0; i < 3; i++)
        ck_assert_float_eq(floats(gradient)[i], 0);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_tensor_free(gradient);
    cnn_model_free(model);
}
END_TEST

/* The name of what is worst is cut to its room, or not asked for. */
START_TEST(the_name_fits_its_room)
{
    char worst[4] = "abc";
    double error;
    cnn_model *model = chain();
    cnn_tensor *x = model_inputs(model, context, SAMPLES, 7);
    cnn_tensor *targets = tensor_labels(context, SAMPLES, CLASSES);
    const cnn_tensor *inputs = x, *wanted = targets;
    EXPECT_OK(cnn_model_check_gradients(&error, worst, 3, model, CNN_SOFTMAX_CROSS_ENTROPY, &inputs,
                                        1, &wanted, 1));
    ck_assert_uint_eq(strlen(worst), 2);
    EXPECT_OK(cnn_model_check_gradients(&error, NULL, 0, model, CNN_SOFTMAX_CROSS_ENTROPY, &inputs,
                                        1, &wanted, 1));
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    cnn_model_free(model);
}
END_TEST

#define CHECK(error, model, loss, inputs, input_count, targets, target_count)                      \
    cnn_model_check_gradients(error, NULL, 0, model, loss, inputs, input_count, targets,           \
                              target_count)
#define EXPECT_REFUSED(call, status, word)                                                         \
    EXPECT_FAILS(call, status, "cnn_model_check_gradients", word)

START_TEST(what_does_not_fit_is_refused)
{
    double error;
    const cnn_loss ce = CNN_SOFTMAX_CROSS_ENTROPY;
    cnn_model *model = chain(), *empty = model_new(context, (int64_t[]){8, 8, 3}, 3);
    cnn_tensor *x = model_inputs(model, context, SAMPLES, 7);
    cnn_tensor *targets = tensor_labels(context, SAMPLES, CLASSES);
    const cnn_tensor *inputs = x, *wanted = targets, *nothing = NULL;
    EXPECT_REFUSED(CHECK(&error, NULL, ce, &inputs, 1, &wanted, 1), CNN_ERROR_INVALID, "model");
    EXPECT_REFUSED(CHECK(NULL, model, ce, &inputs, 1, &wanted, 1), CNN_ERROR_INVALID, "error");
    EXPECT_REFUSED(CHECK(&error, model, ce, NULL, 1, &wanted, 1), CNN_ERROR_INVALID, "inputs");
    EXPECT_REFUSED(CHECK(&error, model, ce, &nothing, 1, &wanted, 1), CNN_ERROR_INVALID, "inputs");
    EXPECT_REFUSED(CHECK(&error, model, ce, &inputs, 2, &wanted, 1), CNN_ERROR_INVALID,
                   "input_count");
    EXPECT_REFUSED(CHECK(&error, model, ce, &inputs, 1, NULL, 1), CNN_ERROR_INVALID, "targets");
    EXPECT_REFUSED(CHECK(&error, model, ce, &inputs, 1, &wanted, 0), CNN_ERROR_INVALID,
                   "target_count");
    EXPECT_REFUSED(CHECK(&error, model, 7, &inputs, 1, &wanted, 1), CNN_ERROR_INVALID, "loss is 7");
    EXPECT_REFUSED(CHECK(&error, empty, ce, &inputs, 1, &wanted, 1), CNN_ERROR_STATE, "no layers");
    EXPECT_REFUSED(CHECK(&error, model, ce, &wanted, 1, &wanted, 1), CNN_ERROR_SHAPE, "inputs[0]");
    EXPECT_REFUSED(CHECK(&error, model, ce, &inputs, 1, &inputs, 1), CNN_ERROR_SHAPE, "targets[0]");
    labels(targets)[1] = CLASSES;
    EXPECT_REFUSED(CHECK(&error, model, ce, &inputs, 1, &wanted, 1), CNN_ERROR_INVALID,
                   "label 1 is 3");
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    cnn_model_free(model);
    cnn_model_free(empty);
}
END_TEST

/* While a trainer has the model, its gradients are the trainer's. */
START_TEST(a_trainers_model_is_refused)
{
    double error;
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    cnn_model *model = chain();
    cnn_tensor *x = model_inputs(model, context, SAMPLES, 7);
    cnn_tensor *targets = tensor_labels(context, SAMPLES, CLASSES);
    const cnn_tensor *inputs = x, *wanted = targets;
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, 2));
    EXPECT_REFUSED(CHECK(&error, model, CNN_SOFTMAX_CROSS_ENTROPY, &inputs, 1, &wanted, 1),
                   CNN_ERROR_STATE, "another trainer");
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    cnn_model_free(model);
}
END_TEST

static Suite *gradient_check_suite(void)
{
    Suite *suite = suite_create("gradient_check");
    TCase *tcase = tcase_create("gradient_check");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, right_gradients_are_found_right, 0, MODELS);
    tcase_add_loop_test(tcase, wrong_gradients_are_found_wrong, 0, PLANTS);
    tcase_add_test(tcase, the_model_is_free_afterwards);
    tcase_add_test(tcase, the_name_fits_its_room);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    tcase_add_test(tcase, a_trainers_model_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(gradient_check_suite());
}
