/* SPDX-License-Identifier: MIT
 * max(x, 0).  Behind a conv2d or dense layer, a plan lets that layer do the forward half. */
#include "layers/layer_internal.h"
#include "ops/op_elementwise.h"

static int64_t elements(const struct cnni_layer_run *run)
{
    return run->n * cnni_shape_count(&run->plan->output);
}

static void forward(const struct cnni_layer_run *run)
{
    cnni_relu_forward(run->plan->layer->context, run->plan->lanes, elements(run), run->y,
                      run->x[0]);
}

static void backward(const struct cnni_layer_run *run)
{
    if (run->dx[0] != NULL)
        cnni_relu_backward(run->plan->layer->context, run->plan->lanes, elements(run), run->dx[0],
                           run->dy, run->y);
}

static void activation(const cnn_layer *layer, struct cnni_activation *activation)
{
    *activation = (struct cnni_activation){.kind = layer->class->kind};
}

const struct cnni_layer_class cnni_relu_class = {
    .kind = CNN_RELU,
    .name = "relu",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_BACKWARD_READS_OUTPUT | CNNI_IN_PLACE,
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = cnni_shape_of_input,
    .activation = activation,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_relu_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_relu_class, NULL, 0, __func__);
}
