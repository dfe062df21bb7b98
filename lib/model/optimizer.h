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
enum {
    CNNI_SCHEDULE_CONSTANT = 0,
    CNNI_SCHEDULE_STEP = 1,
    CNNI_SCHEDULE_COSINE = 2,
    CNNI_SCHEDULE_ONE_CYCLE = 3
};

struct cnni_schedule {
    double base;
    cnni_schedule_kind kind;
    int64_t steps;     /* step: every; cosine and one cycle: the whole length */
    double factor;     /* step */
    double final_rate; /* cosine */
    double rise;       /* one cycle: the part of the steps in which the rate rises */
    double start_divisor, final_divisor;      /* one cycle */
    double lowest_momentum, highest_momentum; /* one cycle; both 0: momentum stays as it is */
    int64_t warmup;
};

/* The learning rate of step `t`, from 1. */
double cnni_schedule_rate(const struct cnni_schedule *schedule, int64_t t);

/* The momentum, or Adam's beta1, of step `t`; `momentum` where the schedule does not move it. */
double cnni_schedule_momentum(const struct cnni_schedule *schedule, int64_t t, double momentum);

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
    int64_t steps;                       /* in which it was moved: fewer where it was frozen */
};

struct cnn_optimizer {
    atomic_int references;
    cnn_context *context;
    const struct cnni_optimizer_class *class;
    struct cnni_schedule schedule;
    double weight_decay, clip_norm;
    int32_t spares_vectors; /* no weight decay on parameters of one dimension */
    double momentum;
    int32_t nesterov;
    double beta1, beta2, epsilon;
    struct {
        double rate, weight_decay, clip_norm;
        int32_t spares_vectors;
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

/* One step on all parameters of the model that `plan`, which has it to itself, trains: on `scale`
 * times their gradients, which are cleared, with clipping; those of frozen layers stay.  Each
 * layer's weights go into `averages` (NULL: there are none), at `rest` of the distance, and are
 * packed anew while they are in the caches. */
struct cnni_optimizer_pass {
    double scale;
    float *const *averages; /* [parameters of the model] */
    double rest;
};
void cnni_optimizer_step(cnn_optimizer *optimizer, const struct cnni_plan *plan,
                         const struct cnni_optimizer_pass *pass);

/* What a checkpoint keeps, and the settings that it must be resumed with, as one JSON value. */
void cnni_optimizer_list_state(cnn_optimizer *optimizer, struct cnni_state *state);
void cnni_optimizer_put_settings(const cnn_optimizer *optimizer, struct cnni_json_writer *json);

cnn_optimizer *cnni_optimizer_share(cnn_optimizer *optimizer);

#endif
