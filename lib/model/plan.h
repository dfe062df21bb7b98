/* SPDX-License-Identifier: MIT
 * A plan: how a whole model is run for batches up to a maximum.  All memory is one arena, laid out
 * once: each value, gradient, state and scratch has a lifetime, and those that do not live at the
 * same time share a place. A session has a plan to predict, a trainer one to train. */
#ifndef CNNI_PLAN_H
#define CNNI_PLAN_H

#include "model/model_internal.h"

/* One layer of the model in a plan.  Numbers are those of buffers, or CNNI_NO_BUFFER. */
struct cnni_step {
    struct cnni_layer_plan layer;
    int32_t *sources; /* [source]: the nodes whose outputs it reads: its own inputs and, where a sum
                         is done along with it, the other value of that */
    struct cnni_shape *inputs; /* [source]: their shapes */
    int32_t source_count;
    int32_t value;    /* number of the buffer of its output */
    int32_t gradient; /* of the gradient by its output */
    int32_t state, forward_scratch, backward_scratch;
    int32_t
        *sum; /* [source]: buffer where a gradient is made that is then added to another; or none */
    int32_t addend; /* node of the other value of the sum that is done along with it */
    bool skips_forward, skips_backward; /* done along with the layers before it: plan_fuse.c */
    bool owns_gradients;                /* the layer had none before, and will have none after */
    bool runs_backward; /* this time: it is trained, or a gradient by one of its inputs is wanted */
};

/* A piece of memory that is needed from one moment to another, both included. */
struct cnni_buffer {
    size_t bytes;
    int32_t from, to;
    size_t offset;
    bool whole; /* of all samples, also where it is made depth-first */
};

enum { CNNI_NO_BUFFER = -1 };

struct cnni_plan {
    cnn_model *model; /* shared */
    int64_t max_n;
    int32_t lanes; /* the context's threads when it was made: no run uses more */
    bool training;
    int32_t cut;     /* as in the options */
    int32_t front;   /* layers 0 .. front - 1 run depth-first: all on front_n samples, then on */
    int64_t front_n; /* the next; values that only they read have no more room */
    struct cnni_step *steps; /* as many as the model has layers */
    struct cnni_buffer *buffers;
    int32_t buffer_count;
    int32_t input_gradient; /* buffer of the gradient by the model's input, or none */
    char *arena;
    size_t arena_bytes;
    size_t bytes;    /* of the plan and all that it points to */
    const float **x; /* room for the pointers of one run: the most inputs that a layer has */
    float **dx;
    double *seconds; /* [layer]: time of forward, where that is measured; else NULL */
};

struct cnni_plan_options {
    int64_t max_n;
    bool training;
    bool input_gradient; /* training: the gradient by the model's input is wanted */
    int32_t cut; /* nothing is fused across the layers cut - 1 and cut, so that what passes between
                    them is stored, also backward, whatever is trained; 0: wherever it pays */
};

/* Plans and allocates.  The plan holds for the model's layers at this moment. */
cnn_status cnni_plan_create(struct cnni_plan **plan, cnn_model *model,
                            const struct cnni_plan_options *options, const char *function);
void cnni_plan_free(struct cnni_plan *plan);

/* Decides which layers are done along with others: `fused` and `skips_...` of the steps. */
void cnni_plan_fuse(struct cnni_plan *plan);

/* Decides which layers run depth-first: `front` and `front_n`. */
void cnni_plan_depth(struct cnni_plan *plan);

/* The shape of what layer `index` makes: its output, or that of the pooling done along with it. */
const struct cnni_shape *cnni_plan_made(const struct cnni_plan *plan, int32_t index);

/* Begins to measure the time of each layer's forward, from 0; or ends it. */
cnn_status cnni_plan_measure(struct cnni_plan *plan, bool on, const char *function);

/* Bytes that the plan holds. */
size_t cnni_plan_bytes(const struct cnni_plan *plan);

/* Makes the packed weights match the parameters.  `alone`: the caller has entered the gate to
 * write, and nobody else is packing. */
void cnni_plan_refresh(struct cnni_plan *plan, bool alone);

/* What a run is about. */
struct cnni_plan_run {
    int64_t n;
    const float *input; /* the caller's */
    float *output;      /* the caller's, for the output of the last layer; NULL: in the arena */
    bool training;      /* dropout acts, batch normalisation measures */
    bool trial;         /* but neither leaves a trace, and dropout does not act after all */
    uint64_t step;
    int32_t first; /* the first layer that is run; what those before make is there.  Not 0 only for
                      plans that train */
};

/* Runs layers first .. count - 1. */
void cnni_plan_forward(struct cnni_plan *plan, const struct cnni_plan_run *run, int32_t count);

/* Runs layers count - 1 .. first backward; the gradient by the output of layer count - 1 is in its
 * buffer. */
void cnni_plan_backward(struct cnni_plan *plan, const struct cnni_plan_run *run, int32_t count);

/* The output of layer `index` in the arena, and the gradient by it. */
float *cnni_plan_value(const struct cnni_plan *plan, int32_t index);
float *cnni_plan_gradient(const struct cnni_plan *plan, int32_t index);

#endif
