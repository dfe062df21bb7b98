/* SPDX-License-Identifier: MIT
 * Model files, writing: the graph as a JSON text, the parameters in the order of files, and both in
 * the container of safetensors.c.  The text, whose members always come in this order:
 *
 *     {"format":1,"library":"0.1.0","input":[64,64,3],"mean":[...],"deviation":[...],
 *      "layers":[{"kind":"relu","name":"relu1","options":{...},"inputs":[0]},...],
 *      "classes":["cat","dog"],"crc32c":["0123abcd",...]}
 *
 * with one checksum for each tensor, in the tensors' order. */
#include "model/model_file.h"

#include "base/context_internal.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cnn/version.h"

#include <string.h>

static void put_text(struct cnni_json_writer *json, const char *text)
{
    cnni_json_put_text(json, text, strlen(text));
}

/* ---- The graph ---- */

static void put_reals(struct cnni_json_writer *json, const char *name, const float *values,
                      int32_t count)
{
    cnni_json_put_key(json, name);
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < count; i++)
        cnni_json_put_real(json, values[i]);
    cnni_json_close(json, ']');
}

static void put_input(struct cnni_json_writer *json, const struct cnni_shape *shape)
{
    cnni_json_put_key(json, "input");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < shape->rank; i++)
        cnni_json_put_integer(json, shape->dim[i]);
    cnni_json_close(json, ']');
}

static void put_options(struct cnni_json_writer *json, const cnn_layer *layer)
{
    cnni_json_put_key(json, "options");
    cnni_json_open(json, '{');
    for (int32_t i = 0; i < layer->class->option_count; i++) {
        const struct cnni_option *option = &layer->class->options[i];
        double value = cnni_layer_option(layer, option);
        cnni_json_put_key(json, option->name);
        if (option->type == CNNI_WHOLE)
            cnni_json_put_integer(json, (int64_t)value);
        else
            cnni_json_put_real(json, value);
    }
    cnni_json_close(json, '}');
}

static void put_node(struct cnni_json_writer *json, const struct cnni_node *node)
{
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "kind");
    put_text(json, node->layer->class->name);
    cnni_json_put_key(json, "name");
    put_text(json, node->layer->name);
    put_options(json, node->layer);
    cnni_json_put_key(json, "inputs");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < node->input_count; i++)
        cnni_json_put_integer(json, node->inputs[i]);
    cnni_json_close(json, ']');
    cnni_json_close(json, '}');
}

static void put_layers(struct cnni_json_writer *json, const cnn_model *model)
{
    cnni_json_put_key(json, "layers");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < model->node_count; i++)
        put_node(json, &model->nodes[i]);
    cnni_json_close(json, ']');
}

static void put_classes(struct cnni_json_writer *json, const cnn_model *model)
{
    cnni_json_put_key(json, "classes");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < model->class_count; i++)
        put_text(json, model->classes[i]);
    cnni_json_close(json, ']');
}

static void put_checksums(struct cnni_json_writer *json, const uint32_t *crcs, int32_t count)
{
    char text[CNNI_CRC_TEXT];
    cnni_json_put_key(json, "crc32c");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < count; i++)
        put_text(json, cnni_crc_text(text, crcs[i]));
    cnni_json_close(json, ']');
}

void cnni_model_put_graph(struct cnni_json_writer *json, const cnn_model *model,
                          const uint32_t *crcs, int32_t count)
{
    int32_t channels = cnni_model_channels(model);
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "format");
    cnni_json_put_integer(json, CNNI_MODEL_FORMAT);
    cnni_json_put_key(json, "library");
    put_text(json, cnn_version_string());
    put_input(json, &model->input);
    put_reals(json, "mean", model->mean, channels);
    put_reals(json, "deviation", model->deviation, channels);
    put_layers(json, model);
    put_classes(json, model);
    put_checksums(json, crcs, count);
    cnni_json_close(json, '}');
}

/* ---- The file ---- */

/* A model, or a checkpoint, on its way into memory. */
struct saving {
    const cnn_model *model;
    const struct cnni_state *state;
    const struct cnni_json_writer *checkpoint; /* its text, or NULL */
    const char *function;
    struct cnni_json_writer header;
    uint32_t *crcs; /* of the arrays */
    size_t size;    /* of all values */
};

static size_t array_bytes(const struct cnni_state_array *array)
{
    return (size_t)array->parameter->count * sizeof(float);
}

static void write_header_lines(struct saving *saving)
{
    saving->size = 0;
    for (int32_t i = 0; i < saving->state->array_count; i++) {
        const struct cnni_state_array *array = &saving->state->arrays[i];
        cnni_safetensors_add(&saving->header, array->name, &array->parameter->shape, saving->size,
                             array_bytes(array));
        saving->size += array_bytes(array);
    }
}

/* Writes the header anew, with the checksums as they are.  Its size does not depend on them. */
static cnn_status write_header(struct saving *saving)
{
    struct cnni_json_writer graph;
    cnni_json_writer_start(&graph, saving->model->context, saving->function);
    cnni_model_put_graph(&graph, saving->model, saving->crcs, saving->state->array_count);
    cnn_status status = graph.status;
    if (status == CNN_OK) {
        cnni_json_writer_free(&saving->header);
        cnni_json_writer_start(&saving->header, saving->model->context, saving->function);
        cnni_safetensors_begin(&saving->header, &graph, saving->checkpoint);
        write_header_lines(saving);
        cnni_safetensors_finish(&saving->header);
        status = saving->header.status;
    }
    cnni_json_writer_free(&graph);
    return status;
}

static cnn_status write_values(const struct saving *saving, unsigned char *values)
{
    float *work;
    CNNI_TRY(cnni_alloc(&work, saving->model->context, cnni_state_largest(saving->state),
                        sizeof *work, saving->function));
    for (int32_t i = 0; i < saving->state->array_count; i++) {
        const struct cnni_state_array *array = &saving->state->arrays[i];
        cnni_parameter_export(work, array->parameter, array->values);
        cnni_store_floats(values, work, (size_t)array->parameter->count);
        saving->crcs[i] = cnni_crc32c(0, values, array_bytes(array));
        values += array_bytes(array);
    }
    cnni_free(saving->model->context, work);
    return CNN_OK;
}

/* What could not be loaded within the context's limits is not written. */
static cnn_status check_limits(const struct saving *saving, int64_t size)
{
    cnn_context *context = saving->model->context;
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_TENSORS, saving->state->array_count,
                              saving->function, "the number of tensors"));
    return cnni_check_limit(context, CNN_LIMIT_MODEL_BYTES, size, saving->function,
                            "the size of the file");
}

/* The header comes first in the file, but knows the checksums of the values: it is written once to
 * learn its size, and once more when they are there. */
static cnn_status write_bytes(struct saving *saving, cnn_tensor **bytes)
{
    CNNI_TRY(write_header(saving));
    int64_t size = (int64_t)(saving->header.size + saving->size);
    CNNI_TRY(check_limits(saving, size));
    CNNI_TRY(
        cnni_tensor_create(bytes, saving->model->context, CNN_UINT8, &size, 1, saving->function));
    unsigned char *first = cnn_tensor_data(*bytes);
    CNNI_TRY(write_values(saving, first + saving->header.size));
    CNNI_TRY(write_header(saving));
    memcpy(first, saving->header.bytes, saving->header.size);
    return CNN_OK;
}

cnn_status cnni_model_write(cnn_tensor **bytes, const cnn_model *model,
                            const struct cnni_state *state,
                            const struct cnni_json_writer *checkpoint, const char *function)
{
    struct saving saving = {
        .model = model, .state = state, .checkpoint = checkpoint, .function = function};
    if (model->node_count == 0)
        return cnni_fail(model->context, CNN_ERROR_STATE, "%s: the model has no layers", function);
    CNNI_TRY(cnni_weight_gate_enter_reading(model->gate, function));
    cnni_json_writer_start(&saving.header, model->context, function);
    cnn_status status = cnni_alloc_zero(&saving.crcs, model->context, (size_t)state->array_count,
                                        sizeof *saving.crcs, function);
    if (status == CNN_OK)
        status = write_bytes(&saving, bytes);
    cnni_weight_gate_leave(model->gate);
    cnni_free(model->context, saving.crcs);
    cnni_json_writer_free(&saving.header);
    if (status != CNN_OK) {
        cnn_tensor_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

void cnni_model_list_state(const cnn_model *model, struct cnni_state *state)
{
    char **name = model->parameter_names;
    for (int32_t i = 0; i < model->node_count; i++) {
        const cnn_layer *layer = model->nodes[i].layer;
        for (int32_t j = 0; j < layer->parameter_count; j++)
            cnni_state_array(state, *name++, NULL, &layer->parameter[j], layer->parameter[j].value);
    }
}

static cnn_status save(const cnn_model *model, cnn_tensor **bytes, const char *function)
{
    struct cnni_state state;
    cnni_state_start(&state, model->context, function);
    cnni_model_list_state(model, &state);
    cnn_status status = state.status;
    if (status == CNN_OK)
        status = cnni_model_write(bytes, model, &state, NULL, function);
    cnni_state_free(&state);
    return status;
}

cnn_status cnn_model_save_memory(cnn_tensor **bytes, const cnn_model *model)
{
    if (bytes == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "bytes");
    *bytes = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    return save(model, bytes, __func__);
}

cnn_status cnni_model_write_file(const cnn_tensor *bytes, const char *path, const char *function)
{
    struct cnni_file_writer *writer;
    CNNI_TRY(cnni_file_create(&writer, bytes->context, path, function));
    cnni_file_write(writer, cnn_tensor_const_data(bytes), cnn_tensor_bytes(bytes));
    return cnni_file_commit(writer);
}

cnn_status cnn_model_save(const cnn_model *model, const char *path)
{
    cnn_tensor *bytes = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (path == NULL)
        return cnni_fail_null(model->context, __func__, "path");
    CNNI_TRY(save(model, &bytes, __func__));
    cnn_status status = cnni_model_write_file(bytes, path, __func__);
    cnn_tensor_free(bytes);
    return status;
}
