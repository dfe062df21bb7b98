/* SPDX-License-Identifier: MIT
 * Makes picture folders and loaders of them, and records what epochs deliver. */
#include "support/loading.h"

#include <check.h>
#include <string.h>

#include "support/expect.h"
#include "support/pictures.h"

cnn_context *context;
cnn_model *model;
struct epoch epochs[4];

void loading_set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_model_create(&model, context, (int64_t[]){SIDE_H, SIDE_W, 3}, 3));
}

void loading_tear_down(void)
{
    cnn_model_free(model);
    cnn_context_free(context);
}

/* ---- Datasets ------------------------------------------------------------------------------ */

void make_pictures(const char *folder, int32_t cats, int32_t dogs)
{
    folder_make(folder_path("%s", folder));
    folder_make(folder_path("%s/cat", folder));
    folder_make(folder_path("%s/dog", folder));
    for (int32_t i = 0; i < cats; i++)
        picture_write_jpeg(folder_path("%s/cat/%02d.jpg", folder, i), 150 - 7 * i, 90 + 11 * i,
                           (uint32_t)i);
    for (int32_t i = 0; i < dogs; i++)
        picture_write_png(folder_path("%s/dog/%02d.png", folder, i), 11 + 9 * i, 60 - 4 * i,
                          (uint32_t)(100 + i));
}

void loading_set_up_program(void)
{
    folder_set_up();
    make_pictures("pictures", 10, 7);
}

cnn_dataset *open_folder(const char *folder)
{
    cnn_dataset *dataset;
    EXPECT_OK(cnn_dataset_open(&dataset, context, folder_path("%s", folder), CNN_TRAIN));
    return dataset;
}

cnn_loader *make_loader(const char *folder, int64_t batch)
{
    cnn_loader *loader;
    cnn_dataset *dataset = open_folder(folder);
    EXPECT_OK(cnn_loader_create(&loader, dataset, model, batch));
    cnn_dataset_free(dataset);
    return loader;
}

/* ---- Whole epochs -------------------------------------------------------------------------- */

/* Adds the labels of `n` samples, in the form that the loader says it has. */
static void read_labels(struct epoch *epoch, const cnn_loader *loader, const cnn_tensor *labels,
                        int32_t n)
{
    const bool mixes = cnn_loader_label_dtype(loader) == CNN_FLOAT32;
    void *place = mixes ? (void *)(epoch->shares + 2 * epoch->samples)
                        : (void *)(epoch->labels + epoch->samples);
    ck_assert_int_eq(cnn_tensor_dtype(labels), cnn_loader_label_dtype(loader));
    ck_assert_int_eq(cnn_tensor_rank(labels), mixes ? 2 : 1);
    ck_assert_int_eq(cnn_tensor_dim(labels, 0), n);
    ck_assert_int_eq(cnn_tensor_count(labels), mixes ? 2 * n : n);
    memcpy(place, cnn_tensor_const_data(labels), cnn_tensor_bytes(labels));
}

bool read_batch(struct epoch *epoch, cnn_loader *loader)
{
    cnn_tensor *inputs, *labels;
    epoch->status = cnn_loader_next(&inputs, &labels, loader);
    if (epoch->status != CNN_OK || inputs == NULL) {
        ck_assert_ptr_null(inputs);
        ck_assert_ptr_null(labels);
        return false;
    }
    int32_t n = (int32_t)cnn_tensor_dim(inputs, 0);
    ck_assert_int_eq(cnn_tensor_rank(inputs), 4);
    ck_assert_int_eq(cnn_tensor_count(inputs), n * ROW);
    ck_assert_int_le(epoch->samples + n, MOST_SAMPLES);
    memcpy(epoch->inputs + epoch->samples * ROW, cnn_tensor_data(inputs), cnn_tensor_bytes(inputs));
    read_labels(epoch, loader, labels, n);
    epoch->sizes[epoch->batches++] = n;
    epoch->samples += n;
    return true;
}

struct epoch *clear_epoch(int32_t index)
{
    memset(&epochs[index], 0, sizeof epochs[index]);
    return &epochs[index];
}

struct epoch *read_epoch(int32_t index, cnn_loader *loader)
{
    struct epoch *epoch = clear_epoch(index);
    while (read_batch(epoch, loader))
        continue;
    return epoch;
}

bool same_epochs(const struct epoch *a, const struct epoch *b)
{
    return a->status == b->status && a->batches == b->batches && a->samples == b->samples &&
           memcmp(a->sizes, b->sizes, sizeof a->sizes) == 0 &&
           memcmp(a->labels, b->labels, sizeof a->labels) == 0 &&
           memcmp(a->shares, b->shares, sizeof a->shares) == 0 &&
           memcmp(a->inputs, b->inputs, sizeof a->inputs) == 0;
}
