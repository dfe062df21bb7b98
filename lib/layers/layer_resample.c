/* SPDX-License-Identifier: MIT
 * Planning and running the layers that resample pictures. */
#include "layers/layer_resample.h"

#include "base/error.h"

cnn_status cnni_resample_shape(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_resample2d *map, const char *function)
{
    return cnni_shape_set(output, layer->context,
                          (int64_t[]){map->rows.outputs, map->columns.outputs, map->c}, 3,
                          function);
}

cnn_status cnni_resample_plan(struct cnni_layer_plan *plan, const char *function)
{
    if (!cnni_resample_scratch_bytes(&plan->forward_scratch, &plan->geometry.resample))
        return cnni_fail(plan->layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    plan->backward_scratch = plan->forward_scratch;
    return CNN_OK;
}

void cnni_layer_resample_forward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    cnni_resample_forward(plan->layer->context, plan->lanes, &plan->geometry.resample, run->n,
                          run->y, run->x[0], run->scratch);
}

void cnni_layer_resample_backward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    if (run->dx[0] != NULL)
        cnni_resample_backward(plan->layer->context, plan->lanes, &plan->geometry.resample, run->n,
                               run->dx[0], run->dy, run->scratch);
}
