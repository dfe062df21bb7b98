/* SPDX-License-Identifier: MIT
 * The best epoch of cnn_trainer_fit(): which it is, its weights, and when to give up looking for a
 * better one. */
#include "base/error.h"
#include "base/memory.h"
#include "model/model_file.h"
#include "model/trainer_internal.h"
#include "model/weight_set.h"

#include <math.h>

/* ---- Settings ---- */

cnn_status cnn_trainer_set_patience(cnn_trainer *trainer, int64_t epochs)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (epochs < 0)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: epochs is %lld, must be at least 0", __func__, (long long)epochs);
    trainer->best.patience = epochs;
    return CNN_OK;
}

cnn_status cnn_trainer_set_keep_best(cnn_trainer *trainer, int32_t on)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (on != 0 && on != 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: on is %d, must be 0 or 1",
                         __func__, on);
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    if (on == 1 && trainer->best.weights != NULL)
        return CNN_OK;
    if (on == 1) {
        CNNI_TRY(cnni_weight_set_create(&trainer->best.weights, trainer->model, __func__));
        trainer->best.epoch = 0; /* of which there are no weights */
        return CNN_OK;
    }
    cnni_weight_set_free(trainer->best.weights, trainer->model);
    trainer->best.weights = NULL;
    return CNN_OK;
}

int64_t cnn_trainer_best_epoch(const cnn_trainer *trainer)
{
    return trainer == NULL ? 0 : trainer->best.epoch;
}

double cnn_trainer_best_accuracy(const cnn_trainer *trainer)
{
    return cnn_trainer_best_epoch(trainer) == 0 ? NAN : trainer->best.accuracy;
}

double cnn_trainer_best_loss(const cnn_trainer *trainer)
{
    return cnn_trainer_best_epoch(trainer) == 0 ? NAN : trainer->best.loss;
}

/* ---- A copy ---- */

/* The bytes of a model file, with the best weights in the place of the model's own. */
static cnn_status write_best(cnn_tensor **bytes, const cnn_trainer *trainer, const char *function)
{
    struct cnni_state state;
    cnni_state_start(&state, trainer->context, function);
    cnni_weight_set_list(trainer->best.weights, NULL, trainer->model, &state);
    cnn_status status = state.status;
    if (status == CNN_OK)
        status = cnni_model_write(bytes, trainer->model, &state, NULL, function);
    cnni_state_free(&state);
    return status;
}

cnn_status cnn_trainer_copy_best(cnn_model **model, const cnn_trainer *trainer)
{
    cnn_tensor *bytes = NULL;
    if (model == NULL)
        return cnni_fail_null(trainer == NULL ? NULL : trainer->context, __func__, "model");
    *model = NULL;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    if (trainer->best.weights == NULL || trainer->best.epoch == 0)
        return cnni_fail(trainer->context, CNN_ERROR_STATE, "%s: no best epoch was kept: %s",
                         __func__,
                         trainer->best.weights == NULL ? "cnn_trainer_set_keep_best() is off"
                                                       : "none was validated yet");
    CNNI_TRY(write_best(&bytes, trainer, __func__));
    const cnn_status status = cnn_model_load_memory(
        model, trainer->context, cnn_tensor_const_data(bytes), cnn_tensor_bytes(bytes));
    cnn_tensor_free(bytes);
    return status;
}

/* ---- In fit ---- */

/* Whether `a` is above `b`: 1 and -1; 0 for equal ones.  What is not a number is below all. */
static int32_t compare(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(b) != 0) - (isnan(a) != 0);
    return (a > b) - (a < b);
}

static bool is_better(const struct cnni_best *best, double accuracy, double loss)
{
    const int32_t order = compare(accuracy, best->accuracy);
    return best->epoch == 0 || order > 0 || (order == 0 && compare(-loss, -best->loss) > 0);
}

cnn_status cnni_best_check(const cnn_trainer *trainer, const cnn_loader *validation,
                           const char *function)
{
    const struct cnni_best *best = &trainer->best;
    if (validation == NULL && (best->patience > 0 || best->weights != NULL))
        return cnni_fail(trainer->context, CNN_ERROR_INVALID,
                         "%s: validation is NULL, but tells which epoch is the best, which "
                         "cnn_trainer_set_%s() asked for",
                         function, best->patience > 0 ? "patience" : "keep_best");
    return CNN_OK;
}

void cnni_best_add(cnn_trainer *trainer, int64_t epoch, double accuracy, double loss)
{
    struct cnni_best *best = &trainer->best;
    if (!is_better(best, accuracy, loss))
        return;
    best->epoch = epoch;
    best->accuracy = accuracy;
    best->loss = loss;
    if (best->weights != NULL)
        cnni_weight_set_keep(best->weights, trainer->model);
}

bool cnni_best_gives_up(const cnn_trainer *trainer, int64_t epoch)
{
    return trainer->best.patience > 0 && epoch - trainer->best.epoch >= trainer->best.patience;
}

static cnn_status put_back(cnn_trainer *trainer, const char *function)
{
    struct cnni_weight_gate *gate = trainer->model->gate;
    if (trainer->best.weights == NULL || trainer->best.epoch == 0)
        return CNN_OK;
    CNNI_TRY(cnni_weight_gate_enter_writing(gate, function));
    cnni_average_use(trainer, true); /* what was validated was the average, if there is one */
    cnni_weight_set_put_back(trainer->model, trainer->best.weights);
    cnni_weight_gate_leave(gate);
    return CNN_OK;
}

cnn_status cnni_best_end(cnn_trainer *trainer, cnn_status status, const char *function)
{
    if (status == CNN_OK || status == CNN_ERROR_CANCELLED) {
        const cnn_status put = put_back(trainer, function);
        return put != CNN_OK ? put : status;
    }
    return status;
}
