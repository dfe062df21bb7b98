/* SPDX-License-Identifier: MIT
 * Optimizers: their kinds, the averages of each parameter, and the step.  Settings are in
 * optimizer_settings.c, learning rates in schedule.c. */
#include "model/optimizer.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/real.h"
#include "ops/op_optimizer.h"

#include <math.h>

/* One parameter in one step. */
struct cnni_update {
    const cnn_optimizer *optimizer;
    int32_t lanes;
    double rate;         /* of the layer */
    double momentum;     /* or beta1 */
    double weight_decay; /* of the parameter */
    int64_t t;           /* of the parameter */
    float gradient_scale;
    struct cnni_moving *moving;
};

/* ---- Kinds ---- */

static void update_sgd(const struct cnni_update *update)
{
    const cnn_optimizer *optimizer = update->optimizer;
    const struct cnni_sgd_step step = {
        .learning_rate = (float)update->rate,
        .momentum = (float)update->momentum,
        .weight_decay = (float)update->weight_decay,
        .gradient_scale = update->gradient_scale,
        .nesterov = optimizer->nesterov != 0,
        .first = update->t == 1,
    };
    cnni_sgd_update(optimizer->context, update->lanes, &step, update->moving->parameter->count,
                    update->moving->parameter->value, update->moving->parameter->gradient,
                    update->momentum > 0 ? update->moving->averages[0] : NULL);
}

static void run_adam(const struct cnni_update *update, double weight_decay, double shrink)
{
    const cnn_optimizer *optimizer = update->optimizer;
    double correction1 = 1 - cnni_power(update->momentum, update->t);
    double correction2 = 1 - cnni_power(optimizer->beta2, update->t);
    const struct cnni_adam_step step = {
        .step_size = (float)(update->rate / correction1),
        .beta1 = (float)update->momentum,
        .rest1 = (float)(1 - update->momentum),
        .beta2 = (float)optimizer->beta2,
        .rest2 = (float)(1 - optimizer->beta2),
        .epsilon = (float)optimizer->epsilon,
        .root_correction = (float)sqrt(correction2),
        .weight_decay = (float)weight_decay,
        .shrink = (float)shrink,
        .gradient_scale = update->gradient_scale,
    };
    cnni_adam_update(optimizer->context, update->lanes, &step, update->moving->parameter->count,
                     update->moving->parameter->value, update->moving->parameter->gradient,
                     update->moving->averages[0], update->moving->averages[1]);
}

static void update_adam(const struct cnni_update *update)
{
    run_adam(update, update->weight_decay, 1);
}

static void update_adamw(const struct cnni_update *update)
{
    run_adam(update, 0, 1 - update->rate * update->weight_decay);
}

const struct cnni_optimizer_class cnni_sgd_class = {"sgd", 1, 0, update_sgd};
static const struct cnni_optimizer_class adam_class = {"adam", 2, 0, update_adam};
static const struct cnni_optimizer_class adamw_class = {"adamw", 2, 0.01, update_adamw};

/* ---- Life ---- */

cnn_status cnni_optimizer_check_rate(cnn_context *context, double rate, const char *function)
{
    if (isfinite(rate) && rate >= 0)
        return CNN_OK;
    return cnni_fail(context, CNN_ERROR_INVALID,
                     "%s: learning_rate is %g, must be finite and at least 0", function, rate);
}

static cnn_status create(cnn_optimizer **optimizer, cnn_context *context,
                         const struct cnni_optimizer_class *class, double rate,
                         const char *function)
{
    if (optimizer == NULL)
        return cnni_fail_null(context, function, "optimizer");
    *optimizer = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    CNNI_TRY(cnni_optimizer_check_rate(context, rate, function));
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
    return create(optimizer, context, &cnni_sgd_class, learning_rate, __func__);
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

static void free_moving(cnn_optimizer *optimizer, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        for (int32_t j = 0; j < CNNI_MOST_AVERAGES; j++)
            cnni_free(optimizer->context, optimizer->moving[i].averages[j]);
    cnni_free(optimizer->context, optimizer->moving);
    optimizer->moving = NULL;
}

/* Statistics are not trained: they have no averages. */
static cnn_status make_averages(const cnn_optimizer *optimizer, struct cnni_moving *moving,
                                const char *function)
{
    const int32_t averages = moving->parameter->statistic ? 0 : optimizer->class->averages;
    for (int32_t i = 0; i < averages; i++)
        CNNI_TRY(cnni_alloc_zero(&moving->averages[i], optimizer->context,
                                 (size_t)moving->parameter->count, sizeof(float), function));
    return CNN_OK;
}

static cnn_status make_moving(cnn_optimizer *optimizer, const cnn_model *model,
                              const char *function)
{
    cnn_status status = CNN_OK;
    CNNI_TRY(cnni_alloc_zero(&optimizer->moving, optimizer->context, (size_t)model->parameter_count,
                             sizeof *optimizer->moving, function));
    struct cnni_moving *moving = optimizer->moving;
    for (int32_t i = 0; i < model->node_count; i++)
        for (int32_t j = 0; j < model->nodes[i].layer->parameter_count; j++, moving++) {
            moving->parameter = &model->nodes[i].layer->parameter[j];
            if (status == CNN_OK)
                status = make_averages(optimizer, moving, function);
        }
    if (status != CNN_OK)
        free_moving(optimizer, model->parameter_count);
    return status;
}

cnn_status cnni_optimizer_attach(cnn_optimizer *optimizer, cnn_model *model, const char *function)
{
    if (atomic_exchange(&optimizer->attached, true))
        return cnni_fail(optimizer->context, CNN_ERROR_STATE,
                         "%s: the optimizer belongs to another trainer", function);
    cnn_status status = make_moving(optimizer, model, function);
    if (status != CNN_OK) {
        atomic_store(&optimizer->attached, false);
        return status;
    }
    optimizer->model = model;
    return CNN_OK;
}

void cnni_optimizer_detach(cnn_optimizer *optimizer)
{
    free_moving(optimizer, optimizer->model->parameter_count);
    optimizer->model = NULL;
    atomic_store(&optimizer->steps, 0);
    atomic_store(&optimizer->attached, false);
}

size_t cnni_optimizer_bytes(const cnn_optimizer *optimizer)
{
    size_t floats =
        (size_t)cnn_model_parameters(optimizer->model) * (size_t)optimizer->class->averages;
    return floats * sizeof(float) +
           (size_t)optimizer->model->parameter_count * sizeof *optimizer->moving;
}

/* ---- Steps ---- */

/* Whether steps move a parameter of the layer. */
static bool is_moved(const cnn_layer *layer, cnn_parameter parameter)
{
    return !layer->training.frozen && !layer->parameter[parameter].statistic;
}

/* The sum of the squares of all gradients that count. */
static double sum_squares(const cnn_optimizer *optimizer, int32_t lanes)
{
    const struct cnni_moving *moving = optimizer->moving;
    double sum = 0;
    for (int32_t i = 0; i < optimizer->model->node_count; i++) {
        const cnn_layer *layer = optimizer->model->nodes[i].layer;
        for (int32_t j = 0; j < layer->parameter_count; j++, moving++)
            if (is_moved(layer, j))
                sum += cnni_sum_squares(optimizer->context, lanes, moving->parameter->count,
                                        moving->parameter->gradient);
    }
    return sum;
}

/* What all gradients are multiplied by: `scale`, and so that their norm is at most `clip_norm`. */
static float gradient_scale(const cnn_optimizer *optimizer, int32_t lanes, double scale)
{
    if (optimizer->clip_norm == 0)
        return (float)scale;
    const double norm = scale * sqrt(sum_squares(optimizer, lanes));
    const double clip = optimizer->clip_norm / (norm + 1e-6);
    return (float)(clip > 1 ? scale : scale * clip); /* unlike fmin(), keeps NaN */
}

static double decay_of(const cnn_optimizer *optimizer, const cnn_layer *layer,
                       const struct cnni_parameter *parameter)
{
    if (optimizer->spares_vectors && parameter->shape.rank == 1)
        return 0;
    return optimizer->weight_decay * layer->training.weight_decay;
}

/* Moves all parameters of a layer; `update` has what is the same for all layers. */
static void move_layer(struct cnni_update update, cnn_layer *layer, double rate)
{
    const cnn_optimizer *optimizer = update.optimizer;
    update.rate = rate * layer->training.learning_rate;
    for (int32_t j = 0; j < layer->parameter_count; j++, update.moving++) {
        if (!is_moved(layer, j))
            continue;
        update.weight_decay = decay_of(optimizer, layer, &layer->parameter[j]);
        update.t = ++update.moving->steps;
        optimizer->class->update(&update);
    }
    atomic_fetch_add(&layer->version, 1);
}

static void average_layer(const cnn_optimizer *optimizer, int32_t lanes, const cnn_layer *layer,
                          float *const *averages, double rest)
{
    for (int32_t j = 0; j < layer->parameter_count; j++)
        cnni_average_update(optimizer->context, lanes, layer->parameter[j].count, averages[j],
                            layer->parameter[j].value, (float)rest);
}

void cnni_optimizer_step(cnn_optimizer *optimizer, const struct cnni_plan *plan,
                         const struct cnni_optimizer_pass *pass)
{
    const bool adam = optimizer->class != &cnni_sgd_class;
    const int64_t t = optimizer->steps + 1;
    if (t == 1)
        cnni_optimizer_begin(optimizer);
    const double rate = cnni_schedule_rate(&optimizer->schedule, t);
    struct cnni_update update = {
        .optimizer = optimizer,
        .momentum = cnni_schedule_momentum(&optimizer->schedule, t,
                                           adam ? optimizer->beta1 : optimizer->momentum),
        .gradient_scale = gradient_scale(optimizer, plan->lanes, pass->scale),
        .moving = optimizer->moving,
        .lanes = plan->lanes,
    };
    for (int32_t i = 0; i < optimizer->model->node_count; i++) {
        cnn_layer *layer = optimizer->model->nodes[i].layer;
        const int64_t first = update.moving - optimizer->moving;
        if (!layer->training.frozen)
            move_layer(update, layer, rate);
        if (pass->averages != NULL)
            average_layer(optimizer, plan->lanes, layer, pass->averages + first, pass->rest);
        cnni_layer_refresh(&plan->steps[i].layer, plan->lanes);
        update.moving += layer->parameter_count;
    }
    optimizer->steps = t;
}
