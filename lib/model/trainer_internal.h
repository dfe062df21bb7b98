/* SPDX-License-Identifier: MIT
 * What a trainer holds. */
#ifndef CNNI_TRAINER_H
#define CNNI_TRAINER_H

#include "cnn/trainer.h"
#include "model/loss.h"
#include "model/optimizer.h"
#include "model/plan.h"

/* Sums over the samples of one pass. */
struct cnni_tally {
    int64_t samples, right;
    double loss, weight; /* the mean loss is their quotient */
};

/* Where a training is: what comes next. */
struct cnni_place {
    int64_t epoch;        /* of the call of cnn_trainer_fit(), from 1 */
    int64_t loader_epoch; /* the training loader's */
    int64_t batch;        /* of that, from 0; past the last one the epoch is to be validated */
    int64_t step;         /* steps made in this epoch */
    double rate;          /* the learning rate of the latest */
    struct cnni_tally tally;

    const cnn_loader
        *loader;   /* that this is about, not to be looked into; NULL: no place is known */
    int64_t steps; /* of the optimizer, then; others make it an old place */
};

/* Checkpoints that cnn_trainer_fit() writes. */
struct cnni_checkpointing {
    char *path;        /* NULL: none */
    double seconds;    /* between those in the middle of epochs; 0: there are none */
    double begun;      /* when the latest was, by a clock */
    int64_t steps;     /* of the optimizer at the latest good one; -1: there is none */
    int64_t epoch;     /* of the place at that one */
    cnn_status status; /* of the latest */
};

struct cnn_trainer {
    cnn_context *context;
    cnn_model *model; /* shared */
    struct cnni_plan *plan;
    cnn_optimizer *optimizer; /* shared */
    struct cnni_loss loss;
    int32_t loss_layers; /* layers before the loss: all, or all but a softmax that it passes over */
    float *work;         /* of the loss */
    double *weights;     /* of the loss, or NULL */
    uint64_t passes;     /* forward passes in training: dropout differs with it */
    cnn_tensor *inputs;  /* of the latest cnn_trainer_forward(), shared until its backward */
    int64_t n;           /* samples of it; 0: there is none */
    bool gradients;      /* a backward came since the last update */
    atomic_bool cancelled;

    struct cnni_place place;
    bool fitting; /* cnn_trainer_fit() is running */
    bool resumed; /* the next one goes on at the place */
    struct cnni_checkpointing checkpoint;
    char *note; /* the caller's; NULL: none */
};

/* A trainer's plan and loss without an optimizer, for checking gradients; freed by
 * cnn_trainer_free(). */
struct cnni_trainer_options {
    cnn_optimizer *optimizer; /* or NULL */
    cnn_loss loss;
    int64_t batch;
    bool input_gradient;
};
cnn_status cnni_trainer_create(cnn_trainer **trainer, cnn_model *model,
                               const struct cnni_trainer_options *options, const char *function);

/* The parts of a step on checked arguments, inside the gate. */
void cnni_trainer_forward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n, bool training,
                          int32_t layers);
struct cnni_loss_result cnni_trainer_loss(cnn_trainer *trainer, const cnn_tensor *targets,
                                          int64_t n, bool gradient);
void cnni_trainer_backward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n,
                           int32_t layers);

/* Forgets what of a step was begun: its forward pass and gradients. */
void cnni_trainer_forget(cnn_trainer *trainer);

/* Checks one batch; writes n. */
cnn_status cnni_trainer_check_batch(const cnn_trainer *trainer, const cnn_tensor *const *inputs,
                                    int32_t input_count, const cnn_tensor *const *targets,
                                    int32_t target_count, int64_t *n, const char *function);

/* One step, or, not `training`, the loss of one batch as predictions have it. */
cnn_status cnni_trainer_run(struct cnni_loss_result *result, cnn_trainer *trainer,
                            const cnn_tensor *const *inputs, int32_t input_count,
                            const cnn_tensor *const *targets, int32_t target_count, bool training,
                            const char *function);

#endif
