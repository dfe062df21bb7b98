/* SPDX-License-Identifier: MIT
 * The moving average of a trainer's weights.  While the model has the averaged weights, the
 * average's arrays hold the trained ones: they change places, and nothing is copied.  The
 * arithmetic is done in passing by the optimizer's step. */
#include "base/error.h"
#include "model/trainer_internal.h"
#include "model/weight_set.h"

static struct cnni_weight_gate *gate_of(const cnn_trainer *trainer)
{
    return trainer->model->gate;
}

double cnni_average_rest(struct cnni_average *average)
{
    const double t = (double)++average->updates;
    const double warm = (1 + t) / (10 + t);
    return 1 - CNNI_MIN(average->decay, warm);
}

void cnni_average_use(cnn_trainer *trainer, bool on)
{
    struct cnni_average *average = &trainer->average;
    if (average->weights == NULL || average->used == on)
        return;
    cnni_weight_set_swap(average->weights, trainer->model);
    average->used = on;
}

cnn_status cnni_trainer_show_average(cnn_trainer *trainer, bool on, const char *function)
{
    if (trainer->average.weights == NULL || trainer->average.used == on)
        return CNN_OK;
    CNNI_TRY(cnni_weight_gate_enter_writing(gate_of(trainer), function));
    cnni_trainer_forget_forward(trainer);
    cnni_average_use(trainer, on);
    cnni_weight_gate_leave(gate_of(trainer));
    return CNN_OK;
}

static cnn_status start_average(cnn_trainer *trainer, const char *function)
{
    float **weights;
    CNNI_TRY(cnni_weight_set_create(&weights, trainer->model, function));
    const cnn_status status = cnni_weight_gate_enter_reading(gate_of(trainer), function);
    if (status != CNN_OK) {
        cnni_weight_set_free(weights, trainer->model);
        return status;
    }
    cnni_weight_set_keep(weights, trainer->model);
    cnni_weight_gate_leave(gate_of(trainer));
    trainer->average = (struct cnni_average){.weights = weights};
    return CNN_OK;
}

static cnn_status end_average(cnn_trainer *trainer, const char *function)
{
    CNNI_TRY(cnni_trainer_show_average(trainer, false, function));
    cnni_weight_set_free(trainer->average.weights, trainer->model);
    trainer->average = (struct cnni_average){.weights = NULL};
    return CNN_OK;
}

cnn_status cnn_trainer_set_average(cnn_trainer *trainer, double decay)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (!(decay >= 0 && decay < 1))
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: decay is %g, must be at least 0 and below 1", __func__, decay);
    if (decay == 0)
        return end_average(trainer, __func__);
    if (trainer->average.weights == NULL)
        CNNI_TRY(start_average(trainer, __func__));
    trainer->average.decay = decay;
    return CNN_OK;
}

cnn_status cnn_trainer_use_average(cnn_trainer *trainer, int32_t on)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (on != 0 && on != 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: on is %d, must be 0 or 1",
                         __func__, on);
    if (on == 1 && trainer->average.weights == NULL)
        return cnni_fail(trainer->context, CNN_ERROR_STATE,
                         "%s: there is no average; cnn_trainer_set_average() begins one", __func__);
    return cnni_trainer_show_average(trainer, on == 1, __func__);
}
