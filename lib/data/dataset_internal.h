/* SPDX-License-Identifier: MIT
 * What a dataset holds.  The samples themselves belong to a source, which all datasets split from
 * one another share; a dataset is a choice among the samples of its source. */
#ifndef CNNI_DATASET_H
#define CNNI_DATASET_H

#include <stdatomic.h>

#include "base/base.h"
#include "cnn/dataset.h"
#include "data/names.h"

/* Samples of one of three kinds: files, rows of a tensor, or what a callback makes. */
struct cnni_source {
    atomic_int references;
    cnn_context *context;
    int64_t count;
    int32_t classes;
    struct cnni_names class_names; /* [classes] */
    int32_t *labels;               /* [count], of files and rows; NULL for a callback */
    struct cnni_names paths;       /* files: [count] */
    size_t root;                   /* files: the part of each path that the caller gave */
    cnn_tensor *samples;           /* rows: [count][h][w][c] */
    int64_t h, w, c;               /* rows: each one's shape, whatever becomes of the tensor's */
    cnn_sample_fn sample;          /* callback, or NULL */
    void *user;
};

struct cnn_dataset {
    atomic_int references;
    struct cnni_source *source;
    int64_t count;
    int64_t *members; /* [count] numbers in the source, ascending; NULL: all that it has */
    _Atomic uint64_t fingerprint; /* with CNNI_FINGERPRINT_KNOWN once it is known */
};

#define CNNI_FINGERPRINT_KNOWN ((uint64_t)1 << 32)

/* A dataset of all samples of `source`, which it shares. */
cnn_status cnni_dataset_of(cnn_dataset **dataset, struct cnni_source *source, const char *function);

/* Another reference; returns `dataset`. */
cnn_dataset *cnni_dataset_share(cnn_dataset *dataset);

/* The number in the source of sample `index`, which the dataset has. */
int64_t cnni_dataset_member(const cnn_dataset *dataset, int64_t index);

/* The checksum of cnn_dataset_fingerprint().  CNN_ERROR_MEMORY: the system has no memory or no room
 * for another open file. */
cnn_status cnni_dataset_fingerprint(uint32_t *fingerprint, const cnn_dataset *dataset,
                                    const char *function);

/* Fills an empty source with the files of a folder: see cnn_dataset_open(). */
cnn_status cnni_source_read_folder(struct cnni_source *source, const char *path, cnn_part part);

#endif
