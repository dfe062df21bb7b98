/* SPDX-License-Identifier: MIT
 * Datasets, and folders of pictures for them, for tests that do not look into the pictures: empty
 * files do.  A failure to make one ends the test. */
#ifndef SUPPORT_DATASETS_H
#define SUPPORT_DATASETS_H

#include "cnn/dataset.h"

/* Makes the folder at `path` with empty files of these names. */
void folder_files(const char *path, const char *const *names, int32_t count);

/* Makes a class folder with `count` files 000.jpg, 001.jpg, ... */
void folder_class(const char *path, int32_t count);

/* Makes the folders of `path`, below the temporary one, and in the last the classes a and b of
 * `count` and 1 pictures. */
void folder_classes(const char *path, int32_t count);

/* The dataset of a folder's part. */
cnn_dataset *dataset_open_part(cnn_context *context, const char *path, cnn_part part);

/* `count` samples of 2 x 2 pixels in memory with labels 0, 1, ... classes - 1, 0, ... */
cnn_dataset *dataset_squares(cnn_context *context, int64_t count, int32_t classes);

/* How many samples have the label. */
int64_t dataset_count_label(const cnn_dataset *dataset, int32_t label);

#endif
