/* SPDX-License-Identifier: MIT
 * Which layers are done along with their neighbours.  It is decided before anything is placed, so
 * that what is never stored gets no memory:
 *   - a ReLU behind a layer that takes it: forward ends with it;
 *   - max-pooling behind such a layer or its ReLU: forward ends with it, backward begins with it,
 *     and with the ReLU in the same pass;
 *   - backward of a ReLU before any other max-pooling, whose winners say where it is 0. */
#include "model/plan.h"

/* Whether layer `index`, and nobody else, reads the one right before it, and nothing else; where
 * the plan is cut, no layer follows another. */
static bool follows(const struct cnni_plan *plan, int32_t index)
{
    const int32_t input = index - 1;
    const struct cnni_node *nodes = plan->model->nodes;
    return input >= 0 && index < plan->model->node_count && index != plan->cut &&
           nodes[index].inputs[0] == input && nodes[index].input_count == 1 &&
           nodes[input].consumers == 1;
}

static const cnn_layer *layer_at(const struct cnni_plan *plan, int32_t index)
{
    return plan->model->nodes[index].layer;
}

static bool is_following_relu(const struct cnni_plan *plan, int32_t index)
{
    return follows(plan, index) && layer_at(plan, index)->class->kind == CNN_RELU;
}

static void fuse_relu(struct cnni_plan *plan, int32_t index)
{
    if (!(layer_at(plan, index)->class->flags & CNNI_TAKES_RELU) ||
        !is_following_relu(plan, index + 1))
        return;
    plan->steps[index].layer.fused.relu = true;
    plan->steps[index + 1].skips_forward = true;
}

static void fuse_pool(struct cnni_plan *plan, int32_t index)
{
    const cnn_layer *layer = layer_at(plan, index);
    struct cnni_step *steps = plan->steps;
    const int32_t last = steps[index].layer.fused.relu ? index + 1 : index;
    if (layer->class->takes_pool == NULL || !layer->class->takes_pool(layer) ||
        !follows(plan, last + 1) || !cnni_is_half_pool(layer_at(plan, last + 1)))
        return;
    steps[index].layer.fused.pool = true;
    for (int32_t i = index + 1; i <= last + 1; i++)
        steps[i].skips_forward = steps[i].skips_backward = true;
}

static void gate_relu(struct cnni_plan *plan, int32_t index)
{
    if (!plan->training || plan->steps[index].skips_backward || !is_following_relu(plan, index) ||
        !follows(plan, index + 1) || !(layer_at(plan, index + 1)->class->flags & CNNI_GATES_RELU))
        return;
    plan->steps[index].skips_backward = true;
    plan->steps[index + 1].layer.fused.gate = true;
}

void cnni_plan_fuse(struct cnni_plan *plan)
{
    for (int32_t i = 0; i < plan->model->node_count; i++) {
        fuse_relu(plan, i);
        fuse_pool(plan, i);
        gate_relu(plan, i);
    }
}
