/* SPDX-License-Identifier: MIT
 * A vector of all that is not the batch.  In a plan its output is its input's memory, and nothing
 * moves. */
#include "layers/layer_internal.h"

#include <string.h>

static cnn_status shape(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function)
{
    (void)layer;
    (void)function;
    *output = (struct cnni_shape){1, {cnni_shape_count(input)}};
    return CNN_OK;
}

static void move(const struct cnni_layer_run *run, float *to, const float *from)
{
    if (to != NULL && to != from)
        memcpy(to, from, (size_t)(run->n * run->plan->output.dim[0]) * sizeof(float));
}

static void forward(const struct cnni_layer_run *run)
{
    move(run, run->y, run->x[0]);
}

static void backward(const struct cnni_layer_run *run)
{
    move(run, run->dx[0], run->dy);
}

const struct cnni_layer_class cnni_flatten_class = {
    .kind = CNN_FLATTEN,
    .name = "flatten",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_IN_PLACE | CNNI_KEEPS_VALUES,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_flatten_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_flatten_class, NULL, 0, __func__);
}
