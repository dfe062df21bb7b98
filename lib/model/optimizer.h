/* SPDX-License-Identifier: MIT
 * What an optimizer holds, and a step over all parameters of a model.  The arithmetic is in
 * ops/op_optimizer.h. */
#ifndef CNNI_OPTIMIZER_H
#define CNNI_OPTIMIZER_H

#include "cnn/optimizer.h"
#include "model/plan.h"
#include "model/training_state.h"

/* How the learning rate moves. */
typedef int32_t cnni_schedule_kind;
enum { CNNI_SCHEDULE_CONSTANT = 0, CNNI_SCHEDULE_STEP = 1, CNNI_SCHEDULE_COSINE = 2 };

struct cnni_schedule {
    double base;
    cnni_schedule_kind kind;
    int64_t steps;     /* step: every; cosine: the whole length */
    double factor;     /* step */
    double final_rate; /* cosine */
    int64_t warmup;
};

/* The learning rate of step `t`, from 1. */
double cnni_schedule_rate(const struct cnni_schedule *schedule, int64_t t);

/* A kind of optimizer. */
struct cnni_update;
struct cnni_optimizer_class {
    const char *name;
    int32_t averages; /* arrays beside each parameter, at most */
    double weight_decay;
    void (*update)(const struct cnni_update *update);
};

extern const struct cnni_optimizer_class cnni_sgd_class;

/* A parameter that is moved, and what is kept beside it. */
enum { CNNI_MOST_AVERAGES = 2 };
struct cnni_moving {
    struct cnni_parameter *parameter;
    float *averages[CNNI_MOST_AVERAGES]; /* as many as the class says; NULL: none */
};

struct cnn_optimizer {
    atomic_int references;
    cnn_context *context;
    const struct cnni_optimizer_class *class;
    struct cnni_schedule schedule;
    double weight_decay, clip_norm;
    double momentum;
    int32_t nesterov;
    double beta1, beta2, epsilon;
    struct {
        double rate, weight_decay, clip_norm;
    } begun; /* what may change between steps, as it was at the first */

    atomic_bool attached;
    cnn_model *model;           /* borrowed from the trainer */
    struct cnni_moving *moving; /* [parameters of the model] */
    _Atomic int64_t steps;
};

/* CNN_ERROR_INVALID for a rate that is not finite or below 0. */
cnn_status cnni_optimizer_check_rate(cnn_context *context, double rate, const char *function);

/* Attaches the optimizer to a model: its averages start at 0, and so do its steps, which detaching
 * forgets.  CNN_ERROR_STATE when it is attached already. */
cnn_status cnni_optimizer_attach(cnn_optimizer *optimizer, cnn_model *model, const char *function);
void cnni_optimizer_detach(cnn_optimizer *optimizer);

/* Bytes of the averages. */
size_t cnni_optimizer_bytes(const cnn_optimizer *optimizer);

/* Notes the settings that the first step is made with. */
void cnni_optimizer_begin(cnn_optimizer *optimizer);

/* One step on all parameters of the model that `plan`, which has it to itself, trains, with
 * clipping; clears the gradients.  Each layer's weights are packed anew while they are in the
 * caches. */
void cnni_optimizer_step(cnn_optimizer *optimizer, const struct cnni_plan *plan);

/* What a checkpoint keeps, and the settings that it must be resumed with, as one JSON value. */
void cnni_optimizer_list_state(cnn_optimizer *optimizer, struct cnni_state *state);
void cnni_optimizer_put_settings(const cnn_optimizer *optimizer, struct cnni_json_writer *json);

cnn_optimizer *cnni_optimizer_share(cnn_optimizer *optimizer);

#endif
