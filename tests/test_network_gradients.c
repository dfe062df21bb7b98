/* SPDX-License-Identifier: MIT
 * The gradients of all parameters of a whole network with a residual connection, against central
 * differences of the same network in double precision.  The layers one by one are in
 * test_gradients*.c. */
#include <stdlib.h>

#include "cnn/trainer.h"
#include "support/expect.h"
#include "support/gradcheck.h"
#include "support/networks.h"
#include "support/reference.h"
#include "support/suite.h"
#include "support/tensors.h"

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

/* Input [8][7][3]; conv 5 3x3 padding 1, relu; conv 5 3x3 padding 1, add to what went in, relu;
 * maxpool 2x2; flatten; dense 6, relu; dense 4, softmax. */
enum { SAMPLES = 3, CLASSES = 4, PIXELS = 8 * 7, POOLED = 4 * 3 * 5, PARAMETERS = 8 };

static const char *const parameter_names[PARAMETERS] = {
    "conv2d1.weight", "conv2d1.bias", "conv2d2.weight", "conv2d2.bias",
    "dense1.weight",  "dense1.bias",  "dense2.weight",  "dense2.bias",
};

struct network {
    double *x, *targets;
    double *parameters[PARAMETERS];
};

/* The loss, cross-entropy. */
static double network_loss(void *user)
{
    const struct network *network = user;
    double *const *p = network->parameters;
    static double a[SAMPLES * PIXELS * 5], b[SAMPLES * PIXELS * 5], pooled[SAMPLES * POOLED];
    double columns[6 * POOLED], hidden[SAMPLES * 6], z[SAMPLES * CLASSES];
    const struct reference_window first = {SAMPLES, 8, 7, 3, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct reference_window second = {SAMPLES, 8, 7, 5, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct reference_window pool = {SAMPLES, 8, 7, 5, 0, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, 1};
    reference_conv2d(a, &first, network->x, p[0], p[1]);
    reference_relu(a, SAMPLES * PIXELS * 5, a);
    reference_conv2d(b, &second, a, p[2], p[3]);
    reference_add(b, SAMPLES * PIXELS * 5, b, a);
    reference_relu(b, SAMPLES * PIXELS * 5, b);
    reference_maxpool2d(pooled, &pool, b);
    reference_columns_to_hwc(columns, 6, 4, 3, 5, p[4]);
    reference_dense(hidden, SAMPLES, 6, POOLED, pooled, columns, p[5]);
    reference_relu(hidden, SAMPLES * 6, hidden);
    reference_dense(z, SAMPLES, CLASSES, 6, hidden, p[6], p[7]);
    return reference_cross_entropy(SAMPLES, CLASSES, z, network->targets, 0);
}

static void add_conv2d(cnn_model *model)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_conv2d_create(&layer, context, 5, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding(layer, 1, 1));
    model_take(model, layer);
}

static void add_dense(cnn_model *model, int64_t units)
{
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, units));
    model_take(model, layer);
}

static void add_plain(cnn_model *model, cnn_status (*create)(cnn_layer **, cnn_context *))
{
    cnn_layer *layer;
    EXPECT_OK(create(&layer, context));
    model_take(model, layer);
}

static cnn_model *network_model(void)
{
    cnn_layer *layer;
    cnn_model *model = model_new(context, (const int64_t[]){8, 7, 3}, 3);
    add_conv2d(model);
    add_plain(model, cnn_relu_create);
    add_conv2d(model);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (const int32_t[]){2, 1}, 2));
    cnn_layer_free(layer);
    add_plain(model, cnn_relu_create);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    add_plain(model, cnn_flatten_create);
    add_dense(model, 6);
    add_plain(model, cnn_relu_create);
    add_dense(model, CLASSES);
    add_plain(model, cnn_softmax_create);
    return model;
}

static cnn_tensor *parameter_tensor(const cnn_model *model, const char *name)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
    return tensor_new(context, CNN_FLOAT32, shape, rank);
}

/* Fills the weights with what He's initialisation drew, and the biases with small numbers. */
static void read_network(struct network *network, cnn_model *model)
{
    for (int32_t i = 0; i < PARAMETERS; i++) {
        cnn_tensor *values = parameter_tensor(model, parameter_names[i]);
        EXPECT_OK(cnn_model_get_parameter(model, parameter_names[i], values));
        if (i % 2 == 1) {
            fill_tensor(values, (uint64_t)i);
            for (int64_t j = 0; j < cnn_tensor_count(values); j++)
                floats(values)[j] *= 0.1f;
            EXPECT_OK(cnn_model_set_parameter(model, parameter_names[i], values));
        }
        network->parameters[i] = doubles_of(floats(values), cnn_tensor_count(values));
        cnn_tensor_free(values);
    }
}

/* The gradients as the library has them: forward, then backward with the loss's gradient by the
 * probabilities, -target / p / n. */
static void run_network(cnn_model *model, cnn_trainer *trainer, const cnn_tensor *x,
                        cnn_tensor *targets)
{
    cnn_tensor *outputs = tensor_like(context, targets);
    EXPECT_OK(cnn_trainer_forward(trainer, &outputs, 1, &x, 1));
    for (int64_t i = 0; i < SAMPLES * CLASSES; i++)
        floats(outputs)[i] = -floats(targets)[i] / floats(outputs)[i] / SAMPLES;
    const cnn_tensor *gradients = outputs;
    EXPECT_OK(cnn_trainer_backward(trainer, &gradients, 1));
    cnn_tensor_free(outputs);
    ck_assert_int_eq(cnn_model_parameter_count(model), PARAMETERS);
}

START_TEST(a_whole_network)
{
    cnn_optimizer *sgd;
    cnn_trainer *trainer;
    struct network network;
    cnn_model *model = network_model();
    cnn_tensor *x = TENSOR(context, CNN_FLOAT32, SAMPLES, 8, 7, 3);
    cnn_tensor *targets = TENSOR(context, CNN_FLOAT32, SAMPLES, CLASSES);
    fill_tensor(x, 1);
    for (int32_t i = 0; i < SAMPLES; i++)
        floats(targets)[i * CLASSES + i] = 1;
    network.x = doubles_of(floats(x), cnn_tensor_count(x));
    network.targets = doubles_of(floats(targets), cnn_tensor_count(targets));
    read_network(&network, model);
    EXPECT_OK(cnn_sgd_create(&sgd, context, 0.1));
    EXPECT_OK(cnn_trainer_create(&trainer, model, sgd, CNN_SOFTMAX_CROSS_ENTROPY, SAMPLES));
    run_network(model, trainer, x, targets);
    for (int32_t i = 0; i < PARAMETERS; i++) {
        cnn_tensor *gradient = parameter_tensor(model, parameter_names[i]);
        EXPECT_OK(cnn_model_get_gradient(model, parameter_names[i], gradient));
        expect_gradient_of(parameter_names[i], network_loss, &network, network.parameters[i],
                           floats(gradient), cnn_tensor_count(gradient));
        cnn_tensor_free(gradient);
    }
    for (int32_t i = 0; i < PARAMETERS; i++)
        free(network.parameters[i]);
    free(network.x);
    free(network.targets);
    cnn_tensor_free(x);
    cnn_tensor_free(targets);
    cnn_trainer_free(trainer);
    cnn_optimizer_free(sgd);
    cnn_model_free(model);
}
END_TEST

static Suite *network_gradients_suite(void)
{
    Suite *suite = suite_create("network_gradients");
    TCase *tcase = tcase_create("network");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_whole_network);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(network_gradients_suite());
}
