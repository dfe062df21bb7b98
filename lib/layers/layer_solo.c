/* SPDX-License-Identifier: MIT
 * A layer on its own: forward and backward on tensors.  It plans itself for the shapes of the
 * latest forward and keeps that plan's memory; models plan all their layers together instead
 * (model/plan.c). */
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "layers/layer_internal.h"

#include <string.h>

struct cnni_solo {
    struct cnni_layer_plan plan;
    struct cnni_shape *shapes; /* of the inputs */
    void *state;
    void *scratch;
    uint64_t step; /* trainings so far */
    int64_t n;
    bool ready; /* for backward */
    int32_t shared;
    cnn_tensor *
        *inputs; /* of the latest training forward, shared; room for all that the layer may have */
    cnn_tensor *output;
};

/* Forgets the tensors of the latest training forward. */
static void forget(struct cnni_solo *solo)
{
    for (int32_t i = 0; i < solo->shared; i++)
        cnn_tensor_free(solo->inputs[i]);
    cnn_tensor_free(solo->output);
    solo->output = NULL;
    solo->shared = 0;
    solo->ready = false;
}

void cnni_solo_free(cnn_context *context, struct cnni_solo *solo)
{
    if (solo == NULL)
        return;
    forget(solo);
    cnni_free(context, solo->state);
    cnni_free(context, solo->scratch);
    cnni_free(context, solo->inputs);
    cnni_free(context, solo->shapes);
    cnni_free(context, solo);
}

/* A plan with its memory, for up to `max_n` samples; always one that could train. */
static cnn_status make_solo(struct cnni_solo **solo, cnn_layer *layer,
                            const struct cnni_shape *inputs, int32_t input_count, int64_t max_n,
                            const char *function)
{
    struct cnni_solo *made;
    cnn_context *context = layer->context;
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, sizeof *made, function));
    cnn_status status =
        cnni_alloc(&made->shapes, context, (size_t)input_count, sizeof *inputs, function);
    if (status == CNN_OK)
        memcpy(made->shapes, inputs, (size_t)input_count * sizeof *inputs);
    made->plan = (struct cnni_layer_plan){
        .layer = layer,
        .inputs = made->shapes,
        .input_count = input_count,
        .max_n = max_n,
        .lanes = cnni_lanes(context),
        .training = true,
    };
    if (status == CNN_OK)
        status = cnni_layer_plan(&made->plan, function);
    if (status == CNN_OK)
        status = cnni_layer_make_packed(layer, &made->plan, function);
    if (status == CNN_OK)
        status = cnni_alloc(&made->state, context, made->plan.state, 1, function);
    if (status == CNN_OK)
        status = cnni_alloc(&made->scratch, context,
                            CNNI_MAX(made->plan.forward_scratch, made->plan.backward_scratch), 1,
                            function);
    if (status == CNN_OK)
        status = cnni_alloc_zero(&made->inputs, context, (size_t)layer->class->max_inputs,
                                 sizeof(cnn_tensor *), function);
    if (status != CNN_OK) {
        cnni_solo_free(context, made);
        return status;
    }
    *solo = made;
    return CNN_OK;
}

static bool fits(const struct cnni_solo *solo, const struct cnni_shape *inputs, int32_t input_count,
                 int64_t n)
{
    if (solo == NULL || n > solo->plan.max_n || input_count != solo->plan.input_count ||
        cnni_lanes(solo->plan.layer->context) > solo->plan.lanes)
        return false;
    for (int32_t i = 0; i < input_count; i++)
        if (!cnni_shape_equal(&inputs[i], &solo->shapes[i]))
            return false;
    return true;
}

/* Sees to it that the layer is built and layer->solo fits the inputs. */
static cnn_status prepare(cnn_layer *layer, const struct cnni_shape *inputs, int32_t input_count,
                          int64_t n, const char *function)
{
    struct cnni_solo *old = layer->solo, *made;
    if (fits(old, inputs, input_count, n))
        return CNN_OK;
    CNNI_TRY(make_solo(&made, layer, inputs, input_count, n, function));
    cnn_status status = cnni_layer_build(layer, inputs, inputs, function);
    if (status != CNN_OK) {
        cnni_solo_free(layer->context, made);
        return status;
    }
    made->step = old == NULL ? 0 : old->step;
    cnni_solo_free(layer->context, old);
    layer->solo = made;
    /* Another shape may want the weights packed in another order. */
    layer->forward.version = layer->backward.version = 0;
    return CNN_OK;
}

/* Writes the shape of a sample of a batch. */
static cnn_status sample_shape(struct cnni_shape *shape, const cnn_tensor *tensor,
                               cnn_context *context, int32_t index, const char *function)
{
    if (tensor == NULL)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: inputs[%d] is NULL", function, index);
    if (tensor->shape.rank < 2)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: inputs[%d] has rank 1, must have a batch dimension and others",
                         function, index);
    shape->rank = tensor->shape.rank - 1;
    memcpy(shape->dim, tensor->shape.dim + 1, (size_t)shape->rank * sizeof shape->dim[0]);
    return CNN_OK;
}

/* Checks what a forward is given; writes the shapes of the inputs and the batch. */
static cnn_status check_forward(cnn_layer *layer, const cnn_tensor *output,
                                cnn_tensor *const *inputs, int32_t input_count,
                                struct cnni_shape *shapes, int64_t *n, const char *function)
{
    const struct cnni_layer_class *class = layer->class;
    cnn_context *context = layer->context;
    struct cnni_shape output_shape;
    if (layer->in_model)
        return cnni_fail(context, CNN_ERROR_STATE, "%s: layer \"%s\" belongs to a model", function,
                         layer->name);
    if (inputs == NULL)
        return cnni_fail_null(context, function, "inputs");
    if (input_count < class->min_inputs || input_count > class->max_inputs)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: input_count is %d, a %s takes %d to %d",
                         function, input_count, class->name, class->min_inputs, class->max_inputs);
    for (int32_t i = 0; i < input_count; i++)
        CNNI_TRY(sample_shape(&shapes[i], inputs[i], context, i, function));
    *n = inputs[0]->shape.dim[0];
    for (int32_t i = 0; i < input_count; i++)
        CNNI_TRY(cnni_tensor_check_samples(*n, context, inputs[i], CNN_FLOAT32, &shapes[i],
                                           function, "an input"));
    CNNI_TRY(cnni_layer_shape(layer, &output_shape, shapes, input_count, function));
    CNNI_TRY(cnni_tensor_check_samples(*n, context, output, CNN_FLOAT32, &output_shape, function,
                                       "output"));
    for (int32_t i = 0; i < input_count; i++)
        CNNI_TRY(cnni_tensor_check_apart(output, "output", inputs[i], "an input", function));
    return CNN_OK;
}

static void run_forward(struct cnni_solo *solo, cnn_tensor *output, cnn_tensor *const *inputs,
                        bool training)
{
    const float *x[CNNI_MAX_INPUTS];
    for (int32_t i = 0; i < solo->plan.input_count; i++)
        x[i] = inputs[i]->data;
    struct cnni_layer_run run = {
        .plan = &solo->plan,
        .n = solo->n,
        .training = training,
        .step = solo->step,
        .x = x,
        .y = output->data,
        .state = solo->state,
        .scratch = solo->scratch,
    };
    struct cnni_float_state host;
    cnni_float_enter(&host);
    cnni_layer_refresh(&solo->plan, solo->plan.lanes);
    solo->plan.layer->class->forward(&run);
    cnni_float_leave(&host);
}

cnn_status cnn_layer_forward(cnn_layer *layer, cnn_tensor *output, cnn_tensor *const *inputs,
                             int32_t input_count, int32_t training)
{
    struct cnni_shape shapes[CNNI_MAX_INPUTS];
    int64_t n = 0;
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    CNNI_TRY(check_forward(layer, output, inputs, input_count, shapes, &n, __func__));
    CNNI_TRY(prepare(layer, shapes, input_count, n, __func__));
    struct cnni_solo *solo = layer->solo;
    forget(solo);
    solo->n = n;
    if (training)
        solo->step++;
    run_forward(solo, output, inputs, training != 0);
    if (!training)
        return CNN_OK;
    for (int32_t i = 0; i < input_count; i++)
        solo->inputs[i] = cnni_tensor_share(inputs[i]);
    solo->shared = input_count;
    solo->output = cnni_tensor_share(output);
    solo->ready = true;
    return CNN_OK;
}

static cnn_status check_gradient(cnn_layer *layer, const cnn_tensor *gradient,
                                 const struct cnni_shape *shape, const char *function,
                                 const char *what)
{
    return cnni_tensor_check_samples(layer->solo->n, layer->context, gradient, CNN_FLOAT32, shape,
                                     function, what);
}

/* A gradient that is written must be apart from all that is read, and from the others. */
static cnn_status check_apart(const struct cnni_solo *solo, cnn_tensor *const *gradients,
                              int32_t index, const cnn_tensor *output_gradient,
                              const char *function)
{
    static const char what[] = "an input gradient";
    const cnn_tensor *gradient = gradients[index];
    CNNI_TRY(cnni_tensor_check_apart(gradient, what, output_gradient, "output_gradient", function));
    CNNI_TRY(cnni_tensor_check_apart(gradient, what, solo->output, "the output", function));
    for (int32_t i = 0; i < solo->shared; i++)
        CNNI_TRY(cnni_tensor_check_apart(gradient, what, solo->inputs[i], "an input", function));
    for (int32_t i = 0; i < index; i++)
        if (gradients[i] != NULL)
            CNNI_TRY(cnni_tensor_check_apart(gradient, what, gradients[i], "another", function));
    return CNN_OK;
}

cnn_status cnn_layer_backward(cnn_layer *layer, cnn_tensor *const *input_gradients,
                              int32_t input_count, const cnn_tensor *output_gradient)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    struct cnni_solo *solo = layer->solo;
    if (layer->in_model || solo == NULL || !solo->ready)
        return cnni_fail(layer->context, CNN_ERROR_STATE,
                         layer->in_model
                             ? "%s: layer \"%s\" belongs to a model"
                             : "%s: no forward of layer \"%s\" with training 1 came before",
                         __func__, layer->name);
    if (input_gradients == NULL)
        return cnni_fail_null(layer->context, __func__, "input_gradients");
    if (input_count != solo->plan.input_count)
        return cnni_fail(layer->context, CNN_ERROR_INVALID,
                         "%s: input_count is %d, the forward had %d inputs", __func__, input_count,
                         solo->plan.input_count);
    const float *x[CNNI_MAX_INPUTS];
    float *dx[CNNI_MAX_INPUTS];
    for (int32_t i = 0; i < input_count; i++) {
        if (input_gradients[i] != NULL)
            CNNI_TRY(check_gradient(layer, input_gradients[i], &solo->shapes[i], __func__,
                                    "an input gradient"));
        x[i] = solo->inputs[i]->data;
        dx[i] = input_gradients[i] == NULL ? NULL : input_gradients[i]->data;
    }
    CNNI_TRY(
        check_gradient(layer, output_gradient, &solo->plan.output, __func__, "output_gradient"));
    for (int32_t i = 0; i < input_count; i++)
        if (input_gradients[i] != NULL)
            CNNI_TRY(check_apart(solo, input_gradients, i, output_gradient, __func__));
    CNNI_TRY(cnni_layer_make_gradients(layer, __func__));
    struct cnni_layer_run run = {
        .plan = &solo->plan,
        .n = solo->n,
        .training = true,
        .step = solo->step,
        .x = x,
        .y = solo->output->data,
        .dx = dx,
        .dy = output_gradient->data,
        .state = solo->state,
        .scratch = solo->scratch,
    };
    struct cnni_float_state host;
    cnni_float_enter(&host);
    cnni_layer_refresh(&solo->plan, solo->plan.lanes);
    layer->class->backward(&run);
    cnni_float_leave(&host);
    return CNN_OK;
}
