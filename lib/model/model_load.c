/* SPDX-License-Identifier: MIT
 * Model files, reading: the graph's text, described in model_save.c, is read member by member, and
 * the model is made on the way by the functions that a program would call.  What these refuse, the
 * file is to blame for.  Nothing is allocated that the bytes of the file do not pay for. */
#include "model/model_file.h"

#include "base/context_internal.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cnn/version.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Failing ---- */

cnn_status cnni_loading_check(const struct cnni_loading *loading)
{
    if (loading->json.error == NULL)
        return CNN_OK;
    return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT, "graph, byte %zu: %s",
                            loading->json.at, loading->json.error);
}

cnn_status cnni_loading_blame(const struct cnni_loading *loading, cnn_status status)
{
    if (status == CNN_OK || status == CNN_ERROR_MEMORY || status == CNN_ERROR_LIMIT)
        return status;
    const char *message = cnn_error_message();
    const char *colon = strstr(message, ": ");
    return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT, "%s",
                            colon == NULL ? message : colon + 2);
}

/* ---- Pieces of JSON ---- */

void cnni_loading_member(struct cnni_json *json, const char *name)
{
    struct cnni_json_string key;
    if (!cnni_json_next_member(json, &key) || !cnni_json_equal(key, name))
        cnni_json_fail(json, "a member that is missing, unknown or not in its place");
}

void cnni_loading_end(struct cnni_json *json)
{
    struct cnni_json_string key;
    if (cnni_json_next_member(json, &key))
        cnni_json_fail(json, "an unknown member");
}

size_t cnni_loading_text(struct cnni_json *json, char *text)
{
    struct cnni_json_string string;
    size_t size = cnni_json_string(json, &string) ? cnni_json_decode(text, string) : 0;
    if (memchr(text, '\0', size) != NULL)
        cnni_json_fail(json, "a zero byte in a string");
    text[size] = '\0';
    return size;
}

size_t cnni_loading_count(const struct cnni_json *json)
{
    struct cnni_json ahead = *json;
    size_t count = 0;
    cnni_json_array(&ahead);
    for (; cnni_json_next_element(&ahead); count++)
        cnni_json_skip(&ahead);
    return count;
}

static void read_reals(struct cnni_json *json, float *values)
{
    cnni_json_array(json);
    while (cnni_json_next_element(json)) {
        double value = 0;
        if (cnni_json_real(json, &value) && fabs(value) > FLT_MAX)
            cnni_json_fail(json, "a number too large for a float");
        *values++ = json->error == NULL ? (float)value : 0;
    }
}

/* ---- Before the layers ---- */

static cnn_status read_version(struct cnni_loading *loading)
{
    struct cnni_json *json = &loading->json;
    int64_t format = 0;
    cnni_json_object(json);
    cnni_loading_member(json, "format");
    cnni_json_integer(json, &format);
    CNNI_TRY(cnni_loading_check(loading));
    if (format > CNNI_MODEL_FORMAT)
        return cnni_source_fail(&loading->source, CNN_ERROR_UNSUPPORTED,
                                "is of format %lld, from a newer version: libcnn %s reads up to %d",
                                (long long)format, cnn_version_string(), CNNI_MODEL_FORMAT);
    if (format < 1)
        cnni_json_fail(json, "a format below 1");
    cnni_loading_member(json, "library");
    cnni_loading_text(json, loading->text);
    return cnni_loading_check(loading);
}

static cnn_status read_input(struct cnni_loading *loading, struct cnni_shape *input)
{
    struct cnni_json *json = &loading->json;
    cnni_loading_member(json, "input");
    cnni_json_array(json);
    while (cnni_json_next_element(json)) {
        int64_t dim = 0;
        cnni_json_integer(json, &dim);
        if (input->rank == CNN_MAX_RANK)
            cnni_json_fail(json, "a shape of more than 8 dimensions");
        else
            input->dim[input->rank++] = dim;
    }
    return cnni_loading_check(loading);
}

/* Reads the normalisation, two arrays with a number for each channel, and sets it. */
static cnn_status read_normalization(struct cnni_loading *loading, float *values, size_t channels)
{
    struct cnni_json *json = &loading->json;
    read_reals(json, values);
    cnni_loading_member(json, "deviation");
    if (cnni_loading_count(json) != channels)
        cnni_json_fail(json, "another number of deviations than of means");
    CNNI_TRY(cnni_loading_check(loading));
    read_reals(json, values + channels);
    CNNI_TRY(cnni_loading_check(loading));
    if (channels == 0)
        return CNN_OK;
    return cnni_loading_blame(
        loading,
        cnn_model_set_normalization(loading->model, values, values + channels, (int32_t)channels));
}

/* Makes the empty model.  A model has memory for each channel, hence the count of means first. */
static cnn_status make_model(struct cnni_loading *loading, const struct cnni_shape *input)
{
    const struct cnni_source *source = &loading->source;
    float *values;
    cnni_loading_member(&loading->json, "mean");
    size_t channels = cnni_loading_count(&loading->json);
    if (channels != (input->rank == 3 ? (uint64_t)input->dim[2] : 0))
        cnni_json_fail(&loading->json, "another number of means than of channels");
    CNNI_TRY(cnni_loading_check(loading));
    CNNI_TRY(cnni_loading_blame(
        loading, cnn_model_create(&loading->model, source->context, input->dim, input->rank)));
    CNNI_TRY(cnni_alloc(&values, source->context, 2 * channels, sizeof *values, source->function));
    cnn_status status = read_normalization(loading, values, channels);
    cnni_free(source->context, values);
    return status;
}

/* ---- Behind the layers ---- */

static void read_names(struct cnni_loading *loading, const char **names)
{
    char *text = loading->text;
    cnni_json_array(&loading->json);
    while (cnni_json_next_element(&loading->json)) {
        *names++ = text;
        text += cnni_loading_text(&loading->json, text) + 1;
    }
}

static cnn_status read_classes(struct cnni_loading *loading)
{
    const struct cnni_source *source = &loading->source;
    const char **names;
    cnni_loading_member(&loading->json, "classes");
    size_t count = cnni_loading_count(&loading->json);
    CNNI_TRY(cnni_check_limit(source->context, CNN_LIMIT_CLASSES, (int64_t)count, source->function,
                              "the number of classes"));
    CNNI_TRY(cnni_alloc(&names, source->context, count, sizeof *names, source->function));
    read_names(loading, names);
    cnn_status status = cnni_loading_check(loading);
    if (status == CNN_OK && count > 0)
        status = cnni_loading_blame(loading,
                                    cnn_model_set_classes(loading->model, names, (int32_t)count));
    cnni_free(source->context, names);
    return status;
}

cnn_status cnni_check_tensor(struct cnni_json *json, const struct cnni_source *source,
                             const struct cnni_stored_tensor *tensor)
{
    struct cnni_json_string crc = {NULL, 0};
    char text[CNNI_CRC_TEXT], shown[CNNI_SHOW_SIZE];
    if (!cnni_json_next_element(json))
        cnni_json_fail(json, "fewer checksums than tensors");
    if (!cnni_json_string(json, &crc))
        return CNN_OK; /* the reader has the error */
    if (cnni_json_equal(crc, cnni_crc_text(text, cnni_crc32c(0, tensor->bytes, tensor->size))))
        return CNN_OK;
    return cnni_source_fail(
        source, CNN_ERROR_FORMAT, "is damaged: the checksum of tensor \"%s\" is not %s",
        cnni_show_bytes(shown, sizeof shown, tensor->name, strlen(tensor->name)), text);
}

static cnn_status read_values(struct cnni_loading *loading, struct cnni_parameter *parameter,
                              const struct cnni_stored_tensor *tensor)
{
    const struct cnni_source *source = &loading->source;
    float *values;
    CNNI_TRY(cnni_check_tensor(&loading->json, source, tensor));
    CNNI_TRY(cnni_loading_check(loading));
    CNNI_TRY(cnni_alloc(&values, source->context, (size_t)parameter->count, sizeof *values,
                        source->function));
    cnni_load_floats(values, tensor->bytes, (size_t)parameter->count);
    cnni_parameter_import(parameter->value, parameter, values);
    cnni_free(source->context, values);
    return CNN_OK;
}

static cnn_status read_parameters(struct cnni_loading *loading)
{
    const struct cnni_stored_tensor *tensor = loading->file.tensors;
    cnni_loading_member(&loading->json, "crc32c");
    cnni_json_array(&loading->json);
    for (int32_t i = 0; i < loading->model->node_count; i++) {
        cnn_layer *layer = loading->model->nodes[i].layer;
        for (int32_t j = 0; j < layer->parameter_count; j++)
            CNNI_TRY(read_values(loading, &layer->parameter[j], tensor++));
    }
    for (; tensor < loading->file.tensors + loading->file.count; tensor++) /* of a checkpoint */
        CNNI_TRY(cnni_check_tensor(&loading->json, &loading->source, tensor));
    if (cnni_json_next_element(&loading->json))
        cnni_json_fail(&loading->json, "more checksums than tensors");
    cnni_loading_end(&loading->json);
    cnni_json_finish(&loading->json);
    return cnni_loading_check(loading);
}

/* ---- The whole ---- */

static cnn_status read_graph(struct cnni_loading *loading)
{
    struct cnni_shape input = {.rank = 0};
    cnni_json_start(&loading->json, loading->file.graph, loading->file.graph_size);
    CNNI_TRY(cnni_alloc(&loading->text, loading->source.context, loading->file.graph_size + 1, 1,
                        loading->source.function));
    CNNI_TRY(read_version(loading));
    CNNI_TRY(read_input(loading, &input));
    CNNI_TRY(make_model(loading, &input));
    CNNI_TRY(cnni_loading_layers(loading));
    CNNI_TRY(read_classes(loading));
    return read_parameters(loading);
}

static cnn_status load(cnn_model **model, const struct cnni_source *source, const void *bytes,
                       size_t size)
{
    struct cnni_loading loading = {.source = *source};
    CNNI_TRY(cnni_safetensors_open(&loading.file, source, bytes, size));
    cnn_status status = read_graph(&loading);
    cnni_free(source->context, loading.text);
    cnni_safetensors_close(&loading.file);
    if (status == CNN_OK)
        *model = loading.model;
    else
        cnn_model_free(loading.model);
    return status;
}

cnn_status cnn_model_load_memory(cnn_model **model, cnn_context *context, const void *bytes,
                                 size_t size)
{
    const struct cnni_source source = {context, __func__, "bytes"};
    if (model == NULL)
        return cnni_fail_null(context, __func__, "model");
    *model = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (bytes == NULL)
        return cnni_fail_null(context, __func__, "bytes");
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_MODEL_BYTES,
                              (int64_t)CNNI_MIN(size, (size_t)INT64_MAX), __func__, "size"));
    return load(model, &source, bytes, size);
}

cnn_status cnn_model_load(cnn_model **model, cnn_context *context, const char *path)
{
    char shown[CNNI_SHOW_SIZE], name[CNNI_SHOW_SIZE + 2];
    const struct cnni_source source = {context, __func__, name};
    void *bytes;
    size_t size;
    if (model == NULL)
        return cnni_fail_null(context, __func__, "model");
    *model = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (path == NULL)
        return cnni_fail_null(context, __func__, "path");
    snprintf(name, sizeof name, "\"%s\"", cnni_show_bytes(shown, sizeof shown, path, strlen(path)));
    CNNI_TRY(cnni_file_read(&bytes, &size, context, path, CNN_LIMIT_MODEL_BYTES, __func__));
    cnn_status status = load(model, &source, bytes, size);
    cnni_free(context, bytes);
    return status;
}
