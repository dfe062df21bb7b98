/* SPDX-License-Identifier: MIT
 * What a trainer holds. */
#ifndef CNNI_TRAINER_H
#define CNNI_TRAINER_H

#include "cnn/trainer.h"
#include "model/loss.h"
#include "model/optimizer.h"
#include "model/plan.h"

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
