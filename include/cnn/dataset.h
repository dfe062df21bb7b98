/* SPDX-License-Identifier: MIT
 * Datasets: labelled samples, numbered from 0, read when they are needed.  A dataset does not
 * change once it is made; all functions may be called concurrently. */
#ifndef CNN_DATASET_H
#define CNN_DATASET_H

#include "cnn/tensor.h"

CNN_BEGIN_DECLS

typedef struct cnn_dataset cnn_dataset;

/* Which part of a folder. */
typedef int32_t cnn_part;

enum {
    CNN_TRAIN = 1,     /* the folder "train" or "training_set" in it; where there is none, itself */
    CNN_TEST = 2,      /* the folder "test" or "test_set" in it; where there is none, not found */
    CNN_VALIDATION = 3 /* "val", "validation" or "validation_set"; where there is none, not found */
};

/* The name of `part`, "train"; "unknown part" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_part_name(cnn_part part);

/* Opens a folder that has one sub-folder per class, or that has folders of such for its parts (each
 * may hold one more folder of its own name, as some archives unpack).  Classes are in byte order of
 * their names, pictures in byte order within a class; names that start with a dot are left out, and
 * so are files that do not end in .jpg, .jpeg or .png in either case.  Pictures are not read yet; a
 * relative `path` is looked up anew for each.
 * `path` may go through symbolic links, but nothing below it may be one, since a link in an
 * unpacked archive can lead anywhere: in place of a class folder it is an error; in place of a
 * picture, or of a folder that has become one since, it makes bad samples.
 * CNN_ERROR_NOT_FOUND: no such folder, or no such part.  CNN_ERROR_IO: not readable, not a folder,
 * or a link in place of the part's folder or a class's.  CNN_ERROR_FORMAT: no class folders, only
 * one, one without pictures, or a class name that cnn_model_set_classes() would refuse.
 * CNN_ERROR_LIMIT: too many classes or pictures. */
CNN_API cnn_status cnn_dataset_open(cnn_dataset **dataset, cnn_context *context, const char *path,
                                    cnn_part part);

/* Makes a dataset of samples in memory: `samples` is [count][h][w][c], uint8 pictures or float32
 * values (used as they are, without normalisation and augmentation), `labels` int32 [count] with
 * values 0 .. classes - 1.  Shares `samples`, which must not change while loaders use it, and
 * copies `labels`.
 * CNN_ERROR_SHAPE: shapes or types that do not fit.  CNN_ERROR_INVALID: a label out of range, or
 * `classes` below 1.  CNN_ERROR_LIMIT: too many classes or samples. */
CNN_API cnn_status cnn_dataset_from_memory(cnn_dataset **dataset, cnn_context *context,
                                           cnn_tensor *samples, cnn_tensor *labels,
                                           int32_t classes);

/* Makes sample number `index`: a new picture (uint8 [h][w][c], any size) in `image`, which the
 * library frees, and its class in `label`.  Returns CNN_OK or an error, which counts as a bad
 * sample.  Called only on a thread that is inside a call of the library, one call at a time for
 * each loader. */
typedef cnn_status (*cnn_sample_fn)(void *user, int64_t index, cnn_tensor **image, int32_t *label);

/* Makes a dataset of `count` samples that a callback produces.  `user` is borrowed until the
 * dataset and every handle that shares it are freed.
 * CNN_ERROR_INVALID: `count` or `classes` below 1.  CNN_ERROR_LIMIT: too many of them. */
CNN_API cnn_status cnn_dataset_from_callback(cnn_dataset **dataset, cnn_context *context,
                                             int64_t count, int32_t classes, cnn_sample_fn sample,
                                             void *user);

/* Splits a dataset in two that share it: `second` gets `fraction` (0 < fraction < 1) of every
 * class, rounded to the nearest, at least one and not all; `first` the rest.  Which ones depends on
 * `seed` and the order of the samples alone.  (Samples of a callback, whose classes are not known
 * beforehand, are split as one class.)
 * CNN_ERROR_SHAPE: a class with fewer than two samples.  CNN_ERROR_INVALID: another fraction. */
CNN_API cnn_status cnn_dataset_split(cnn_dataset **first, cnn_dataset **second,
                                     cnn_dataset *dataset, double fraction, uint64_t seed);

CNN_API void cnn_dataset_free(cnn_dataset *dataset);

/* How many samples and classes there are. */
CNN_API int64_t cnn_dataset_count(const cnn_dataset *dataset);
CNN_API int32_t cnn_dataset_class_count(const cnn_dataset *dataset);

/* The name of class `index`, the folder's or its number as text.  Borrowed until the dataset and
 * every dataset split from it are freed; NULL for a number it does not have. */
CNN_API const char *cnn_dataset_class_name(const cnn_dataset *dataset, int32_t index);

/* The class of sample `index`; -1 for a number it does not have and for samples of a callback. */
CNN_API int32_t cnn_dataset_label(const cnn_dataset *dataset, int64_t index);

/* Weights with which all classes count the same, for cnn_trainer_set_class_weights(): writes
 * samples / (classes * samples of the class) for each class into `weights` [count].
 * CNN_ERROR_SHAPE: `count` is not the number of classes, or a class has no samples.
 * CNN_ERROR_UNSUPPORTED: samples of a callback, whose classes are not known beforehand. */
CNN_API cnn_status cnn_dataset_class_weights(double *weights, int32_t count,
                                             const cnn_dataset *dataset);

/* The path of sample `index`, as bytes; "" for samples that are no files; NULL for a number it does
 * not have.  Borrowed until the dataset and every dataset split from it are freed. */
CNN_API const char *cnn_dataset_path(const cnn_dataset *dataset, int64_t index);

/* A checksum (CRC-32C) over what the samples are: the names of the classes, and of each sample in
 * its order the class and
 * - of a file: its path below the folder that was opened, its size and its first 4096 bytes, or
 *   that it cannot be read; times do not matter, nor where the folder is;
 * - in memory: its shape and values.
 * Of a callback's samples it knows only how many there are.
 * The first call looks at all samples (the files of 8,000 pictures: about 0.1 seconds where the
 * system has them in its cache; 1 GB in memory: about 1); the result is kept, whatever becomes of
 * the files and values later.  0 for a dataset that is NULL, and where the system has no memory or
 * no room for another open file. */
CNN_API uint32_t cnn_dataset_fingerprint(const cnn_dataset *dataset);

CNN_END_DECLS

#endif
