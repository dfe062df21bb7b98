/* SPDX-License-Identifier: MIT
 * A model's parameters by name: finding the layer, which does the rest. */
#include "base/error.h"
#include "model/model_internal.h"

#include <string.h>

int32_t cnn_model_parameter_count(const cnn_model *model)
{
    return model == NULL ? 0 : model->parameter_count;
}

const char *cnn_model_parameter_name(const cnn_model *model, int32_t index)
{
    return index >= 0 && index < cnn_model_parameter_count(model) ? model->parameter_names[index]
                                                                  : NULL;
}

/* Parameter number `index` is parameter number *parameter of the layer that is returned. */
static cnn_layer *locate(const cnn_model *model, int32_t index, cnn_parameter *parameter)
{
    for (int32_t i = 0; i < model->node_count; i++) {
        cnn_layer *layer = model->nodes[i].layer;
        *parameter = index;
        if (index < layer->parameter_count)
            return layer;
        index -= layer->parameter_count;
    }
    return NULL;
}

static cnn_status find(const cnn_model *model, const char *name, cnn_layer **layer,
                       cnn_parameter *parameter, const char *function)
{
    char shown[CNNI_SHOW_SIZE];
    if (model == NULL)
        return cnni_fail_null(NULL, function, "model");
    if (name == NULL)
        return cnni_fail_null(model->context, function, "name");
    for (int32_t i = 0; i < model->parameter_count; i++)
        if (strcmp(model->parameter_names[i], name) == 0) {
            *layer = locate(model, i, parameter);
            return CNN_OK;
        }
    return cnni_fail(model->context, CNN_ERROR_NOT_FOUND, "%s: the model has no parameter \"%s\"",
                     function, cnni_show_bytes(shown, sizeof shown, name, strlen(name)));
}

cnn_status cnn_model_parameter_shape(int64_t *shape, int32_t *rank, const cnn_model *model,
                                     const char *name)
{
    cnn_layer *layer = NULL;
    cnn_parameter parameter = 0;
    CNNI_TRY(find(model, name, &layer, &parameter, __func__));
    return cnni_layer_parameter_shape(layer, parameter, shape, rank, __func__);
}

cnn_status cnn_model_get_parameter(const cnn_model *model, const char *name, cnn_tensor *values)
{
    cnn_layer *layer = NULL;
    cnn_parameter parameter = 0;
    CNNI_TRY(find(model, name, &layer, &parameter, __func__));
    return cnni_layer_get_parameter(layer, parameter, values, __func__);
}

cnn_status cnn_model_set_parameter(cnn_model *model, const char *name, const cnn_tensor *values)
{
    cnn_layer *layer = NULL;
    cnn_parameter parameter = 0;
    CNNI_TRY(find(model, name, &layer, &parameter, __func__));
    return cnni_layer_set_parameter(layer, parameter, values, __func__);
}

cnn_status cnn_model_get_gradient(const cnn_model *model, const char *name, cnn_tensor *values)
{
    cnn_layer *layer = NULL;
    cnn_parameter parameter = 0;
    CNNI_TRY(find(model, name, &layer, &parameter, __func__));
    return cnni_layer_get_gradient(layer, parameter, values, __func__);
}

/* ---- Fine-tuning ---- */

cnn_status cnn_model_set_trained(cnn_model *model, int32_t first, int32_t end, int32_t trained)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (first < 0 || first > end || end > model->node_count)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: the layers are %d to %d, must be within 0 to %d", __func__, first,
                         end, model->node_count);
    if (trained != 0 && trained != 1)
        return cnni_fail(model->context, CNN_ERROR_INVALID, "%s: trained is %d, must be 0 or 1",
                         __func__, trained);
    CNNI_TRY(cnni_weight_gate_enter_reading(model->gate, __func__));
    for (int32_t i = first; i < end; i++)
        cnni_layer_set_trained(model->nodes[i].layer, trained == 1);
    cnni_weight_gate_leave(model->gate);
    return CNN_OK;
}
