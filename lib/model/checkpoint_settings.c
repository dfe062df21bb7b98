/* SPDX-License-Identifier: MIT
 * What must be the same where a checkpoint is resumed: settings, by a text that is written anew and
 * compared with the file's; and the network, by the text of its graph. */
#include "model/checkpoint.h"

#include "base/error.h"
#include "base/json_compare.h"
#include "base/memory.h"

#include <string.h>

/* ---- The text ---- */

static void put_text(struct cnni_json_writer *json, const char *name, const char *text)
{
    cnni_json_put_key(json, name);
    cnni_json_put_text(json, text, strlen(text));
}

/* The seeds of dropout, one for each layer. */
static void put_seeds(struct cnni_json_writer *json, const cnn_model *model)
{
    cnni_json_put_key(json, "seeds");
    cnni_json_open(json, '[');
    for (int32_t i = 0; i < model->node_count; i++)
        cnni_json_put_unsigned(json, model->nodes[i].layer->seed);
    cnni_json_close(json, ']');
}

/* Of classes, or of positive targets; none where all are 1. */
static void put_weights(struct cnni_json_writer *json, const struct cnni_loss *loss)
{
    const int64_t count = loss->weights == NULL ? 0 : cnni_shape_count(&loss->shape);
    cnni_json_put_key(json, "weights");
    cnni_json_open(json, '[');
    for (int64_t i = 0; i < count; i++)
        cnni_json_put_real(json, loss->weights[i]);
    cnni_json_close(json, ']');
}

/* The most samples of a batch have a say in how gradients are summed. */
static void put_trainer(struct cnni_json_writer *json, const cnn_trainer *trainer)
{
    cnni_json_open(json, '{');
    put_text(json, "loss", cnn_loss_name(trainer->loss.kind));
    cnni_json_put_key(json, "label_smoothing");
    cnni_json_put_real(json, trainer->loss.smoothing);
    put_weights(json, &trainer->loss);
    cnni_json_put_key(json, "average");
    cnni_json_put_real(json, trainer->average.decay);
    cnni_json_put_key(json, "accumulation");
    cnni_json_put_integer(json, trainer->accumulation);
    cnni_json_put_key(json, "patience");
    cnni_json_put_integer(json, trainer->best.patience);
    cnni_json_put_key(json, "keep_best");
    cnni_json_put_integer(json, trainer->best.weights != NULL);
    cnni_json_put_key(json, "flip_averaging");
    cnni_json_put_integer(json, trainer->flip.mirrored != NULL);
    cnni_json_put_key(json, "batch");
    cnni_json_put_integer(json, trainer->plan->max_n);
    put_seeds(json, trainer->model);
    cnni_json_close(json, '}');
}

/* A text that the loader has written. */
static cnn_status put_loader(struct cnni_json_writer *json, const cnn_loader *loader)
{
    char *text;
    size_t size = cnn_loader_describe(loader, NULL, 0);
    CNNI_TRY(cnni_alloc(&text, json->context, size + 1, 1, json->function));
    if (size == 0 || cnn_loader_describe(loader, text, size + 1) != size)
        json->status =
            cnni_fail(json->context, CNN_ERROR_MEMORY,
                      "%s: no memory or open files for the loader's description", json->function);
    cnni_json_put_raw(json, text, size);
    json->comma = true;
    cnni_free(json->context, text);
    return json->status;
}

cnn_status cnni_checkpoint_put_settings(struct cnni_json_writer *json, const cnn_trainer *trainer,
                                        const cnn_loader *loader)
{
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "trainer");
    put_trainer(json, trainer);
    cnni_json_put_key(json, "optimizer");
    cnni_optimizer_put_settings(trainer->optimizer, json);
    cnni_json_put_key(json, "loader");
    CNNI_TRY(put_loader(json, loader));
    cnni_json_close(json, '}');
    return json->status;
}

/* ---- Comparing ---- */

static const char *show(char shown[CNNI_SHOW_SIZE], struct cnni_json_string value)
{
    if (value.bytes == NULL)
        return "missing";
    return cnni_show_bytes(shown, CNNI_SHOW_SIZE, value.bytes, CNNI_MIN(value.size, 100));
}

/* Goes past equal values, or says what is not the same; `what` they are of. */
static cnn_status compare(struct cnni_json *ours, struct cnni_json *theirs,
                          struct cnni_json_difference *difference, const struct cnni_source *source,
                          const char *what)
{
    char path[CNNI_SHOW_SIZE], is[CNNI_SHOW_SIZE], was[CNNI_SHOW_SIZE];
    if (cnni_json_compare(ours, theirs, difference) || theirs->error != NULL)
        return CNN_OK; /* the reader has the error */
    if (difference->path[0] == '\0')
        strcpy(difference->path, "all of it");
    cnni_show_bytes(path, sizeof path, difference->path, strlen(difference->path));
    return cnni_source_fail(source, CNN_ERROR_INVALID, "is of another %s: %s is %s in it, %s here",
                            what, path, show(was, difference->theirs), show(is, difference->ours));
}

cnn_status cnni_checkpoint_compare_settings(struct cnni_json *json,
                                            const struct cnni_source *source,
                                            const cnn_trainer *trainer, const cnn_loader *loader)
{
    struct cnni_json_writer writer;
    struct cnni_json ours;
    struct cnni_json_difference difference = {.path = ""};
    cnni_json_writer_start(&writer, trainer->context, source->function);
    cnn_status status = cnni_checkpoint_put_settings(&writer, trainer, loader);
    if (status == CNN_OK) {
        cnni_json_start(&ours, writer.bytes, writer.size);
        status = compare(&ours, json, &difference, source, "training");
    }
    cnni_json_writer_free(&writer);
    return status;
}

/* The member of the graph that both have now; the version of the library and the checksums may
 * differ, and are passed. */
static cnn_status compare_member(struct cnni_json *ours, struct cnni_json *theirs,
                                 struct cnni_json_string key, const struct cnni_source *source)
{
    struct cnni_json_difference difference = {.path = ""};
    if (cnni_json_equal(key, "library") || cnni_json_equal(key, "crc32c")) {
        cnni_json_skip(ours);
        cnni_json_skip(theirs);
        return CNN_OK;
    }
    memcpy(difference.path, key.bytes, CNNI_MIN(key.size, sizeof difference.path - 1));
    return compare(ours, theirs, &difference, source, "network");
}

static cnn_status compare_graphs(struct cnni_json *ours, const struct cnni_safetensors *file)
{
    struct cnni_json theirs;
    struct cnni_json_string key, other;
    cnni_json_start(&theirs, file->graph, file->graph_size);
    cnni_json_object(ours);
    cnni_json_object(&theirs);
    while (cnni_json_next_member(ours, &key) && theirs.error == NULL) {
        if (!cnni_json_next_member(&theirs, &other) || key.size != other.size ||
            memcmp(key.bytes, other.bytes, key.size) != 0)
            cnni_json_fail(&theirs, "a member that is missing, unknown or not in its place");
        else
            CNNI_TRY(compare_member(ours, &theirs, key, &file->source));
    }
    if (theirs.error == NULL && cnni_json_next_member(&theirs, &other))
        cnni_json_fail(&theirs, "an unknown member");
    cnni_json_finish(&theirs);
    if (theirs.error == NULL)
        return CNN_OK;
    return cnni_source_fail(&file->source, CNN_ERROR_FORMAT, "graph, byte %zu: %s", theirs.at,
                            theirs.error);
}

cnn_status cnni_checkpoint_compare_network(const struct cnni_safetensors *file,
                                           const cnn_trainer *trainer)
{
    struct cnni_json_writer writer;
    struct cnni_json ours;
    cnni_json_writer_start(&writer, trainer->context, file->source.function);
    cnni_model_put_graph(&writer, trainer->model, NULL, 0);
    cnn_status status = writer.status;
    if (status == CNN_OK) {
        cnni_json_start(&ours, writer.bytes, writer.size);
        status = compare_graphs(&ours, file);
    }
    cnni_json_writer_free(&writer);
    return status;
}
