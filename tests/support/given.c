/* SPDX-License-Identifier: MIT
 * Numbers that PyTorch had too. */
#include "support/given.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "support/expect.h"
#include "support/networks.h"
#include "support/tensors.h"
#include "support/torch.h"

uint64_t given_seed(const char *name)
{
    return hash_bytes(HASH_START, name, strlen(name));
}

/* ---- Weights ------------------------------------------------------------------------------- */

static void fill_around(cnn_tensor *values, const char *name, double centre, double scale)
{
    fill_tensor(values, given_seed(name));
    for (int64_t i = 0; i < cnn_tensor_count(values); i++)
        floats(values)[i] = (float)(centre + scale * (double)floats(values)[i]);
}

/* Of convolutions and dense layers as large as keeps a signal's size, within powers of two. */
void given_fill(cnn_tensor *values, const char *name)
{
    const bool around_one = strstr(name, ".weight") != NULL || strstr(name, ".running_var") != NULL;
    double scale = 0.25, centre = around_one ? 1 : 0;
    if (cnn_tensor_rank(values) > 1) {
        const double inputs = (double)(cnn_tensor_count(values) / cnn_tensor_dim(values, 0));
        centre = 0;
        for (scale = 1; scale * scale * inputs > 12;)
            scale /= 2;
    }
    fill_around(values, name, centre, scale);
}

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), of_end = strlen(end);
    return length >= of_end && strcmp(name + length - of_end, end) == 0;
}

void given_fill_smooth(cnn_tensor *values, const char *name)
{
    const bool vector = cnn_tensor_rank(values) == 1;
    if (vector && ends_with(name, ".1.weight"))
        fill_around(values, name, 0.75, 0.0625);
    else if (vector && ends_with(name, ".1.bias"))
        fill_around(values, name, 3, 0.25);
    else
        given_fill(values, name);
}

cnn_model *given_model(cnn_context *context, given_build_fn *build, given_fill_fn *fill,
                       int64_t size)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank;
    cnn_model *model = model_new(context, (const int64_t[]){size, size, 3}, 3);
    EXPECT_OK(build(model, context, GIVEN_CLASSES));
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *values = tensor_new(context, CNN_FLOAT32, shape, rank);
        fill(values, name);
        EXPECT_OK(cnn_model_set_parameter(model, name, values));
        cnn_tensor_free(values);
    }
    return model;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

/* Adds noise whose pixels are so large that there are `grid` x `grid` of them. */
static void add_noise(cnn_tensor *pictures, cnn_context *context, int64_t grid, uint64_t seed)
{
    char name[32];
    snprintf(name, sizeof name, "pictures%d", (int)grid);
    cnn_tensor *noise = TENSOR(context, CNN_FLOAT32, GIVEN_SAMPLES, grid, grid, 3);
    fill_tensor(noise, given_seed(name) + seed);
    float *to = floats(pictures);
    const int64_t size = cnn_tensor_dim(pictures, 1), each = size / grid;
    for (int64_t row = 0; row < GIVEN_SAMPLES * size; row++)
        for (int64_t column = 0; column < size; column++, to += 3)
            for (int64_t i = 0; i < 3; i++)
                to[i] += floats(noise)[(row / each * grid + column / each) * 3 + i] / 2;
    cnn_tensor_free(noise);
}

/* Noise of all sizes, from the whole picture to a pixel. */
cnn_tensor *given_noise(cnn_context *context, int64_t size, uint64_t seed)
{
    const int64_t grids[] = {1, 4, 16, size};
    cnn_tensor *pictures = TENSOR(context, CNN_FLOAT32, GIVEN_SAMPLES, size, size, 3);
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++)
        add_noise(pictures, context, grids[i], seed);
    return pictures;
}

cnn_tensor *given_pictures(cnn_context *context, const char *network, int64_t size)
{
    return given_noise(context, size, (uint64_t)torch_number(network, "seed", 0));
}

/* ---- Answers ------------------------------------------------------------------------------- */

cnn_tensor *given_predict(cnn_model *model, cnn_context *context, const cnn_tensor *pictures)
{
    cnn_session *session;
    cnn_tensor *outputs = model_outputs(model, context, GIVEN_SAMPLES);
    EXPECT_OK(cnn_session_create(&session, model, GIVEN_SAMPLES));
    EXPECT_OK(session_predict(session, outputs, pictures));
    cnn_session_free(session);
    return outputs;
}

void expect_given_answers(const char *network, const char *name, cnn_tensor *answers,
                          double tolerance)
{
    ck_assert_int_eq(cnn_tensor_count(answers), GIVEN_SAMPLES * GIVEN_CLASSES);
    for (int64_t i = 0; i < GIVEN_SAMPLES * GIVEN_CLASSES; i++) {
        const double error = fabs((double)floats(answers)[i] - torch_number(network, name, i));
        ck_assert_msg(error <= tolerance, "%s: %s, number %d is off by %.2g", network, name, (int)i,
                      error);
    }
}
