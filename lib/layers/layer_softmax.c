/* SPDX-License-Identifier: MIT
 * Softmax over the last dimension.  Cross-entropy passes it over and works on its input:
 * model/loss.c. */
#include "layers/layer_internal.h"
#include "ops/op_softmax.h"

static int64_t columns(const struct cnni_layer_run *run)
{
    const struct cnni_shape *output = &run->plan->output;
    return output->dim[output->rank - 1];
}

static int64_t rows(const struct cnni_layer_run *run)
{
    return run->n * cnni_shape_count(&run->plan->output) / columns(run);
}

static void forward(const struct cnni_layer_run *run)
{
    cnni_softmax_forward(run->plan->layer->context, run->plan->lanes, rows(run), columns(run),
                         run->y, NULL, run->x[0]);
}

static void backward(const struct cnni_layer_run *run)
{
    if (run->dx[0] != NULL)
        cnni_softmax_backward(run->plan->layer->context, run->plan->lanes, rows(run), columns(run),
                              run->dx[0], run->dy, run->y);
}

const struct cnni_layer_class cnni_softmax_class = {
    .kind = CNN_SOFTMAX,
    .name = "softmax",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_BACKWARD_READS_OUTPUT | CNNI_IN_PLACE,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = cnni_shape_of_input,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_softmax_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_softmax_class, NULL, 0, __func__);
}
