/* SPDX-License-Identifier: MIT
 * The loader handle: making one and asking it.  Settings are in loader_settings.c, epochs in
 * loader_epoch.c. */
#include "cnn/loader.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/loader_internal.h"

/* Epochs are part of the counter that random numbers are drawn by. */
static const int64_t most_epochs = INT64_C(1) << 56;

/* ---- Making -------------------------------------------------------------------------------- */

static cnn_status fail_shape(const cnn_loader *loader, const struct cnni_shape *input,
                             const char *wanted)
{
    char found[CNNI_SHAPE_TEXT];
    return cnni_fail(loader->context, CNN_ERROR_SHAPE, "cnn_loader_create: the model takes %s, %s",
                     cnni_shape_text(found, input), wanted);
}

/* Whether the dataset's samples fit a model that takes `input`. */
static cnn_status check_input(const cnn_loader *loader, const struct cnni_shape *input)
{
    const struct cnni_source *source = loader->dataset->source;
    char wanted[CNNI_SHAPE_TEXT], text[CNNI_SHAPE_TEXT + 64];
    struct cnni_shape sample = {.rank = 3, .dim = {source->h, source->w, source->c}};
    bool rows = source->samples != NULL;
    if (rows && source->samples->dtype == CNN_FLOAT32) {
        if (cnni_shape_equal(input, &sample))
            return CNN_OK;
        snprintf(text, sizeof text, "must take that of the float32 samples, %s",
                 cnni_shape_text(wanted, &sample));
        return fail_shape(loader, input, text);
    }
    if (input->rank != 3 || (input->dim[2] != 1 && input->dim[2] != 3))
        return fail_shape(loader, input, "must take pictures [h][w][3] or [h][w][1]");
    if (rows && input->dim[2] != source->c)
        return fail_shape(loader, input,
                          source->c == 3 ? "must have 3 channels as the uint8 samples do"
                                         : "must have 1 channel as the uint8 samples do");
    return CNN_OK;
}

static cnn_status copy_normalization(cnn_loader *loader, const cnn_model *model)
{
    float mean[CNNI_NORMALIZE_CHANNELS], deviation[CNNI_NORMALIZE_CHANNELS];
    int32_t channels = (int32_t)loader->input_shape.dim[3];
    const struct cnni_source *source = loader->dataset->source;
    if (source->samples != NULL && source->samples->dtype == CNN_FLOAT32)
        return CNN_OK;
    CNNI_TRY(cnn_model_normalization(mean, deviation, model, channels));
    cnni_normalization_set(&loader->preparation.normalization, mean, deviation, channels);
    return CNN_OK;
}

/* None for a host that wants no thread but its own. */
static int32_t default_threads(const cnn_context *context)
{
    int32_t threads = cnn_context_threads(context);
    if (threads == 1 || context->parallel_for != NULL)
        return 0;
    return CNNI_MIN(threads, CNNI_QUEUE_THREADS);
}

static cnn_status set_up(cnn_loader *loader, const cnn_model *model, int64_t batch)
{
    struct cnni_shape input;
    CNNI_TRY(cnn_model_input_shape(input.dim, &input.rank, model));
    CNNI_TRY(check_input(loader, &input));
    loader->batch = CNNI_MIN(batch, loader->dataset->count);
    loader->batches = cnni_ceil_div(loader->dataset->count, loader->batch);
    loader->input_shape = (struct cnni_shape){
        .rank = 4, .dim = {loader->batch, input.dim[0], input.dim[1], input.dim[2]}};
    loader->row_size = cnni_shape_count(&input);
    loader->preparation.h = input.dim[0];
    loader->preparation.w = input.dim[1];
    loader->preparation.augment = cnni_augment_none;
    loader->threads = default_threads(loader->context);
    return copy_normalization(loader, model);
}

cnn_status cnn_loader_create(cnn_loader **loader, cnn_dataset *dataset, cnn_model *model,
                             int64_t batch)
{
    cnn_loader *made;
    if (loader != NULL)
        *loader = NULL;
    if (dataset == NULL)
        return cnni_fail_null(NULL, __func__, "dataset");
    cnn_context *context = dataset->source->context;
    if (loader == NULL || model == NULL)
        return cnni_fail_null(context, __func__, loader == NULL ? "loader" : "model");
    if (batch < 1)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: batch is %lld, must be at least 1",
                         __func__, (long long)batch);
    if (dataset->count > UINT32_MAX)
        return cnni_fail(context, CNN_ERROR_LIMIT,
                         "%s: the dataset has %lld samples, must have at most %u", __func__,
                         (long long)dataset->count, UINT32_MAX);
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, sizeof *made, __func__));
    if (!cnni_queue_init(&made->queue, cnni_loader_make, made)) {
        cnni_free(context, made);
        return cnni_fail(context, CNN_ERROR_MEMORY, "%s: no memory for a lock", __func__);
    }
    cnni_context_share(context);
    made->context = context;
    made->dataset = cnni_dataset_share(dataset);
    cnn_status status = set_up(made, model, batch);
    if (status != CNN_OK) {
        cnn_loader_free(made);
        return status;
    }
    *loader = made;
    return CNN_OK;
}

void cnn_loader_free(cnn_loader *loader)
{
    if (loader == NULL)
        return;
    cnn_context *context = loader->context;
    cnni_queue_survive_fork(&loader->queue, loader->next_batch);
    cnni_loader_drop_epoch(loader);
    cnni_queue_destroy(&loader->queue);
    cnni_loader_free_epoch(loader);
    cnni_cache_clear(&loader->cache, context);
    cnn_dataset_free(loader->dataset);
    cnni_free(context, loader);
    cnni_context_release(context);
}

/* ---- Epochs -------------------------------------------------------------------------------- */

cnn_status cnn_loader_start(cnn_loader *loader, int64_t epoch)
{
    if (loader == NULL)
        return cnni_fail_null(NULL, __func__, "loader");
    if (epoch < 0 || epoch >= most_epochs)
        return cnni_fail(loader->context, CNN_ERROR_INVALID, "%s: epoch is %lld, must be 0 to %lld",
                         __func__, (long long)epoch, (long long)most_epochs - 1);
    cnni_queue_survive_fork(&loader->queue, loader->next_batch);
    cnni_loader_drop_epoch(loader);
    loader->epoch = epoch;
    return CNN_OK;
}

/* ---- Asking -------------------------------------------------------------------------------- */

int64_t cnn_loader_batches(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->batches;
}

int64_t cnn_loader_samples(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->dataset->count;
}

int64_t cnn_loader_batch_size(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->batch;
}

int32_t cnn_loader_class_count(const cnn_loader *loader)
{
    return loader == NULL ? 0 : cnn_dataset_class_count(loader->dataset);
}

cnn_dtype cnn_loader_label_dtype(const cnn_loader *loader)
{
    return loader != NULL && cnni_mix_is_on(&loader->mix) ? CNN_FLOAT32 : CNN_INT32;
}

cnn_status cnn_loader_sample_shape(int64_t *shape, int32_t *rank, const cnn_loader *loader)
{
    if (loader == NULL)
        return cnni_fail_null(NULL, __func__, "loader");
    if (shape == NULL || rank == NULL)
        return cnni_fail_null(loader->context, __func__, shape == NULL ? "shape" : "rank");
    *rank = loader->input_shape.rank - 1;
    memcpy(shape, loader->input_shape.dim + 1, (size_t)*rank * sizeof *shape);
    return CNN_OK;
}

int64_t cnn_loader_skipped(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->skipped;
}

int64_t cnn_loader_epoch(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->epoch;
}

double cnn_loader_wait_seconds(const cnn_loader *loader)
{
    return loader == NULL ? 0 : loader->wait_seconds;
}

double cnn_loader_work_seconds(const cnn_loader *loader)
{
    return loader == NULL ? 0 : 1e-9 * (double)atomic_load(&loader->work_nanoseconds);
}
