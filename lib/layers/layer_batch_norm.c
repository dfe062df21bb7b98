/* SPDX-License-Identifier: MIT
 * Batch normalisation: the statistics of the batch while training, running averages of them when
 * predicting.  The arithmetic is in ops/op_batch_norm.c.  A plan lets it do a sum and a ReLU behind
 * it in the same pass. */
#include "layers/layer_batch_norm.h"

#include <math.h>

#include "base/error.h"

struct batch_norm {
    struct cnn_layer layer;
    double epsilon, momentum;
};

static const struct cnni_option options[] = {
    {"epsilon", CNNI_REAL, offsetof(struct batch_norm, epsilon), 1e-12, 1, 1e-5},
    {"momentum", CNNI_REAL, offsetof(struct batch_norm, momentum), 0, 1, 0.1},
};

static const struct batch_norm *batch_norm(const cnn_layer *layer)
{
    return (const struct batch_norm *)layer;
}

static int64_t channels_of(const struct cnni_shape *shape)
{
    return shape->dim[shape->rank - 1];
}

static int32_t parameters(const cnn_layer *layer, struct cnni_parameter *parameter,
                          const struct cnni_shape *input, const struct cnni_shape *origin)
{
    (void)layer;
    (void)origin;
    const int64_t c = channels_of(input);
    for (int32_t i = CNN_WEIGHT; i <= CNN_RUNNING_VARIANCE; i++)
        parameter[i] = (struct cnni_parameter){
            .shape = {1, {c}},
            .axis = {c, 1, 1, 1},
            .step = {1, 0, 0, 0},
            .initial = i == CNN_WEIGHT || i == CNN_RUNNING_VARIANCE ? 1 : 0,
            .statistic = i == CNN_RUNNING_MEAN || i == CNN_RUNNING_VARIANCE,
        };
    return CNN_RUNNING_VARIANCE + 1;
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    const int64_t channels = channels_of(&plan->input);
    const int64_t pixels = plan->max_n * (cnni_shape_count(&plan->input) / channels);
    size_t sums;
    if (!cnni_norm_scratch_bytes(&sums, pixels, channels) ||
        !cnni_mul_size(&plan->state, CNNI_NORM_ARRAYS * sizeof(float), (size_t)channels))
        return cnni_fail(plan->layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    plan->forward_scratch = plan->training ? sums : 0;
    plan->backward_scratch = sums;
    return CNN_OK;
}

static struct cnni_norm_call call_for(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    const int64_t channels = channels_of(&plan->input);
    const cnn_layer_kind kind = plan->fused.activation.kind;
    return (struct cnni_norm_call){
        .context = plan->layer->context,
        .lanes = plan->lanes,
        .pixels = run->n * (cnni_shape_count(&plan->input) / channels),
        .channels = channels,
        .low = kind == 0 ? -INFINITY : 0,
        .high = kind == CNN_RELU6 ? 6 : INFINITY,
        .scratch = run->scratch,
    };
}

/* The state is CNNI_NORM_ARRAYS arrays, one behind the other. */
static struct cnni_norm_state state_of(const struct cnni_layer_run *run)
{
    float *array = run->state;
    const int64_t channels = channels_of(&run->plan->input);
    return (struct cnni_norm_state){
        .mean = array,
        .inverse = array + channels,
        .scale = array + 2 * channels,
        .shift = array + 3 * channels,
        .slope = array + 4 * channels,
        .offset = array + 5 * channels,
    };
}

/* As PyTorch does it: the running variance is the one that is not biased by the mean's being
 * measured too. */
static void keep(const struct cnni_layer_run *run, int64_t channel, double mean, double variance,
                 int64_t pixels)
{
    cnn_layer *layer = (cnn_layer *)run->plan->layer;
    const double momentum = batch_norm(layer)->momentum;
    const double whole = variance * (double)pixels / (double)CNNI_MAX(pixels - 1, 1);
    float *means = layer->parameter[CNN_RUNNING_MEAN].value + channel;
    float *variances = layer->parameter[CNN_RUNNING_VARIANCE].value + channel;
    *means = (float)((1 - momentum) * (double)*means + momentum * mean);
    *variances = (float)((1 - momentum) * (double)*variances + momentum * whole);
}

/* Whether it normalises by the statistics of the batch: while training, unless it is frozen. */
static bool measures(const struct cnni_layer_run *run)
{
    return run->training && !run->plan->layer->training.frozen;
}

static void measure(const struct cnni_layer_run *run, const struct cnni_norm_call *call,
                    const struct cnni_norm_state *state)
{
    const cnn_layer *layer = run->plan->layer;
    struct cnni_norm_moments moments;
    cnni_norm_measure(call, &moments, run->x[0]);
    for (int64_t c = 0; c < call->channels; c++) {
        cnni_norm_prepare(state, c, moments.mean[c], moments.variance[c],
                          batch_norm(layer)->epsilon, layer->parameter[CNN_WEIGHT].value[c],
                          layer->parameter[CNN_BIAS].value[c]);
        if (!run->trial)
            keep(run, c, moments.mean[c], moments.variance[c], call->pixels);
    }
    if (!run->trial)
        atomic_fetch_add(&((cnn_layer *)layer)->version, 1);
}

static void recall(const cnn_layer *layer, const struct cnni_norm_state *state)
{
    const struct cnni_parameter *parameter = layer->parameter;
    for (int64_t c = 0; c < parameter[CNN_WEIGHT].count; c++)
        cnni_norm_prepare(state, c, (double)parameter[CNN_RUNNING_MEAN].value[c],
                          (double)parameter[CNN_RUNNING_VARIANCE].value[c],
                          batch_norm(layer)->epsilon, parameter[CNN_WEIGHT].value[c],
                          parameter[CNN_BIAS].value[c]);
}

static void forward(const struct cnni_layer_run *run)
{
    const struct cnni_norm_call call = call_for(run);
    const struct cnni_norm_state state = state_of(run);
    if (measures(run))
        measure(run, &call, &state);
    else
        recall(run->plan->layer, &state);
    cnni_norm_forward(&call, &state, run->y, run->x[0], run->plan->fused.add ? run->x[1] : NULL);
}

static void backward(const struct cnni_layer_run *run)
{
    const struct cnni_norm_call call = call_for(run);
    const struct cnni_norm_state state = state_of(run);
    const struct cnni_parameter *parameter = run->plan->layer->parameter;
    const bool add = run->plan->fused.add, cut = run->plan->fused.activation.kind != 0;
    const struct cnni_norm_gradients gradients = {
        .dx = run->dx[0],
        .daddend = add ? run->dx[1] : NULL,
        .dgamma = run->frozen ? NULL : parameter[CNN_WEIGHT].gradient,
        .dbeta = run->frozen ? NULL : parameter[CNN_BIAS].gradient,
        .measured = measures(run),
    };
    cnni_norm_backward(&call, &state, &gradients, run->dy, run->x[0], add && cut ? run->y : NULL);
}

static void describe(const cnn_layer *layer, char *buffer, size_t size)
{
    const struct batch_norm *norm = batch_norm(layer);
    if (norm->epsilon != options[0].preset)
        cnni_append_text(buffer, size, " epsilon %.4g", norm->epsilon);
    if (norm->momentum != options[1].preset)
        cnni_append_text(buffer, size, " momentum %.4g", norm->momentum);
}

void cnni_batch_norm_fold(const cnn_layer *layer, int64_t channel, double *scale, double *shift)
{
    const struct cnni_parameter *parameter = layer->parameter;
    const double variance = (double)parameter[CNN_RUNNING_VARIANCE].value[channel];
    *scale =
        (double)parameter[CNN_WEIGHT].value[channel] / sqrt(variance + batch_norm(layer)->epsilon);
    *shift = (double)parameter[CNN_BIAS].value[channel] -
             (double)parameter[CNN_RUNNING_MEAN].value[channel] * *scale;
}

const struct cnni_layer_class cnni_batch_norm_class = {
    .kind = CNN_BATCH_NORM,
    .name = "batch_norm",
    .size = sizeof(struct batch_norm),
    .flags = CNNI_BACKWARD_READS_INPUT | CNNI_IN_PLACE | CNNI_TAKES_TAIL,
    .min_inputs = 1,
    .max_inputs = 1,
    .options = options,
    .option_count = CNNI_COUNT(options),
    .shape = cnni_shape_of_input,
    .parameters = parameters,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .describe = describe,
};

cnn_status cnn_batch_norm_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_batch_norm_class, NULL, 0, __func__);
}

cnn_status cnn_batch_norm_set_epsilon(cnn_layer *layer, double epsilon)
{
    const struct cnni_setting setting = {"epsilon", epsilon};
    return cnni_layer_set(layer, &cnni_batch_norm_class, &setting, 1, __func__);
}

cnn_status cnn_batch_norm_set_momentum(cnn_layer *layer, double momentum)
{
    const struct cnni_setting setting = {"momentum", momentum};
    return cnni_layer_set(layer, &cnni_batch_norm_class, &setting, 1, __func__);
}
