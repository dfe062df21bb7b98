/* SPDX-License-Identifier: MIT
 * Checking a model's gradients with finite differences of its loss.  A step along the gradient
 * shows a wrong size or direction at once, because it moves the loss as much as any step of its
 * length can; single elements show what is missing from a gradient, which a step along it
 * cannot. */
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "base/random.h"
#include "model/trainer_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ELEMENTS = 16, LENGTHS = 7 };

struct check {
    cnn_trainer *trainer;
    cnn_tensor *inputs; /* a copy, which may be moved */
    const cnn_tensor *targets;
    int64_t n;
    double loss; /* where nothing is moved */
};

/* One array of numbers, a parameter or the input. */
struct subject {
    const char *name;
    float *value;
    const float *gradient; /* a copy */
    int64_t count;
    cnn_layer *layer; /* whose weights changed when `value` did, or NULL */
    float *before;    /* room for a copy of `value` */
};

static struct cnni_plan_run run_of(const struct check *check)
{
    return (struct cnni_plan_run){
        .n = check->n, .input = check->inputs->data, .training = true, .trial = true};
}

static void run_forward(struct check *check)
{
    const struct cnni_plan_run run = run_of(check);
    cnni_plan_refresh(check->trainer->plan, true);
    cnni_plan_forward(check->trainer->plan, &run, check->trainer->loss_layers);
}

static double loss_now(struct check *check)
{
    run_forward(check);
    return cnni_trainer_loss(check->trainer, check->targets, check->n, false).mean;
}

/* The loss with `value` moved by `amount` along the gradient, or, with `element` >= 0, in that one
 * place. */
static double loss_moved(struct check *check, const struct subject *subject, double amount,
                         int64_t element)
{
    size_t bytes = (size_t)subject->count * sizeof(float);
    memcpy(subject->before, subject->value, bytes);
    for (int64_t i = 0; i < subject->count && element < 0; i++)
        subject->value[i] += (float)(amount * (double)subject->gradient[i]);
    if (element >= 0)
        subject->value[element] += (float)amount;
    if (subject->layer != NULL)
        atomic_fetch_add(&subject->layer->version, 1);
    double loss = loss_now(check);
    memcpy(subject->value, subject->before, bytes);
    if (subject->layer != NULL)
        atomic_fetch_add(&subject->layer->version, 1);
    return loss;
}

static double difference(double a, double b, double least)
{
    double size = fmax(fmax(fabs(a), fabs(b)), least);
    double error = size > 0 ? fabs(a - b) / size : 0;
    return isfinite(error) ? error : 1;
}

/* How far `gradient` is from the slopes of the loss at the best of several lengths and of both
 * sides: a short step drowns in rounding, a long one crosses corners, and a corner that is close is
 * on one side.  A wrong gradient is far from all of them. */
static double check_slopes(struct check *check, const struct subject *subject, double step,
                           int64_t element, double gradient, double least)
{
    double error = 1;
    for (int32_t i = 0; i < LENGTHS; i++, step /= 4) {
        double above = loss_moved(check, subject, step, element);
        double below = loss_moved(check, subject, -step, element);
        error = fmin(error, difference((above - below) / (2 * step), gradient, least));
        error = fmin(error, difference((above - check->loss) / step, gradient, least));
        error = fmin(error, difference((check->loss - below) / step, gradient, least));
    }
    return error;
}

/* Steps begin where they change the loss by about a hundredth, far above its rounding. */
static double check_along(struct check *check, const struct subject *subject, double norm)
{
    double step = 0.01 * fmax(fabs(check->loss), 0.01) / (norm * norm);
    return check_slopes(check, subject, step, -1, norm * norm, 0);
}

static double check_element(struct check *check, const struct subject *subject, int64_t element,
                            double largest)
{
    double step = fmin(0.01 * fmax(fabs(check->loss), 0.01) / largest, 0.1);
    return check_slopes(check, subject, step, element, (double)subject->gradient[element],
                        0.25 * largest);
}

static double check_subject(struct check *check, const struct subject *subject, uint64_t stream)
{
    double squares = 0, largest = 0;
    for (int64_t i = 0; i < subject->count; i++) {
        double gradient = fabs((double)subject->gradient[i]);
        squares += gradient * gradient;
        largest = fmax(largest, gradient);
    }
    if (!isfinite(squares))
        return 1;
    if (largest < 1e-9) /* nothing flows here, and nothing can be seen in single precision */
        largest = 1e-9;
    double worst = squares > 1e-18 ? check_along(check, subject, sqrt(squares)) : 0;
    struct cnni_random random;
    cnni_random_start(&random, 0, CNNI_RANDOM_CHECK, stream, 0);
    for (int32_t i = 0; i < ELEMENTS; i++) {
        int64_t element = (int64_t)(cnni_random_uniform(&random) * (double)subject->count);
        worst = fmax(worst, check_element(check, subject, element, largest));
    }
    return worst;
}

/* Compares one array; keeps the largest difference and its name. */
static cnn_status compare(struct check *check, struct subject subject, uint64_t stream,
                          double *error, char *worst, size_t worst_size, const char *function)
{
    float *copies;
    cnn_context *context = check->trainer->context;
    CNNI_TRY(cnni_alloc(&copies, context, (size_t)subject.count, 2 * sizeof(float), function));
    memcpy(copies, subject.gradient, (size_t)subject.count * sizeof(float));
    subject.gradient = copies;
    subject.before = copies + subject.count;
    double found = check_subject(check, &subject, stream);
    if (found > *error || stream == 0) {
        *error = found;
        if (worst != NULL && worst_size > 0) {
            snprintf(worst, worst_size, "%s", subject.name);
            cnni_utf8_trim(worst);
        }
    }
    cnni_free(context, copies);
    return CNN_OK;
}

static cnn_status compare_all(struct check *check, double *error, char *worst, size_t worst_size,
                              const char *function)
{
    cnn_trainer *trainer = check->trainer;
    const cnn_model *model = trainer->plan->model;
    run_forward(check);
    check->loss = cnni_trainer_loss(trainer, check->targets, check->n, true).mean;
    const struct cnni_plan_run run = run_of(check);
    cnni_plan_backward(trainer->plan, &run, trainer->loss_layers);
    uint64_t stream = 0;
    CNNI_TRY(compare(check,
                     (struct subject){"input", check->inputs->data,
                                      cnni_plan_gradient(trainer->plan, CNN_MODEL_INPUT),
                                      check->inputs->count, NULL, NULL},
                     stream++, error, worst, worst_size, function));
    for (int32_t i = 0, name = 0; i < model->node_count; i++) {
        cnn_layer *layer = model->nodes[i].layer;
        for (int32_t j = 0; j < layer->parameter_count; j++, name++) {
            const struct cnni_parameter *parameter = &layer->parameter[j];
            if (parameter->statistic)
                continue;
            CNNI_TRY(compare(check,
                             (struct subject){model->parameter_names[name], parameter->value,
                                              parameter->gradient, parameter->count, layer, NULL},
                             stream++, error, worst, worst_size, function));
        }
    }
    return CNN_OK;
}

static cnn_status check_inside(struct check *check, double *error, char *worst, size_t worst_size,
                               const char *function)
{
    struct cnni_float_state host;
    cnn_model *model = check->trainer->plan->model;
    CNNI_TRY(cnni_weight_gate_enter_writing(model->gate, function));
    cnni_float_enter(&host);
    cnn_status status = compare_all(check, error, worst, worst_size, function);
    for (int32_t i = 0; i < model->node_count; i++)
        cnn_layer_clear_gradients(model->nodes[i].layer);
    cnni_float_leave(&host);
    cnni_weight_gate_leave(model->gate);
    return status;
}

cnn_status cnn_model_check_gradients(double *error, char *worst, size_t worst_size,
                                     cnn_model *model, cnn_loss loss,
                                     const cnn_tensor *const *inputs, int32_t input_count,
                                     const cnn_tensor *const *targets, int32_t target_count)
{
    struct check check = {.trainer = NULL};
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (error == NULL || inputs == NULL || input_count < 1 || inputs[0] == NULL)
        return cnni_fail_null(model->context, __func__, error == NULL ? "error" : "inputs[0]");
    *error = 0;
    const struct cnni_trainer_options options = {
        .loss = loss, .batch = inputs[0]->shape.dim[0], .input_gradient = true};
    CNNI_TRY(cnni_trainer_create(&check.trainer, model, &options, __func__));
    cnn_status status = cnni_trainer_check_batch(check.trainer, inputs, input_count, targets,
                                                 target_count, &check.n, __func__);
    if (status == CNN_OK)
        status = cnni_tensor_create(&check.inputs, model->context, CNN_FLOAT32,
                                    inputs[0]->shape.dim, inputs[0]->shape.rank, __func__);
    if (status == CNN_OK) {
        memcpy(check.inputs->data, inputs[0]->data, cnn_tensor_bytes(inputs[0]));
        check.targets = targets[0];
        status = check_inside(&check, error, worst, worst_size, __func__);
    }
    cnn_tensor_free(check.inputs);
    cnn_trainer_free(check.trainer);
    return status;
}
