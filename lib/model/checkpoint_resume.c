/* SPDX-License-Identifier: MIT
 * Checkpoints, reading.  All of a file is checked before the first change; what comes then cannot
 * fail. */
#include "model/checkpoint.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cnn/version.h"

#include <stdio.h>
#include <string.h>

/* ---- The file and its text, up to the note ---- */

/* A checkpoint that is being read. */
struct reading {
    struct cnni_source source;
    char name[CNNI_SHOW_SIZE + 2];
    void *bytes;
    struct cnni_safetensors file;
    bool is_open;
    struct cnni_json json; /* reads the text "cnn.checkpoint" */
    char *note;
};

static cnn_status check(const struct reading *reading)
{
    if (reading->json.error == NULL)
        return CNN_OK;
    return cnni_source_fail(&reading->source, CNN_ERROR_FORMAT, "checkpoint, byte %zu: %s",
                            reading->json.at, reading->json.error);
}

static cnn_status read_format(struct reading *reading)
{
    int64_t format = 0;
    cnni_json_object(&reading->json);
    cnni_loading_member(&reading->json, "format");
    cnni_json_integer(&reading->json, &format);
    if (reading->json.error == NULL && format < 1)
        cnni_json_fail(&reading->json, "a format below 1");
    CNNI_TRY(check(reading));
    if (format > CNNI_CHECKPOINT_FORMAT)
        return cnni_source_fail(&reading->source, CNN_ERROR_UNSUPPORTED,
                                "is a checkpoint of format %lld, from a newer version: libcnn %s "
                                "reads up to %d",
                                (long long)format, cnn_version_string(), CNNI_CHECKPOINT_FORMAT);
    return CNN_OK;
}

/* The note, behind the version of the library, which nobody asks for. */
static cnn_status read_note(struct reading *reading)
{
    struct cnni_json *json = &reading->json;
    CNNI_TRY(cnni_alloc(&reading->note, reading->source.context, reading->file.checkpoint_size + 1,
                        1, reading->source.function));
    cnni_loading_member(json, "library");
    cnni_loading_text(json, reading->note);
    cnni_loading_member(json, "note");
    if (cnni_loading_text(json, reading->note) >= CNN_NOTE_SIZE)
        cnni_json_fail(json, "a note that is too long");
    return check(reading);
}

static cnn_status read_beginning(struct reading *reading, size_t size)
{
    CNNI_TRY(cnni_safetensors_open(&reading->file, &reading->source, reading->bytes, size));
    reading->is_open = true;
    if (reading->file.checkpoint == NULL)
        return cnni_source_fail(&reading->source, CNN_ERROR_FORMAT,
                                "is a model file, but no checkpoint of a training");
    cnni_json_start(&reading->json, reading->file.checkpoint, reading->file.checkpoint_size);
    CNNI_TRY(read_format(reading));
    return read_note(reading);
}

static void end_reading(struct reading *reading)
{
    cnn_context *context = reading->source.context;
    if (reading->is_open)
        cnni_safetensors_close(&reading->file);
    cnni_free(context, reading->note);
    cnni_free(context, reading->bytes);
}

/* Opens the file and reads up to the note.  To be ended, whatever the result. */
static cnn_status begin_reading(struct reading *reading, cnn_context *context, const char *path,
                                const char *function)
{
    char shown[CNNI_SHOW_SIZE];
    size_t size;
    *reading = (struct reading){.source = {context, function, reading->name}};
    snprintf(reading->name, sizeof reading->name, "\"%s\"",
             cnni_show_bytes(shown, sizeof shown, path, strlen(path)));
    CNNI_TRY(
        cnni_file_read(&reading->bytes, &size, context, path, CNN_LIMIT_MODEL_BYTES, function));
    return read_beginning(reading, size);
}

cnn_status cnn_checkpoint_note(char *buffer, size_t size, cnn_context *context, const char *path)
{
    struct reading reading;
    if (buffer == NULL || size == 0)
        return cnni_fail_null(context, __func__, "buffer");
    buffer[0] = '\0';
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    if (path == NULL)
        return cnni_fail_null(context, __func__, "path");
    cnn_status status = begin_reading(&reading, context, path, __func__);
    size_t length = status == CNN_OK ? strlen(reading.note) : 0;
    if (length >= size)
        status =
            cnni_fail(context, CNN_ERROR_LIMIT, "%s: size is %zu, the note of %s needs %zu bytes",
                      __func__, size, reading.name, length + 1);
    else if (status == CNN_OK)
        memcpy(buffer, reading.note, length + 1);
    end_reading(&reading);
    return status;
}

/* ---- The rest ---- */

/* Goes through the checksums at the end of the graph's text, which is known to be well-formed. */
static cnn_status check_values(const struct cnni_safetensors *file)
{
    struct cnni_json json;
    struct cnni_json_string key;
    cnni_json_start(&json, file->graph, file->graph_size);
    cnni_json_object(&json);
    while (cnni_json_next_member(&json, &key) && !cnni_json_equal(key, "crc32c"))
        cnni_json_skip(&json);
    cnni_json_array(&json);
    for (int32_t i = 0; i < file->count && json.error == NULL; i++)
        CNNI_TRY(cnni_check_tensor(&json, &file->source, &file->tensors[i]));
    if (json.error == NULL && cnni_json_next_element(&json))
        cnni_json_fail(&json, "more checksums than tensors");
    if (json.error == NULL)
        return CNN_OK;
    return cnni_source_fail(&file->source, CNN_ERROR_FORMAT, "graph, byte %zu: %s", json.at,
                            json.error);
}

/* Reads what follows the note, and compares. */
static cnn_status read_rest(struct reading *reading, const cnn_trainer *trainer,
                            const cnn_loader *loader, struct cnni_state *state)
{
    struct cnni_json *json = &reading->json;
    CNNI_TRY(cnni_checkpoint_compare_network(&reading->file, trainer));
    cnni_loading_member(json, "settings");
    CNNI_TRY(check(reading));
    CNNI_TRY(cnni_checkpoint_compare_settings(json, &reading->source, trainer, loader));
    cnni_loading_member(json, "numbers");
    CNNI_TRY(check(reading));
    CNNI_TRY(cnni_state_read_numbers(state, json, &reading->source));
    cnni_loading_end(json);
    cnni_json_finish(json);
    CNNI_TRY(check(reading));
    CNNI_TRY(cnni_state_check_arrays(state, &reading->file));
    return check_values(&reading->file);
}

/* The change.  Packed weights notice it by the version of the layer's. */
static void go_there(cnn_trainer *trainer, cnn_loader *loader, struct reading *reading,
                     const struct cnni_state *state, float *work)
{
    cnni_trainer_forget(trainer);
    cnni_state_store(state, &reading->file, work);
    for (int32_t i = 0; i < trainer->model->node_count; i++)
        atomic_fetch_add(&trainer->model->nodes[i].layer->version, 1);
    trainer->place.loader = loader;
    trainer->place.steps = cnn_optimizer_steps(trainer->optimizer);
    trainer->resumed = true;
    cnni_free(trainer->context, trainer->note);
    trainer->note = reading->note;
    reading->note = NULL;
    (void)cnn_loader_start_at(loader, trainer->place.loader_epoch, trainer->place.batch);
}

/* With the table of what is to be read. */
static cnn_status resume_table(cnn_trainer *trainer, cnn_loader *loader, struct reading *reading,
                               struct cnni_state *state)
{
    const char *function = reading->source.function;
    float *work;
    cnni_trainer_list_state(trainer, &trainer->place, loader, state);
    CNNI_TRY(state->status);
    CNNI_TRY(read_rest(reading, trainer, loader, state));
    CNNI_TRY(
        cnni_alloc(&work, trainer->context, cnni_state_largest(state), sizeof *work, function));
    cnn_status status = cnni_weight_gate_enter_writing(trainer->model->gate, function);
    if (status == CNN_OK) {
        go_there(trainer, loader, reading, state, work);
        cnni_weight_gate_leave(trainer->model->gate);
    }
    cnni_free(trainer->context, work);
    return status;
}

cnn_status cnn_trainer_resume(cnn_trainer *trainer, cnn_loader *loader, const char *path)
{
    struct reading reading;
    struct cnni_state state;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (loader == NULL)
        return cnni_fail_null(trainer->context, __func__, "loader");
    if (path == NULL)
        return cnni_fail_null(trainer->context, __func__, "path");
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    cnni_state_start(&state, trainer->context, __func__);
    cnn_status status = begin_reading(&reading, trainer->context, path, __func__);
    if (status == CNN_OK)
        status = resume_table(trainer, loader, &reading, &state);
    end_reading(&reading);
    cnni_state_free(&state);
    return status;
}
