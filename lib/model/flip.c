/* SPDX-License-Identifier: MIT
 * Pictures and their mirror images. */
#include "model/flip.h"

#include "base/error.h"
#include "base/memory.h"
#include "ops/op_mirror.h"

static cnn_status check(const struct cnni_plan *plan, const struct cnni_shape *output, int32_t on,
                        const char *function)
{
    const cnn_model *model = plan->model;
    char input_text[CNNI_SHAPE_TEXT], output_text[CNNI_SHAPE_TEXT];
    if (on != 0 && on != 1)
        return cnni_fail(model->context, CNN_ERROR_INVALID, "%s: on is %d, must be 0 or 1",
                         function, on);
    if (on == 1 && (model->input.rank != 3 || output->rank != 1))
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: the model makes %s of %s, must make a vector of pictures [h][w][c]",
                         function, cnni_shape_text(output_text, output),
                         cnni_shape_text(input_text, &model->input));
    return CNN_OK;
}

/* Both products fit: the plan, which has such arrays, was made. */
static cnn_status make(struct cnni_flip *flip, const struct cnni_plan *plan,
                       const struct cnni_shape *output, const char *function)
{
    cnn_context *context = plan->model->context;
    const size_t n = (size_t)plan->max_n;
    const size_t inputs = n * (size_t)cnni_shape_count(&plan->model->input);
    const size_t outputs = n * (size_t)cnni_shape_count(output);
    struct cnni_flip made = {.bytes = (inputs + outputs) * sizeof(float)};
    CNNI_TRY(cnni_alloc(&made.mirrored, context, inputs, sizeof(float), function));
    const cnn_status status = cnni_alloc(&made.outputs, context, outputs, sizeof(float), function);
    if (status != CNN_OK)
        cnni_free(context, made.mirrored);
    else
        *flip = made;
    return status;
}

cnn_status cnni_flip_set(struct cnni_flip *flip, const struct cnni_plan *plan,
                         const struct cnni_shape *output, int32_t on, const char *function)
{
    CNNI_TRY(check(plan, output, on, function));
    if (on == 0)
        cnni_flip_free(flip, plan->model->context);
    else if (flip->mirrored == NULL)
        return make(flip, plan, output, function);
    return CNN_OK;
}

void cnni_flip_free(struct cnni_flip *flip, cnn_context *context)
{
    cnni_free(context, flip->mirrored);
    cnni_free(context, flip->outputs);
    *flip = (struct cnni_flip){.mirrored = NULL};
}

void cnni_flip_mirror(const struct cnni_flip *flip, const struct cnni_plan *plan, int64_t n,
                      const float *input)
{
    const int64_t *dim = plan->model->input.dim;
    cnni_mirror(plan->model->context, plan->lanes, n * dim[0], dim[1], dim[2], flip->mirrored,
                input);
}

void cnni_flip_mean(const struct cnni_flip *flip, int64_t count, float *y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = y[i] / 2 + flip->outputs[i] / 2;
}
