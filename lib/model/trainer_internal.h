/* SPDX-License-Identifier: MIT
 * What a trainer holds. */
#ifndef CNNI_TRAINER_H
#define CNNI_TRAINER_H

#include "cnn/trainer.h"
#include "model/flip.h"
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

/* The moving average of all weights: trainer_average.c. */
struct cnni_average {
    float **weights; /* a set of weight_set.h; NULL: there is none */
    double decay;
    int64_t updates; /* of the average */
    int32_t used;    /* 1: the model has the average, and `weights` what is trained */
};

/* The best epoch of the latest fit: trainer_best.c. */
struct cnni_best {
    int64_t patience; /* epochs; 0: no end */
    float **weights;  /* a set of weight_set.h; NULL: they are not kept */
    int64_t epoch;    /* from 1; 0: none yet */
    double accuracy, loss;
};

/* Batches that are to make one update: trainer_accumulate.c. */
struct cnni_group {
    int64_t batches, most_samples; /* of a full one */
    int64_t done, samples;         /* by now */
    uint64_t passes;               /* the trainer's before it */
    float **statistics; /* a set of weight_set.h: the running statistics of what is not yet an
                           update; NULL: there never was more than one batch */
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
    struct cnni_average average;
    struct cnni_best best;
    int64_t accumulation; /* batches, in fit */
    struct cnni_group group;
    struct cnni_flip flip; /* of evaluations */
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

/* CNN_ERROR_STATE in a callback of cnn_trainer_fit(). */
cnn_status cnni_trainer_check_idle(const cnn_trainer *trainer, const char *function);

/* The parts of a step on checked arguments, inside the gate. */
void cnni_trainer_forward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n, bool training,
                          int32_t layers);
struct cnni_loss_result cnni_trainer_loss(cnn_trainer *trainer, const cnn_tensor *targets,
                                          int64_t n, bool gradient);
void cnni_trainer_backward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n,
                           int32_t layers);

/* Forgets what of a step was begun: its forward pass and gradients. */
void cnni_trainer_forget(cnn_trainer *trainer);

/* An evaluation's forward of the mirror images, after that of the pictures; what the loss then
 * reads is the mean of both. */
void cnni_trainer_flip_forward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n);

/* One optimizer step on the gradients of a group, and the average behind it. */
void cnni_trainer_update(cnn_trainer *trainer);

/* A step of one's own that was begun is forgotten: its values are about to be overwritten. */
void cnni_trainer_forget_forward(cnn_trainer *trainer);
void cnni_trainer_clear_gradients(cnn_trainer *trainer);

/* Makes the model have the averaged weights, or those that are trained, inside the gate; and from
 * outside.  Without an average nothing happens. */
void cnni_average_use(cnn_trainer *trainer, bool on);
cnn_status cnni_trainer_show_average(cnn_trainer *trainer, bool on, const char *function);

/* What part of the distance to the weights the average is to go in this update. */
double cnni_average_rest(struct cnni_average *average);

/* Whether fit can look for the best epoch; an epoch is validated, with the weights that the model
 * has; whether it was one too many without a better one; fit ends with `status`, and so does this,
 * unless putting the best weights back fails. */
cnn_status cnni_best_check(const cnn_trainer *trainer, const cnn_loader *validation,
                           const char *function);
void cnni_best_add(cnn_trainer *trainer, int64_t epoch, double accuracy, double loss);
bool cnni_best_gives_up(const cnn_trainer *trainer, int64_t epoch);
cnn_status cnni_best_end(cnn_trainer *trainer, cnn_status status, const char *function);

/* Groups of batches of at most `batch` samples begin; each update is again one batch's, and what
 * was not used is dropped without a trace. */
void cnni_group_begin(cnn_trainer *trainer, int64_t batch);
void cnni_group_drop(cnn_trainer *trainer);

/* Inside the gate, the model gets the weights that are trained, with the running statistics of the
 * group: before a batch, and before the update of a group that is not full, which leaves it with
 * them. */
void cnni_group_enter(cnn_trainer *trainer);

/* Weighs the gradient of the loss for a batch of `n`; counts it, and says whether it fills the
 * group, or else gives the model back the running statistics of the latest update; begins the next
 * group, and says what the gradients are to be multiplied by. */
void cnni_group_weigh(const cnn_trainer *trainer, int64_t n);
bool cnni_group_add(cnn_trainer *trainer, int64_t n);
double cnni_group_end(cnn_trainer *trainer);

/* Checks one batch; writes n. */
cnn_status cnni_trainer_check_batch(const cnn_trainer *trainer, const cnn_tensor *const *inputs,
                                    int32_t input_count, const cnn_tensor *const *targets,
                                    int32_t target_count, int64_t *n, const char *function);

/* Adds one batch to the group, with an update if it fills it; or, not `training`, the loss of one
 * batch as predictions have it.  And the update of a group that is not full. */
cnn_status cnni_trainer_run(struct cnni_loss_result *result, cnn_trainer *trainer,
                            const cnn_tensor *const *inputs, int32_t input_count,
                            const cnn_tensor *const *targets, int32_t target_count, bool training,
                            const char *function);
cnn_status cnni_trainer_finish_group(cnn_trainer *trainer, const char *function);

#endif
