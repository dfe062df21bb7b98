/* SPDX-License-Identifier: MIT
 * What an optimizer holds, and a step over all parameters of a model.  The arithmetic is in
 * ops/op_optimizer.h. */
#ifndef CNNI_OPTIMIZER_H
#define CNNI_OPTIMIZER_H

#include "cnn/optimizer.h"
#include "model/model_internal.h"

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

/* Attaches the optimizer to a model: its averages start at 0, its steps at 0.  CNN_ERROR_STATE when
 * it is attached already. */
cnn_status cnni_optimizer_attach(cnn_optimizer *optimizer, cnn_model *model, const char *function);
void cnni_optimizer_detach(cnn_optimizer *optimizer);

/* Bytes of the averages. */
size_t cnni_optimizer_bytes(const cnn_optimizer *optimizer);

/* One step on all parameters of the model, with clipping, on at most `lanes` threads; clears the
 * gradients. */
void cnni_optimizer_step(cnn_optimizer *optimizer, int32_t lanes);

cnn_optimizer *cnni_optimizer_share(cnn_optimizer *optimizer);

#endif
