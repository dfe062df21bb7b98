/* SPDX-License-Identifier: MIT
 * Making a plan.  Moments are numbered: layer i of N runs forward at i and backward at 2 N - i; the
 * loss is at N.  Where the buffers lie is decided in plan_layout.c; running is in plan_run.c. */
#include "model/plan.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/plan_layout.h"

#include <string.h>

/* ---- Buffers ---- */

static int32_t forward_time(int32_t index)
{
    return index;
}

static int32_t backward_time(const struct cnni_plan *plan, int32_t index)
{
    return 2 * plan->model->node_count - index;
}

static int32_t loss_time(const struct cnni_plan *plan)
{
    return plan->model->node_count;
}

/* A new buffer that is needed at `time`; its life is extended by need(). */
static int32_t new_buffer(struct cnni_plan *plan, size_t bytes, int32_t time)
{
    if (bytes == 0)
        return CNNI_NO_BUFFER;
    plan->buffers[plan->buffer_count] =
        (struct cnni_buffer){.bytes = bytes, .from = time, .to = time};
    return plan->buffer_count++;
}

static void need(struct cnni_plan *plan, int32_t buffer, int32_t time)
{
    if (buffer == CNNI_NO_BUFFER)
        return;
    plan->buffers[buffer].from = CNNI_MIN(plan->buffers[buffer].from, time);
    plan->buffers[buffer].to = CNNI_MAX(plan->buffers[buffer].to, time);
}

/* The samples that layer `index` runs on at a time, at most. */
static int64_t samples_of(const struct cnni_plan *plan, int32_t index)
{
    return index < plan->front ? plan->front_n : plan->max_n;
}

/* Layer `index` reads or writes a value: behind those that run depth-first, of all samples, which
 * then are there from the first of them on. */
static void need_value(struct cnni_plan *plan, int32_t buffer, int32_t index)
{
    struct cnni_buffer *value = &plan->buffers[buffer];
    need(plan, buffer, forward_time(index));
    if (index < plan->front || value->whole)
        return;
    if (value->from < plan->front) {
        value->bytes = value->bytes / (size_t)plan->front_n * (size_t)plan->max_n;
        need(plan, buffer, forward_time(0));
    }
    value->whole = true;
}

/* Bytes of `shape` for a whole batch. */
static cnn_status batch_bytes(const struct cnni_plan *plan, size_t *bytes,
                              const struct cnni_shape *shape, const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    if (cnni_mul_size(bytes, (size_t)cnni_shape_count(shape) * sizeof(float), (size_t)plan->max_n))
        return CNN_OK;
    return cnni_fail(plan->model->context, CNN_ERROR_SHAPE,
                     "%s: %lld samples of %s are more than memory can hold", function,
                     (long long)plan->max_n, cnni_shape_text(text, shape));
}

/* ---- Values ---- */

static int32_t flags(const struct cnni_plan *plan, int32_t index)
{
    return plan->model->nodes[index].layer->class->flags;
}

/* Whether backward reads, as its output, a value of layer `index` or of one whose memory it already
 * shares. */
static bool output_is_read(const struct cnni_plan *plan, int32_t index)
{
    int32_t value = plan->steps[index].value;
    for (int32_t i = index; i >= 0; i--)
        if (plan->steps[i].value == value && flags(plan, i) & CNNI_BACKWARD_READS_OUTPUT)
            return true;
    return false;
}

/* Whether layer `index` may write over its input. */
static bool works_in_place(const struct cnni_plan *plan, int32_t index)
{
    int32_t input = plan->model->nodes[index].inputs[0];
    if (!(flags(plan, index) & CNNI_IN_PLACE) || input == CNN_MODEL_INPUT ||
        plan->model->nodes[input].consumers > 1)
        return false;
    return !plan->training || flags(plan, index) & CNNI_KEEPS_VALUES ||
           !(output_is_read(plan, input) || flags(plan, index) & CNNI_BACKWARD_READS_INPUT);
}

/* What layer `index` makes: its output, or that of the last layer done along with it. */
const struct cnni_shape *cnni_plan_made(const struct cnni_plan *plan, int32_t index)
{
    int32_t made = index;
    while (made + 1 < plan->model->node_count && plan->steps[made + 1].skips_forward)
        made++;
    return &plan->model->nodes[made].output;
}

/* Whether backward of layer `index` reads what it made itself: the cut of a sum cannot be found
 * from its input alone. */
static bool reads_sum(const struct cnni_step *step)
{
    return step->layer.fused.add && step->layer.fused.activation.kind != 0;
}

static cnn_status place_value(struct cnni_plan *plan, int32_t index, const char *function)
{
    struct cnni_step *step = &plan->steps[index];
    size_t bytes;
    CNNI_TRY(batch_bytes(plan, &bytes, cnni_plan_made(plan, index), function));
    bytes = bytes / (size_t)plan->max_n * (size_t)samples_of(plan, index);
    if (step->skips_forward)
        step->value = plan->steps[index - 1].value;
    else if (works_in_place(plan, index))
        step->value = plan->steps[step->sources[0]].value;
    else
        step->value = new_buffer(plan, bytes, forward_time(index));
    need_value(plan, step->value, index);
    if (index == plan->model->node_count - 1)
        need(plan, step->value, loss_time(plan));
    if (plan->training && !step->skips_backward &&
        (flags(plan, index) & CNNI_BACKWARD_READS_OUTPUT || reads_sum(step)))
        need(plan, step->value, backward_time(plan, index));
    for (int32_t i = 0; i < step->source_count; i++) {
        if (step->sources[i] == CNN_MODEL_INPUT)
            continue;
        int32_t value = plan->steps[step->sources[i]].value;
        need_value(plan, value, index);
        if (plan->training && i < step->layer.input_count &&
            flags(plan, index) & CNNI_BACKWARD_READS_INPUT)
            need(plan, value, backward_time(plan, index));
    }
    return CNN_OK;
}

static void place_work(struct cnni_plan *plan, int32_t index)
{
    struct cnni_step *step = &plan->steps[index];
    if (step->skips_forward)
        return;
    step->state = new_buffer(plan, step->layer.state, forward_time(index));
    step->forward_scratch = new_buffer(plan, step->layer.forward_scratch, forward_time(index));
    if (!plan->training)
        return;
    need(plan, step->state, backward_time(plan, index));
    step->backward_scratch =
        new_buffer(plan, step->layer.backward_scratch, backward_time(plan, index));
}

/* ---- Gradients ---- */

static int32_t *gradient_of(struct cnni_plan *plan, int32_t index)
{
    return index == CNN_MODEL_INPUT ? &plan->input_gradient : &plan->steps[index].gradient;
}

/* Where layer `index` leaves the gradient by its source number `slot`.  The consumer that runs
 * backward first writes it; each later one makes its own aside and adds it. */
static void place_gradient(struct cnni_plan *plan, int32_t index, int32_t slot, size_t bytes)
{
    struct cnni_step *step = &plan->steps[index];
    const int32_t source = step->sources[slot], time = backward_time(plan, index);
    int32_t *gradient = gradient_of(plan, source);
    const bool in_place = slot == 0 && flags(plan, index) & CNNI_IN_PLACE &&
                          source != CNN_MODEL_INPUT && plan->model->nodes[source].consumers == 1;
    if (*gradient != CNNI_NO_BUFFER)
        step->sum[slot] = new_buffer(plan, bytes, time);
    else
        *gradient = in_place ? step->gradient : new_buffer(plan, bytes, time);
    need(plan, *gradient,
         source == CNN_MODEL_INPUT ? backward_time(plan, 0) : backward_time(plan, source));
    need(plan, step->gradient, time);
}

/* The gradients that layer `index` makes; one that is done along with those before passes its own
 * on. */
static cnn_status place_made(struct cnni_plan *plan, int32_t index, bool input_gradient,
                             const char *function)
{
    const struct cnni_step *step = &plan->steps[index];
    size_t bytes;
    if (step->skips_backward) {
        plan->steps[index - 1].gradient = step->gradient;
        need(plan, step->gradient, backward_time(plan, index - 1));
        return CNN_OK;
    }
    for (int32_t slot = 0; slot < step->source_count; slot++) {
        if (step->sources[slot] == CNN_MODEL_INPUT && !input_gradient)
            continue;
        CNNI_TRY(batch_bytes(plan, &bytes, &step->inputs[slot], function));
        place_gradient(plan, index, slot, bytes);
    }
    return CNN_OK;
}

static cnn_status place_gradients(struct cnni_plan *plan, bool input_gradient, const char *function)
{
    int32_t last = plan->model->node_count - 1;
    size_t bytes;
    CNNI_TRY(batch_bytes(plan, &bytes, &plan->model->nodes[last].output, function));
    plan->steps[last].gradient = new_buffer(plan, bytes, loss_time(plan));
    for (int32_t index = last; index >= 0; index--) {
        CNNI_TRY(place_made(plan, index, input_gradient, function));
        need(plan, plan->steps[index].gradient, backward_time(plan, index));
    }
    return CNN_OK;
}

/* ---- Making ---- */

/* Allocates for the plan, and counts it. */
static cnn_status take(struct cnni_plan *plan, void *memory /* any_type ** */, size_t count,
                       size_t size, const char *function)
{
    CNNI_TRY(cnni_alloc(memory, plan->model->context, count, size, function));
    plan->bytes += count * size;
    return CNN_OK;
}

static void clear_step(struct cnni_step *step)
{
    step->value = step->gradient = step->state = CNNI_NO_BUFFER;
    step->forward_scratch = step->backward_scratch = CNNI_NO_BUFFER;
    for (int32_t i = 0; i < step->source_count; i++)
        step->sum[i] = CNNI_NO_BUFFER;
}

/* What layer `index` reads, and room beside it. */
static cnn_status list_sources(struct cnni_plan *plan, int32_t index, const char *function)
{
    const struct cnni_node *node = &plan->model->nodes[index];
    struct cnni_step *step = &plan->steps[index];
    const size_t count = (size_t)node->input_count + (step->layer.fused.add ? 1 : 0);
    CNNI_TRY(take(plan, &step->sources, count, sizeof *step->sources, function));
    CNNI_TRY(take(plan, &step->inputs, count, sizeof *step->inputs, function));
    CNNI_TRY(take(plan, &step->sum, count, sizeof *step->sum, function));
    memcpy(step->sources, node->inputs, (size_t)node->input_count * sizeof *step->sources);
    if (step->layer.fused.add)
        step->sources[node->input_count] = step->addend;
    step->source_count = (int32_t)count;
    cnni_model_input_shapes(step->inputs, plan->model, step->sources, step->source_count);
    return CNN_OK;
}

static cnn_status plan_layer(struct cnni_plan *plan, int32_t index, const char *function)
{
    const struct cnni_node *node = &plan->model->nodes[index];
    struct cnni_step *step = &plan->steps[index];
    CNNI_TRY(list_sources(plan, index, function));
    clear_step(step);
    step->layer = (struct cnni_layer_plan){
        .layer = node->layer,
        .inputs = step->inputs,
        .input_count = node->input_count,
        .max_n = samples_of(plan, index),
        .lanes = plan->lanes,
        .training = plan->training,
        .fused = step->layer.fused,
    };
    size_t bytes; /* known to fit before anything is computed from the batch */
    for (int32_t i = 0; i < node->input_count; i++)
        CNNI_TRY(batch_bytes(plan, &bytes, &step->inputs[i], function));
    CNNI_TRY(batch_bytes(plan, &bytes, &node->output, function));
    CNNI_TRY(cnni_layer_plan(&step->layer, function));
    cnni_lock_take(&plan->model->packing);
    cnn_status status = cnni_layer_make_packed(node->layer, &step->layer, function);
    cnni_lock_give(&plan->model->packing);
    plan->bytes += step->layer.packed_backward;
    step->owns_gradients = plan->training && !cnni_layer_has_gradients(node->layer);
    if (status == CNN_OK && plan->training)
        status = cnni_layer_make_gradients(node->layer, function);
    if (status == CNN_OK)
        status = place_value(plan, index, function);
    place_work(plan, index);
    return status;
}

/* Room for pointers and buffers: a value, a gradient, a state and two scratches per layer, and a
 * sum per source. */
static cnn_status make_room(struct cnni_plan *plan, const char *function)
{
    const cnn_model *model = plan->model;
    size_t count = 1, most = 1;
    for (int32_t i = 0; i < model->node_count; i++) {
        count += 6 + (size_t)model->nodes[i].input_count;
        most = CNNI_MAX(most, (size_t)model->nodes[i].input_count + 1);
    }
    CNNI_TRY(take(plan, &plan->steps, (size_t)model->node_count, sizeof *plan->steps, function));
    memset(plan->steps, 0, (size_t)model->node_count * sizeof *plan->steps);
    CNNI_TRY(take(plan, &plan->buffers, count, sizeof *plan->buffers, function));
    CNNI_TRY(take(plan, &plan->x, most, sizeof *plan->x, function));
    return take(plan, &plan->dx, most, sizeof *plan->dx, function);
}

static cnn_status fill(struct cnni_plan *plan, const struct cnni_plan_options *options,
                       const char *function)
{
    cnn_context *context = plan->model->context;
    CNNI_TRY(make_room(plan, function));
    cnni_plan_fuse(plan);
    cnni_plan_depth(plan);
    for (int32_t i = 0; i < plan->model->node_count; i++)
        CNNI_TRY(plan_layer(plan, i, function));
    if (plan->training)
        CNNI_TRY(place_gradients(plan, options->input_gradient, function));
    CNNI_TRY(
        cnni_plan_layout(&plan->arena_bytes, plan->buffers, plan->buffer_count, context, function));
    return take(plan, &plan->arena, plan->arena_bytes, 1, function);
}

cnn_status cnni_plan_create(struct cnni_plan **plan, cnn_model *model,
                            const struct cnni_plan_options *options, const char *function)
{
    struct cnni_plan *made;
    if (options->max_n < 1 || options->max_n > INT32_MAX)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: the batch is %lld, must be 1 to %d", function,
                         (long long)options->max_n, INT32_MAX);
    CNNI_TRY(cnni_model_check_complete(model, function));
    CNNI_TRY(cnni_alloc_zero(&made, model->context, 1, sizeof *made, function));
    made->model = cnni_model_share(model);
    made->bytes = sizeof *made;
    made->max_n = options->max_n;
    made->lanes = cnni_lanes(model->context);
    made->training = options->training;
    made->cut = options->cut;
    made->input_gradient = CNNI_NO_BUFFER;
    cnn_status status = fill(made, options, function);
    if (status != CNN_OK) {
        cnni_plan_free(made);
        return status;
    }
    cnni_parallel_prepare(model->context);
    *plan = made;
    return CNN_OK;
}

/* Frees what only training needed of the layers. */
static void release_layers(struct cnni_plan *plan)
{
    for (int32_t i = 0; plan->steps != NULL && i < plan->model->node_count; i++) {
        cnn_layer *layer = plan->model->nodes[i].layer;
        if (plan->training)
            cnni_layer_free_packed_backward(layer);
        if (plan->steps[i].owns_gradients)
            cnni_layer_free_gradients(layer);
    }
}

void cnni_plan_free(struct cnni_plan *plan)
{
    if (plan == NULL)
        return;
    cnn_context *context = plan->model->context;
    release_layers(plan);
    for (int32_t i = 0; plan->steps != NULL && i < plan->model->node_count; i++) {
        cnni_free(context, plan->steps[i].sources);
        cnni_free(context, plan->steps[i].sum);
        cnni_free(context, plan->steps[i].inputs);
    }
    cnni_free(context, plan->steps);
    cnni_free(context, plan->buffers);
    cnni_free(context, (void *)plan->x);
    cnni_free(context, plan->dx);
    cnni_free(context, plan->seconds);
    cnni_free(context, plan->arena);
    cnn_model *model = plan->model;
    cnni_free(context, plan);
    cnn_model_free(model);
}

size_t cnni_plan_bytes(const struct cnni_plan *plan)
{
    return plan->bytes;
}
