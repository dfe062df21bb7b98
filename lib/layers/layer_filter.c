/* SPDX-License-Identifier: MIT
 * Planning and running the layers that filter: conv2d, and dense as a 1x1 convolution of 1x1
 * pictures. */
#include "layers/layer_filter.h"

#include "base/error.h"
#include "layers/layer_batch_norm.h"

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
    const bool folds = plan->fused.norm != NULL;
    if (!to_bytes(folds ? &plan->packed_folded : &plan->packed_forward, floats.forward_weights) ||
        !to_bytes(&plan->forward_scratch, floats.forward) ||
        !to_bytes(&plan->packed_backward, floats.backward_weights) ||
        !to_bytes(&plan->backward_scratch,
                  CNNI_MAX(floats.backward_data, floats.backward_filter)) ||
        !cnni_mul_size(&plan->state, plan->training ? (size_t)winners : 0, (size_t)plan->max_n))
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    if (folds) /* and a bias */
        plan->packed_folded += (size_t)conv->k * sizeof(float);
    return CNN_OK;
}

void cnni_filter_pack_forward(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    cnni_conv2d_pack_forward(plan->layer->context, lanes, &plan->geometry.conv, packed,
                             plan->layer->parameter[CNN_WEIGHT].value);
}

/* The bias of a folded convolution lies behind its weights. */
static float *folded_bias(const struct cnni_layer_plan *plan, float *packed)
{
    return packed + plan->packed_folded / sizeof(float) - plan->geometry.conv.k;
}

/* For the weights the scales are needed, which the bias takes the place of. */
void cnni_filter_pack_folded(const struct cnni_layer_plan *plan, int32_t lanes, float *packed)
{
    const cnn_layer *layer = plan->layer;
    const struct cnni_conv2d *conv = &plan->geometry.conv;
    float *bias = folded_bias(plan, packed);
    double scale, shift;
    cnni_filter_pack_forward(plan, lanes, packed);
    for (int64_t k = 0; k < conv->k; k++) {
        cnni_batch_norm_fold(plan->fused.norm, k, &scale, &shift);
        bias[k] = (float)scale;
    }
    cnni_conv2d_scale(layer->context, conv, packed, (size_t)(bias - packed), bias);
    for (int64_t k = 0; k < conv->k; k++) {
        cnni_batch_norm_fold(plan->fused.norm, k, &scale, &shift);
        const double before =
            layer->parameter_count > CNN_BIAS ? (double)layer->parameter[CNN_BIAS].value[k] : 0;
        bias[k] = (float)(before * scale + shift);
    }
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
    struct cnni_conv2d_call call = call_for(run);
    const bool folds = run->plan->fused.norm != NULL;
    const struct cnni_activation *activation = &run->plan->fused.activation;
    const struct cnni_conv2d_tail tail = {
        .addend = run->plan->fused.add ? run->x[1] : NULL,
        .activation = *activation,
    };
    const bool relu = activation->kind == CNN_RELU && tail.addend == NULL;
    const float *packed = folds ? layer->folded.weights : layer->forward.weights;
    const float *bias = layer->parameter_count > CNN_BIAS ? layer->parameter[CNN_BIAS].value : NULL;
    if (folds)
        bias = folded_bias(run->plan, layer->folded.weights);
    if (!relu && (tail.addend != NULL || activation->kind != 0))
        call.tail = &tail;
    cnni_conv2d_forward(&call, run->y, run->x[0], packed, bias, relu);
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
