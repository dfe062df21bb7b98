/* SPDX-License-Identifier: MIT
 * Optimizers: settings, the averages of each parameter, and the step.  Learning rates are in
 * schedule.c. */
#include "model/optimizer.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/real.h"
#include "ops/op_optimizer.h"

#include <math.h>

enum { MOST_AVERAGES = 2 };

struct cnn_optimizer {
    atomic_int references;
    cnn_context *context;
    const struct optimizer_class *class;
    struct cnni_schedule schedule;
    double weight_decay, clip_norm;
    double momentum;
    int32_t nesterov;
    double beta1, beta2, epsilon;

    atomic_bool attached;
    cnn_model *model; /* borrowed from the trainer */
    float **averages; /* [parameter][MOST_AVERAGES] */
    _Atomic int64_t steps;
};

/* One parameter in one step. */
struct update {
    const cnn_optimizer *optimizer;
    int32_t lanes;
    double rate;
    int64_t t;
    float gradient_scale;
    struct cnni_parameter *parameter;
    float **averages; /* [MOST_AVERAGES] */
};

struct optimizer_class {
    const char *name;
    int32_t averages; /* arrays beside each parameter, at most */
    double weight_decay;
    void (*update)(const struct update *update);
};

/* ---- Kinds ---- */

static void update_sgd(const struct update *update)
{
    const cnn_optimizer *optimizer = update->optimizer;
    const struct cnni_sgd_step step = {
        .learning_rate = (float)update->rate,
        .momentum = (float)optimizer->momentum,
        .weight_decay = (float)optimizer->weight_decay,
        .gradient_scale = update->gradient_scale,
        .nesterov = optimizer->nesterov != 0,
        .first = update->t == 1,
    };
    cnni_sgd_update(optimizer->context, update->lanes, &step, update->parameter->count,
                    update->parameter->value, update->parameter->gradient,
                    optimizer->momentum > 0 ? update->averages[0] : NULL);
}

static void run_adam(const struct update *update, double weight_decay, double shrink)
{
    const cnn_optimizer *optimizer = update->optimizer;
    double correction1 = 1 - cnni_power(optimizer->beta1, update->t);
    double correction2 = 1 - cnni_power(optimizer->beta2, update->t);
    const struct cnni_adam_step step = {
        .step_size = (float)(update->rate / correction1),
        .beta1 = (float)optimizer->beta1,
        .rest1 = (float)(1 - optimizer->beta1),
        .beta2 = (float)optimizer->beta2,
        .rest2 = (float)(1 - optimizer->beta2),
        .epsilon = (float)optimizer->epsilon,
        .root_correction = (float)sqrt(correction2),
        .weight_decay = (float)weight_decay,
        .shrink = (float)shrink,
        .gradient_scale = update->gradient_scale,
    };
    cnni_adam_update(optimizer->context, update->lanes, &step, update->parameter->count,
                     update->parameter->value, update->parameter->gradient, update->averages[0],
                     update->averages[1]);
}

static void update_adam(const struct update *update)
{
    run_adam(update, update->optimizer->weight_decay, 1);
}

static void update_adamw(const struct update *update)
{
    run_adam(update, 0, 1 - update->rate * update->optimizer->weight_decay);
}

static const struct optimizer_class sgd_class = {"sgd", 1, 0, update_sgd};
static const struct optimizer_class adam_class = {"adam", 2, 0, update_adam};
static const struct optimizer_class adamw_class = {"adamw", 2, 0.01, update_adamw};

/* ---- Life ---- */

static cnn_status check_rate(cnn_context *context, double rate, const char *function)
{
    if (isfinite(rate) && rate >= 0)
        return CNN_OK;
    return cnni_fail(context, CNN_ERROR_INVALID,
                     "%s: learning_rate is %g, must be finite and at least 0", function, rate);
}

static cnn_status create(cnn_optimizer **optimizer, cnn_context *context,
                         const struct optimizer_class *class, double rate, const char *function)
{
    if (optimizer == NULL)
        return cnni_fail_null(context, function, "optimizer");
    *optimizer = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    CNNI_TRY(check_rate(context, rate, function));
    CNNI_TRY(cnni_alloc_zero(optimizer, context, 1, sizeof **optimizer, function));
    cnni_context_share(context);
    cnn_optimizer *made = *optimizer;
    atomic_init(&made->references, 1);
    made->context = context;
    made->class = class;
    made->schedule.base = rate;
    made->weight_decay = class->weight_decay;
    made->beta1 = 0.9;
    made->beta2 = 0.999;
    made->epsilon = 1e-8;
    return CNN_OK;
}

cnn_status cnn_sgd_create(cnn_optimizer **optimizer, cnn_context *context, double learning_rate)
{
    return create(optimizer, context, &sgd_class, learning_rate, __func__);
}

cnn_status cnn_adam_create(cnn_optimizer **optimizer, cnn_context *context, double learning_rate)
{
    return create(optimizer, context, &adam_class, learning_rate, __func__);
}

cnn_status cnn_adamw_create(cnn_optimizer **optimizer, cnn_context *context, double learning_rate)
{
    return create(optimizer, context, &adamw_class, learning_rate, __func__);
}

cnn_optimizer *cnni_optimizer_share(cnn_optimizer *optimizer)
{
    atomic_fetch_add_explicit(&optimizer->references, 1, memory_order_relaxed);
    return optimizer;
}

void cnn_optimizer_free(cnn_optimizer *optimizer)
{
    if (optimizer == NULL ||
        atomic_fetch_sub_explicit(&optimizer->references, 1, memory_order_acq_rel) != 1)
        return;
    cnn_context *context = optimizer->context;
    cnni_free(context, optimizer);
    cnni_context_release(context);
}

/* ---- Attached to a model ---- */

static void free_averages(cnn_optimizer *optimizer, int32_t count)
{
    for (int32_t i = 0; i < count * MOST_AVERAGES; i++)
        cnni_free(optimizer->context, optimizer->averages[i]);
    cnni_free(optimizer->context, optimizer->averages);
    optimizer->averages = NULL;
}

static cnn_status make_averages(cnn_optimizer *optimizer, const cnn_model *model,
                                const char *function)
{
    int32_t count = model->parameter_count;
    CNNI_TRY(cnni_alloc_zero(&optimizer->averages, optimizer->context, (size_t)count,
                             MOST_AVERAGES * sizeof *optimizer->averages, function));
    for (int32_t i = 0; i < count; i++)
        for (int32_t j = 0; j < optimizer->class->averages; j++) {
            size_t elements = (size_t)cnni_model_parameter(model, i)->count;
            cnn_status status =
                cnni_alloc_zero(&optimizer->averages[i * MOST_AVERAGES + j], optimizer->context,
                                elements, sizeof(float), function);
            if (status != CNN_OK) {
                free_averages(optimizer, count);
                return status;
            }
        }
    return CNN_OK;
}

cnn_status cnni_optimizer_attach(cnn_optimizer *optimizer, cnn_model *model, const char *function)
{
    if (atomic_exchange(&optimizer->attached, true))
        return cnni_fail(optimizer->context, CNN_ERROR_STATE,
                         "%s: the optimizer belongs to another trainer", function);
    cnn_status status = make_averages(optimizer, model, function);
    if (status != CNN_OK) {
        atomic_store(&optimizer->attached, false);
        return status;
    }
    optimizer->model = model;
    atomic_store(&optimizer->steps, 0);
    return CNN_OK;
}

void cnni_optimizer_detach(cnn_optimizer *optimizer)
{
    free_averages(optimizer, optimizer->model->parameter_count);
    optimizer->model = NULL;
    atomic_store(&optimizer->attached, false);
}

size_t cnni_optimizer_bytes(const cnn_optimizer *optimizer)
{
    size_t floats =
        (size_t)cnn_model_parameters(optimizer->model) * (size_t)optimizer->class->averages;
    return floats * sizeof(float) +
           (size_t)optimizer->model->parameter_count * MOST_AVERAGES * sizeof *optimizer->averages;
}

/* What all gradients are multiplied by, so that their norm is at most `clip_norm`. */
static float clipping_scale(const cnn_optimizer *optimizer, int32_t lanes)
{
    double sum = 0;
    if (optimizer->clip_norm == 0)
        return 1;
    for (int32_t i = 0; i < optimizer->model->parameter_count; i++) {
        const struct cnni_parameter *parameter = cnni_model_parameter(optimizer->model, i);
        sum += cnni_sum_squares(optimizer->context, lanes, parameter->count, parameter->gradient);
    }
    return (float)fmin(1, optimizer->clip_norm / (sqrt(sum) + 1e-6));
}

void cnni_optimizer_step(cnn_optimizer *optimizer, int32_t lanes)
{
    int64_t t = optimizer->steps + 1;
    struct update update = {
        .optimizer = optimizer,
        .rate = cnni_schedule_rate(&optimizer->schedule, t),
        .t = t,
        .gradient_scale = clipping_scale(optimizer, lanes),
        .lanes = lanes,
    };
    for (int32_t i = 0; i < optimizer->model->parameter_count; i++) {
        update.parameter = cnni_model_parameter(optimizer->model, i);
        update.averages = &optimizer->averages[i * MOST_AVERAGES];
        optimizer->class->update(&update);
    }
    for (int32_t i = 0; i < optimizer->model->node_count; i++)
        atomic_fetch_add(&optimizer->model->nodes[i].layer->version, 1);
    optimizer->steps = t;
}

/* ---- Settings ---- */

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
    return optimizer != NULL && optimizer->class == &sgd_class;
}

static bool is_adam(const cnn_optimizer *optimizer)
{
    return optimizer != NULL && optimizer->class != &sgd_class;
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
    CNNI_TRY(check_rate(optimizer->context, learning_rate, __func__));
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
