/* SPDX-License-Identifier: MIT
 * The activations, a row each.  Their functions are listed in kernels/activation.h.  Behind a layer
 * that takes it, a plan lets that one do the forward half. */
#include <float.h>

#include "layers/layer_internal.h"
#include "ops/op_activation.h"

struct activation {
    struct cnn_layer layer;
    double parameter;
};

static const struct cnni_option slope_option[] = {
    {"slope", CNNI_REAL, offsetof(struct activation, parameter), 0, FLT_MAX, 0.01},
};
static const struct cnni_option alpha_option[] = {
    {"alpha", CNNI_REAL, offsetof(struct activation, parameter), 0, FLT_MAX, 1},
};

static void activation(const cnn_layer *layer, struct cnni_activation *activation)
{
    *activation = (struct cnni_activation){
        .kind = layer->class->kind,
        .parameter = (float)((const struct activation *)layer)->parameter,
    };
}

static int64_t elements(const struct cnni_layer_run *run)
{
    return run->n * cnni_shape_count(&run->plan->output);
}

static void forward(const struct cnni_layer_run *run)
{
    struct cnni_activation function;
    activation(run->plan->layer, &function);
    cnni_activation_forward(run->plan->layer->context, run->plan->lanes, &function, elements(run),
                            run->y, run->x[0]);
}

static void backward(const struct cnni_layer_run *run)
{
    struct cnni_activation function;
    const bool reads_input = run->plan->layer->class->flags & CNNI_BACKWARD_READS_INPUT;
    activation(run->plan->layer, &function);
    if (run->dx[0] != NULL)
        cnni_activation_backward(run->plan->layer->context, run->plan->lanes, &function,
                                 elements(run), run->dx[0], run->dy,
                                 reads_input ? run->x[0] : run->y);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    if (layer->class->option_count > 0)
        cnni_append_text(buffer, size, " %.4g", ((const struct activation *)layer)->parameter);
}

/* What backward reads. */
enum { X = CNNI_BACKWARD_READS_INPUT, Y = CNNI_BACKWARD_READS_OUTPUT };

#define ACTIVATION(class, kind_, name_, reads, options_, count)                                    \
    const struct cnni_layer_class class = {                                                        \
        .kind = (kind_),                                                                           \
        .name = (name_),                                                                           \
        .size = sizeof(struct activation),                                                         \
        .flags = (reads) | CNNI_IN_PLACE,                                                          \
        .min_inputs = 1,                                                                           \
        .max_inputs = 1,                                                                           \
        .options = (options_),                                                                     \
        .option_count = (count),                                                                   \
        .shape = cnni_shape_of_input,                                                              \
        .activation = activation,                                                                  \
        .forward = forward,                                                                        \
        .backward = backward,                                                                      \
        .describe = describe,                                                                      \
    }

ACTIVATION(cnni_relu_class, CNN_RELU, "relu", Y, NULL, 0);
ACTIVATION(cnni_leaky_relu_class, CNN_LEAKY_RELU, "leaky_relu", Y, slope_option, 1);
ACTIVATION(cnni_relu6_class, CNN_RELU6, "relu6", Y, NULL, 0);
ACTIVATION(cnni_sigmoid_class, CNN_SIGMOID, "sigmoid", Y, NULL, 0);
ACTIVATION(cnni_tanh_class, CNN_TANH, "tanh", Y, NULL, 0);
ACTIVATION(cnni_silu_class, CNN_SILU, "silu", X, NULL, 0);
ACTIVATION(cnni_hard_swish_class, CNN_HARD_SWISH, "hard_swish", X, NULL, 0);
ACTIVATION(cnni_hard_sigmoid_class, CNN_HARD_SIGMOID, "hard_sigmoid", Y, NULL, 0);
ACTIVATION(cnni_gelu_class, CNN_GELU, "gelu", X, NULL, 0);
ACTIVATION(cnni_elu_class, CNN_ELU, "elu", Y, alpha_option, 1);

cnn_status cnn_relu_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_relu_class, NULL, 0, __func__);
}

cnn_status cnn_relu6_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_relu6_class, NULL, 0, __func__);
}

cnn_status cnn_sigmoid_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_sigmoid_class, NULL, 0, __func__);
}

cnn_status cnn_tanh_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_tanh_class, NULL, 0, __func__);
}

cnn_status cnn_silu_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_silu_class, NULL, 0, __func__);
}

cnn_status cnn_hard_swish_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_hard_swish_class, NULL, 0, __func__);
}

cnn_status cnn_hard_sigmoid_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_hard_sigmoid_class, NULL, 0, __func__);
}

cnn_status cnn_gelu_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_gelu_class, NULL, 0, __func__);
}

cnn_status cnn_leaky_relu_create(cnn_layer **layer, cnn_context *context, double slope)
{
    const struct cnni_setting setting = {"slope", slope};
    return cnni_layer_create(layer, context, &cnni_leaky_relu_class, &setting, 1, __func__);
}

cnn_status cnn_elu_create(cnn_layer **layer, cnn_context *context, double alpha)
{
    const struct cnni_setting setting = {"alpha", alpha};
    return cnni_layer_create(layer, context, &cnni_elu_class, &setting, 1, __func__);
}
