/* SPDX-License-Identifier: MIT
 * What a loader holds, and the calls between its files: loader.c has the handle, loader_settings.c
 * its settings, loader_epoch.c runs epochs and hands out batches, loader_sample.c prepares one
 * sample, loader_queue.c decides who does, loader_cache.c keeps pictures. */
#ifndef CNNI_LOADER_H
#define CNNI_LOADER_H

#include "base/context_internal.h"
#include "cnn/loader.h"
#include "data/augment.h"
#include "data/dataset_internal.h"
#include "data/loader_cache.h"
#include "data/loader_queue.h"
#include "data/mix.h"
#include "tensor/tensor_internal.h"

/* How the preparation of one sample ended. */
struct cnni_outcome {
    cnn_status status;
    char *text; /* of the failure, or what a good sample lacked; NULL: none, or no memory for it */
};

/* One batch in preparation, with room for all rows; filled by threads, emptied by the caller's. */
struct cnni_slot {
    cnn_tensor *inputs;            /* [batch][h][w][c] */
    cnn_tensor *labels;            /* [batch] */
    struct cnni_outcome *outcomes; /* [batch] */
};

struct cnn_loader {
    cnn_context *context;
    cnn_dataset *dataset;
    int64_t batch; /* at most the number of samples */
    int64_t batches;
    struct cnni_shape input_shape; /* [batch][h][w][c] */
    int64_t row_size;              /* h * w * c */
    struct cnni_preparation preparation;
    struct cnni_mix mix;
    bool shuffle;
    bool strict;
    int32_t threads; /* background threads wanted */

    int64_t epoch;
    bool running;
    bool complained;                     /* that the system grants too few threads */
    int64_t *order;                      /* [samples] of a shuffled epoch, or NULL */
    int64_t next_batch;                  /* the first that has not been waited for */
    bool lent;                           /* the caller has the batch before it */
    int64_t delivered;                   /* samples of this epoch */
    int64_t skipped;                     /* of all epochs */
    bool *reported;                      /* [samples] that the log has; NULL: none */
    char first_problem[CNNI_ERROR_SIZE]; /* of this epoch */
    double wait_seconds;
    _Atomic int64_t work_nanoseconds;

    cnn_tensor *shares; /* [batch][classes] labels of the mixed batch that is lent, or NULL */
    int64_t *partners;  /* [batch], for mixing */

    int32_t slot_count;
    struct cnni_slot slots[CNNI_QUEUE_SLOTS];
    struct cnni_cache cache;
    struct cnni_queue queue;
};

/* The cnni_queue_fn of loaders: prepares the sample at `position` of the epoch.  Failures go into
 * the slot's outcome. */
void cnni_loader_make(void *loader, int64_t position);

/* Drops the running epoch, if there is one. */
void cnni_loader_drop_epoch(cnn_loader *loader);

/* Frees the memory of epochs: slots and order. */
void cnni_loader_free_epoch(cnn_loader *loader);

#endif
