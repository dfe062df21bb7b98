/* SPDX-License-Identifier: MIT
 * Parameters as users and files see them: PyTorch's layouts, copied out and in. */
#include <string.h>

#include "base/error.h"
#include "layers/layer_gate.h"
#include "layers/layer_internal.h"

/* Calls for every element: `at` is its number in the order of files, `place` where it is in memory.
 * The first axis of files is the last in memory; going through it by blocks of one cache line uses
 * all of a line in both. */
#define FOR_EACH_ELEMENT(parameter, statement)                                                     \
    do {                                                                                           \
        enum { BLOCK = 16 };                                                                       \
        const int64_t *axis = (parameter)->axis, *step = (parameter)->step;                        \
        int64_t inner = axis[1] * axis[2] * axis[3];                                               \
        for (int64_t block = 0; block < axis[0]; block += BLOCK) {                                 \
            int64_t end = CNNI_MIN(block + BLOCK, axis[0]), rest = 0;                              \
            for (int64_t j = 0; j < axis[1]; j++)                                                  \
                for (int64_t k = 0; k < axis[2]; k++)                                              \
                    for (int64_t l = 0; l < axis[3]; l++, rest++)                                  \
                        for (int64_t i = block; i < end; i++) {                                    \
                            int64_t at = i * inner + rest;                                         \
                            int64_t place = i * step[0] + j * step[1] + k * step[2] + l * step[3]; \
                            statement;                                                             \
                        }                                                                          \
        }                                                                                          \
    } while (0)

void cnni_parameter_export(float *file, const struct cnni_parameter *parameter, const float *memory)
{
    FOR_EACH_ELEMENT(parameter, file[at] = memory[place]);
}

void cnni_parameter_import(float *memory, const struct cnni_parameter *parameter, const float *file)
{
    FOR_EACH_ELEMENT(parameter, memory[place] = file[at]);
}

const char *cnn_parameter_name(cnn_parameter parameter)
{
    static const char *const names[] = {
        [CNN_WEIGHT] = "weight",
        [CNN_BIAS] = "bias",
        [CNN_RUNNING_MEAN] = "running_mean",
        [CNN_RUNNING_VARIANCE] = "running_var",
    };
    return parameter >= 0 && parameter < CNNI_COUNT(names) ? names[parameter] : "unknown parameter";
}

int32_t cnn_layer_parameter_count(const cnn_layer *layer)
{
    return layer == NULL ? 0 : layer->parameter_count;
}

static cnn_status find(const cnn_layer *layer, cnn_parameter parameter,
                       const struct cnni_parameter **found, const char *function)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, function, "layer");
    if (parameter < 0 || parameter >= layer->parameter_count)
        return cnni_fail(layer->context, CNN_ERROR_NOT_FOUND,
                         "%s: layer \"%s\" has %d parameters, and no parameter %d", function,
                         layer->name, layer->parameter_count, parameter);
    *found = &layer->parameter[parameter];
    return CNN_OK;
}

/* The parameter, after checking that `values` is a tensor of its shape. */
static cnn_status find_matching(const cnn_layer *layer, cnn_parameter parameter,
                                const struct cnni_parameter **found, const cnn_tensor *values,
                                const char *function)
{
    char is[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    CNNI_TRY(find(layer, parameter, found, function));
    if (values == NULL)
        return cnni_fail_null(layer->context, function, "values");
    if (values->dtype != CNN_FLOAT32 || !cnni_shape_equal(&values->shape, &(*found)->shape))
        return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                         "%s: values is %s %s, parameter %d of layer \"%s\" is float32 %s",
                         function, cnn_dtype_name(values->dtype),
                         cnni_shape_text(is, &values->shape), parameter, layer->name,
                         cnni_shape_text(wanted, &(*found)->shape));
    return CNN_OK;
}

cnn_status cnni_layer_parameter_shape(const cnn_layer *layer, cnn_parameter parameter,
                                      int64_t *shape, int32_t *rank, const char *function)
{
    const struct cnni_parameter *found = NULL;
    CNNI_TRY(find(layer, parameter, &found, function));
    if (shape == NULL || rank == NULL)
        return cnni_fail_null(layer->context, function, shape == NULL ? "shape" : "rank");
    memcpy(shape, found->shape.dim, (size_t)found->shape.rank * sizeof found->shape.dim[0]);
    *rank = found->shape.rank;
    return CNN_OK;
}

cnn_status cnni_layer_get_parameter(const cnn_layer *layer, cnn_parameter parameter,
                                    cnn_tensor *values, const char *function)
{
    const struct cnni_parameter *found = NULL;
    CNNI_TRY(find_matching(layer, parameter, &found, values, function));
    cnni_parameter_export(values->data, found, found->value);
    return CNN_OK;
}

cnn_status cnni_layer_set_parameter(cnn_layer *layer, cnn_parameter parameter,
                                    const cnn_tensor *values, const char *function)
{
    const struct cnni_parameter *found = NULL;
    CNNI_TRY(find_matching(layer, parameter, &found, values, function));
    if (layer->gate != NULL)
        CNNI_TRY(cnni_weight_gate_enter_writing(layer->gate, function));
    cnni_parameter_import(found->value, found, values->data);
    atomic_fetch_add(&layer->version, 1);
    if (layer->gate != NULL)
        cnni_weight_gate_leave(layer->gate);
    return CNN_OK;
}

cnn_status cnni_layer_get_gradient(const cnn_layer *layer, cnn_parameter parameter,
                                   cnn_tensor *values, const char *function)
{
    const struct cnni_parameter *found = NULL;
    CNNI_TRY(find_matching(layer, parameter, &found, values, function));
    if (found->statistic)
        return cnni_fail(layer->context, CNN_ERROR_STATE,
                         "%s: %s of layer \"%s\" is measured, it has no gradient", function,
                         cnn_parameter_name(parameter), layer->name);
    if (found->gradient == NULL)
        return cnni_fail(layer->context, CNN_ERROR_STATE,
                         "%s: no backward pass of layer \"%s\" has run yet", function, layer->name);
    cnni_parameter_export(values->data, found, found->gradient);
    return CNN_OK;
}

cnn_status cnn_layer_parameter_shape(int64_t *shape, int32_t *rank, const cnn_layer *layer,
                                     cnn_parameter parameter)
{
    return cnni_layer_parameter_shape(layer, parameter, shape, rank, __func__);
}

cnn_status cnn_layer_get_parameter(const cnn_layer *layer, cnn_parameter parameter,
                                   cnn_tensor *values)
{
    return cnni_layer_get_parameter(layer, parameter, values, __func__);
}

cnn_status cnn_layer_set_parameter(cnn_layer *layer, cnn_parameter parameter,
                                   const cnn_tensor *values)
{
    return cnni_layer_set_parameter(layer, parameter, values, __func__);
}

cnn_status cnn_layer_get_gradient(const cnn_layer *layer, cnn_parameter parameter,
                                  cnn_tensor *values)
{
    return cnni_layer_get_gradient(layer, parameter, values, __func__);
}

cnn_status cnn_layer_clear_gradients(cnn_layer *layer)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    for (int32_t i = 0; i < layer->parameter_count; i++)
        if (layer->parameter[i].gradient != NULL)
            memset(layer->parameter[i].gradient, 0,
                   (size_t)layer->parameter[i].count * sizeof(float));
    return CNN_OK;
}
