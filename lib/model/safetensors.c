/* SPDX-License-Identifier: MIT
 * The container of model files, reading.  It goes over the header twice: the first time for the
 * metadata alone, so that the checksum is known to be right, and files of other programs to be
 * such, before a tensor is looked at.  How files of only weights differ is in `plain` here and
 * there. */
#include "model/safetensors.h"

#include "base/context_internal.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/json_reader.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_BYTES = 8, CRC_DIGITS = CNNI_CRC_TEXT - 1 };

static const char no_crc[] = "00000000";

cnn_status cnni_source_fail(const struct cnni_source *source, cnn_status status, const char *format,
                            ...)
{
    char text[CNNI_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return cnni_fail(source->context, status, "%s: %s: %s", source->function, source->name, text);
}

static cnn_status fail_format(const struct cnni_source *source, const struct cnni_json *json)
{
    return cnni_source_fail(source, CNN_ERROR_FORMAT, "header, byte %zu: %s", json->at,
                            json->error);
}

/* The three parts of a file. */
struct parts {
    const char *header;
    size_t header_size;
    const unsigned char *values;
    size_t values_size;
};

/* `kind` is what the file should be, for the text. */
static cnn_status split(struct parts *parts, const struct cnni_source *source, const char *kind,
                        const void *bytes, size_t size)
{
    const unsigned char *first = bytes;
    uint64_t length = 0;
    if (size <= LENGTH_BYTES)
        return cnni_source_fail(source, CNN_ERROR_FORMAT, "has %zu bytes, too few for a %s file",
                                size, kind);
    for (int32_t i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)first[i] << (8 * i);
    if (first[LENGTH_BYTES] != '{')
        return cnni_source_fail(source, CNN_ERROR_FORMAT,
                                "is no %s file: it does not begin with a safetensors header", kind);
    if (length > size - LENGTH_BYTES)
        return cnni_source_fail(source, CNN_ERROR_FORMAT,
                                "is cut short: its header has %llu bytes, of which %zu are there",
                                (unsigned long long)length, size - LENGTH_BYTES);
    parts->header = (const char *)first + LENGTH_BYTES;
    parts->header_size = (size_t)length;
    parts->values = first + LENGTH_BYTES + length;
    parts->values_size = size - LENGTH_BYTES - (size_t)length;
    return cnni_check_limit(source->context, CNN_LIMIT_HEADER_BYTES, (int64_t)length,
                            source->function, "the header's size");
}

/* What the first pass finds.  `bytes` of a string that is missing is NULL. */
struct survey {
    bool metadata;
    struct cnni_json_string graph, checkpoint, crc;
    int64_t tensors;
};

static void survey_metadata(struct cnni_json *json, struct survey *survey)
{
    struct cnni_json_string key, value;
    cnni_json_object(json);
    while (cnni_json_next_member(json, &key)) {
        struct cnni_json_string *wanted = &value;
        if (cnni_json_equal(key, "cnn"))
            wanted = &survey->graph;
        else if (cnni_json_equal(key, "cnn.header_crc32c"))
            wanted = &survey->crc;
        else if (cnni_json_equal(key, "cnn.checkpoint"))
            wanted = &survey->checkpoint;
        if (wanted != &value && wanted->bytes != NULL)
            cnni_json_fail(json, "a name for the second time");
        cnni_json_string(json, wanted);
    }
}

static cnn_status survey_header(struct survey *survey, const struct cnni_source *source,
                                const struct parts *parts)
{
    struct cnni_json json;
    struct cnni_json_string key;
    cnni_json_start(&json, parts->header, parts->header_size);
    cnni_json_object(&json);
    while (cnni_json_next_member(&json, &key)) {
        if (!cnni_json_equal(key, "__metadata__")) {
            survey->tensors++;
            cnni_json_skip(&json);
        } else if (survey->metadata) {
            cnni_json_fail(&json, "a name for the second time");
        } else {
            survey->metadata = true;
            survey_metadata(&json, survey);
        }
    }
    return cnni_json_finish(&json) ? CNN_OK : fail_format(source, &json);
}

/* Whether the file is libcnn's and its header as it was written. */
static cnn_status check_crc(const struct survey *survey, const struct cnni_source *source,
                            const struct parts *parts)
{
    char text[CNNI_CRC_TEXT];
    if (survey->graph.bytes == NULL || survey->crc.bytes == NULL)
        return cnni_source_fail(source, CNN_ERROR_FORMAT,
                                "is a safetensors file, but was not written by libcnn");
    size_t before = (size_t)(survey->crc.bytes - parts->header);
    const char *behind = survey->crc.bytes + survey->crc.size;
    uint32_t crc = cnni_crc32c(0, parts->header, before);
    crc = cnni_crc32c(crc, no_crc, CRC_DIGITS);
    crc = cnni_crc32c(crc, behind, parts->header_size - before - survey->crc.size);
    cnni_crc_text(text, crc);
    if (survey->crc.size == CRC_DIGITS && memcmp(survey->crc.bytes, text, CRC_DIGITS) == 0)
        return CNN_OK;
    return cnni_source_fail(source, CNN_ERROR_FORMAT, "is damaged: the header's checksum is not %s",
                            text);
}

/* Undoes a string's escapes behind the texts that are there: the header's size has room for all. */
static const char *take_text(char **texts, struct cnni_json_string string, size_t *size)
{
    const char *text = *texts;
    *size = cnni_json_decode(*texts, string);
    (*texts)[*size] = '\0';
    *texts += *size + 1;
    return text;
}

static void read_shape(struct cnni_json *json, struct cnni_shape *shape, bool plain)
{
    cnni_json_array(json);
    while (cnni_json_next_element(json)) {
        int64_t dim = 0;
        if (cnni_json_integer(json, &dim) && (dim < !plain || shape->rank == CNN_MAX_RANK))
            cnni_json_fail(json, plain ? "a shape that is not up to 8 numbers from 0 on"
                                       : "a shape that is not 1 to 8 positive numbers");
        if (json->error == NULL)
            shape->dim[shape->rank++] = dim;
    }
}

static void read_offsets(struct cnni_json *json, int64_t offsets[2])
{
    int32_t count = 0;
    cnni_json_array(json);
    while (cnni_json_next_element(json))
        if (count == 2)
            cnni_json_fail(json, "more than two offsets");
        else
            cnni_json_integer(json, &offsets[count++]);
}

/* What is known of a tensor, in the header's names. */
enum { DTYPE, SHAPE, OFFSETS, FIELDS };

static int32_t find_field(struct cnni_json_string key)
{
    static const char *const names[FIELDS] = {"dtype", "shape", "data_offsets"};
    int32_t field = 0;
    while (field < FIELDS && !cnni_json_equal(key, names[field]))
        field++;
    return field;
}

static void read_type(struct cnni_json *json, const struct cnni_stored_type **type, bool plain)
{
    struct cnni_json_string name;
    if (!cnni_json_string(json, &name))
        return;
    *type = cnni_stored_type_named(name);
    if (!plain && *type != &cnni_stored_f32)
        cnni_json_fail(json, "a type other than F32");
}

/* Whether the bytes between the offsets are as many as the shape and type need; of a type that we
 * do not know, any number. */
static void check_size(struct cnni_json *json, struct cnni_stored_tensor *tensor, int64_t end)
{
    const int64_t length = tensor->offset < 0 || end < tensor->offset ? -1 : end - tensor->offset;
    int64_t size = tensor->type->size;
    for (int32_t i = 0; i < tensor->shape.rank; i++)
        if (!cnni_mul_int64(&size, size, tensor->shape.dim[i]))
            cnni_json_fail(json, "a shape that is too large");
    if (length < 0 || (tensor->type->size > 0 && length != size))
        cnni_json_fail(json, "offsets that leave a gap, overlap or do not fit the shape");
    tensor->size = (size_t)length;
}

/* Reads what one tensor is; in files that are not plain its values begin at `start`. */
static void read_tensor(struct cnni_json *json, struct cnni_stored_tensor *tensor, int64_t start,
                        bool plain)
{
    bool seen[FIELDS + 1] = {false};
    int64_t offsets[2] = {-1, -1};
    struct cnni_json_string key;
    cnni_json_object(json);
    while (cnni_json_next_member(json, &key)) {
        int32_t field = find_field(key);
        if (field == FIELDS || seen[field])
            cnni_json_fail(json, "a member that is unknown or there for the second time");
        else if (field == SHAPE)
            read_shape(json, &tensor->shape, plain);
        else if (field == OFFSETS)
            read_offsets(json, offsets);
        else
            read_type(json, &tensor->type, plain);
        seen[field] = true;
    }
    if (!seen[DTYPE] || !seen[SHAPE] || (!plain && tensor->shape.rank == 0))
        cnni_json_fail(json, "a tensor without a type or shape");
    if (!plain && offsets[0] != start)
        cnni_json_fail(json, "offsets that leave a gap, overlap or do not fit the shape");
    tensor->offset = offsets[0];
    if (json->error == NULL)
        check_size(json, tensor, offsets[1]);
}

/* Whether the tensors of a plain file, which come in any order, have different names and leave no
 * gap.  Writes where the last one ends. */
static cnn_status check_order(const struct cnni_safetensors *file, int64_t *end)
{
    const struct cnni_source *source = &file->source;
    const struct cnni_stored_tensor **order, *wrong;
    char shown[CNNI_SHOW_SIZE];
    const char *fault = "has a name that is there for the second time";
    CNNI_TRY(
        cnni_alloc(&order, source->context, (size_t)file->count, sizeof *order, source->function));
    wrong = cnni_stored_tensors_repeated(file->tensors, file->count, order);
    if (wrong == NULL) {
        fault = "leaves a gap behind another or overlaps it";
        wrong = cnni_stored_tensors_misplaced(end, file->tensors, file->count, order);
    }
    cnni_free(source->context, order);
    if (wrong == NULL)
        return CNN_OK;
    return cnni_source_fail(source, CNN_ERROR_FORMAT, "tensor \"%s\" %s",
                            cnni_show_bytes(shown, sizeof shown, wrong->name, strlen(wrong->name)),
                            fault);
}

static cnn_status read_tensors(struct cnni_safetensors *file, const struct parts *parts,
                               char *texts)
{
    struct cnni_json json;
    struct cnni_json_string key;
    int64_t end = 0;
    size_t length;
    cnni_json_start(&json, parts->header, parts->header_size);
    cnni_json_object(&json);
    while (cnni_json_next_member(&json, &key)) {
        if (cnni_json_equal(key, "__metadata__")) {
            cnni_json_skip(&json);
            continue;
        }
        struct cnni_stored_tensor *tensor = &file->tensors[file->count++];
        tensor->name = take_text(&texts, key, &length);
        if (strlen(tensor->name) != length)
            cnni_json_fail(&json, "a zero byte in a name");
        read_tensor(&json, tensor, end, file->plain);
        if (json.error == NULL && !file->plain)
            end += (int64_t)tensor->size;
    }
    if (json.error != NULL)
        return fail_format(&file->source, &json);
    if (file->plain)
        CNNI_TRY(check_order(file, &end));
    if ((uint64_t)end != parts->values_size)
        return cnni_source_fail(
            &file->source, CNN_ERROR_FORMAT, "%s: its tensors have %lld bytes, %zu are there",
            (uint64_t)end > parts->values_size ? "is cut short" : "goes on behind its end",
            (long long)end, parts->values_size);
    for (int32_t i = 0; i < file->count; i++)
        file->tensors[i].bytes = parts->values + file->tensors[i].offset;
    return CNN_OK;
}

static cnn_status open_parts(struct cnni_safetensors *file, const struct parts *parts)
{
    const struct cnni_source *source = &file->source;
    struct survey survey = {.metadata = false};
    CNNI_TRY(survey_header(&survey, source, parts));
    if (!file->plain)
        CNNI_TRY(check_crc(&survey, source, parts));
    CNNI_TRY(cnni_check_limit(source->context, CNN_LIMIT_TENSORS, survey.tensors, source->function,
                              "the number of tensors"));
    CNNI_TRY(cnni_alloc(&file->texts, source->context, parts->header_size, 1, source->function));
    CNNI_TRY(cnni_alloc_zero(&file->tensors, source->context, (size_t)survey.tensors,
                             sizeof *file->tensors, source->function));
    char *texts = file->texts;
    if (!file->plain)
        file->graph = take_text(&texts, survey.graph, &file->graph_size);
    if (survey.checkpoint.bytes != NULL)
        file->checkpoint = take_text(&texts, survey.checkpoint, &file->checkpoint_size);
    return read_tensors(file, parts, texts);
}

static cnn_status open_file(struct cnni_safetensors *file, const struct cnni_source *source,
                            bool plain, const void *bytes, size_t size)
{
    struct parts parts = {.header = NULL};
    *file = (struct cnni_safetensors){.source = *source, .plain = plain};
    CNNI_TRY(split(&parts, source, plain ? "safetensors" : "model", bytes, size));
    cnn_status status = open_parts(file, &parts);
    if (status != CNN_OK)
        cnni_safetensors_close(file);
    return status;
}

cnn_status cnni_safetensors_open(struct cnni_safetensors *file, const struct cnni_source *source,
                                 const void *bytes, size_t size)
{
    return open_file(file, source, false, bytes, size);
}

cnn_status cnni_safetensors_open_plain(struct cnni_safetensors *file,
                                       const struct cnni_source *source, const void *bytes,
                                       size_t size)
{
    return open_file(file, source, true, bytes, size);
}

void cnni_safetensors_close(struct cnni_safetensors *file)
{
    cnni_free(file->source.context, file->texts);
    cnni_free(file->source.context, file->tensors);
}
