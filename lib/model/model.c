/* SPDX-License-Identifier: MIT
 * The graph: adding layers, and looking at them.  Class names and pictures are in
 * model_pictures.c, parameters by name in model_parameters.c, files in model_save.c and
 * model_load.c, memory in plan.c. */
#include "model/model_internal.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

cnn_status cnni_model_create(cnn_model **model, cnn_context *context, const int64_t *shape,
                             int32_t rank, const char *function)
{
    struct cnni_shape input;
    cnn_model *made;
    if (model == NULL)
        return cnni_fail_null(context, function, "model");
    *model = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    CNNI_TRY(cnni_shape_set(&input, context, shape, rank, function));
    if (rank == CNN_MAX_RANK)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: rank is %d, must be at most %d to leave room for the batch", function,
                         rank, CNN_MAX_RANK - 1);
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, sizeof *made, function));
    made->context = context;
    made->input = input;
    int32_t channels = cnni_model_channels(made);
    cnn_status status = cnni_weight_gate_create(&made->gate, context, function);
    if (status == CNN_OK && channels > 0)
        status = cnni_alloc(&made->mean, context, 2 * (size_t)channels, sizeof(float), function);
    if (status != CNN_OK || !cnni_lock_init(&made->packing)) {
        cnni_weight_gate_release(made->gate);
        cnni_free(context, made->mean);
        cnni_free(context, made);
        return status != CNN_OK
                   ? status
                   : cnni_fail(context, CNN_ERROR_MEMORY, "%s: no memory for a lock", function);
    }
    for (int32_t i = 0; i < 2 * channels; i++)
        made->mean[i] = 0.5f;
    made->deviation = channels > 0 ? made->mean + channels : NULL;
    cnni_context_share(context);
    atomic_init(&made->references, 1);
    *model = made;
    return CNN_OK;
}

cnn_status cnn_model_create(cnn_model **model, cnn_context *context, const int64_t *shape,
                            int32_t rank)
{
    return cnni_model_create(model, context, shape, rank, __func__);
}

cnn_model *cnni_model_share(cnn_model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void cnni_free_texts(cnn_context *context, char **texts, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        cnni_free(context, texts[i]);
    cnni_free(context, texts);
}

void cnn_model_free(cnn_model *model)
{
    if (model == NULL ||
        atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    cnn_context *context = model->context;
    for (int32_t i = 0; i < model->node_count; i++) {
        model->nodes[i].layer->in_model = false;
        cnn_layer_free(model->nodes[i].layer);
        cnni_free(context, model->nodes[i].inputs);
    }
    cnni_free(context, model->nodes);
    cnni_free_texts(context, model->classes, model->class_count);
    cnni_free_texts(context, model->parameter_names, model->parameter_count);
    cnni_free(context, model->mean);
    cnni_weight_gate_release(model->gate);
    cnni_lock_destroy(&model->packing);
    cnni_free(context, model);
    cnni_context_release(context);
}

/* ---- Adding ---- */

static bool name_taken(const cnn_model *model, const char *name)
{
    for (int32_t i = 0; i < model->node_count; i++)
        if (strcmp(model->nodes[i].layer->name, name) == 0)
            return true;
    return false;
}

/* The name that `layer` will have: its own, or its kind with the first number that is free. */
static cnn_status choose_name(const cnn_model *model, const cnn_layer *layer,
                              char name[CNNI_NAME_SIZE], const char *function)
{
    snprintf(name, CNNI_NAME_SIZE, "%s", layer->name);
    for (int32_t number = 1; !layer->named && number <= model->node_count + 1; number++) {
        snprintf(name, CNNI_NAME_SIZE, "%s%d", layer->class->name, number);
        if (!name_taken(model, name))
            return CNN_OK;
    }
    if (!name_taken(model, name))
        return CNN_OK;
    return cnni_fail(model->context, CNN_ERROR_INVALID, "%s: another layer is named \"%s\" already",
                     function, name);
}

static cnn_status check_addable(cnn_model *model, const cnn_layer *layer, const char *function)
{
    if (layer == NULL)
        return cnni_fail_null(model->context, function, "layer");
    if (layer->context != model->context)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: layer \"%s\" was made from another context than the model", function,
                         layer->name);
    if (layer->in_model)
        return cnni_fail(model->context, CNN_ERROR_STATE, "%s: layer \"%s\" is in a model already",
                         function, layer->name);
    if (atomic_load(&model->closed))
        return cnni_fail(
            model->context, CNN_ERROR_STATE,
            "%s: a session or trainer of the model exists or has existed, no layer can "
            "be added",
            function);
    return cnni_check_limit(model->context, CNN_LIMIT_LAYERS, (int64_t)model->node_count + 1,
                            function, "the number of layers");
}

void cnni_model_input_shapes(struct cnni_shape *shapes, const cnn_model *model,
                             const int32_t *inputs, int32_t input_count)
{
    for (int32_t i = 0; i < input_count; i++)
        shapes[i] = inputs[i] == CNN_MODEL_INPUT ? model->input : model->nodes[inputs[i]].output;
}

static cnn_status check_inputs(const cnn_model *model, const cnn_layer *layer,
                               const int32_t *inputs, int32_t input_count, const char *function)
{
    cnn_context *context = model->context;
    if (inputs == NULL)
        return cnni_fail_null(context, function, "inputs");
    if (input_count < layer->class->min_inputs || input_count > layer->class->max_inputs)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: layer \"%s\" gets %d inputs, a %s takes %d to %d", function,
                         layer->name, input_count, layer->class->name, layer->class->min_inputs,
                         layer->class->max_inputs);
    for (int32_t i = 0; i < input_count; i++) {
        if (inputs[i] < CNN_MODEL_INPUT || inputs[i] >= model->node_count)
            return cnni_fail(
                context, CNN_ERROR_INVALID,
                "%s: layer \"%s\": inputs[%d] is %d, must be CNN_MODEL_INPUT (-1) or a layer "
                "added before, 0 to %d",
                function, layer->name, i, inputs[i], model->node_count - 1);
    }
    return CNN_OK;
}

/* Makes an array of `count` elements twice as long when it is full. */
static cnn_status grow(void *array /* any_type ** */, int32_t *room, int32_t count, size_t size,
                       cnn_context *context, const char *function)
{
    void *old, *made;
    if (count < *room)
        return CNN_OK;
    memcpy(&old, array, sizeof old);
    int32_t wanted = *room == 0 ? 8 : *room * 2;
    CNNI_TRY(cnni_alloc_zero(&made, context, (size_t)wanted, size, function));
    if (count > 0)
        memcpy(made, old, (size_t)count * size);
    cnni_free(context, old);
    memcpy(array, &made, sizeof made);
    *room = wanted;
    return CNN_OK;
}

/* What a new layer brings, all made before model and layer are changed. */
struct addition {
    char name[CNNI_NAME_SIZE];
    struct cnni_node node;
    char **parameter_names; /* the model's and, behind them, the layer's */
    int32_t parameter_count;
};

/* Makes the longer list of names, with "NAME.weight" and so on at its end. */
static cnn_status list_names(struct addition *addition, const cnn_model *model, int32_t added,
                             const char *function)
{
    size_t old = (size_t)model->parameter_count;
    CNNI_TRY(cnni_alloc(&addition->parameter_names, model->context, old + (size_t)added,
                        sizeof *addition->parameter_names, function));
    if (old > 0)
        memcpy(addition->parameter_names, model->parameter_names,
               old * sizeof *model->parameter_names);
    addition->parameter_count = model->parameter_count;
    for (int32_t i = 0; i < added; i++) {
        char text[CNNI_NAME_SIZE + 16];
        snprintf(text, sizeof text, "%s.%s", addition->name, cnn_parameter_name(i));
        CNNI_TRY(cnni_copy_text(&addition->parameter_names[addition->parameter_count],
                                model->context, text, function));
        addition->parameter_count++;
    }
    return CNN_OK;
}

/* Building the layer comes last: nothing after it can fail. */
static cnn_status make_addition(struct addition *addition, const cnn_model *model,
                                const int32_t *inputs, int32_t input_count, const char *function)
{
    struct cnni_node *node = &addition->node;
    struct cnni_parameter parameter[CNNI_MAX_PARAMETERS];
    struct cnni_shape shapes[CNNI_MAX_INPUTS];
    cnn_layer *layer = node->layer;
    const struct cnni_layer_class *class = layer->class;
    const struct cnni_shape *origin =
        inputs[0] == CNN_MODEL_INPUT ? &model->input : &model->nodes[inputs[0]].origin;
    cnni_model_input_shapes(shapes, model, inputs, input_count);
    CNNI_TRY(cnni_layer_shape(layer, &node->output, shapes, input_count, function));
    CNNI_TRY(
        cnni_alloc(&node->inputs, model->context, (size_t)input_count, sizeof *inputs, function));
    memcpy(node->inputs, inputs, (size_t)input_count * sizeof *inputs);
    node->input_count = input_count;
    node->origin = class->flags & CNNI_IN_PLACE ? *origin : node->output;
    int32_t parameters =
        class->parameters == NULL ? 0 : class->parameters(layer, parameter, shapes, origin);
    CNNI_TRY(list_names(addition, model, parameters, function));
    return cnni_layer_build(layer, shapes, origin, function);
}

static void drop_addition(struct addition *addition, const cnn_model *model)
{
    for (int32_t i = model->parameter_count; i < addition->parameter_count; i++)
        cnni_free(model->context, addition->parameter_names[i]);
    cnni_free(model->context, addition->parameter_names);
    cnni_free(model->context, addition->node.inputs);
}

static void take_addition(cnn_model *model, const struct addition *addition)
{
    const struct cnni_node *node = &addition->node;
    cnn_layer *layer = cnni_layer_share(node->layer);
    snprintf(layer->name, sizeof layer->name, "%s", addition->name);
    cnni_layer_join(layer, model->gate);
    cnni_free(model->context, model->parameter_names);
    model->parameter_names = addition->parameter_names;
    model->parameter_count = addition->parameter_count;
    for (int32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != CNN_MODEL_INPUT)
            model->nodes[node->inputs[i]].consumers++;
    model->nodes[model->node_count++] = *node;
}

cnn_status cnni_model_add(cnn_model *model, cnn_layer *layer, const int32_t *inputs,
                          int32_t input_count, const char *function)
{
    struct addition addition = {.node.layer = layer};
    if (model == NULL)
        return cnni_fail_null(NULL, function, "model");
    CNNI_TRY(check_addable(model, layer, function));
    CNNI_TRY(check_inputs(model, layer, inputs, input_count, function));
    CNNI_TRY(choose_name(model, layer, addition.name, function));
    CNNI_TRY(grow(&model->nodes, &model->node_room, model->node_count, sizeof *model->nodes,
                  model->context, function));
    cnn_status status = make_addition(&addition, model, inputs, input_count, function);
    if (status == CNN_OK)
        take_addition(model, &addition);
    else
        drop_addition(&addition, model);
    return status;
}

cnn_status cnn_model_add(cnn_model *model, cnn_layer *layer)
{
    int32_t last = model == NULL ? 0 : model->node_count - 1; /* -1 is the model's input */
    return cnni_model_add(model, layer, &last, 1, __func__);
}

cnn_status cnn_model_add_with_inputs(cnn_model *model, cnn_layer *layer, const int32_t *inputs,
                                     int32_t input_count)
{
    return cnni_model_add(model, layer, inputs, input_count, __func__);
}

/* ---- Looking ---- */

static const struct cnni_node *node_at(const cnn_model *model, int32_t index)
{
    return model != NULL && index >= 0 && index < model->node_count ? &model->nodes[index] : NULL;
}

int32_t cnn_model_layer_count(const cnn_model *model)
{
    return model == NULL ? 0 : model->node_count;
}

cnn_layer *cnn_model_layer(cnn_model *model, int32_t index)
{
    const struct cnni_node *node = node_at(model, index);
    return node == NULL ? NULL : node->layer;
}

static cnn_status write_shape(const cnn_model *model, const struct cnni_shape *from, int64_t *shape,
                              int32_t *rank, const char *function)
{
    if (shape == NULL || rank == NULL)
        return cnni_fail_null(model->context, function, shape == NULL ? "shape" : "rank");
    memcpy(shape, from->dim, (size_t)from->rank * sizeof from->dim[0]);
    *rank = from->rank;
    return CNN_OK;
}

cnn_status cnn_model_input_shape(int64_t *shape, int32_t *rank, const cnn_model *model)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    return write_shape(model, &model->input, shape, rank, __func__);
}

cnn_status cnn_model_layer_shape(int64_t *shape, int32_t *rank, const cnn_model *model,
                                 int32_t index)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    const struct cnni_node *node = node_at(model, index);
    if (node == NULL)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: index is %d, the model has %d layers", __func__, index,
                         model->node_count);
    return write_shape(model, &node->output, shape, rank, __func__);
}

cnn_status cnn_model_output_shape(int64_t *shape, int32_t *rank, const cnn_model *model)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (model->node_count == 0)
        return cnni_fail(model->context, CNN_ERROR_STATE, "%s: the model has no layers", __func__);
    return write_shape(model, &model->nodes[model->node_count - 1].output, shape, rank, __func__);
}

int64_t cnn_model_layer_parameters(const cnn_model *model, int32_t index)
{
    const struct cnni_node *node = node_at(model, index);
    int64_t count = 0;
    for (int32_t i = 0; node != NULL && i < node->layer->parameter_count; i++)
        if (!node->layer->parameter[i].statistic)
            count += node->layer->parameter[i].count;
    return count;
}

int64_t cnn_model_parameters(const cnn_model *model)
{
    int64_t count = 0;
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++)
        count += cnn_model_layer_parameters(model, i);
    return count;
}

/* ---- The graph's state ---- */

cnn_status cnn_model_set_algorithm(cnn_model *model, cnn_algorithm algorithm)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (algorithm < CNN_EXACT || algorithm > CNN_FAST)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: algorithm is %d, must be CNN_EXACT, CNN_BALANCED or CNN_FAST",
                         __func__, algorithm);
    if (atomic_load(&model->closed))
        return cnni_fail(model->context, CNN_ERROR_STATE,
                         "%s: a session or trainer of the model exists or has existed", __func__);
    for (int32_t i = 0; i < model->node_count; i++)
        cnni_conv2d_allow(model->nodes[i].layer, algorithm);
    return CNN_OK;
}

void cnni_model_close(cnn_model *model)
{
    atomic_store(&model->closed, true);
}

cnn_status cnni_model_check_complete(const cnn_model *model, const char *function)
{
    if (model->node_count == 0)
        return cnni_fail(model->context, CNN_ERROR_STATE, "%s: the model has no layers", function);
    for (int32_t i = 0; i < model->node_count - 1; i++)
        if (model->nodes[i].consumers == 0)
            return cnni_fail(model->context, CNN_ERROR_STATE,
                             "%s: nobody takes the output of layer \"%s\"", function,
                             model->nodes[i].layer->name);
    return CNN_OK;
}
