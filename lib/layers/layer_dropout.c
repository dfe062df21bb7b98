/* SPDX-License-Identifier: MIT
 * Dropout.  The mask is never stored: random numbers are a function of their place, so that
 * backward applies the same one again. */
#include "layers/layer_internal.h"
#include "ops/op_elementwise.h"

#include <string.h>

struct dropout {
    struct cnn_layer layer;
    double rate;
};

/* The largest double below 1. */
static const struct cnni_option options[] = {
    {"rate", CNNI_REAL, offsetof(struct dropout, rate), 0, 0x1.fffffffffffffp-1, 0},
};

static void apply(const struct cnni_layer_run *run, float *to, const float *from)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_dropout dropout = {
        .rate = ((const struct dropout *)layer)->rate,
        .seed = layer->seed,
        .stream = layer->stream,
        .step = run->step,
    };
    int64_t count = run->n * cnni_shape_count(&run->plan->output);
    if (run->training && !run->trial && dropout.rate > 0)
        cnni_dropout(layer->context, run->plan->lanes, &dropout, count, to, from);
    else if (to != from)
        memcpy(to, from, (size_t)count * sizeof(float));
}

static void forward(const struct cnni_layer_run *run)
{
    apply(run, run->y, run->x[0]);
}

static void backward(const struct cnni_layer_run *run)
{
    if (run->dx[0] != NULL)
        apply(run, run->dx[0], run->dy);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    cnni_append_text(buffer, size, " %.4g", ((const struct dropout *)layer)->rate);
}

const struct cnni_layer_class cnni_dropout_class = {
    .kind = CNN_DROPOUT,
    .name = "dropout",
    .size = sizeof(struct dropout),
    .flags = CNNI_IN_PLACE,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = cnni_shape_of_input,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};

cnn_status cnn_dropout_create(cnn_layer **layer, cnn_context *context, double rate)
{
    const struct cnni_setting setting = {"rate", rate};
    return cnni_layer_create(layer, context, &cnni_dropout_class, &setting, 1, __func__);
}
