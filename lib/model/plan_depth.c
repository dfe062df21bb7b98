/* SPDX-License-Identifier: MIT
 * Which layers predict depth-first: the leading ones, all of them on a few samples whose values
 * stay in the caches, then on the next few.  It ends at the first layer whose weights are more than
 * those values: to read them again for every few samples would cost more than it saves. */
#include "model/plan.h"

#include "base/context_internal.h"

enum {
    FLOATS = 1024 * 1024, /* that a layer reads and writes for the samples: 4 MB, L2 caches of some
                             processors */
    MOST = 16             /* samples: more of them save nothing */
};

/* What a step reads and writes for one sample. */
static int64_t step_floats(const struct cnni_plan *plan, int32_t index)
{
    const struct cnni_node *node = &plan->model->nodes[index];
    const int32_t input = node->inputs[0];
    const struct cnni_shape *read =
        input == CNN_MODEL_INPUT ? &plan->model->input : &plan->model->nodes[input].output;
    return cnni_shape_count(read) * node->input_count +
           cnni_shape_count(cnni_plan_made(plan, index));
}

/* So many samples for each thread that all have enough to do. */
static int64_t samples(const struct cnni_plan *plan, int64_t floats)
{
    const int64_t fitting = CNNI_MIN(CNNI_MAX(FLOATS / floats, 1), MOST);
    return CNNI_MIN(fitting * plan->lanes, plan->max_n);
}

void cnni_plan_depth(struct cnni_plan *plan)
{
    plan->front = 0;
    plan->front_n = plan->max_n;
    if (plan->training)
        return;
    int64_t most = 1;  /* floats of a sample, of any of these layers */
    int64_t least = 1; /* samples for which all of their weights are worth being read */
    for (int32_t i = 0; i < plan->model->node_count; i++) {
        const int64_t floats = plan->steps[i].skips_forward ? 0 : step_floats(plan, i);
        const int64_t n = samples(plan, CNNI_MAX(most, floats));
        if (floats > 0)
            least =
                CNNI_MAX(least, cnni_ceil_div(cnn_model_layer_parameters(plan->model, i), floats));
        if (n == plan->max_n || n < least)
            break;
        most = CNNI_MAX(most, floats);
        plan->front = i + 1;
        plan->front_n = n;
    }
}
