/* SPDX-License-Identifier: MIT
 * Building a layer: from its options and an input shape to parameters with their initial values. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "layers/layer_internal.h"

/* Initial values.  Drawn in the order of files, so that they do not depend on the order in
 * memory. */
static const struct {
    const char *name;
    bool normal;
    bool glorot;
} initializers[] = {
    [CNN_HE_NORMAL] = {"he_normal", true, false},
    [CNN_HE_UNIFORM] = {"he_uniform", false, false},
    [CNN_GLOROT_NORMAL] = {"glorot_normal", true, true},
    [CNN_GLOROT_UNIFORM] = {"glorot_uniform", false, true},
    [CNN_ZEROS] = {"zeros", false, false},
};

const char *cnn_initializer_name(cnn_initializer initializer)
{
    return initializer >= 1 && initializer < CNNI_COUNT(initializers)
               ? initializers[initializer].name
               : "unknown initializer";
}

cnn_status cnn_layer_set_initializer(cnn_layer *layer, cnn_initializer initializer)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    if (layer->class->parameters == NULL)
        return cnni_fail(layer->context, CNN_ERROR_INVALID, "%s: a %s layer has no weights",
                         __func__, layer->class->name);
    if (initializer < 1 || initializer >= CNNI_COUNT(initializers))
        return cnni_fail(layer->context, CNN_ERROR_INVALID,
                         "%s: initializer is %d, must be one of CNN_HE_NORMAL ... CNN_ZEROS",
                         __func__, initializer);
    if (layer->built)
        return cnni_fail(layer->context, CNN_ERROR_STATE, "%s: layer \"%s\" is already built",
                         __func__, layer->name);
    layer->initializer = initializer;
    return CNN_OK;
}

static void draw_values(const cnn_layer *layer, struct cnni_parameter *parameter)
{
    for (int64_t i = 0; parameter->initial != 0 && i < parameter->count; i++)
        parameter->value[i] = parameter->initial;
    if (layer->initializer == CNN_ZEROS || parameter->fan_in == 0)
        return;
    struct cnni_random random;
    struct cnni_float_state host;
    bool normal = initializers[layer->initializer].normal;
    bool glorot = initializers[layer->initializer].glorot;
    cnni_float_enter(&host);
    double fans =
        glorot ? (double)(parameter->fan_in + parameter->fan_out) : (double)parameter->fan_in;
    double deviation = sqrt(2 / fans), bound = sqrt(6 / fans);
    const int64_t *axis = parameter->axis, *step = parameter->step;
    cnni_random_start(&random, layer->seed, CNNI_RANDOM_WEIGHTS, layer->stream, 0);
    for (int64_t i = 0; i < axis[0]; i++)
        for (int64_t j = 0; j < axis[1]; j++)
            for (int64_t k = 0; k < axis[2]; k++)
                for (int64_t l = 0; l < axis[3]; l++)
                    parameter->value[i * step[0] + j * step[1] + k * step[2] + l * step[3]] =
                        (float)(normal ? deviation * cnni_random_normal(&random)
                                       : bound * (2 * cnni_random_uniform(&random) - 1));
    cnni_float_leave(&host);
}

/* A layer that already has parameters takes another input only where they fit it. */
static cnn_status check_built(const cnn_layer *layer, const struct cnni_parameter *parameter,
                              int32_t count, const char *function)
{
    char found[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    for (int32_t i = 0; i < count; i++)
        if (!cnni_shape_equal(&parameter[i].shape, &layer->parameter[i].shape))
            return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                             "%s: layer \"%s\" was built with weights %s, this input needs %s",
                             function, layer->name,
                             cnni_shape_text(found, &layer->parameter[i].shape),
                             cnni_shape_text(wanted, &parameter[i].shape));
    return CNN_OK;
}

static cnn_status make_parameters(cnn_layer *layer, struct cnni_parameter *parameter, int32_t count,
                                  const char *function)
{
    cnn_status status = CNN_OK;
    struct cnni_shape checked;
    for (int32_t i = 0; i < count && status == CNN_OK; i++) {
        parameter[i].value = NULL;
        status = cnni_shape_set(&checked, layer->context, parameter[i].shape.dim,
                                parameter[i].shape.rank, function);
        if (status == CNN_OK) {
            parameter[i].count = cnni_shape_count(&checked);
            status = cnni_alloc_zero(&parameter[i].value, layer->context,
                                     (size_t)parameter[i].count, sizeof(float), function);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        if (status == CNN_OK)
            draw_values(layer, &parameter[i]);
        else
            cnni_free(layer->context, parameter[i].value);
    }
    return status;
}

/* Keeps the values of a built layer as users and files see them when their order in memory changes:
 * that of a dense layer's columns depends on what is before a flatten. */
static cnn_status reorder(cnn_layer *layer, struct cnni_parameter *parameter,
                          const struct cnni_parameter *wanted, const char *function)
{
    float *arrays[] = {parameter->value, parameter->gradient}, *file;
    const struct cnni_parameter old = *parameter;
    if (memcmp(old.axis, wanted->axis, sizeof old.axis) == 0 &&
        memcmp(old.step, wanted->step, sizeof old.step) == 0)
        return CNN_OK;
    CNNI_TRY(cnni_alloc(&file, layer->context, (size_t)old.count, sizeof *file, function));
    memcpy(parameter->axis, wanted->axis, sizeof parameter->axis);
    memcpy(parameter->step, wanted->step, sizeof parameter->step);
    for (int32_t i = 0; i < CNNI_COUNT(arrays); i++)
        if (arrays[i] != NULL) {
            cnni_parameter_export(file, &old, arrays[i]);
            cnni_parameter_import(arrays[i], parameter, file);
        }
    cnni_free(layer->context, file);
    atomic_fetch_add(&layer->version, 1);
    return CNN_OK;
}

cnn_status cnni_layer_build(cnn_layer *layer, const struct cnni_shape *input,
                            const struct cnni_shape *origin, const char *function)
{
    struct cnni_parameter parameter[CNNI_MAX_PARAMETERS] = {{.value = NULL}};
    int32_t count = 0;
    if (layer->class->parameters != NULL)
        count = layer->class->parameters(layer, parameter, input, origin);
    if (layer->built) {
        CNNI_TRY(check_built(layer, parameter, count, function));
        /* Only weights have several orders, so that this changes all or nothing. */
        for (int32_t i = 0; i < count; i++)
            CNNI_TRY(reorder(layer, &layer->parameter[i], &parameter[i], function));
        return CNN_OK;
    }
    CNNI_TRY(make_parameters(layer, parameter, count, function));
    memcpy(layer->parameter, parameter, sizeof parameter);
    layer->parameter_count = count;
    layer->built = true;
    return CNN_OK;
}

/* The output shape for as few inputs as the layer takes, all of one shape. */
static cnn_status shape_of_equal(struct cnni_shape *output, const cnn_layer *layer,
                                 const struct cnni_shape *input, const char *function)
{
    struct cnni_shape inputs[CNNI_MAX_INPUTS];
    for (int32_t i = 0; i < layer->class->min_inputs; i++)
        inputs[i] = *input;
    return cnni_layer_shape(layer, output, inputs, layer->class->min_inputs, function);
}

cnn_status cnn_layer_build(cnn_layer *layer, const int64_t *shape, int32_t rank)
{
    struct cnni_shape input, output;
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    CNNI_TRY(cnni_shape_set(&input, layer->context, shape, rank, __func__));
    if (layer->in_model)
        return cnni_fail(layer->context, CNN_ERROR_STATE, "%s: layer \"%s\" is in a model",
                         __func__, layer->name);
    CNNI_TRY(shape_of_equal(&output, layer, &input, __func__));
    return cnni_layer_build(layer, &input, &input, __func__);
}

cnn_status cnn_layer_output_shape(int64_t *output, int32_t *output_rank, const cnn_layer *layer,
                                  const int64_t *shape, int32_t rank)
{
    struct cnni_shape input, made;
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    if (output == NULL || output_rank == NULL)
        return cnni_fail_null(layer->context, __func__, output == NULL ? "output" : "output_rank");
    CNNI_TRY(cnni_shape_set(&input, layer->context, shape, rank, __func__));
    CNNI_TRY(shape_of_equal(&made, layer, &input, __func__));
    memcpy(output, made.dim, (size_t)made.rank * sizeof made.dim[0]);
    *output_rank = made.rank;
    return CNN_OK;
}
