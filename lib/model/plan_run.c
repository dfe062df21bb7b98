/* SPDX-License-Identifier: MIT
 * Running a plan: packing weights, forward, backward.  How it is made is in plan.c. */
#include "model/plan.h"

#include "base/clock.h"
#include "base/context_internal.h"
#include "base/memory.h"
#include "ops/op_elementwise.h"

static void refresh(const struct cnni_plan *plan, int32_t lanes)
{
    for (int32_t i = 0; i < plan->model->node_count; i++)
        cnni_layer_refresh(&plan->steps[i].layer, lanes);
}

/* A training step has the model to itself, and work to share out each time.  Those that predict
 * pack once under a lock, each on its own thread: the host's parallel_for may come back with
 * another session of the same model, which would wait for ever. */
void cnni_plan_refresh(struct cnni_plan *plan, bool alone)
{
    if (alone) {
        refresh(plan, plan->lanes);
        return;
    }
    cnni_lock_take(&plan->model->packing);
    refresh(plan, 1);
    cnni_lock_give(&plan->model->packing);
}

/* ---- Running ---- */

static void *place(const struct cnni_plan *plan, int32_t buffer)
{
    return buffer == CNNI_NO_BUFFER ? NULL : plan->arena + plan->buffers[buffer].offset;
}

float *cnni_plan_value(const struct cnni_plan *plan, int32_t index)
{
    return place(plan, plan->steps[index].value);
}

float *cnni_plan_gradient(const struct cnni_plan *plan, int32_t index)
{
    return place(plan,
                 index == CNN_MODEL_INPUT ? plan->input_gradient : plan->steps[index].gradient);
}

/* A run of some layers on `n` samples from number `first` on. */
struct part {
    const struct cnni_plan_run *run;
    int64_t first, n;
};

static const float *input_of(const struct cnni_plan *plan, const struct part *part)
{
    return part->run->input + part->first * cnni_shape_count(&plan->model->input);
}

/* The output of layer `index`; the last one, and those that share its memory, are the caller's. */
static float *output_of(const struct cnni_plan *plan, const struct part *part, int32_t index)
{
    const int32_t last = plan->model->node_count - 1, value = plan->steps[index].value;
    const int64_t before = part->first * cnni_shape_count(cnni_plan_made(plan, index));
    if (part->run->output != NULL && value == plan->steps[last].value)
        return part->run->output + before;
    return cnni_plan_value(plan, index) + (plan->buffers[value].whole ? before : 0);
}

static struct cnni_layer_run prepare(struct cnni_plan *plan, const struct part *part, int32_t index)
{
    const struct cnni_step *step = &plan->steps[index];
    for (int32_t i = 0; i < step->source_count; i++)
        plan->x[i] = step->sources[i] == CNN_MODEL_INPUT ? input_of(plan, part)
                                                         : output_of(plan, part, step->sources[i]);
    return (struct cnni_layer_run){
        .plan = &step->layer,
        .n = part->n,
        .training = part->run->training,
        .trial = part->run->trial,
        .step = part->run->step,
        .x = plan->x,
        .y = output_of(plan, part, index),
        .state = place(plan, step->state),
    };
}

cnn_status cnni_plan_measure(struct cnni_plan *plan, bool on, const char *function)
{
    const size_t count = (size_t)plan->model->node_count;
    if (plan->seconds != NULL)
        plan->bytes -= count * sizeof *plan->seconds;
    cnni_free(plan->model->context, plan->seconds);
    plan->seconds = NULL;
    if (!on)
        return CNN_OK;
    CNNI_TRY(cnni_alloc_zero(&plan->seconds, plan->model->context, count, sizeof *plan->seconds,
                             function));
    plan->bytes += count * sizeof *plan->seconds;
    return CNN_OK;
}

static void run_layers(struct cnni_plan *plan, const struct part *part, int32_t first, int32_t end)
{
    for (int32_t i = first; i < end; i++) {
        if (plan->steps[i].skips_forward)
            continue;
        struct cnni_layer_run one = prepare(plan, part, i);
        one.scratch = place(plan, plan->steps[i].forward_scratch);
        const double start = plan->seconds == NULL ? 0 : cnni_seconds();
        plan->model->nodes[i].layer->class->forward(&one);
        if (plan->seconds != NULL)
            plan->seconds[i] += cnni_seconds() - start;
    }
}

void cnni_plan_forward(struct cnni_plan *plan, const struct cnni_plan_run *run, int32_t count)
{
    const int32_t front = CNNI_MIN(plan->front, count);
    for (int64_t first = 0; front > 0 && first < run->n; first += plan->front_n) {
        const struct part part = {run, first, CNNI_MIN(run->n - first, plan->front_n)};
        run_layers(plan, &part, 0, front);
    }
    run_layers(plan, &(struct part){run, 0, run->n}, CNNI_MAX(front, run->first), count);
}

/* Whether the gradient by the output of layer `index`, or by the model's input, is wanted: what
 * passes a cut is, whatever is trained. */
static bool gradient_is_wanted(const struct cnni_plan *plan, int32_t index)
{
    if (index == CNN_MODEL_INPUT)
        return plan->input_gradient != CNNI_NO_BUFFER;
    return index == plan->cut - 1 || plan->steps[index].runs_backward;
}

/* Frozen layers get no gradients; but where the one by the model's input is wanted, gradients are
 * being checked, of all parameters. */
static bool is_frozen(const struct cnni_plan *plan, const cnn_layer *layer)
{
    return layer->training.frozen && plan->input_gradient == CNNI_NO_BUFFER;
}

/* Layers may be frozen, or no longer, between two steps. */
static void decide_backward(struct cnni_plan *plan)
{
    for (int32_t i = 0; i < plan->model->node_count; i++) {
        struct cnni_step *step = &plan->steps[i];
        const cnn_layer *layer = step->layer.layer;
        bool wanted = layer->parameter_count > 0 && !is_frozen(plan, layer);
        for (int32_t j = 0; j < step->source_count; j++)
            wanted = wanted || gradient_is_wanted(plan, step->sources[j]);
        /* What is done along with the layer before is wanted where that is. */
        step->runs_backward = step->skips_backward ? plan->steps[i - 1].runs_backward : wanted;
    }
}

/* Where layer `index` writes the gradient by its source `slot`; NULL: it is not wanted. */
static float *place_of_gradient(const struct cnni_plan *plan, int32_t index, int32_t slot)
{
    const int32_t source = plan->steps[index].sources[slot];
    const int32_t sum = plan->steps[index].sum[slot];
    if (!gradient_is_wanted(plan, source))
        return NULL;
    return sum != CNNI_NO_BUFFER ? place(plan, sum) : cnni_plan_gradient(plan, source);
}

static void backward_layer(struct cnni_plan *plan, const struct cnni_plan_run *run, int32_t index)
{
    const struct cnni_step *step = &plan->steps[index];
    struct cnni_layer_run one = prepare(plan, &(struct part){run, 0, run->n}, index);
    one.dy = cnni_plan_gradient(plan, index);
    one.dx = plan->dx;
    one.frozen = is_frozen(plan, step->layer.layer);
    one.scratch = place(plan, step->backward_scratch);
    for (int32_t i = 0; i < step->source_count; i++)
        plan->dx[i] = place_of_gradient(plan, index, i);
    step->layer.layer->class->backward(&one);
    for (int32_t i = 0; i < step->source_count; i++)
        if (step->sum[i] != CNNI_NO_BUFFER && plan->dx[i] != NULL) {
            float *sum = cnni_plan_gradient(plan, step->sources[i]);
            cnni_add(plan->model->context, plan->lanes, run->n * cnni_shape_count(&step->inputs[i]),
                     sum, sum, plan->dx[i]);
        }
}

void cnni_plan_backward(struct cnni_plan *plan, const struct cnni_plan_run *run, int32_t count)
{
    decide_backward(plan);
    for (int32_t i = count - 1; i >= run->first; i--)
        if (!plan->steps[i].skips_backward && plan->steps[i].runs_backward)
            backward_layer(plan, run, i);
}
