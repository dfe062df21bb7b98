/* SPDX-License-Identifier: MIT
 * One layer and its reference. */
#include "support/layer_gradients.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/gradcheck.h"
#include "support/tensors.h"

enum { SEED_X = 1, SEED_DY = 11, SEED_W, SEED_B };

/* sum of y * dy: its gradients are those that backward computes for dy. */
static double objective(void *user)
{
    struct subject *subject = user;
    double sum = 0;
    subject->forward(subject);
    for (int64_t i = 0; i < subject->y_count; i++)
        sum += subject->y[i] * subject->dy[i];
    return sum;
}

void subject_add_input(struct subject *subject, const int64_t *shape, int32_t rank)
{
    const int32_t i = subject->inputs++;
    ck_assert_int_lt(i, SUBJECT_INPUTS);
    cnn_tensor *x = tensor_new(subject->context, CNN_FLOAT32, shape, rank);
    subject->x_count[i] = cnn_tensor_count(x);
    if (i == 0)
        fill_apart(floats(x), subject->x_count[i], SEED_X);
    else
        fill_tensor(x, SEED_X + (uint64_t)i);
    subject->tensors[i] = x;
    subject->x[i] = doubles_of(floats(x), subject->x_count[i]);
}

void subject_add_picture(struct subject *subject, const struct reference_window *window)
{
    ADD_INPUT(subject, window->n, window->h, window->w, window->c);
}

/* ---- Parameters ---------------------------------------------------------------------------- */

/* Room for a parameter. */
static cnn_tensor *parameter_like(const struct subject *subject, const cnn_layer *layer,
                                  cnn_parameter parameter)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    EXPECT_OK(cnn_layer_parameter_shape(shape, &rank, layer, parameter));
    return tensor_new(subject->context, CNN_FLOAT32, shape, rank);
}

/* Sets a parameter to numbers, and returns them. */
static double *read_parameter(const struct subject *subject, cnn_layer *layer,
                              cnn_parameter parameter, uint64_t seed)
{
    cnn_tensor *values = parameter_like(subject, layer, parameter);
    fill_tensor(values, seed);
    EXPECT_OK(cnn_layer_set_parameter(layer, parameter, values));
    double *doubles = doubles_of(floats(values), cnn_tensor_count(values));
    cnn_tensor_free(values);
    return doubles;
}

static void compare_parameter(struct subject *subject, cnn_layer *layer, cnn_parameter parameter,
                              double *values)
{
    cnn_tensor *gradient = parameter_like(subject, layer, parameter);
    EXPECT_OK(cnn_layer_get_gradient(layer, parameter, gradient));
    expect_gradient_of(cnn_parameter_name(parameter), objective, subject, values, floats(gradient),
                       cnn_tensor_count(gradient));
    cnn_tensor_free(gradient);
}

/* ---- The comparison ------------------------------------------------------------------------ */

/* Builds the layer for the first input, with numbers as its parameters; returns room for the
 * output. */
static cnn_tensor *begin(struct subject *subject, cnn_layer *layer)
{
    int64_t x_shape[CNN_MAX_RANK], y_shape[CNN_MAX_RANK] = {0};
    int32_t y_rank;
    const int32_t rank = cnn_tensor_rank(subject->tensors[0]);
    for (int32_t i = 0; i < rank; i++)
        x_shape[i] = cnn_tensor_dim(subject->tensors[0], i);
    EXPECT_OK(cnn_layer_output_shape(y_shape + 1, &y_rank, layer, x_shape + 1, rank - 1));
    EXPECT_OK(cnn_layer_build(layer, x_shape + 1, rank - 1));
    y_shape[0] = x_shape[0];
    if (subject->channels > 0)
        y_shape[y_rank] = subject->channels;
    if (cnn_layer_parameter_count(layer) > CNN_WEIGHT)
        subject->w = read_parameter(subject, layer, CNN_WEIGHT, SEED_W);
    if (cnn_layer_parameter_count(layer) > CNN_BIAS)
        subject->b = read_parameter(subject, layer, CNN_BIAS, SEED_B);
    return tensor_new(subject->context, CNN_FLOAT32, y_shape, y_rank + 1);
}

static void compare_inputs(struct subject *subject, cnn_tensor *const *dx)
{
    char what[16];
    for (int32_t i = 0; i < subject->inputs; i++) {
        snprintf(what, sizeof what, "input %d", i);
        expect_gradient_of(what, objective, subject, subject->x[i], floats(dx[i]),
                           subject->x_count[i]);
    }
}

static void end(struct subject *subject)
{
    for (int32_t i = 0; i < subject->inputs; i++) {
        cnn_tensor_free(subject->tensors[i]);
        free(subject->x[i]);
    }
    free(subject->w);
    free(subject->b);
    free(subject->y);
    free(subject->dy);
}

void expect_layer_gradients(struct subject *subject, cnn_layer *layer)
{
    cnn_tensor *dx[SUBJECT_INPUTS], *y = begin(subject, layer);
    cnn_tensor *dy = tensor_like(subject->context, y);
    fill_tensor(dy, SEED_DY);
    subject->y_count = cnn_tensor_count(y);
    subject->y = doubles_of(floats(y), subject->y_count);
    subject->dy = doubles_of(floats(dy), subject->y_count);
    for (int32_t i = 0; i < subject->inputs; i++)
        dx[i] = tensor_like(subject->context, subject->tensors[i]);
    EXPECT_OK(cnn_layer_forward(layer, y, subject->tensors, subject->inputs, 1));
    EXPECT_OK(cnn_layer_backward(layer, dx, subject->inputs, dy));
    subject->forward(subject);
    expect_close("y", floats(y), subject->y, subject->y_count, 5e-6);
    compare_inputs(subject, dx);
    if (subject->w != NULL && cnn_layer_trained(layer))
        compare_parameter(subject, layer, CNN_WEIGHT, subject->w);
    if (subject->b != NULL && cnn_layer_trained(layer))
        compare_parameter(subject, layer, CNN_BIAS, subject->b);
    for (int32_t i = 0; i < subject->inputs; i++)
        cnn_tensor_free(dx[i]);
    cnn_tensor_free(y);
    cnn_tensor_free(dy);
    end(subject);
    cnn_layer_free(layer);
}
