/* SPDX-License-Identifier: MIT
 * Epochs: their beginning, handing out batch after batch, their end.  All on the caller's thread;
 * the samples themselves are prepared through loader_queue.c. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/loader_internal.h"

static const char function[] = "cnn_loader_next";

/* ---- Slots --------------------------------------------------------------------------------- */

static void free_slots(cnn_loader *loader)
{
    for (int32_t i = 0; i < CNNI_QUEUE_SLOTS; i++) {
        struct cnni_slot *slot = &loader->slots[i];
        for (int64_t k = 0; slot->outcomes != NULL && k < loader->batch; k++)
            cnni_free(loader->context, slot->outcomes[k].text);
        cnni_free(loader->context, slot->outcomes);
        cnn_tensor_free(slot->inputs);
        cnn_tensor_free(slot->labels);
        *slot = (struct cnni_slot){NULL, NULL, NULL};
    }
    loader->slot_count = 0;
}

static cnn_status make_slots(cnn_loader *loader, int32_t count)
{
    if (loader->slot_count == count)
        return CNN_OK;
    free_slots(loader);
    for (int32_t i = 0; i < count; i++) {
        struct cnni_slot *slot = &loader->slots[i];
        CNNI_TRY(cnni_tensor_create(&slot->inputs, loader->context, CNN_FLOAT32,
                                    loader->input_shape.dim, loader->input_shape.rank, function));
        CNNI_TRY(cnni_tensor_create(&slot->labels, loader->context, CNN_INT32, &loader->batch, 1,
                                    function));
        CNNI_TRY(cnni_alloc_zero(&slot->outcomes, loader->context, (size_t)loader->batch,
                                 sizeof *slot->outcomes, function));
    }
    loader->slot_count = count;
    return CNN_OK;
}

void cnni_loader_free_epoch(cnn_loader *loader)
{
    free_slots(loader);
    cnn_tensor_free(loader->shares);
    cnni_free(loader->context, loader->partners);
    cnni_free(loader->context, loader->order);
    cnni_free(loader->context, loader->reported);
    loader->shares = NULL;
    loader->partners = NULL;
    loader->order = NULL;
    loader->reported = NULL;
}

/* What mixing works with.  One batch at a time is mixed, the one that is about to be lent. */
static cnn_status make_shares(cnn_loader *loader)
{
    const int64_t shape[] = {loader->batch, cnn_loader_class_count(loader)};
    if (!cnni_mix_is_on(&loader->mix))
        return CNN_OK;
    if (loader->shares == NULL)
        CNNI_TRY(
            cnni_tensor_create(&loader->shares, loader->context, CNN_FLOAT32, shape, 2, function));
    if (loader->partners == NULL)
        CNNI_TRY(cnni_alloc(&loader->partners, loader->context, (size_t)loader->batch,
                            sizeof *loader->partners, function));
    return CNN_OK;
}

/* ---- Beginning ----------------------------------------------------------------------------- */

/* Background threads for this dataset: callbacks are promised the caller's thread, and copying rows
 * of floats is not worth waking one. */
static int32_t useful_threads(const cnn_loader *loader)
{
    const struct cnni_source *source = loader->dataset->source;
    if (source->sample != NULL)
        return 0;
    if (source->samples != NULL && source->samples->dtype == CNN_FLOAT32)
        return 0;
    return loader->threads;
}

static cnn_status make_order(cnn_loader *loader)
{
    struct cnni_random random;
    int64_t count = loader->dataset->count;
    if (!loader->shuffle) {
        cnni_free(loader->context, loader->order);
        loader->order = NULL;
        return CNN_OK;
    }
    if (loader->order == NULL)
        CNNI_TRY(cnni_alloc(&loader->order, loader->context, (size_t)count, sizeof *loader->order,
                            function));
    for (int64_t i = 0; i < count; i++)
        loader->order[i] = i;
    cnni_random_start(&random, loader->preparation.seed, CNNI_RANDOM_SHUFFLE,
                      (uint64_t)loader->epoch, 0);
    cnni_random_shuffle(&random, loader->order, count);
    return CNN_OK;
}

/* Everything that can fail comes before the first change that a later call would notice. */
static cnn_status begin_epoch(cnn_loader *loader)
{
    int64_t count = loader->dataset->count;
    int32_t threads = useful_threads(loader);
    int32_t slots = (int32_t)CNNI_MIN(threads > 0 ? CNNI_QUEUE_SLOTS : 1, loader->batches);
    struct cnni_queue_plan plan = {count, loader->batch, slots};
    CNNI_TRY(make_slots(loader, slots));
    CNNI_TRY(make_shares(loader));
    CNNI_TRY(make_order(loader));
    if (loader->dataset->source->paths.count > 0)
        CNNI_TRY(cnni_cache_prepare(&loader->cache, loader->context, count, function));
    loader->running = true;
    loader->lent = false;
    loader->next_batch = 0;
    loader->delivered = 0;
    loader->first_problem[0] = '\0';
    if (!cnni_queue_begin(&loader->queue, &plan, threads) && !loader->complained) {
        loader->complained = true;
        cnni_note(loader->context, CNN_LOG_WARNING,
                  "the system refuses to start more than %d of %d threads of a loader",
                  loader->queue.threads, threads);
    }
    return CNN_OK;
}

/* ---- Batches ------------------------------------------------------------------------------- */

/* The text without the function's name, for the log. */
static const char *plain_text(const char *text)
{
    if (strncmp(text, function, sizeof function - 1) == 0)
        text += sizeof function - 1 + strlen(": ");
    return text;
}

/* A line in the log, but one only: a bad picture is the same in every epoch. */
static cnn_status note_once(cnn_loader *loader, int64_t position, const char *problem)
{
    int64_t sample = loader->order == NULL ? position : loader->order[position];
    if (loader->reported == NULL)
        CNNI_TRY(cnni_alloc_zero(&loader->reported, loader->context, (size_t)loader->dataset->count,
                                 sizeof *loader->reported, function));
    if (!loader->reported[sample])
        cnni_note(loader->context, CNN_LOG_WARNING, "skipped a bad sample: %s", problem);
    loader->reported[sample] = true;
    return CNN_OK;
}

/* Deals with the bad sample at `position` of the epoch: an error of the call, or a line in the
 * log. */
static cnn_status report(cnn_loader *loader, int64_t position, const struct cnni_outcome *outcome)
{
    const char *problem = outcome->text != NULL ? outcome->text : "no memory for a text";
    if (loader->strict || outcome->status == CNN_ERROR_MEMORY)
        return cnni_fail(loader->context, outcome->status, "%s", problem);
    problem = plain_text(problem);
    if (loader->first_problem[0] == '\0')
        snprintf(loader->first_problem, sizeof loader->first_problem, "%s", problem);
    loader->skipped++;
    return note_once(loader, position, problem);
}

/* Moves the good samples of a batch together, in their order; writes their number. */
static cnn_status collect(int64_t *good, cnn_loader *loader, const struct cnni_slot *slot,
                          int64_t size)
{
    float *inputs = slot->inputs->data;
    int32_t *labels = slot->labels->data;
    size_t row_bytes = (size_t)loader->row_size * sizeof *inputs;
    *good = 0;
    for (int64_t i = 0; i < size; i++) {
        if (slot->outcomes[i].status != CNN_OK) {
            CNNI_TRY(report(loader, loader->next_batch * loader->batch + i, &slot->outcomes[i]));
            continue;
        }
        if (slot->outcomes[i].text != NULL)
            cnni_note(loader->context, CNN_LOG_WARNING, "%s", plain_text(slot->outcomes[i].text));
        if (*good < i) {
            memcpy(inputs + *good * loader->row_size, inputs + i * loader->row_size, row_bytes);
            labels[*good] = labels[i];
        }
        ++*good;
    }
    return CNN_OK;
}

/* Gives a slot's tensors the shapes of `n` samples, whatever the last borrower made of them. */
static void set_rows(const cnn_loader *loader, const struct cnni_slot *slot, int64_t n)
{
    slot->inputs->shape = loader->input_shape;
    slot->inputs->shape.dim[0] = n;
    slot->inputs->count = n * loader->row_size;
    slot->labels->shape = (struct cnni_shape){.rank = 1, .dim = {n}};
    slot->labels->count = n;
}

/* Mixes the batch of `n` samples that was found last; returns its labels. */
static cnn_tensor *mix(cnn_loader *loader, const struct cnni_slot *slot, int64_t n)
{
    struct cnni_float_state host;
    cnn_tensor *shares = loader->shares;
    const struct cnni_mix_batch batch = {
        .samples = slot->inputs->data,
        .shares = shares->data,
        .labels = slot->labels->data,
        .partners = loader->partners,
        .n = n,
        .h = loader->input_shape.dim[1],
        .w = loader->input_shape.dim[2],
        .c = loader->input_shape.dim[3],
        .classes = cnn_loader_class_count(loader),
        .seed = loader->preparation.seed,
        .epoch = loader->epoch,
        .index = loader->next_batch - 1,
    };
    shares->shape = (struct cnni_shape){.rank = 2, .dim = {n, batch.classes}};
    shares->count = n * batch.classes;
    cnni_float_enter(&host);
    cnni_mix(&loader->mix, &batch);
    cnni_float_leave(&host);
    return shares;
}

static void take_back(cnn_loader *loader)
{
    if (loader->lent)
        cnni_queue_release(&loader->queue);
    loader->lent = false;
}

/* The next batch that has a good sample; `slot` is NULL at the end of the epoch. */
static cnn_status find_batch(struct cnni_slot **slot, int64_t *good, cnn_loader *loader)
{
    *slot = NULL;
    take_back(loader);
    while (loader->next_batch < loader->batches) {
        int64_t index = loader->next_batch;
        int64_t size = CNNI_MIN(loader->batch, loader->dataset->count - index * loader->batch);
        struct cnni_slot *candidate = &loader->slots[index % loader->slot_count];
        loader->wait_seconds += cnni_queue_wait(&loader->queue, index);
        CNNI_TRY(collect(good, loader, candidate, size));
        loader->next_batch++;
        loader->lent = true;
        loader->delivered += *good;
        if (*good > 0) {
            *slot = candidate;
            return CNN_OK;
        }
        take_back(loader);
    }
    return CNN_OK;
}

static cnn_status end_epoch(cnn_loader *loader)
{
    loader->running = false;
    if (loader->delivered == 0)
        return cnni_fail(loader->context, CNN_ERROR_FORMAT,
                         "%s: all %lld samples of the epoch are bad; the first: %s", function,
                         (long long)loader->dataset->count, loader->first_problem);
    loader->epoch++;
    return CNN_OK;
}

void cnni_loader_drop_epoch(cnn_loader *loader)
{
    if (loader->running)
        cnni_queue_drop(&loader->queue);
    loader->running = false;
}

cnn_status cnn_loader_next(cnn_tensor **inputs, cnn_tensor **labels, cnn_loader *loader)
{
    struct cnni_slot *slot;
    int64_t good;
    if (inputs != NULL)
        *inputs = NULL;
    if (labels != NULL)
        *labels = NULL;
    if (loader == NULL)
        return cnni_fail_null(NULL, function, "loader");
    if (inputs == NULL || labels == NULL)
        return cnni_fail_null(loader->context, function, inputs == NULL ? "inputs" : "labels");
    cnni_queue_survive_fork(&loader->queue, loader->next_batch);
    if (!loader->running)
        CNNI_TRY(begin_epoch(loader));
    cnn_status status = find_batch(&slot, &good, loader);
    if (status != CNN_OK) {
        cnni_loader_drop_epoch(loader);
        return status;
    }
    if (slot == NULL)
        return end_epoch(loader);
    set_rows(loader, slot, good);
    *inputs = slot->inputs;
    *labels = cnni_mix_is_on(&loader->mix) ? mix(loader, slot, good) : slot->labels;
    return CNN_OK;
}
