/* SPDX-License-Identifier: MIT
 * The same network for inputs of another size. */
#include "base/error.h"
#include "layers/layer_gate.h"
#include "model/model_internal.h"

#include <string.h>

/* Whether the parameters mean the same for both sizes: the columns of a dense layer behind a
 * flatten belong to pixels of one size. */
static cnn_status check_parameters(const cnn_layer *copy, const cnn_layer *layer,
                                   const char *function)
{
    char wanted[CNNI_SHAPE_TEXT], found[CNNI_SHAPE_TEXT];
    for (int32_t i = 0; i < layer->parameter_count; i++) {
        const struct cnni_parameter *to = &copy->parameter[i], *from = &layer->parameter[i];
        if (memcmp(to->axis, from->axis, sizeof to->axis) != 0)
            return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                             "%s: layer \"%s\" has the %s %s, and needs %s for inputs of that size",
                             function, layer->name, cnn_parameter_name(i),
                             cnni_shape_text(found, &from->shape),
                             cnni_shape_text(wanted, &to->shape));
    }
    return CNN_OK;
}

static cnn_status add_copy(cnn_model *resized, const struct cnni_node *node, const char *function)
{
    cnn_layer *copy;
    const cnn_layer *layer = node->layer;
    CNNI_TRY(cnni_layer_copy(&copy, layer, function));
    cnn_status status = cnni_model_add(resized, copy, node->inputs, node->input_count, function);
    if (status == CNN_OK)
        status = check_parameters(copy, layer, function);
    for (int32_t i = 0; status == CNN_OK && i < layer->parameter_count; i++)
        memcpy(copy->parameter[i].value, layer->parameter[i].value,
               (size_t)layer->parameter[i].count * sizeof(float));
    cnn_layer_free(copy);
    return status;
}

/* Class names, and the normalisation of pictures that are pictures still. */
static cnn_status copy_rest(cnn_model *resized, const cnn_model *model, const char *function)
{
    const int32_t channels = cnni_model_channels(model);
    if (channels > 0)
        memcpy(resized->mean, model->mean, 2 * (size_t)channels * sizeof(float));
    if (model->class_count == 0)
        return CNN_OK;
    return cnni_model_set_classes(resized, (const char *const *)model->classes, model->class_count,
                                  function);
}

static cnn_status copy_all(cnn_model *resized, const cnn_model *model, const char *function)
{
    for (int32_t i = 0; i < model->node_count; i++)
        CNNI_TRY(add_copy(resized, &model->nodes[i], function));
    return copy_rest(resized, model, function);
}

/* Sizes may change, not what they count. */
static cnn_status check_shape(const cnn_model *resized, const cnn_model *model,
                              const char *function)
{
    char wanted[CNNI_SHAPE_TEXT], found[CNNI_SHAPE_TEXT];
    const struct cnni_shape *to = &resized->input, *from = &model->input;
    if (to->rank == from->rank && to->dim[to->rank - 1] == from->dim[from->rank - 1])
        return CNN_OK;
    return cnni_fail(model->context, CNN_ERROR_SHAPE,
                     "%s: shape is %s, must have the rank and the last dimension of the model's %s",
                     function, cnni_shape_text(found, to), cnni_shape_text(wanted, from));
}

cnn_status cnn_model_create_resized(cnn_model **resized, const cnn_model *model,
                                    const int64_t *shape, int32_t rank)
{
    if (resized == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "resized");
    *resized = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    cnn_model *made;
    CNNI_TRY(cnni_model_create(&made, model->context, shape, rank, __func__));
    cnn_status status = check_shape(made, model, __func__);
    if (status == CNN_OK)
        status = cnni_weight_gate_enter_reading(model->gate, __func__);
    if (status == CNN_OK) {
        status = copy_all(made, model, __func__);
        cnni_weight_gate_leave(model->gate);
    }
    if (status == CNN_OK)
        *resized = made;
    else
        cnn_model_free(made);
    return status;
}
