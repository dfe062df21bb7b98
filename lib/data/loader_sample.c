/* SPDX-License-Identifier: MIT
 * Prepares one sample of a batch: finds or reads its picture, augments and normalises it, or copies
 * it where it is a row of floats.  Runs on any thread; nothing here depends on which.  Augmentation
 * is in augment.c, decoding in image.c. */
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/image_resize.h"
#include "data/loader_internal.h"

static const char function[] = "cnn_loader_next";

/* One sample on its way. */
struct sample {
    cnn_loader *loader;
    int64_t index;  /* in the dataset */
    int64_t member; /* in the source */
    float *row;
    int32_t *label;
    struct cnni_float_state host;
    char problem[CNNI_ERROR_SIZE];
    char note[CNNI_ERROR_SIZE]; /* of a picture that was good enough */
};

/* Between these, failures and the floating-point environment are the library's. */
static void enter(struct sample *sample)
{
    cnni_float_enter(&sample->host);
    cnni_error_capture(sample->problem);
}

static void leave(const struct sample *sample)
{
    cnni_error_capture(NULL);
    cnni_float_leave(&sample->host);
}

static cnn_status prepare(const struct sample *sample, const struct cnni_image *picture)
{
    const cnn_loader *loader = sample->loader;
    return cnni_prepare(sample->row, loader->context, &loader->preparation, picture, loader->epoch,
                        sample->index, function);
}

/* ---- Files --------------------------------------------------------------------------------- */

static cnn_status read_picture(struct cnni_image *picture, struct sample *sample)
{
    const cnn_loader *loader = sample->loader;
    struct cnni_image_request request = {
        .function = function,
        .channels = loader->preparation.normalization.channels,
        .note = sample->note,
        .root = loader->dataset->source->root,
    };
    cnni_prepare_min_size(&request.min_h, &request.min_w, &loader->preparation);
    return cnni_image_read(picture, loader->context, &request,
                           loader->dataset->source->paths.name[sample->member]);
}

/* Whether every epoch takes the whole picture, so that it may be kept at the sample's size. */
static bool takes_whole_picture(const struct cnni_augment *augment)
{
    return augment->crop.min_area == 1 && augment->crop.max_ratio == 1;
}

/* Replaces `picture` by one of the sample's size. */
static cnn_status shrink(struct cnni_image *picture, const struct sample *sample)
{
    const struct cnni_preparation *preparation = &sample->loader->preparation;
    cnn_context *context = sample->loader->context;
    struct cnni_image small = {.h = preparation->h, .w = preparation->w, .c = picture->c};
    CNNI_TRY(cnni_alloc(&small.pixels, context, cnni_image_bytes(&small), 1, function));
    cnn_status status = cnni_image_resize(&small, context, picture, NULL, function);
    if (status != CNN_OK) {
        cnni_image_free(context, &small);
        return status;
    }
    cnni_image_free(context, picture);
    *picture = small;
    return CNN_OK;
}

static cnn_status make_from_file(struct sample *sample)
{
    cnn_loader *loader = sample->loader;
    struct cnni_image picture;
    const struct cnni_image *kept = cnni_cache_find(&loader->cache, sample->index);
    if (kept != NULL)
        return prepare(sample, kept);
    CNNI_TRY(read_picture(&picture, sample));
    cnn_status status = CNN_OK;
    if (loader->cache.pictures != NULL && takes_whole_picture(&loader->preparation.augment))
        status = shrink(&picture, sample);
    if (status == CNN_OK)
        status = prepare(sample, &picture);
    if (status == CNN_OK)
        cnni_cache_keep(&loader->cache, loader->context, sample->index, &picture);
    cnni_image_free(loader->context, &picture);
    return status;
}

/* ---- Memory -------------------------------------------------------------------------------- */

static cnn_status make_from_row(struct sample *sample)
{
    const struct cnni_source *source = sample->loader->dataset->source;
    size_t bytes = cnn_tensor_bytes(source->samples) / (size_t)source->count;
    uint8_t *data = (uint8_t *)source->samples->data + (size_t)sample->member * bytes;
    struct cnni_image picture = {data, source->h, source->w, source->c};
    if (source->samples->dtype != CNN_FLOAT32)
        return prepare(sample, &picture);
    memcpy(sample->row, data, bytes);
    return CNN_OK;
}

/* ---- Callbacks ----------------------------------------------------------------------------- */

static cnn_status check_made(const struct sample *sample, const cnn_tensor *image)
{
    cnn_context *context = sample->loader->context;
    int32_t channels = sample->loader->preparation.normalization.channels;
    int32_t classes = sample->loader->dataset->source->classes;
    char found[CNNI_SHAPE_TEXT];
    if (image == NULL)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: the callback made no picture of sample %lld", function,
                         (long long)sample->member);
    if (image->dtype != CNN_UINT8 || image->shape.rank != 3 || image->shape.dim[2] != channels)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: the callback made sample %lld as %s %s, must be uint8 [h][w][%d]",
                         function, (long long)sample->member, cnn_dtype_name(image->dtype),
                         cnni_shape_text(found, &image->shape), channels);
    if (*sample->label < 0 || *sample->label >= classes)
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: the callback gave sample %lld the class %d, must be 0 to %d",
                         function, (long long)sample->member, *sample->label, classes - 1);
    return CNN_OK;
}

static cnn_status make_by_callback(struct sample *sample)
{
    const struct cnni_source *source = sample->loader->dataset->source;
    cnn_tensor *image = NULL;
    leave(sample);
    cnn_status status = source->sample(source->user, sample->member, &image, sample->label);
    enter(sample);
    if (status != CNN_OK)
        status = cnni_fail(sample->loader->context, status,
                           "%s: the callback returned %s for sample %lld", function,
                           cnn_status_name(status), (long long)sample->member);
    else
        status = check_made(sample, image);
    if (status == CNN_OK) {
        struct cnni_image picture = {image->data, image->shape.dim[0], image->shape.dim[1],
                                     image->shape.dim[2]};
        status = prepare(sample, &picture);
    }
    cnn_tensor_free(image);
    return status;
}

/* ---- Any sample ---------------------------------------------------------------------------- */

static cnn_status make(struct sample *sample)
{
    const struct cnni_source *source = sample->loader->dataset->source;
    *sample->label = source->labels == NULL ? -1 : source->labels[sample->member];
    if (source->sample != NULL)
        return make_by_callback(sample);
    return source->samples != NULL ? make_from_row(sample) : make_from_file(sample);
}

static int64_t processor_nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Replaces the text that an earlier sample may have left here. */
static void keep_text(struct cnni_outcome *outcome, const struct sample *sample)
{
    const char *text = outcome->status == CNN_OK ? sample->note : sample->problem;
    char *earlier = outcome->text;
    outcome->text = NULL; /* a child forked in the middle frees it not again */
    cnni_free(sample->loader->context, earlier);
    if (text[0] != '\0')
        (void)cnni_copy_text(&outcome->text, sample->loader->context, text, function);
}

void cnni_loader_make(void *user, int64_t position)
{
    cnn_loader *loader = user;
    const struct cnni_slot *slot = &loader->slots[position / loader->batch % loader->slot_count];
    int64_t row = position % loader->batch;
    struct cnni_outcome *outcome = &slot->outcomes[row];
    struct sample sample = {
        .loader = loader,
        .index = loader->order == NULL ? position : loader->order[position],
        .row = (float *)slot->inputs->data + row * loader->row_size,
        .label = (int32_t *)slot->labels->data + row,
    };
    int64_t start = processor_nanoseconds();
    sample.member = cnni_dataset_member(loader->dataset, sample.index);
    enter(&sample);
    outcome->status = make(&sample);
    keep_text(outcome, &sample);
    leave(&sample);
    atomic_fetch_add_explicit(&loader->work_nanoseconds, processor_nanoseconds() - start,
                              memory_order_relaxed);
}
