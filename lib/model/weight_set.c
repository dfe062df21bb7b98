/* SPDX-License-Identifier: MIT
 * Second sets of weights. */
#include "model/weight_set.h"

#include "base/memory.h"

#include <string.h>

/* For each parameter, with its number `i`. */
#define FOR_EACH_PARAMETER(model, statement)                                                       \
    do {                                                                                           \
        int32_t i = 0;                                                                             \
        for (int32_t node = 0; node < (model)->node_count; node++) {                               \
            cnn_layer *layer = (model)->nodes[node].layer;                                         \
            for (int32_t j = 0; j < layer->parameter_count; j++, i++) {                            \
                struct cnni_parameter *parameter = &layer->parameter[j];                           \
                statement;                                                                         \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static size_t bytes_of(const struct cnni_parameter *parameter)
{
    return (size_t)parameter->count * sizeof(float);
}

static cnn_status create(float ***weights, const cnn_model *model, bool all, const char *function)
{
    cnn_status status = CNN_OK;
    CNNI_TRY(cnni_alloc_zero(weights, model->context, (size_t)model->parameter_count,
                             sizeof **weights, function));
    float **made = *weights;
    FOR_EACH_PARAMETER(
        model, if (status == CNN_OK && (all || parameter->statistic)) status =
                   cnni_alloc_zero(&made[i], model->context, bytes_of(parameter), 1, function));
    if (status != CNN_OK) {
        cnni_weight_set_free(made, model);
        *weights = NULL;
    }
    return status;
}

cnn_status cnni_weight_set_create(float ***weights, const cnn_model *model, const char *function)
{
    return create(weights, model, true, function);
}

cnn_status cnni_weight_set_create_statistics(float ***weights, const cnn_model *model,
                                             const char *function)
{
    return create(weights, model, false, function);
}

void cnni_weight_set_free(float **weights, const cnn_model *model)
{
    for (int32_t i = 0; weights != NULL && i < model->parameter_count; i++)
        cnni_free(model->context, weights[i]);
    cnni_free(model->context, weights);
}

size_t cnni_weight_set_bytes(float *const *weights, const cnn_model *model)
{
    if (weights == NULL)
        return 0;
    size_t bytes = (size_t)model->parameter_count * sizeof(float *);
    FOR_EACH_PARAMETER(model, bytes += weights[i] != NULL ? bytes_of(parameter) : 0);
    return bytes;
}

/* The layer's packed weights are out of date. */
static void outdate(cnn_layer *layer)
{
    atomic_fetch_add(&layer->version, 1);
}

void cnni_weight_set_keep(float *const *weights, const cnn_model *model)
{
    FOR_EACH_PARAMETER(model, if (weights[i] != NULL)
                                  memcpy(weights[i], parameter->value, bytes_of(parameter)));
}

static void put_back(cnn_layer *layer, const struct cnni_parameter *parameter, const float *values)
{
    memcpy(parameter->value, values, bytes_of(parameter));
    outdate(layer);
}

void cnni_weight_set_put_back(cnn_model *model, float *const *weights)
{
    FOR_EACH_PARAMETER(model, put_back(layer, parameter, weights[i]));
}

void cnni_weight_set_list(float *const *weights, const char *kind, const cnn_model *model,
                          struct cnni_state *state)
{
    if (weights == NULL)
        return;
    FOR_EACH_PARAMETER(
        model, cnni_state_array(state, model->parameter_names[i], kind, parameter, weights[i]));
}

static void swap(cnn_layer *layer, struct cnni_parameter *parameter, float **values)
{
    float *const kept = parameter->value;
    parameter->value = *values;
    *values = kept;
    outdate(layer);
}

void cnni_weight_set_swap(float **weights, cnn_model *model)
{
    FOR_EACH_PARAMETER(model, if (weights[i] != NULL) swap(layer, parameter, &weights[i]));
}
