/* SPDX-License-Identifier: MIT
 * The dataset handle: making one and asking it.  dataset_folder.c finds which files a folder has,
 * dataset_split.c makes halves, loaders read the samples, in loader_sample.c. */
#include "cnn/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/dataset_internal.h"
#include "tensor/tensor_internal.h"

/* ---- Sources ------------------------------------------------------------------------------- */

static void source_release(struct cnni_source *source)
{
    if (atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) != 1)
        return;
    cnn_context *context = source->context;
    cnni_names_free(&source->class_names, context);
    cnni_names_free(&source->paths, context);
    cnni_free(context, source->labels);
    cnn_tensor_free(source->samples);
    cnni_free(context, source);
    cnni_context_release(context);
}

static cnn_status source_create(struct cnni_source **source, cnn_context *context,
                                const char *function)
{
    CNNI_TRY(cnni_alloc_zero(source, context, 1, sizeof **source, function));
    cnni_context_share(context);
    atomic_init(&(*source)->references, 1);
    (*source)->context = context;
    return CNN_OK;
}

/* Names the classes by their numbers. */
static cnn_status name_classes(struct cnni_source *source, int32_t classes, const char *function)
{
    char text[16];
    if (classes < 1)
        return cnni_fail(source->context, CNN_ERROR_INVALID,
                         "%s: classes is %d, must be at least 1", function, classes);
    CNNI_TRY(cnni_check_limit(source->context, CNN_LIMIT_CLASSES, classes, function, "classes"));
    source->classes = classes;
    for (int32_t i = 0; i < classes; i++) {
        snprintf(text, sizeof text, "%d", i);
        CNNI_TRY(cnni_names_add(&source->class_names, source->context, NULL, text, function));
    }
    return CNN_OK;
}

cnn_status cnni_dataset_of(cnn_dataset **dataset, struct cnni_source *source, const char *function)
{
    CNNI_TRY(cnni_alloc_zero(dataset, source->context, 1, sizeof **dataset, function));
    atomic_init(&(*dataset)->references, 1);
    atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
    (*dataset)->source = source;
    (*dataset)->count = source->count;
    return CNN_OK;
}

/* The end of every way of making a dataset: `status` is that of filling the source. */
static cnn_status finish(cnn_dataset **dataset, struct cnni_source *source, cnn_status status,
                         const char *function)
{
    if (status == CNN_OK)
        status = cnni_dataset_of(dataset, source, function);
    source_release(source);
    return status;
}

/* ---- Making -------------------------------------------------------------------------------- */

/* Clears the output; what the three ways of making a dataset check alike. */
static cnn_status begin(cnn_dataset **dataset, cnn_context *context, const char *function)
{
    if (dataset == NULL)
        return cnni_fail_null(context, function, "dataset");
    *dataset = NULL;
    return context == NULL ? cnni_fail_null(NULL, function, "context") : CNN_OK;
}

const char *cnn_part_name(cnn_part part)
{
    static const char *const names[] = {
        [CNN_TRAIN] = "train", [CNN_TEST] = "test", [CNN_VALIDATION] = "validation"};
    return part >= 1 && part < CNNI_COUNT(names) ? names[part] : "unknown part";
}

cnn_status cnn_dataset_open(cnn_dataset **dataset, cnn_context *context, const char *path,
                            cnn_part part)
{
    struct cnni_source *source;
    CNNI_TRY(begin(dataset, context, __func__));
    if (path == NULL)
        return cnni_fail_null(context, __func__, "path");
    if (part < CNN_TRAIN || part > CNN_VALIDATION)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: part is %d, must be CNN_TRAIN, CNN_TEST or CNN_VALIDATION", __func__,
                         part);
    CNNI_TRY(source_create(&source, context, __func__));
    return finish(dataset, source, cnni_source_read_folder(source, path, part), __func__);
}

static cnn_status check_samples(cnn_context *context, const cnn_tensor *samples,
                                const char *function)
{
    char found[CNNI_SHAPE_TEXT];
    if (samples->shape.rank != 4 || samples->dtype == CNN_INT32)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: samples is %s %s, must be uint8 or float32 [count][h][w][c]",
                         function, cnn_dtype_name(samples->dtype),
                         cnni_shape_text(found, &samples->shape));
    int64_t channels = samples->shape.dim[3];
    if (samples->dtype == CNN_UINT8 && channels != 1 && channels != 3)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: samples is uint8 %s, pictures must have 1 or 3 channels", function,
                         cnni_shape_text(found, &samples->shape));
    return cnni_check_limit(context, CNN_LIMIT_SAMPLES, samples->shape.dim[0], function,
                            "the number of samples");
}

static cnn_status check_labels(cnn_context *context, const cnn_tensor *labels, int64_t count,
                               int32_t classes, const char *function)
{
    char found[CNNI_SHAPE_TEXT];
    if (labels->dtype != CNN_INT32 || labels->shape.rank != 1 || labels->count != count)
        return cnni_fail(context, CNN_ERROR_SHAPE, "%s: labels is %s %s, must be int32 [%lld]",
                         function, cnn_dtype_name(labels->dtype),
                         cnni_shape_text(found, &labels->shape), (long long)count);
    const int32_t *label = labels->data;
    for (int64_t i = 0; i < count; i++)
        if (label[i] < 0 || label[i] >= classes)
            return cnni_fail(context, CNN_ERROR_INVALID, "%s: label %lld is %d, must be 0 to %d",
                             function, (long long)i, label[i], classes - 1);
    return CNN_OK;
}

static cnn_status fill_from_memory(struct cnni_source *source, cnn_tensor *samples,
                                   cnn_tensor *labels, int32_t classes, const char *function)
{
    CNNI_TRY(check_samples(source->context, samples, function));
    CNNI_TRY(name_classes(source, classes, function));
    CNNI_TRY(check_labels(source->context, labels, samples->shape.dim[0], classes, function));
    /* A copy: labels that change later must not get past the check. */
    CNNI_TRY(cnni_alloc(&source->labels, source->context, (size_t)labels->count,
                        sizeof *source->labels, function));
    memcpy(source->labels, labels->data, (size_t)labels->count * sizeof *source->labels);
    source->samples = cnni_tensor_share(samples);
    source->h = samples->shape.dim[1];
    source->w = samples->shape.dim[2];
    source->c = samples->shape.dim[3];
    source->count = labels->count;
    return CNN_OK;
}

cnn_status cnn_dataset_from_memory(cnn_dataset **dataset, cnn_context *context, cnn_tensor *samples,
                                   cnn_tensor *labels, int32_t classes)
{
    struct cnni_source *source;
    CNNI_TRY(begin(dataset, context, __func__));
    if (samples == NULL)
        return cnni_fail_null(context, __func__, "samples");
    if (labels == NULL)
        return cnni_fail_null(context, __func__, "labels");
    CNNI_TRY(source_create(&source, context, __func__));
    cnn_status status = fill_from_memory(source, samples, labels, classes, __func__);
    return finish(dataset, source, status, __func__);
}

cnn_status cnn_dataset_from_callback(cnn_dataset **dataset, cnn_context *context, int64_t count,
                                     int32_t classes, cnn_sample_fn sample, void *user)
{
    struct cnni_source *source;
    CNNI_TRY(begin(dataset, context, __func__));
    if (sample == NULL)
        return cnni_fail_null(context, __func__, "sample");
    if (count < 1)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: count is %lld, must be at least 1",
                         __func__, (long long)count);
    CNNI_TRY(cnni_check_limit(context, CNN_LIMIT_SAMPLES, count, __func__, "count"));
    CNNI_TRY(source_create(&source, context, __func__));
    source->count = count;
    source->sample = sample;
    source->user = user;
    return finish(dataset, source, name_classes(source, classes, __func__), __func__);
}

cnn_dataset *cnni_dataset_share(cnn_dataset *dataset)
{
    atomic_fetch_add_explicit(&dataset->references, 1, memory_order_relaxed);
    return dataset;
}

void cnn_dataset_free(cnn_dataset *dataset)
{
    if (dataset == NULL ||
        atomic_fetch_sub_explicit(&dataset->references, 1, memory_order_acq_rel) != 1)
        return;
    struct cnni_source *source = dataset->source;
    cnni_free(source->context, dataset->members);
    cnni_free(source->context, dataset);
    source_release(source);
}

/* ---- Asking -------------------------------------------------------------------------------- */

int64_t cnni_dataset_member(const cnn_dataset *dataset, int64_t index)
{
    return dataset->members == NULL ? index : dataset->members[index];
}

int64_t cnn_dataset_count(const cnn_dataset *dataset)
{
    return dataset == NULL ? 0 : dataset->count;
}

int32_t cnn_dataset_class_count(const cnn_dataset *dataset)
{
    return dataset == NULL ? 0 : dataset->source->classes;
}

const char *cnn_dataset_class_name(const cnn_dataset *dataset, int32_t index)
{
    if (index < 0 || index >= cnn_dataset_class_count(dataset))
        return NULL;
    return dataset->source->class_names.name[index];
}

int32_t cnn_dataset_label(const cnn_dataset *dataset, int64_t index)
{
    if (index < 0 || index >= cnn_dataset_count(dataset) || dataset->source->labels == NULL)
        return -1;
    return dataset->source->labels[cnni_dataset_member(dataset, index)];
}

static cnn_status check_weights(int32_t count, const cnn_dataset *dataset, const char *function)
{
    const struct cnni_source *source = dataset->source;
    if (source->labels == NULL)
        return cnni_fail(source->context, CNN_ERROR_UNSUPPORTED,
                         "%s: the samples come from a callback, their classes must be known",
                         function);
    if (count != source->classes)
        return cnni_fail(source->context, CNN_ERROR_SHAPE,
                         "%s: count is %d, must be the number of classes, %d", function, count,
                         source->classes);
    return CNN_OK;
}

cnn_status cnn_dataset_class_weights(double *weights, int32_t count, const cnn_dataset *dataset)
{
    struct cnni_float_state host;
    if (dataset == NULL)
        return cnni_fail_null(NULL, __func__, "dataset");
    if (weights == NULL)
        return cnni_fail_null(dataset->source->context, __func__, "weights");
    CNNI_TRY(check_weights(count, dataset, __func__));
    memset(weights, 0, (size_t)count * sizeof *weights);
    for (int64_t i = 0; i < dataset->count; i++)
        weights[cnn_dataset_label(dataset, i)] += 1;
    for (int32_t k = 0; k < count; k++)
        if (weights[k] == 0)
            return cnni_fail(dataset->source->context, CNN_ERROR_SHAPE,
                             "%s: class %d (%s) has no samples, must have at least one", __func__,
                             k, cnn_dataset_class_name(dataset, k));
    cnni_float_enter(&host);
    for (int32_t k = 0; k < count; k++)
        weights[k] = (double)dataset->count / (count * weights[k]);
    cnni_float_leave(&host);
    return CNN_OK;
}

const char *cnn_dataset_path(const cnn_dataset *dataset, int64_t index)
{
    if (index < 0 || index >= cnn_dataset_count(dataset))
        return NULL;
    if (dataset->source->paths.count == 0)
        return "";
    return dataset->source->paths.name[cnni_dataset_member(dataset, index)];
}
