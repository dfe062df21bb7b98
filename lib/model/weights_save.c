/* SPDX-License-Identifier: MIT
 * Saving weights for other programs: a plain safetensors file, under the file's names. */
#include "model/model_file.h"
#include "model/weights_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

struct saving {
    const cnn_model *model;
    const cnn_weights *weights; /* may be NULL */
    const char *function;
    struct cnni_weights_target *targets; /* [model->parameter_count] */
    char **names;                        /* in the file; NULL: left out */
    char *room;
    float *values; /* of the largest parameter */
    struct cnni_json_writer header;
    size_t size; /* of all values */
};

/* ---- Names ---- */

/* What is wrong with name number `index`, after those before it; NULL: nothing. */
static const char *fault(const struct saving *saving, int32_t index)
{
    const char *name = saving->names[index];
    if (name[0] == '\0' || strcmp(name, "__metadata__") == 0)
        return "which cannot be";
    if (!cnni_utf8_valid(name, strlen(name)))
        return "which is not UTF-8";
    for (int32_t i = 0; i < index; i++)
        if (saving->names[i] != NULL && strcmp(saving->names[i], name) == 0)
            return "as another is";
    return NULL;
}

static cnn_status name_parameters(struct saving *saving)
{
    cnn_context *context = saving->model->context;
    char shown[CNNI_SHOW_SIZE];
    for (int32_t i = 0; i < saving->model->parameter_count; i++) {
        const char *name = saving->targets[i].name;
        const char *renamed =
            cnni_weights_rename(saving->weights, CNNI_IN_MODEL, name, saving->room);
        if (renamed == NULL)
            continue;
        CNNI_TRY(cnni_copy_text(&saving->names[i], context, renamed, saving->function));
        const char *wrong = fault(saving, i);
        if (wrong != NULL)
            return cnni_fail(context, CNN_ERROR_INVALID,
                             "%s: parameter \"%s\" is named \"%s\" in the file, %s",
                             saving->function, name,
                             cnni_show_bytes(shown, sizeof shown, renamed, strlen(renamed)), wrong);
    }
    return CNN_OK;
}

/* ---- The file ---- */

static cnn_status write_header(struct saving *saving)
{
    cnni_safetensors_begin_plain(&saving->header);
    for (int32_t i = 0; i < saving->model->parameter_count; i++) {
        const struct cnni_parameter *parameter = saving->targets[i].parameter;
        const size_t size = (size_t)parameter->count * sizeof(float);
        if (saving->names[i] == NULL)
            continue;
        cnni_safetensors_add(&saving->header, saving->names[i], &parameter->shape, saving->size,
                             size);
        saving->size += size;
    }
    cnni_safetensors_finish_plain(&saving->header);
    if (saving->header.status == CNN_OK && saving->size == 0)
        return cnni_fail(saving->model->context, CNN_ERROR_STATE,
                         "%s: the model has no parameter to be written", saving->function);
    return saving->header.status;
}

static void write_values(const struct saving *saving, unsigned char *bytes)
{
    for (int32_t i = 0; i < saving->model->parameter_count; i++) {
        const struct cnni_parameter *parameter = saving->targets[i].parameter;
        const size_t count = (size_t)parameter->count;
        if (saving->names[i] == NULL)
            continue;
        cnni_parameter_export(saving->values, parameter, parameter->value);
        cnni_store_floats(bytes, saving->values, count);
        bytes += count * sizeof(float);
    }
}

static cnn_status write_bytes(struct saving *saving, cnn_tensor **bytes)
{
    CNNI_TRY(name_parameters(saving));
    CNNI_TRY(write_header(saving));
    const int64_t size = (int64_t)(saving->header.size + saving->size);
    CNNI_TRY(
        cnni_tensor_create(bytes, saving->model->context, CNN_UINT8, &size, 1, saving->function));
    unsigned char *first = cnn_tensor_data(*bytes);
    memcpy(first, saving->header.bytes, saving->header.size);
    cnn_status status = cnni_weight_gate_enter_reading(saving->model->gate, saving->function);
    if (status == CNN_OK) {
        write_values(saving, first + saving->header.size);
        cnni_weight_gate_leave(saving->model->gate);
    } else {
        cnn_tensor_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

static cnn_status prepare(struct saving *saving)
{
    const cnn_model *model = saving->model;
    const char *function = saving->function;
    size_t largest, longest = 0;
    CNNI_TRY(cnni_weights_list(&saving->targets, &largest, model, function));
    CNNI_TRY(cnni_alloc(&saving->values, model->context, largest, sizeof(float), function));
    for (int32_t i = 0; i < model->parameter_count; i++)
        longest = CNNI_MAX(longest, strlen(saving->targets[i].name));
    CNNI_TRY(cnni_alloc(&saving->room, model->context, cnni_weights_room(saving->weights, longest),
                        1, function));
    return cnni_alloc_zero(&saving->names, model->context, (size_t)model->parameter_count,
                           sizeof *saving->names, function);
}

static cnn_status save(cnn_tensor **bytes, const cnn_model *model, const cnn_weights *weights,
                       const char *function)
{
    struct saving saving = {.model = model, .weights = weights, .function = function};
    cnni_json_writer_start(&saving.header, model->context, function);
    cnn_status status = prepare(&saving);
    if (status == CNN_OK)
        status = write_bytes(&saving, bytes);
    cnni_json_writer_free(&saving.header);
    cnni_free_texts(model->context, saving.names,
                    saving.names == NULL ? 0 : model->parameter_count);
    cnni_free(model->context, saving.room);
    cnni_free(model->context, saving.values);
    cnni_free(model->context, saving.targets);
    return status;
}

cnn_status cnn_model_save_weights_memory(cnn_tensor **bytes, const cnn_model *model,
                                         const cnn_weights *weights)
{
    if (bytes == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "bytes");
    *bytes = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    return save(bytes, model, weights, __func__);
}

cnn_status cnn_model_save_weights(const cnn_model *model, const char *path,
                                  const cnn_weights *weights)
{
    cnn_tensor *bytes = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (path == NULL)
        return cnni_fail_null(model->context, __func__, "path");
    CNNI_TRY(save(&bytes, model, weights, __func__));
    cnn_status status = cnni_model_write_file(bytes, path, __func__);
    cnn_tensor_free(bytes);
    return status;
}
