/* SPDX-License-Identifier: MIT
 * How optimizers treat a layer: whether they move it, and how much faster or slower than others.
 * Backward leaves out what frozen layers do not need: model/plan_run.c. */
#include "base/error.h"
#include "layers/layer_gate.h"
#include "layers/layer_internal.h"

#include <math.h>

/* Enters the layer's gate, where it has one, as one that reads: no step may be under way, but the
 * weights stay as they are. */
static cnn_status enter(cnn_layer *layer, const char *function)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, function, "layer");
    return layer->gate == NULL ? CNN_OK : cnni_weight_gate_enter_reading(layer->gate, function);
}

static void leave(cnn_layer *layer)
{
    if (layer->gate != NULL)
        cnni_weight_gate_leave(layer->gate);
}

void cnni_layer_set_trained(cnn_layer *layer, bool trained)
{
    if (layer->training.frozen != trained)
        return;
    layer->training.frozen = !trained;
    cnn_layer_clear_gradients(layer); /* of before it was frozen, or of nobody knows when */
}

cnn_status cnn_layer_set_trained(cnn_layer *layer, int32_t trained)
{
    CNNI_TRY(enter(layer, __func__));
    const bool valid = trained == 0 || trained == 1;
    if (valid)
        cnni_layer_set_trained(layer, trained == 1);
    leave(layer);
    return valid ? CNN_OK
                 : cnni_fail(layer->context, CNN_ERROR_INVALID, "%s: trained is %d, must be 0 or 1",
                             __func__, trained);
}

int32_t cnn_layer_trained(const cnn_layer *layer)
{
    return layer != NULL && !layer->training.frozen;
}

static cnn_status set_factor(cnn_layer *layer, double *place, double factor, const char *function)
{
    const bool valid = isfinite(factor) && factor >= 0;
    if (valid)
        *place = factor;
    leave(layer);
    return valid ? CNN_OK
                 : cnni_fail(layer->context, CNN_ERROR_INVALID,
                             "%s: factor is %g, must be finite and at least 0", function, factor);
}

cnn_status cnn_layer_set_learning_rate(cnn_layer *layer, double factor)
{
    CNNI_TRY(enter(layer, __func__));
    return set_factor(layer, &layer->training.learning_rate, factor, __func__);
}

cnn_status cnn_layer_set_weight_decay(cnn_layer *layer, double factor)
{
    CNNI_TRY(enter(layer, __func__));
    return set_factor(layer, &layer->training.weight_decay, factor, __func__);
}
