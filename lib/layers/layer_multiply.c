/* SPDX-License-Identifier: MIT
 * The product of two inputs, the second of which may be one factor for each channel. */
#include "base/error.h"
#include "layers/layer_internal.h"
#include "ops/op_multiply.h"

static cnn_status join(const cnn_layer *layer, struct cnni_shape *output,
                       const struct cnni_shape *inputs, int32_t input_count, const char *function)
{
    char first[CNNI_SHAPE_TEXT], second[CNNI_SHAPE_TEXT];
    const struct cnni_shape *x = &inputs[0], *factor = &inputs[1];
    (void)input_count; /* 2, as the class says */
    *output = *x;
    if (cnni_shape_equal(x, factor) || (factor->rank == 1 && factor->dim[0] == x->dim[x->rank - 1]))
        return CNN_OK;
    return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                     "%s: the inputs of layer \"%s\" are %s and %s; the second must have the "
                     "first one's shape, or be a vector of its last dimension",
                     function, layer->name, cnni_shape_text(first, x),
                     cnni_shape_text(second, factor));
}

static struct cnni_multiply geometry(const struct cnni_layer_plan *plan, int64_t n)
{
    const int64_t c = cnni_shape_count(&plan->inputs[1]);
    return (struct cnni_multiply){.n = n, .pixels = cnni_shape_count(&plan->inputs[0]) / c, .c = c};
}

static cnn_status plan(struct cnni_layer_plan *plan, const char *function)
{
    const struct cnni_multiply shape = geometry(plan, plan->max_n);
    if (plan->training && shape.pixels > 1 &&
        !cnni_multiply_scratch_bytes(&plan->backward_scratch, &shape, plan->lanes))
        return cnni_fail(plan->layer->context, CNN_ERROR_SHAPE,
                         "%s: layer \"%s\" needs more memory than there can be", function,
                         plan->layer->name);
    return CNN_OK;
}

static void forward(const struct cnni_layer_run *run)
{
    const struct cnni_multiply shape = geometry(run->plan, run->n);
    cnni_multiply(run->plan->layer->context, run->plan->lanes, &shape, run->y, run->x[0],
                  run->x[1]);
}

static void backward(const struct cnni_layer_run *run)
{
    cnn_context *context = run->plan->layer->context;
    const int32_t lanes = run->plan->lanes;
    const struct cnni_multiply shape = geometry(run->plan, run->n);
    if (run->dx[0] != NULL)
        cnni_multiply(context, lanes, &shape, run->dx[0], run->dy, run->x[1]);
    if (run->dx[1] != NULL && shape.pixels == 1)
        cnni_multiply(context, lanes, &shape, run->dx[1], run->dy, run->x[0]);
    else if (run->dx[1] != NULL)
        cnni_multiply_factors(context, lanes, &shape, run->dx[1], run->dy, run->x[0], run->scratch);
}

const struct cnni_layer_class cnni_multiply_class = {
    .kind = CNN_MULTIPLY,
    .name = "multiply",
    .size = sizeof(struct cnn_layer),
    .flags = CNNI_BACKWARD_READS_INPUT,
    .min_inputs = 2,
    .max_inputs = 2,
    .join = join,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_multiply_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_multiply_class, NULL, 0, __func__);
}
