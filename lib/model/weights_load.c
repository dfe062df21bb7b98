/* SPDX-License-Identifier: MIT
 * Loading weights: every name is looked up and reported first; then, if that is as it must be, the
 * values are converted and put in place, where nothing can fail any more. */
#include "model/safetensors.h"
#include "model/weights_internal.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct loading {
    struct cnni_source source;
    cnn_model *model;
    cnn_weights *weights; /* may be NULL */
    struct cnni_safetensors file;
    struct cnni_weights_target *targets; /* [model->parameter_count] */
    struct cnni_report report;
    char *room;    /* for names */
    float *values; /* of the largest parameter */
};

/* ---- Texts ---- */

/* A name and a shape as they are shown. */
struct shown {
    char name[CNNI_SHOW_SIZE], shape[CNNI_SHAPE_TEXT];
};

static struct shown show(const char *name, const struct cnni_shape *shape)
{
    struct shown shown;
    cnni_show_bytes(shown.name, sizeof shown.name, name, strlen(name));
    cnni_shape_text(shown.shape, shape);
    if (shape->rank == 0)
        strcpy(shown.shape, "[]");
    return shown;
}

/* A tensor that nothing is loaded from; `name` in the model, where it is unexpected. */
static cnn_status report_tensor(struct loading *loading, cnn_weights_outcome outcome,
                                const struct cnni_stored_tensor *tensor, const char *name)
{
    struct shown is = show(tensor->name, &tensor->shape);
    const char *function = loading->source.function;
    char mapped[CNNI_SHOW_SIZE];
    if (outcome == CNN_WEIGHTS_SKIPPED)
        return cnni_report_add(&loading->report, outcome, tensor->name, function,
                               "tensor \"%s\" %s %s is passed over", is.name, tensor->type->name,
                               is.shape);
    return cnni_report_add(&loading->report, outcome, tensor->name, function,
                           "tensor \"%s\" %s %s has no parameter \"%s\" in the model", is.name,
                           tensor->type->name, is.shape,
                           cnni_show_bytes(mapped, sizeof mapped, name, strlen(name)));
}

static cnn_status report_target(struct loading *loading, cnn_weights_outcome outcome,
                                const struct cnni_weights_target *target)
{
    static const char *const what[] = {
        [CNN_WEIGHTS_MISSING] = "is not in the file", [CNN_WEIGHTS_KEPT] = "keeps its values"};
    struct shown is = show(target->name, &target->parameter->shape);
    const struct cnni_stored_tensor *tensor = target->tensor;
    const char *function = loading->source.function;
    if (tensor == NULL)
        return cnni_report_add(&loading->report, outcome, target->name, function,
                               "parameter \"%s\" %s %s", is.name, is.shape, what[outcome]);
    struct shown from = show(tensor->name, &tensor->shape);
    return cnni_report_add(&loading->report, outcome, target->name, function,
                           "parameter \"%s\" is %s, %s\"%s\" %s %s", is.name, is.shape,
                           outcome == CNN_WEIGHTS_LOADED ? "from " : "but in the file ", from.name,
                           tensor->type->name, from.shape);
}

/* ---- Who belongs to whom ---- */

/* PyTorch's batch normalisation counts its batches; nothing depends on that. */
static bool is_counter(const char *name)
{
    static const char counter[] = ".num_batches_tracked";
    size_t length = strlen(name), end = sizeof counter - 1;
    return strcmp(name, counter + 1) == 0 ||
           (length > end && strcmp(name + length - end, counter) == 0);
}

static struct cnni_weights_target *find_target(const struct loading *loading, const char *name)
{
    for (int32_t i = 0; i < loading->model->parameter_count; i++)
        if (strcmp(loading->targets[i].name, name) == 0)
            return &loading->targets[i];
    return NULL;
}

static cnn_status place_tensor(struct loading *loading, const struct cnni_stored_tensor *tensor)
{
    const char *name =
        cnni_weights_rename(loading->weights, CNNI_IN_FILE, tensor->name, loading->room);
    if (name == NULL || cnni_weights_skips(loading->weights, name))
        return report_tensor(loading, CNN_WEIGHTS_SKIPPED, tensor, name);
    struct cnni_weights_target *target = find_target(loading, name);
    if (target == NULL)
        return report_tensor(
            loading, is_counter(name) ? CNN_WEIGHTS_SKIPPED : CNN_WEIGHTS_UNEXPECTED, tensor, name);
    if (target->tensor != NULL)
        return cnni_source_fail(&loading->source, CNN_ERROR_INVALID,
                                "tensors \"%s\" and \"%s\" are both mapped to parameter \"%s\"",
                                show(target->tensor->name, &tensor->shape).name,
                                show(tensor->name, &tensor->shape).name, target->name);
    target->tensor = tensor;
    return CNN_OK;
}

/* Reports what becomes of a parameter; one whose tensor does not fit loses it. */
static cnn_status settle_target(struct loading *loading, struct cnni_weights_target *target)
{
    const struct cnni_stored_tensor *tensor = target->tensor;
    if (tensor == NULL)
        return report_target(loading,
                             cnni_weights_skips(loading->weights, target->name)
                                 ? CNN_WEIGHTS_KEPT
                                 : CNN_WEIGHTS_MISSING,
                             target);
    if (tensor->type->load != NULL && cnni_shape_equal(&tensor->shape, &target->parameter->shape))
        return report_target(loading, CNN_WEIGHTS_LOADED, target);
    cnn_status status = report_target(loading, CNN_WEIGHTS_MISMATCHED, target);
    target->tensor = NULL;
    return status;
}

static cnn_status match(struct loading *loading)
{
    for (int32_t i = 0; i < loading->file.count; i++)
        CNNI_TRY(place_tensor(loading, &loading->file.tensors[i]));
    for (int32_t i = 0; i < loading->model->parameter_count; i++)
        CNNI_TRY(settle_target(loading, &loading->targets[i]));
    cnni_report_sort(&loading->report);
    return CNN_OK;
}

/* CNN_OK when all is as it must be; else a text with the first thing that is not. */
static cnn_status judge(const struct loading *loading)
{
    const int32_t *counts = loading->report.counts;
    const int32_t missing = counts[CNN_WEIGHTS_MISSING], extra = counts[CNN_WEIGHTS_UNEXPECTED];
    const int32_t mismatched = counts[CNN_WEIGHTS_MISMATCHED];
    const int32_t faults = missing + extra + mismatched;
    if (faults == 0)
        return CNN_OK;
    if (loading->weights != NULL && !loading->weights->strict && counts[CNN_WEIGHTS_LOADED] > 0)
        return CNN_OK;
    return cnni_source_fail(
        &loading->source, missing + extra > 0 ? CNN_ERROR_NOT_FOUND : CNN_ERROR_SHAPE,
        "does not fit the model: %d missing, %d unexpected, %d mismatched; %s%s", missing, extra,
        mismatched, faults > 1 ? "the first: " : "", loading->report.findings[0].text);
}

/* ---- Values ---- */

static void put_values(const struct loading *loading)
{
    struct cnni_float_state host;
    cnni_float_enter(&host);
    for (int32_t i = 0; i < loading->model->parameter_count; i++) {
        const struct cnni_weights_target *target = &loading->targets[i];
        struct cnni_parameter *parameter = target->parameter;
        if (target->tensor == NULL)
            continue;
        target->tensor->type->load(loading->values, target->tensor->bytes,
                                   (size_t)parameter->count);
        cnni_parameter_import(parameter->value, parameter, loading->values);
        atomic_fetch_add(&target->layer->version, 1);
    }
    cnni_float_leave(&host);
}

/* ---- The whole ---- */

static cnn_status prepare(struct loading *loading)
{
    const char *function = loading->source.function;
    cnn_context *context = loading->source.context;
    size_t largest, longest = 0;
    CNNI_TRY(cnni_weights_list(&loading->targets, &largest, loading->model, function));
    CNNI_TRY(cnni_alloc(&loading->values, context, largest, sizeof *loading->values, function));
    for (int32_t i = 0; i < loading->file.count; i++)
        longest = CNNI_MAX(longest, strlen(loading->file.tensors[i].name));
    CNNI_TRY(cnni_alloc(&loading->room, context, cnni_weights_room(loading->weights, longest), 1,
                        function));
    return cnni_report_start(&loading->report,
                             loading->weights == NULL ? context : loading->weights->context,
                             loading->file.count + loading->model->parameter_count, function);
}

/* Puts the values in place if all fits, and hands the report to the caller's handle: also when it
 * is that which says why not. */
static cnn_status finish(struct loading *loading)
{
    cnn_status status = judge(loading);
    if (status == CNN_OK) {
        CNNI_TRY(cnni_weight_gate_enter_writing(loading->model->gate, loading->source.function));
        put_values(loading);
        cnni_weight_gate_leave(loading->model->gate);
    }
    if (loading->weights != NULL) {
        cnni_report_free(&loading->weights->report);
        loading->weights->report = loading->report;
        loading->report = (struct cnni_report){.context = NULL};
    }
    return status;
}

static cnn_status load(cnn_model *model, const struct cnni_source *source, const void *bytes,
                       size_t size, cnn_weights *weights)
{
    struct loading loading = {.source = *source, .model = model, .weights = weights};
    CNNI_TRY(cnni_safetensors_open_plain(&loading.file, source, bytes, size));
    cnn_status status = prepare(&loading);
    if (status == CNN_OK)
        status = match(&loading);
    if (status == CNN_OK)
        status = finish(&loading);
    cnni_report_free(&loading.report);
    cnni_free(source->context, loading.room);
    cnni_free(source->context, loading.values);
    cnni_free(source->context, loading.targets);
    cnni_safetensors_close(&loading.file);
    return status;
}

cnn_status cnn_model_load_weights_memory(cnn_model *model, const void *bytes, size_t size,
                                         cnn_weights *weights)
{
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    const struct cnni_source source = {model->context, __func__, "bytes"};
    if (bytes == NULL)
        return cnni_fail_null(model->context, __func__, "bytes");
    CNNI_TRY(cnni_check_limit(model->context, CNN_LIMIT_MODEL_BYTES,
                              (int64_t)CNNI_MIN(size, (size_t)INT64_MAX), __func__, "size"));
    return load(model, &source, bytes, size, weights);
}

cnn_status cnn_model_load_weights(cnn_model *model, const char *path, cnn_weights *weights)
{
    char shown[CNNI_SHOW_SIZE], name[CNNI_SHOW_SIZE + 2];
    void *bytes;
    size_t size;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    const struct cnni_source source = {model->context, __func__, name};
    if (path == NULL)
        return cnni_fail_null(model->context, __func__, "path");
    snprintf(name, sizeof name, "\"%s\"", cnni_show_bytes(shown, sizeof shown, path, strlen(path)));
    CNNI_TRY(cnni_file_read(&bytes, &size, model->context, path, CNN_LIMIT_MODEL_BYTES, __func__));
    cnn_status status = load(model, &source, bytes, size, weights);
    cnni_free(model->context, bytes);
    return status;
}
