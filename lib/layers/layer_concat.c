/* SPDX-License-Identifier: MIT
 * Inputs side by side along their channels: where branches of a graph meet without being added. */
#include "base/error.h"
#include "layers/layer_internal.h"
#include "ops/op_concat.h"

#include <string.h>

static int64_t channels(const struct cnni_shape *shape)
{
    return shape->dim[shape->rank - 1];
}

static bool agree(const struct cnni_shape *a, const struct cnni_shape *b)
{
    return a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)(a->rank - 1) * sizeof a->dim[0]) == 0;
}

static cnn_status join(const cnn_layer *layer, struct cnni_shape *output,
                       const struct cnni_shape *inputs, int32_t input_count, const char *function)
{
    char first[CNNI_SHAPE_TEXT], other[CNNI_SHAPE_TEXT];
    struct cnni_shape made = inputs[0];
    int64_t *sum = &made.dim[made.rank - 1];
    for (int32_t i = 1; i < input_count; i++) {
        if (!agree(&inputs[0], &inputs[i]))
            return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                             "%s: the inputs of layer \"%s\" are %s and %s, may differ in the last "
                             "dimension alone",
                             function, layer->name, cnni_shape_text(first, &inputs[0]),
                             cnni_shape_text(other, &inputs[i]));
        *sum = *sum > INT64_MAX - channels(&inputs[i]) ? INT64_MAX : *sum + channels(&inputs[i]);
    }
    return cnni_shape_set(output, layer->context, made.dim, made.rank, function);
}

/* How what belongs to input `index` is copied to its place, or back from there. */
static struct cnni_columns part(const struct cnni_layer_run *run, int32_t index, bool forward)
{
    const struct cnni_layer_plan *plan = run->plan;
    const int64_t narrow = channels(&plan->inputs[index]), wide = channels(&plan->output);
    return (struct cnni_columns){
        .rows = run->n * (cnni_shape_count(&plan->output) / wide),
        .columns = narrow,
        .to_pitch = forward ? wide : narrow,
        .from_pitch = forward ? narrow : wide,
    };
}

static void forward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    float *y = run->y;
    for (int32_t i = 0; i < plan->input_count; i++) {
        const struct cnni_columns columns = part(run, i, true);
        cnni_copy_columns(plan->layer->context, plan->lanes, &columns, y, run->x[i]);
        y += columns.columns;
    }
}

static void backward(const struct cnni_layer_run *run)
{
    const struct cnni_layer_plan *plan = run->plan;
    const float *dy = run->dy;
    for (int32_t i = 0; i < plan->input_count; i++) {
        const struct cnni_columns columns = part(run, i, false);
        if (run->dx[i] != NULL)
            cnni_copy_columns(plan->layer->context, plan->lanes, &columns, run->dx[i], dy);
        dy += columns.columns;
    }
}

const struct cnni_layer_class cnni_concat_class = {
    .kind = CNN_CONCAT,
    .name = "concat",
    .size = sizeof(struct cnn_layer),
    .min_inputs = 2,
    .max_inputs = CNNI_MAX_INPUTS,
    .join = join,
    .forward = forward,
    .backward = backward,
};

cnn_status cnn_concat_create(cnn_layer **layer, cnn_context *context)
{
    return cnni_layer_create(layer, context, &cnni_concat_class, NULL, 0, __func__);
}
