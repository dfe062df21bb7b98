/* SPDX-License-Identifier: MIT
 * Small trainings that can be stopped anywhere and begun again in a new context, and what they told
 * on the way, for the tests of checkpoints.  A failure to make one ends the test. */
#ifndef SUPPORT_TRAININGS_H
#define SUPPORT_TRAININGS_H

#include <stdbool.h>

#include "cnn.h"
#include "support/accounts.h"

enum { TRAINING_SAMPLES = 10, TRAINING_BATCH = 4, TRAINING_STEPS = 3, TRAINING_EPOCHS = 3 };

/* Calls of the progress callback in an epoch: steps, two validation batches, the end. */
enum { TRAINING_MOMENTS = TRAINING_STEPS + 3, MOST_MOMENTS = TRAINING_EPOCHS * TRAINING_MOMENTS };

/* What is told at one moment. */
struct moment {
    int64_t kind, epoch, step, steps, samples, total;
    double loss, accuracy, validation_loss, validation_accuracy, rate;
};

/* How a training is made; all zero: Adam, one thread, the level that CNN_CPU names. */
struct training_options {
    int32_t optimizer; /* 1: SGD with momentum and Nesterov, 2: AdamW, 3: plain SGD */
    int32_t threads;   /* of the context and the loader */
    const char *cpu;
    uint64_t other_seed;                         /* of the context, added to the usual one */
    cnn_model *(*network)(cnn_context *context); /* NULL: model_dropout() */
    /* With all augmentation, one cycle of rate and momentum, an average, mirror images, the best
     * epoch kept, weights of classes, another rate for the first layer, and the last one frozen. */
    bool refined;
    int64_t accumulation; /* batches of an update; 0: 1 */
};

struct training {
    struct accounts accounts;
    cnn_context *context;
    cnn_model *model;
    cnn_optimizer *optimizer;
    cnn_trainer *trainer;
    cnn_loader *loader, *validation;

    /* For training_fit(). */
    int32_t stop_at; /* the moment, counted from 1 in this call, that stops it; 0: none */
    int32_t calls;
    void (*act)(struct training *training, int32_t call); /* before that; NULL: nothing */
    int32_t moment_count;
    struct moment moments[MOST_MOMENTS];
};

/* With dropout, a shuffled order, augmentation and a cosine. */
void training_open(struct training *training, const struct training_options *options);

/* One cycle of learning rate and momentum in place of the cosine. */
void training_cycle(struct training *training);

/* Frees all, and checks that nothing is left. */
void training_close(struct training *training);

/* Fits to the last epoch, with validation, appending to the moments. */
cnn_status training_fit(struct training *training);

/* All weights as one number. */
uint64_t training_hash(struct training *training);

/* Fails the test unless `got` told what `wanted` told from its moment number `from` on, to the
 * bit. */
void expect_same_moments(const struct training *got, const struct training *wanted, int32_t from);

/* Fails the test unless resuming the file at `path` is refused with `status` and a text with
 * `word`, and changes nothing of a training that has made no step. */
void expect_resume_refused(struct training *training, const char *path, cnn_status status,
                           const char *word);

#endif
