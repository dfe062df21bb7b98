/* SPDX-License-Identifier: MIT
 * Checkpoints, writing: now, or when their time has come. */
#include "model/checkpoint.h"

#include "base/clock.h"
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cnn/version.h"
#include "model/weight_set.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- What is kept ---- */

static void list_place(struct cnni_place *place, const cnn_loader *loader, struct cnni_state *state)
{
    const double batches = (double)cnn_loader_batches(loader);
    const double samples = (double)cnn_loader_samples(loader);
    const struct {
        const char *name;
        int64_t *place;
        double low, high;
    } wholes[] = {
        {"place.epoch", &place->epoch, 1, 0x1p55},
        {"place.loader_epoch", &place->loader_epoch, 0, 0x1p55},
        {"place.batch", &place->batch, 0, batches},
        {"place.step", &place->step, 0, batches},
        {"place.samples", &place->tally.samples, 0, samples},
        {"place.right", &place->tally.right, 0, samples},
    };
    for (int32_t i = 0; i < CNNI_COUNT(wholes); i++)
        cnni_state_number(state, wholes[i].name, CNNI_NUMBER_INT64, wholes[i].place, wholes[i].low,
                          wholes[i].high);
    cnni_state_number(state, "place.rate", CNNI_NUMBER_REAL, &place->rate, 0, DBL_MAX);
    cnni_state_number(state, "place.loss", CNNI_NUMBER_REAL, &place->tally.loss, -INFINITY,
                      INFINITY);
    cnni_state_number(state, "place.weight", CNNI_NUMBER_REAL, &place->tally.weight, 0, DBL_MAX);
}

/* Which stream of random numbers a layer has depends on the layers that the program had made before
 * it, and not only those of the network. */
static void list_streams(const cnn_model *model, struct cnni_state *state)
{
    char name[32];
    for (int32_t i = 0; i < model->node_count; i++) {
        snprintf(name, sizeof name, "layer%d.stream", i);
        cnni_state_number(state, name, CNNI_NUMBER_INT64, &model->nodes[i].layer->stream, 0,
                          0x1p55);
    }
}

/* How optimizers treat the layers may change between steps. */
static void list_layers(const cnn_model *model, struct cnni_state *state)
{
    char name[48];
    for (int32_t i = 0; i < model->node_count; i++) {
        cnn_layer *layer = model->nodes[i].layer;
        snprintf(name, sizeof name, "layer%d.frozen", i);
        cnni_state_number(state, name, CNNI_NUMBER_INT32, &layer->training.frozen, 0, 1);
        snprintf(name, sizeof name, "layer%d.learning_rate", i);
        cnni_state_number(state, name, CNNI_NUMBER_REAL, &layer->training.learning_rate, 0,
                          DBL_MAX);
        snprintf(name, sizeof name, "layer%d.weight_decay", i);
        cnni_state_number(state, name, CNNI_NUMBER_REAL, &layer->training.weight_decay, 0, DBL_MAX);
    }
}

static void list_average(struct cnni_average *average, const cnn_model *model,
                         struct cnni_state *state)
{
    cnni_state_number(state, "average.updates", CNNI_NUMBER_INT64, &average->updates, 0, 0x1p55);
    cnni_state_number(state, "average.used", CNNI_NUMBER_INT32, &average->used, 0,
                      average->weights != NULL);
    cnni_weight_set_list(average->weights, "trainer.average", model, state);
}

static void list_best(struct cnni_best *best, const cnn_model *model, struct cnni_state *state)
{
    cnni_state_number(state, "best.epoch", CNNI_NUMBER_INT64, &best->epoch, 0, 0x1p55);
    cnni_state_number(state, "best.accuracy", CNNI_NUMBER_REAL, &best->accuracy, -INFINITY,
                      INFINITY);
    cnni_state_number(state, "best.loss", CNNI_NUMBER_REAL, &best->loss, -INFINITY, INFINITY);
    cnni_weight_set_list(best->weights, "trainer.best", model, state);
}

void cnni_trainer_list_state(cnn_trainer *trainer, struct cnni_place *place,
                             const cnn_loader *loader, struct cnni_state *state)
{
    cnni_model_list_state(trainer->model, state); /* first, as in model files */
    list_streams(trainer->model, state);
    list_place(place, loader, state);
    cnni_state_number(state, "trainer.passes", CNNI_NUMBER_INT64, &trainer->passes, 0, 0x1p55);
    cnni_optimizer_list_state(trainer->optimizer, state);
    list_layers(trainer->model, state);
    list_best(&trainer->best, trainer->model, state);
    list_average(&trainer->average, trainer->model, state);
}

/* ---- Writing one ---- */

static cnn_status put_checkpoint(struct cnni_json_writer *json, const cnn_trainer *trainer,
                                 const cnn_loader *loader, const struct cnni_state *state)
{
    const char *note = cnn_trainer_note(trainer), *version = cnn_version_string();
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "format");
    cnni_json_put_integer(json, CNNI_CHECKPOINT_FORMAT);
    cnni_json_put_key(json, "library");
    cnni_json_put_text(json, version, strlen(version));
    cnni_json_put_key(json, "note");
    cnni_json_put_text(json, note, strlen(note));
    cnni_json_put_key(json, "settings");
    CNNI_TRY(cnni_checkpoint_put_settings(json, trainer, loader));
    cnni_json_put_key(json, "numbers");
    cnni_state_put_numbers(state, json);
    cnni_json_close(json, '}');
    return json->status;
}

/* Whether the loader is at the place; the end of an epoch is the beginning of the next. */
static bool is_at(const cnn_loader *loader, const struct cnni_place *place)
{
    const int64_t batches = cnn_loader_batches(loader), batch = cnn_loader_batch(loader);
    return cnn_loader_epoch(loader) + batch / batches ==
               place->loader_epoch + place->batch / batches &&
           batch % batches == place->batch % batches;
}

/* cnn_trainer_fit() notes its place itself, and until the loader is moved or a step is made it is
 * the one to go on at; where a loop of the caller's own is, its loader tells. */
static struct cnni_place find_place(const cnn_trainer *trainer, const cnn_loader *loader)
{
    const struct cnni_place *noted = &trainer->place;
    if (trainer->fitting ||
        (noted->loader == loader && noted->steps == cnn_optimizer_steps(trainer->optimizer) &&
         is_at(loader, noted)))
        return *noted;
    return (struct cnni_place){
        .epoch = 1,
        .loader_epoch = cnn_loader_epoch(loader),
        .batch = cnn_loader_batch(loader),
        .step = cnn_loader_batch(loader),
    };
}

static cnn_status make_bytes(cnn_tensor **bytes, cnn_trainer *trainer, const cnn_loader *loader,
                             const char *function)
{
    struct cnni_state state;
    struct cnni_json_writer json;
    struct cnni_place place = find_place(trainer, loader);
    cnni_state_start(&state, trainer->context, function);
    cnni_json_writer_start(&json, trainer->context, function);
    cnni_trainer_list_state(trainer, &place, loader, &state);
    cnn_status status = state.status;
    if (status == CNN_OK)
        status = put_checkpoint(&json, trainer, loader, &state);
    if (status == CNN_OK)
        status = cnni_model_write(bytes, trainer->model, &state, &json, function);
    cnni_json_writer_free(&json);
    cnni_state_free(&state);
    return status;
}

static cnn_status check_moment(const cnn_trainer *trainer, const cnn_loader *loader,
                               const char *function)
{
    if (trainer->fitting && trainer->place.loader != loader)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: loader is not the one that cnn_trainer_fit() goes over", function);
    if (trainer->gradients)
        return cnni_fail(trainer->context, CNN_ERROR_STATE,
                         "%s: gradients of cnn_trainer_backward() wait for cnn_trainer_update()",
                         function);
    if (trainer->group.done > 0)
        return cnni_fail(trainer->context, CNN_ERROR_STATE,
                         "%s: %lld batches wait for the others of their update", function,
                         (long long)trainer->group.done);
    return CNN_OK;
}

static cnn_status save(cnn_trainer *trainer, const cnn_loader *loader, const char *path,
                       const char *function)
{
    cnn_tensor *bytes = NULL;
    CNNI_TRY(check_moment(trainer, loader, function));
    CNNI_TRY(make_bytes(&bytes, trainer, loader, function));
    cnn_status status = cnni_model_write_file(bytes, path, function);
    cnn_tensor_free(bytes);
    return status;
}

cnn_status cnn_trainer_save_checkpoint(cnn_trainer *trainer, const cnn_loader *loader,
                                       const char *path)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (loader == NULL)
        return cnni_fail_null(trainer->context, __func__, "loader");
    if (path == NULL)
        return cnni_fail_null(trainer->context, __func__, "path");
    return save(trainer, loader, path, __func__);
}

/* ---- While training ---- */

cnn_status cnn_trainer_set_checkpoint(cnn_trainer *trainer, const char *path, double minutes)
{
    char *copy = NULL;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (!(minutes >= 0 && isfinite(minutes)))
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: minutes is %g, must be finite and at least 0", __func__, minutes);
    if (path != NULL)
        CNNI_TRY(cnni_copy_text(&copy, trainer->context, path, __func__));
    cnni_free(trainer->context, trainer->checkpoint.path);
    trainer->checkpoint.path = copy;
    trainer->checkpoint.seconds = 60 * minutes;
    return CNN_OK;
}

cnn_status cnn_trainer_checkpoint_status(const cnn_trainer *trainer)
{
    return trainer == NULL ? CNN_OK : trainer->checkpoint.status;
}

/* A failure is told, but is none of the training's. */
static void write_checkpoint(cnn_trainer *trainer)
{
    static const char function[] = "cnn_trainer_fit";
    struct cnni_checkpointing *checkpoint = &trainer->checkpoint;
    char problem[CNNI_ERROR_SIZE] = "";
    cnni_error_capture(problem);
    checkpoint->status = save(trainer, trainer->place.loader, checkpoint->path, function);
    cnni_error_capture(NULL);
    checkpoint->begun = cnni_seconds();
    if (checkpoint->status != CNN_OK) {
        cnni_note(trainer->context, CNN_LOG_WARNING, "a checkpoint was not written: %s", problem);
        return;
    }
    checkpoint->steps = trainer->place.steps;
    checkpoint->epoch = trainer->place.epoch;
}

void cnni_checkpoint_begin(cnn_trainer *trainer)
{
    trainer->checkpoint.begun = cnni_seconds();
    trainer->checkpoint.steps = -1;
    trainer->checkpoint.status = CNN_OK;
}

void cnni_checkpoint_between(cnn_trainer *trainer, bool epoch)
{
    const struct cnni_checkpointing *checkpoint = &trainer->checkpoint;
    if (checkpoint->path == NULL)
        return;
    if (epoch ||
        (checkpoint->seconds > 0 && cnni_seconds() - checkpoint->begun >= checkpoint->seconds))
        write_checkpoint(trainer);
}

void cnni_checkpoint_stopped(cnn_trainer *trainer)
{
    const struct cnni_checkpointing *checkpoint = &trainer->checkpoint;
    bool is_there =
        checkpoint->steps == trainer->place.steps && checkpoint->epoch == trainer->place.epoch;
    if (checkpoint->path != NULL && !is_there)
        write_checkpoint(trainer);
}

/* ---- The note ---- */

cnn_status cnn_trainer_set_note(cnn_trainer *trainer, const char *note)
{
    char *copy = NULL;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (note != NULL && strlen(note) >= CNN_NOTE_SIZE)
        return cnni_fail(trainer->context, CNN_ERROR_LIMIT,
                         "%s: note has %zu bytes, must have at most %d", __func__, strlen(note),
                         CNN_NOTE_SIZE - 1);
    if (note != NULL && !cnni_utf8_valid(note, strlen(note)))
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: note is not UTF-8", __func__);
    if (note != NULL)
        CNNI_TRY(cnni_copy_text(&copy, trainer->context, note, __func__));
    cnni_free(trainer->context, trainer->note);
    trainer->note = copy;
    return CNN_OK;
}

const char *cnn_trainer_note(const cnn_trainer *trainer)
{
    return trainer == NULL || trainer->note == NULL ? "" : trainer->note;
}

int64_t cnn_trainer_epoch(const cnn_trainer *trainer)
{
    return trainer == NULL || trainer->place.loader == NULL ? 1 : trainer->place.epoch;
}
