/* SPDX-License-Identifier: MIT
 * The container of model files.  Reading goes over the header twice: the first time for the
 * metadata alone, so that the checksum is known to be right, and files of other programs to be
 * such, before a tensor is looked at. */
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

const char *cnni_crc_text(char text[CNNI_CRC_TEXT], uint32_t crc)
{
    for (int32_t i = 0; i < CRC_DIGITS; i++)
        text[i] = "0123456789abcdef"[crc >> (28 - 4 * i) & 15];
    text[CRC_DIGITS] = '\0';
    return text;
}

/* ---- Numbers ---- */

/* Written out, so that compilers see one load and one store. */
static void store_word(unsigned char *bytes, uint32_t word)
{
    bytes[0] = (unsigned char)word;
    bytes[1] = (unsigned char)(word >> 8);
    bytes[2] = (unsigned char)(word >> 16);
    bytes[3] = (unsigned char)(word >> 24);
}

static uint32_t load_word(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void cnni_store_floats(unsigned char *bytes, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        store_word(bytes + 4 * i, bits);
    }
}

void cnni_load_floats(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = load_word(bytes + 4 * i);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* ---- Reading ---- */

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

static cnn_status split(struct parts *parts, const struct cnni_source *source, const void *bytes,
                        size_t size)
{
    const unsigned char *first = bytes;
    if (size <= LENGTH_BYTES)
        return cnni_source_fail(source, CNN_ERROR_FORMAT, "has %zu bytes, too few for a model file",
                                size);
    uint64_t length = load_word(first) | (uint64_t)load_word(first + 4) << 32;
    if (first[LENGTH_BYTES] != '{')
        return cnni_source_fail(source, CNN_ERROR_FORMAT,
                                "is no model file: it does not begin with a safetensors header");
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
    if (!cnni_json_finish(&json))
        return fail_format(source, &json);
    if (survey->graph.bytes == NULL || survey->crc.bytes == NULL)
        return cnni_source_fail(source, CNN_ERROR_FORMAT,
                                "is a safetensors file, but was not written by libcnn");
    return CNN_OK;
}

static cnn_status check_crc(const struct survey *survey, const struct cnni_source *source,
                            const struct parts *parts)
{
    char text[CNNI_CRC_TEXT];
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

static void read_shape(struct cnni_json *json, struct cnni_shape *shape)
{
    cnni_json_array(json);
    while (cnni_json_next_element(json)) {
        int64_t dim = 0;
        if (cnni_json_integer(json, &dim) && (dim < 1 || shape->rank == CNN_MAX_RANK))
            cnni_json_fail(json, "a shape that is not 1 to 8 positive numbers");
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

static void read_field(struct cnni_json *json, int32_t field, struct cnni_shape *shape,
                       int64_t offsets[2])
{
    struct cnni_json_string dtype;
    if (field == SHAPE)
        read_shape(json, shape);
    else if (field == OFFSETS)
        read_offsets(json, offsets);
    else if (cnni_json_string(json, &dtype) && !cnni_json_equal(dtype, "F32"))
        cnni_json_fail(json, "a type other than F32");
}

/* Reads what one tensor is; its values begin at `start`. */
static void read_tensor(struct cnni_json *json, struct cnni_stored_tensor *tensor, int64_t start)
{
    bool seen[FIELDS + 1] = {false};
    int64_t offsets[2] = {-1, -1}, size = sizeof(float);
    struct cnni_json_string key;
    cnni_json_object(json);
    while (cnni_json_next_member(json, &key)) {
        int32_t field = find_field(key);
        if (field == FIELDS || seen[field])
            cnni_json_fail(json, "a member that is unknown or there for the second time");
        else
            read_field(json, field, &tensor->shape, offsets);
        seen[field] = true;
    }
    if (!seen[DTYPE] || tensor->shape.rank == 0)
        cnni_json_fail(json, "a tensor without a type or shape");
    for (int32_t i = 0; i < tensor->shape.rank; i++)
        if (!cnni_mul_int64(&size, size, tensor->shape.dim[i]))
            cnni_json_fail(json, "a shape that is too large");
    if (offsets[0] != start || offsets[1] < start || offsets[1] - start != size)
        cnni_json_fail(json, "offsets that leave a gap, overlap or do not fit the shape");
    tensor->size = (size_t)size;
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
        read_tensor(&json, tensor, end);
        if (json.error == NULL)
            end += (int64_t)tensor->size;
    }
    if (json.error != NULL)
        return fail_format(&file->source, &json);
    if ((uint64_t)end != parts->values_size)
        return cnni_source_fail(
            &file->source, CNN_ERROR_FORMAT, "%s: its tensors have %lld bytes, %zu are there",
            (uint64_t)end > parts->values_size ? "is cut short" : "goes on behind its end",
            (long long)end, parts->values_size);
    const unsigned char *values = parts->values;
    for (int32_t i = 0; i < file->count; values += file->tensors[i++].size)
        file->tensors[i].bytes = values;
    return CNN_OK;
}

static cnn_status open_parts(struct cnni_safetensors *file, const struct parts *parts)
{
    const struct cnni_source *source = &file->source;
    struct survey survey = {.metadata = false};
    CNNI_TRY(survey_header(&survey, source, parts));
    CNNI_TRY(check_crc(&survey, source, parts));
    CNNI_TRY(cnni_check_limit(source->context, CNN_LIMIT_TENSORS, survey.tensors, source->function,
                              "the number of tensors"));
    CNNI_TRY(cnni_alloc(&file->texts, source->context, parts->header_size, 1, source->function));
    CNNI_TRY(cnni_alloc_zero(&file->tensors, source->context, (size_t)survey.tensors,
                             sizeof *file->tensors, source->function));
    char *texts = file->texts;
    file->graph = take_text(&texts, survey.graph, &file->graph_size);
    if (survey.checkpoint.bytes != NULL)
        file->checkpoint = take_text(&texts, survey.checkpoint, &file->checkpoint_size);
    return read_tensors(file, parts, texts);
}

cnn_status cnni_safetensors_open(struct cnni_safetensors *file, const struct cnni_source *source,
                                 const void *bytes, size_t size)
{
    struct parts parts = {.header = NULL};
    *file = (struct cnni_safetensors){.source = *source};
    CNNI_TRY(split(&parts, source, bytes, size));
    cnn_status status = open_parts(file, &parts);
    if (status != CNN_OK)
        cnni_safetensors_close(file);
    return status;
}

void cnni_safetensors_close(struct cnni_safetensors *file)
{
    cnni_free(file->source.context, file->texts);
    cnni_free(file->source.context, file->tensors);
}

/* ---- Writing ---- */

/* Where the checksum stands in the header. */
enum { CRC_PLACE = sizeof "{\"__metadata__\":{\"cnn.header_crc32c\":\"" - 1 };

void cnni_safetensors_begin(struct cnni_json_writer *header, const struct cnni_json_writer *graph,
                            const struct cnni_json_writer *checkpoint)
{
    cnni_json_put_raw(header, no_crc, LENGTH_BYTES); /* room for the length */
    cnni_json_open(header, '{');
    cnni_json_put_key(header, "__metadata__");
    cnni_json_open(header, '{');
    cnni_json_put_key(header, "cnn.header_crc32c");
    cnni_json_put_text(header, no_crc, CRC_DIGITS);
    cnni_json_put_key(header, "cnn");
    cnni_json_put_text(header, graph->bytes, graph->size);
    if (checkpoint != NULL) {
        cnni_json_put_key(header, "cnn.checkpoint");
        cnni_json_put_text(header, checkpoint->bytes, checkpoint->size);
    }
    cnni_json_close(header, '}');
}

void cnni_safetensors_add(struct cnni_json_writer *header, const char *name,
                          const struct cnni_shape *shape, size_t offset, size_t size)
{
    cnni_json_put_key(header, name);
    cnni_json_open(header, '{');
    cnni_json_put_key(header, "dtype");
    cnni_json_put_text(header, "F32", 3);
    cnni_json_put_key(header, "shape");
    cnni_json_open(header, '[');
    for (int32_t i = 0; i < shape->rank; i++)
        cnni_json_put_integer(header, shape->dim[i]);
    cnni_json_close(header, ']');
    cnni_json_put_key(header, "data_offsets");
    cnni_json_open(header, '[');
    cnni_json_put_integer(header, (int64_t)offset);
    cnni_json_put_integer(header, (int64_t)(offset + size));
    cnni_json_close(header, ']');
    cnni_json_close(header, '}');
}

void cnni_safetensors_finish(struct cnni_json_writer *header)
{
    char crc[CNNI_CRC_TEXT];
    cnni_json_close(header, '}');
    while (header->status == CNN_OK && header->size % 8 != 0)
        cnni_json_put_raw(header, " ", 1);
    if (header->status != CNN_OK)
        return;
    size_t size = header->size - LENGTH_BYTES;
    char *text = header->bytes + LENGTH_BYTES;
    store_word((unsigned char *)header->bytes, (uint32_t)size);
    store_word((unsigned char *)header->bytes + 4, (uint32_t)((uint64_t)size >> 32));
    memcpy(text + CRC_PLACE, cnni_crc_text(crc, cnni_crc32c(0, text, size)), CRC_DIGITS);
}
