/* SPDX-License-Identifier: MIT
 * Optimizers: what can be set and asked.  Kinds and steps are in optimizer.c. */
#include "model/optimizer.h"

#include "base/error.h"
#include "base/parallel.h"

#include <math.h>

/* Of one kind, and only before the first step. */
static cnn_status check_kind(const cnn_optimizer *optimizer, bool right, const char *kind,
                             const char *function)
{
    if (optimizer == NULL)
        return cnni_fail_null(NULL, function, "optimizer");
    if (!right)
        return cnni_fail(optimizer->context, CNN_ERROR_INVALID,
                         "%s: the optimizer is %s, must be %s", function, optimizer->class->name,
                         kind);
    if (optimizer->steps > 0)
        return cnni_fail(optimizer->context, CNN_ERROR_STATE,
                         "%s: the optimizer has already made %lld steps", function,
                         (long long)optimizer->steps);
    return CNN_OK;
}

/* A value in low <= value < high. */
static cnn_status check_range(const cnn_optimizer *optimizer, const char *name, double value,
                              double low, double high, const char *function)
{
    if (optimizer == NULL)
        return cnni_fail_null(NULL, function, "optimizer");
    if (value >= low && value < high)
        return CNN_OK;
    return cnni_fail(optimizer->context, CNN_ERROR_INVALID,
                     "%s: %s is %g, must be at least %g and below %g", function, name, value, low,
                     high);
}

static bool is_sgd(const cnn_optimizer *optimizer)
{
    return optimizer != NULL && optimizer->class == &cnni_sgd_class;
}

static bool is_adam(const cnn_optimizer *optimizer)
{
    return optimizer != NULL && optimizer->class != &cnni_sgd_class;
}

cnn_status cnn_sgd_set_momentum(cnn_optimizer *optimizer, double momentum)
{
    CNNI_TRY(check_kind(optimizer, is_sgd(optimizer), "sgd", __func__));
    CNNI_TRY(check_range(optimizer, "momentum", momentum, 0, 1, __func__));
    optimizer->momentum = momentum;
    return CNN_OK;
}

cnn_status cnn_sgd_set_nesterov(cnn_optimizer *optimizer, int32_t nesterov)
{
    CNNI_TRY(check_kind(optimizer, is_sgd(optimizer), "sgd", __func__));
    CNNI_TRY(check_range(optimizer, "nesterov", nesterov, 0, 2, __func__));
    optimizer->nesterov = nesterov;
    return CNN_OK;
}

cnn_status cnn_adam_set_betas(cnn_optimizer *optimizer, double beta1, double beta2)
{
    CNNI_TRY(check_kind(optimizer, is_adam(optimizer), "adam or adamw", __func__));
    CNNI_TRY(check_range(optimizer, "beta1", beta1, 0, 1, __func__));
    CNNI_TRY(check_range(optimizer, "beta2", beta2, 0, 1, __func__));
    optimizer->beta1 = beta1;
    optimizer->beta2 = beta2;
    return CNN_OK;
}

cnn_status cnn_adam_set_epsilon(cnn_optimizer *optimizer, double epsilon)
{
    CNNI_TRY(check_kind(optimizer, is_adam(optimizer), "adam or adamw", __func__));
    CNNI_TRY(check_range(optimizer, "epsilon", epsilon, 0x1p-126, INFINITY, __func__));
    optimizer->epsilon = epsilon;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_weight_decay(cnn_optimizer *optimizer, double weight_decay)
{
    CNNI_TRY(check_range(optimizer, "weight_decay", weight_decay, 0, INFINITY, __func__));
    optimizer->weight_decay = weight_decay;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_decay_vectors(cnn_optimizer *optimizer, int32_t on)
{
    CNNI_TRY(check_range(optimizer, "on", on, 0, 2, __func__));
    optimizer->spares_vectors = on == 0;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_clip_norm(cnn_optimizer *optimizer, double norm)
{
    CNNI_TRY(check_range(optimizer, "norm", norm, 0, INFINITY, __func__));
    optimizer->clip_norm = norm;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_learning_rate(cnn_optimizer *optimizer, double learning_rate)
{
    if (optimizer == NULL)
        return cnni_fail_null(NULL, __func__, "optimizer");
    CNNI_TRY(cnni_optimizer_check_rate(optimizer->context, learning_rate, __func__));
    optimizer->schedule.base = learning_rate;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_schedule_constant(cnn_optimizer *optimizer)
{
    if (optimizer == NULL)
        return cnni_fail_null(NULL, __func__, "optimizer");
    optimizer->schedule.kind = CNNI_SCHEDULE_CONSTANT;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_schedule_step(cnn_optimizer *optimizer, int64_t every, double factor)
{
    CNNI_TRY(check_range(optimizer, "every", (double)every, 1, INFINITY, __func__));
    CNNI_TRY(check_range(optimizer, "factor", factor, 0x1p-1022, INFINITY, __func__));
    optimizer->schedule.kind = CNNI_SCHEDULE_STEP;
    optimizer->schedule.steps = every;
    optimizer->schedule.factor = factor;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_schedule_cosine(cnn_optimizer *optimizer, int64_t steps,
                                             double final_rate)
{
    CNNI_TRY(check_range(optimizer, "steps", (double)steps, 1, INFINITY, __func__));
    CNNI_TRY(check_range(optimizer, "final_rate", final_rate, 0, INFINITY, __func__));
    optimizer->schedule.kind = CNNI_SCHEDULE_COSINE;
    optimizer->schedule.steps = steps;
    optimizer->schedule.final_rate = final_rate;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_schedule_one_cycle(cnn_optimizer *optimizer, int64_t steps,
                                                double rise, double start_divisor,
                                                double final_divisor)
{
    CNNI_TRY(check_range(optimizer, "steps", (double)steps, 1, INFINITY, __func__));
    CNNI_TRY(check_range(optimizer, "rise", rise, 0, 1, __func__));
    CNNI_TRY(check_range(optimizer, "start_divisor", start_divisor, 1, INFINITY, __func__));
    CNNI_TRY(check_range(optimizer, "final_divisor", final_divisor, 1, INFINITY, __func__));
    optimizer->schedule.kind = CNNI_SCHEDULE_ONE_CYCLE;
    optimizer->schedule.steps = steps;
    optimizer->schedule.rise = rise;
    optimizer->schedule.start_divisor = start_divisor;
    optimizer->schedule.final_divisor = final_divisor;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_momentum_cycle(cnn_optimizer *optimizer, double lowest, double highest)
{
    CNNI_TRY(check_range(optimizer, "highest", highest, 0, 1, __func__));
    if (!(lowest >= 0 && lowest <= highest) || (lowest == 0 && highest > 0))
        return cnni_fail(optimizer->context, CNN_ERROR_INVALID,
                         "%s: lowest is %g, must be above 0 and at most highest, which is %g, or "
                         "both 0",
                         __func__, lowest, highest);
    optimizer->schedule.lowest_momentum = lowest;
    optimizer->schedule.highest_momentum = highest;
    return CNN_OK;
}

cnn_status cnn_optimizer_set_warmup(cnn_optimizer *optimizer, int64_t steps)
{
    CNNI_TRY(check_range(optimizer, "steps", (double)steps, 0, INFINITY, __func__));
    optimizer->schedule.warmup = steps;
    return CNN_OK;
}

double cnn_optimizer_learning_rate(const cnn_optimizer *optimizer)
{
    struct cnni_float_state host;
    if (optimizer == NULL)
        return 0;
    cnni_float_enter(&host);
    double rate = cnni_schedule_rate(&optimizer->schedule, optimizer->steps + 1);
    cnni_float_leave(&host);
    return rate;
}

int64_t cnn_optimizer_steps(const cnn_optimizer *optimizer)
{
    return optimizer == NULL ? 0 : optimizer->steps;
}
