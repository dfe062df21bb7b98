/* SPDX-License-Identifier: MIT
 * Which layers are done along with those before them.  It is decided before anything is placed, so
 * that what is never stored gets no memory.  Behind a layer that takes them, in this order:
 *   - predicting, a batch normalisation;
 *   - a sum of its output and a value that is there already (training, of a normalisation);
 *   - a ReLU, or another activation where the layer has one: forward ends with it;
 *   - max-pooling: forward ends with it, backward begins with it, and with the ReLU in the same
 *     pass;
 * and backward of a ReLU before any other max-pooling, whose winners say where it is 0. */
#include "model/plan.h"

/* Layers that are done together: `first`, and those behind it up to `last`. */
struct chain {
    struct cnni_plan *plan;
    struct cnni_step *first;
    const cnn_layer *layer; /* of the first */
    int32_t flags;          /* of its class */
    int32_t last;
};

static const cnn_layer *layer_at(const struct cnni_plan *plan, int32_t index)
{
    return plan->model->nodes[index].layer;
}

/* Whether layer `index` reads the one right before it, which nobody else reads; where the plan is
 * cut, no layer follows another. */
static bool continues(const struct cnni_plan *plan, int32_t index)
{
    const int32_t input = index - 1;
    const struct cnni_node *nodes = plan->model->nodes;
    if (input < 0 || index >= plan->model->node_count || index == plan->cut ||
        nodes[input].consumers != 1)
        return false;
    for (int32_t i = 0; i < nodes[index].input_count; i++)
        if (nodes[index].inputs[i] == input)
            return true;
    return false;
}

/* And nothing else. */
static bool follows(const struct cnni_plan *plan, int32_t index)
{
    return continues(plan, index) && plan->model->nodes[index].input_count == 1;
}

static bool is_following(const struct cnni_plan *plan, int32_t index, cnn_layer_kind kind)
{
    return follows(plan, index) && layer_at(plan, index)->class->kind == kind;
}

/* The next layer becomes part of the chain. */
static void absorb(struct chain *chain)
{
    struct cnni_step *step = &chain->plan->steps[++chain->last];
    step->skips_forward = true;
    step->skips_backward = chain->flags & CNNI_TAKES_TAIL;
}

static void fuse_norm(struct chain *chain)
{
    const int32_t next = chain->last + 1;
    if (chain->plan->training || !(chain->flags & CNNI_TAKES_NORM) ||
        !is_following(chain->plan, next, CNN_BATCH_NORM))
        return;
    chain->first->layer.fused.norm = layer_at(chain->plan, next);
    absorb(chain);
}

/* The other value is that of a layer before, or the model's input. */
static void fuse_add(struct chain *chain)
{
    const int32_t next = chain->last + 1;
    const bool takes = chain->flags & CNNI_TAKES_TAIL ||
                       (chain->flags & CNNI_TAKES_NORM && !chain->plan->training);
    if (!takes || !continues(chain->plan, next) ||
        layer_at(chain->plan, next)->class->kind != CNN_ADD ||
        chain->plan->model->nodes[next].input_count != 2)
        return;
    const int32_t *inputs = chain->plan->model->nodes[next].inputs;
    chain->first->addend = inputs[0] == chain->last ? inputs[1] : inputs[0];
    chain->first->layer.fused.add = true;
    absorb(chain);
}

static bool takes_activation(const struct chain *chain, cnn_layer_kind kind)
{
    if (chain->flags & CNNI_TAKES_NORM && !chain->plan->training)
        return true;
    return (kind == CNN_RELU && chain->flags & (CNNI_TAKES_RELU | CNNI_TAKES_TAIL)) ||
           (kind == CNN_RELU6 && chain->flags & CNNI_TAKES_TAIL);
}

static void fuse_activation(struct chain *chain)
{
    const int32_t next = chain->last + 1;
    if (!follows(chain->plan, next))
        return;
    const cnn_layer *layer = layer_at(chain->plan, next);
    if (layer->class->activation == NULL || !takes_activation(chain, layer->class->kind))
        return;
    layer->class->activation(layer, &chain->first->layer.fused.activation);
    absorb(chain);
}

/* Not behind what is done by a tail. */
static void fuse_pool(struct chain *chain, int32_t index)
{
    const int32_t next = chain->last + 1;
    const struct cnni_layer_class *class = chain->layer->class;
    const cnn_layer_kind activation = chain->first->layer.fused.activation.kind;
    if (class->takes_pool == NULL || !class->takes_pool(chain->layer) ||
        chain->first->layer.fused.add || (activation != 0 && activation != CNN_RELU) ||
        !follows(chain->plan, next) || !cnni_is_half_pool(layer_at(chain->plan, next)))
        return;
    chain->first->layer.fused.pool = true;
    absorb(chain);
    for (int32_t i = index + 1; i <= next; i++)
        chain->plan->steps[i].skips_backward = true;
}

static void gate_relu(struct cnni_plan *plan, int32_t index)
{
    if (!plan->training || plan->steps[index].skips_backward ||
        !is_following(plan, index, CNN_RELU) || !follows(plan, index + 1) ||
        !(layer_at(plan, index + 1)->class->flags & CNNI_GATES_RELU))
        return;
    plan->steps[index].skips_backward = true;
    plan->steps[index + 1].layer.fused.gate = true;
}

void cnni_plan_fuse(struct cnni_plan *plan)
{
    for (int32_t i = 0; i < plan->model->node_count; i++) {
        const cnn_layer *layer = layer_at(plan, i);
        struct chain chain = {plan, &plan->steps[i], layer, layer->class->flags, i};
        if (!plan->steps[i].skips_forward) {
            fuse_norm(&chain);
            fuse_add(&chain);
            fuse_activation(&chain);
            fuse_pool(&chain, i);
        }
        gate_relu(plan, i);
    }
}
