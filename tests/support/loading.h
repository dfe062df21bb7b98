/* SPDX-License-Identifier: MIT
 * What the tests of loaders have in common: a folder of pictures, a model that takes them, and
 * whole epochs as values that can be compared. */
#ifndef SUPPORT_LOADING_H
#define SUPPORT_LOADING_H

#include <stdbool.h>

#include "cnn/loader.h"
#include "support/folders.h"

enum { SIDE_H = 20, SIDE_W = 24, ROW = SIDE_H * SIDE_W * 3, MOST_SAMPLES = 64 };

/* Of the running test; the model takes [SIDE_H][SIDE_W][3] and has no layers. */
extern cnn_context *context;
extern cnn_model *model;

/* Fixtures: checked ones for these two, and an unchecked one that makes the temporary folder and in
 * it "pictures", 10 JPEGs and 7 PNGs of many sizes in two classes. */
void loading_set_up(void);
void loading_tear_down(void);
void loading_set_up_program(void);

/* Makes such a folder in the temporary one. */
void make_pictures(const char *folder, int32_t cats, int32_t dogs);

/* Opens a folder in the temporary one, and makes a loader of it. */
cnn_dataset *open_folder(const char *folder);
cnn_loader *make_loader(const char *folder, int64_t batch);

/* What an epoch delivered. */
struct epoch {
    cnn_status status; /* of the last call */
    int32_t batches, samples;
    int32_t sizes[MOST_SAMPLES]; /* of the batches */
    int32_t labels[MOST_SAMPLES];
    float shares[MOST_SAMPLES * 2]; /* of two classes, in place of labels where loaders mix */
    float inputs[MOST_SAMPLES * ROW];
};

/* Room for four. */
extern struct epoch epochs[4];
struct epoch *clear_epoch(int32_t index);

/* Adds one batch to `epoch`; false at the end, whether good or bad. */
bool read_batch(struct epoch *epoch, cnn_loader *loader);

/* Reads the rest of the loader's epoch into number `index`. */
struct epoch *read_epoch(int32_t index, cnn_loader *loader);

bool same_epochs(const struct epoch *a, const struct epoch *b);

#endif
