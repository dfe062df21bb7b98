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

cnn_status cnni_weight_set_create(float ***weights, const cnn_model *model, const char *function)
{
    cnn_status status = CNN_OK;
    CNNI_TRY(cnni_alloc_zero(weights, model->context, (size_t)model->parameter_count,
                             sizeof **weights, function));
    float **made = *weights;
    FOR_EACH_PARAMETER(model, if (status == CNN_OK) status = cnni_alloc_zero(
                                  &made[i], model->context, bytes_of(parameter), 1, function));
    if (status != CNN_OK) {
        cnni_weight_set_free(made, model);
        *weights = NULL;
    }
    return status;
}

void cnni_weight_set_free(float **weights, const cnn_model *model)
{
    for (int32_t i = 0; weights != NULL && i < model->parameter_count; i++)
        cnni_free(model->context, weights[i]);
    cnni_free(model->context, weights);
}

size_t cnni_weight_set_bytes(const cnn_model *model)
{
    size_t bytes = (size_t)model->parameter_count * sizeof(float *);
    for (int32_t i = 0; i < model->node_count; i++)
        for (int32_t j = 0; j < model->nodes[i].layer->parameter_count; j++)
            bytes += bytes_of(&model->nodes[i].layer->parameter[j]);
    return bytes;
}

/* The packed weights, which are made from the model's, are out of date. */
static void outdate(cnn_model *model)
{
    for (int32_t i = 0; i < model->node_count; i++)
        atomic_fetch_add(&model->nodes[i].layer->version, 1);
}

void cnni_weight_set_keep(float *const *weights, const cnn_model *model)
{
    FOR_EACH_PARAMETER(model, memcpy(weights[i], parameter->value, bytes_of(parameter)));
}

void cnni_weight_set_put_back(cnn_model *model, float *const *weights)
{
    FOR_EACH_PARAMETER(model, memcpy(parameter->value, weights[i], bytes_of(parameter)));
    outdate(model);
}

void cnni_weight_set_list(float *const *weights, const char *kind, const cnn_model *model,
                          struct cnni_state *state)
{
    if (weights == NULL)
        return;
    FOR_EACH_PARAMETER(
        model, cnni_state_array(state, model->parameter_names[i], kind, parameter, weights[i]));
}

static void swap(float **a, float **b)
{
    float *const kept = *a;
    *a = *b;
    *b = kept;
}

void cnni_weight_set_swap(float **weights, cnn_model *model)
{
    FOR_EACH_PARAMETER(model, swap(&weights[i], &parameter->value));
    outdate(model);
}
