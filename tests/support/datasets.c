/* SPDX-License-Identifier: MIT
 * Datasets for tests. */
#include "support/datasets.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/folders.h"
#include "support/networks.h"
#include "support/tensors.h"

void folder_files(const char *path, const char *const *names, int32_t count)
{
    char file[2048];
    folder_make(path);
    for (int32_t i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        file_write(file, "", 0);
    }
}

void folder_class(const char *path, int32_t count)
{
    char file[2048];
    folder_make(path);
    for (int32_t i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%03d.jpg", path, i);
        file_write(file, "", 0);
    }
}

void folder_classes(const char *path, int32_t count)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = copy; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(folder_path("%s", copy), 0777);
        *slash = '/';
    }
    folder_make(folder_path("%s", path));
    folder_class(folder_path("%s/a", path), count);
    folder_class(folder_path("%s/b", path), 1);
}

cnn_dataset *dataset_open_part(cnn_context *context, const char *path, cnn_part part)
{
    cnn_dataset *dataset;
    cnn_status status = cnn_dataset_open(&dataset, context, path, part);
    ck_assert_msg(status == CNN_OK, "%s", cnn_error_message());
    return dataset;
}

cnn_dataset *dataset_squares(cnn_context *context, int64_t count, int32_t classes)
{
    cnn_dataset *dataset;
    cnn_tensor *samples = TENSOR(context, CNN_UINT8, count, 2, 2, 3);
    cnn_tensor *labels = tensor_labels(context, count, classes);
    ck_assert_int_eq(cnn_dataset_from_memory(&dataset, context, samples, labels, classes), CNN_OK);
    cnn_tensor_free(samples);
    cnn_tensor_free(labels);
    return dataset;
}

int64_t dataset_count_label(const cnn_dataset *dataset, int32_t label)
{
    int64_t count = 0;
    for (int64_t i = 0; i < cnn_dataset_count(dataset); i++)
        count += cnn_dataset_label(dataset, i) == label;
    return count;
}
