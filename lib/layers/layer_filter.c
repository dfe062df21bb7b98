/* SPDX-License-Identifier: MIT
 * Planning and running the layers that filter: conv2d, and dense as a 1x1 convolution of 1x1
 * pictures. */
#include "layers/layer_filter.h"

#include "base/error.h"

static bool to_bytes(size_t *bytes, size_t floats)
{
    return cnni_mul_size(bytes, floats, sizeof(float));
}

cnn_status cnni_filter_plan(struct cnni_layer_plan *plan, const char *function)
{
    struct cnni_conv2d_sizes floats;
    cnn_context *context = plan->layer->context;
    const struct cnni_conv2d *conv = &plan->geometry.conv;
    const int64_t winners = conv->pooled ? conv->oh / 2 * (conv->ow / 2) * conv->k : 0;
    CNNI_TRY(cnni_conv2d_measure(&floats, context, &plan->geometry.conv, plan->max_n, plan->lanes,
                                 plan->training, function));
    if (!to_bytes(&plan->packed_forward, floats.forward_weights) ||
        !to_bytes(&plan->forward_scratch, floats.forward) ||
        !to_bytes(&plan->packed_backward, floats.backward_weights) ||
        !to_bytes(&plan->backward_scratch,
                  CNNI_MAX(floats.backward_data, floats.backward_filter)) ||
        !cnni_mul_size(&plan->state, plan->training ? (size_t)winners : 0, (size_t)plan->max_n))
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    return CNN_OK;
}

void cnni_filter_pack_forward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    cnni_conv2d_pack_forward(plan->layer->context, lanes, &plan->geometry.conv, packed,
                             plan->layer->parameter[CNN_WEIGHT].value);
}

void cnni_filter_pack_backward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    cnni_conv2d_pack_backward(plan->layer->context, lanes, &plan->geometry.conv, packed,
                              plan->layer->parameter[CNN_WEIGHT].value);
}

const char *cnni_filter_explain(const struct cnni_layer_plan *plan, double *operations)
{
    const struct cnni_conv2d *conv = &plan->geometry.conv;
    *operations = 2.0 * (double)(conv->oh * conv->ow * conv->k) *
                  (double)(conv->r * conv->s * (conv->c / conv->groups));
    return cnni_conv2d_algorithm_name(conv);
}

static struct cnni_conv2d_call call_for(const struct cnni_layer_run *run)
{
    return (struct cnni_conv2d_call){
        .context = run->plan->layer->context,
        .conv = &run->plan->geometry.conv,
        .n = run->n,
        .lanes = run->plan->lanes,
        .scratch = run->scratch,
        .winners = run->state,
    };
}

void cnni_filter_forward(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_conv2d_call call = call_for(run);
    const float *bias = layer->parameter_count > CNN_BIAS ? layer->parameter[CNN_BIAS].value : NULL;
    cnni_conv2d_forward(&call, run->y, run->x[0], layer->forward.weights, bias,
                        run->plan->fused.relu);
}

void cnni_filter_backward(const struct cnni_layer_run *run)
{
    const cnn_layer *layer = run->plan->layer;
    const struct cnni_conv2d_call call = call_for(run);
    float *bias = layer->parameter_count > CNN_BIAS ? layer->parameter[CNN_BIAS].gradient : NULL;
    if (!run->frozen)
        cnni_conv2d_backward_filter(&call, layer->parameter[CNN_WEIGHT].gradient, bias, run->x[0],
                                    run->dy);
    if (run->dx[0] != NULL)
        cnni_conv2d_backward_data(&call, run->dx[0], run->dy, layer->backward.weights);
}
