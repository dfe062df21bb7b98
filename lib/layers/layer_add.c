/* SPDX-License-Identifier: MIT
 * The sum of several inputs: where branches of a graph meet. */
#include "layers/layer_internal.h"
#include "ops/op_elementwise.h"

#include <string.h>

static int64_t elements(const struct cnni_layer_run *run)
{
    return run->n * cnni_shape_count(&run->plan->output);
}

static void forward(const struct cnni_layer_run *run)
{
    cnn_context *context = run->plan->layer->context;
    const int32_t lanes = run->plan->lanes;
    cnni_add(context, lanes, elements(run), run->y, run->x[0], run->x[1]);
    for (int32_t i = 2; i < run->plan->input_count; i++)
        cnni_add(context, lanes, elements(run), run->y, run->y, run->x[i]);
}

static void backward(const struct cnni_layer_run *run)
{
    for (int32_t i = 0; i < run->plan->input_count; i++)
        if (run->dx[i] != NULL && run->dx[i] != run->dy)
            memcpy(run->dx[i], run->dy, (size_t)elements(run) * sizeof(float));
}

const struct cnni_layer_class cnni_add_class = {
    .kind = CNN_ADD,
    .name = "add",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_IN_PLACE,
    .min_inputs = 2,
    .max_inputs = CNNI_MAX_INPUTS,
    .shape = cnni_shape_of_input,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_add_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_add_class, NULL, 0, __func__);
}
