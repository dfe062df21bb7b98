/* SPDX-License-Identifier: MIT
 * A trainer and its steps.  What can be set is in trainer_settings.c, and what can be asked for
 * besides in trainer_<subject>.c; whole epochs are in fit.c, the losses in loss.c, the update in
 * optimizer.c. */
#include "model/trainer_internal.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/weight_set.h"

#include <string.h>

/* ---- Life ---- */

static cnn_status choose_loss(cnn_trainer *trainer, const cnn_model *model, cnn_loss kind,
                              const char *function)
{
    int32_t last = model->node_count - 1;
    bool passes_over = kind == CNN_SOFTMAX_CROSS_ENTROPY && last > 0 &&
                       model->nodes[last].layer->class->kind == CNN_SOFTMAX;
    trainer->loss_layers = passes_over ? last : last + 1;
    trainer->loss = (struct cnni_loss){
        .context = trainer->context,
        .kind = kind,
        .shape = model->nodes[trainer->loss_layers - 1].output,
    };
    return cnni_loss_check(&trainer->loss, function);
}

static cnn_status make_work(cnn_trainer *trainer, const char *function)
{
    size_t floats = (size_t)cnni_shape_count(&trainer->loss.shape);
    size_t count;
    if (!cnni_mul_size(&count, floats, (size_t)trainer->plan->max_n))
        return cnni_fail(trainer->context, CNN_ERROR_SHAPE,
                         "%s: the batch is more than memory can hold", function);
    return cnni_alloc(&trainer->work, trainer->context, count, sizeof(float), function);
}

static cnn_status fill(cnn_trainer *trainer, cnn_model *model,
                       const struct cnni_trainer_options *options, const char *function)
{
    const struct cnni_plan_options plan = {
        .max_n = options->batch, .training = true, .input_gradient = options->input_gradient};
    CNNI_TRY(cnni_model_check_complete(model, function));
    CNNI_TRY(choose_loss(trainer, model, options->loss, function));
    if (options->optimizer != NULL) {
        CNNI_TRY(cnni_optimizer_attach(options->optimizer, model, function));
        trainer->optimizer = cnni_optimizer_share(options->optimizer);
    }
    CNNI_TRY(cnni_plan_create(&trainer->plan, model, &plan, function));
    trainer->loss.lanes = trainer->plan->lanes;
    return make_work(trainer, function);
}

void cnni_trainer_clear_gradients(cnn_trainer *trainer)
{
    for (int32_t i = 0; i < trainer->model->node_count; i++)
        cnn_layer_clear_gradients(trainer->model->nodes[i].layer);
    trainer->gradients = false;
}

cnn_status cnni_trainer_create(cnn_trainer **trainer, cnn_model *model,
                               const struct cnni_trainer_options *options, const char *function)
{
    cnn_trainer *made;
    if (atomic_exchange(&model->trained, true))
        return cnni_fail(model->context, CNN_ERROR_STATE,
                         "%s: the model belongs to another trainer", function);
    cnn_status status = cnni_alloc_zero(&made, model->context, 1, sizeof *made, function);
    if (status != CNN_OK) {
        atomic_store(&model->trained, false);
        return status;
    }
    cnni_context_share(model->context);
    made->context = model->context;
    made->model = cnni_model_share(model);
    status = fill(made, model, options, function);
    if (status != CNN_OK) {
        cnn_trainer_free(made);
        return status;
    }
    made->accumulation = made->group.batches = 1;
    cnni_trainer_clear_gradients(made);
    *trainer = made;
    return CNN_OK;
}

cnn_status cnn_trainer_create(cnn_trainer **trainer, cnn_model *model, cnn_optimizer *optimizer,
                              cnn_loss loss, int64_t batch)
{
    if (trainer == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "trainer");
    *trainer = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    if (optimizer == NULL)
        return cnni_fail_null(model->context, __func__, "optimizer");
    const struct cnni_trainer_options options = {
        .optimizer = optimizer, .loss = loss, .batch = batch};
    CNNI_TRY(cnni_trainer_create(trainer, model, &options, __func__));
    cnni_model_close(model);
    return CNN_OK;
}

void cnn_trainer_free(cnn_trainer *trainer)
{
    if (trainer == NULL)
        return;
    cnn_context *context = trainer->context;
    if (trainer->optimizer != NULL) {
        cnni_optimizer_detach(trainer->optimizer);
        cnn_optimizer_free(trainer->optimizer);
    }
    cnni_weight_set_free(trainer->average.weights, trainer->model);
    cnni_weight_set_free(trainer->best.weights, trainer->model);
    cnni_weight_set_free(trainer->group.statistics, trainer->model);
    cnni_flip_free(&trainer->flip, context);
    cnni_plan_free(trainer->plan);
    atomic_store(&trainer->model->trained, false);
    cnn_model_free(trainer->model);
    cnn_tensor_free(trainer->inputs);
    cnni_free(context, trainer->work);
    cnni_free(context, trainer->weights);
    cnni_free(context, trainer->checkpoint.path);
    cnni_free(context, trainer->note);
    cnni_free(context, trainer);
    cnni_context_release(context);
}

size_t cnn_trainer_bytes(const cnn_trainer *trainer)
{
    if (trainer == NULL)
        return 0;
    size_t parameters = (size_t)cnn_model_parameters(trainer->plan->model);
    return sizeof *trainer + cnni_plan_bytes(trainer->plan) +
           cnni_optimizer_bytes(trainer->optimizer) + parameters * sizeof(float) +
           cnni_weight_set_bytes(trainer->average.weights, trainer->model) +
           cnni_weight_set_bytes(trainer->best.weights, trainer->model) +
           cnni_weight_set_bytes(trainer->group.statistics, trainer->model) + trainer->flip.bytes +
           (size_t)trainer->plan->max_n * (size_t)cnni_shape_count(&trainer->loss.shape) *
               sizeof(float);
}

/* ---- The parts of a step ---- */

void cnni_trainer_forward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n, bool training,
                          int32_t layers)
{
    if (training)
        trainer->passes++;
    const struct cnni_plan_run run = {
        .n = n, .input = inputs->data, .training = training, .step = trainer->passes};
    cnni_plan_refresh(trainer->plan, training);
    cnni_plan_forward(trainer->plan, &run, layers);
}

struct cnni_loss_result cnni_trainer_loss(cnn_trainer *trainer, const cnn_tensor *targets,
                                          int64_t n, bool gradient)
{
    int32_t layer = trainer->loss_layers - 1;
    return cnni_loss_run(&trainer->loss, n,
                         gradient ? cnni_plan_gradient(trainer->plan, layer) : NULL, trainer->work,
                         cnni_plan_value(trainer->plan, layer), targets);
}

void cnni_trainer_backward(cnn_trainer *trainer, const cnn_tensor *inputs, int64_t n,
                           int32_t layers)
{
    const struct cnni_plan_run run = {
        .n = n, .input = inputs->data, .training = true, .step = trainer->passes};
    cnni_plan_backward(trainer->plan, &run, layers);
}

void cnni_trainer_update(cnn_trainer *trainer)
{
    struct cnni_average *average = &trainer->average;
    const struct cnni_optimizer_pass pass = {
        .scale = cnni_group_end(trainer),
        .averages = average->weights,
        .rest = average->weights != NULL ? cnni_average_rest(average) : 0,
    };
    cnni_optimizer_step(trainer->optimizer, trainer->plan, &pass);
    trainer->gradients = false;
}

/* ---- Steps ---- */

static cnn_status check_inputs(const cnn_trainer *trainer, const cnn_tensor *const *inputs,
                               int32_t input_count, int64_t *n, const char *function)
{
    const struct cnni_plan *plan = trainer->plan;
    if (inputs == NULL)
        return cnni_fail_null(trainer->context, function, "inputs");
    if (input_count != 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: input_count is %d, must be 1",
                         function, input_count);
    return cnni_tensor_check_batch(n, trainer->context, inputs[0], CNN_FLOAT32, &plan->model->input,
                                   plan->max_n, function, "inputs[0]");
}

cnn_status cnni_trainer_check_batch(const cnn_trainer *trainer, const cnn_tensor *const *inputs,
                                    int32_t input_count, const cnn_tensor *const *targets,
                                    int32_t target_count, int64_t *n, const char *function)
{
    CNNI_TRY(check_inputs(trainer, inputs, input_count, n, function));
    if (targets == NULL)
        return cnni_fail_null(trainer->context, function, "targets");
    if (target_count != 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: target_count is %d, must be 1",
                         function, target_count);
    return cnni_loss_check_targets(&trainer->loss, targets[0], *n, function);
}

/* A step has the model to itself; an evaluation reads it as sessions do. */
static cnn_status enter(const cnn_trainer *trainer, bool training, const char *function)
{
    struct cnni_weight_gate *gate = trainer->plan->model->gate;
    return training ? cnni_weight_gate_enter_writing(gate, function)
                    : cnni_weight_gate_enter_reading(gate, function);
}

static void leave(const cnn_trainer *trainer)
{
    cnni_weight_gate_leave(trainer->plan->model->gate);
}

void cnni_trainer_forget_forward(cnn_trainer *trainer)
{
    cnn_tensor_free(trainer->inputs);
    trainer->inputs = NULL;
    trainer->n = 0;
}

void cnni_trainer_forget(cnn_trainer *trainer)
{
    cnni_trainer_forget_forward(trainer);
    cnni_trainer_clear_gradients(trainer);
}

static struct cnni_loss_result train(cnn_trainer *trainer, const cnn_tensor *inputs,
                                     const cnn_tensor *targets, int64_t n)
{
    cnni_group_enter(trainer);
    cnni_trainer_forward(trainer, inputs, n, true, trainer->loss_layers);
    const struct cnni_loss_result result = cnni_trainer_loss(trainer, targets, n, true);
    cnni_group_weigh(trainer, n);
    cnni_trainer_backward(trainer, inputs, n, trainer->loss_layers);
    if (cnni_group_add(trainer, n))
        cnni_trainer_update(trainer);
    return result;
}

static struct cnni_loss_result evaluate(cnn_trainer *trainer, const cnn_tensor *inputs,
                                        const cnn_tensor *targets, int64_t n)
{
    cnni_trainer_forward(trainer, inputs, n, false, trainer->loss_layers);
    if (trainer->flip.mirrored != NULL)
        cnni_trainer_flip_forward(trainer, inputs, n);
    return cnni_trainer_loss(trainer, targets, n, false);
}

cnn_status cnni_trainer_run(struct cnni_loss_result *result, cnn_trainer *trainer,
                            const cnn_tensor *const *inputs, int32_t input_count,
                            const cnn_tensor *const *targets, int32_t target_count, bool training,
                            const char *function)
{
    int64_t n = 0;
    CNNI_TRY(cnni_trainer_check_batch(trainer, inputs, input_count, targets, target_count, &n,
                                      function));
    CNNI_TRY(enter(trainer, training, function));
    struct cnni_float_state host;
    cnni_float_enter(&host);
    cnni_trainer_forget_forward(trainer);
    *result = training ? train(trainer, inputs[0], targets[0], n)
                       : evaluate(trainer, inputs[0], targets[0], n);
    cnni_float_leave(&host);
    leave(trainer);
    return CNN_OK;
}

cnn_status cnni_trainer_finish_group(cnn_trainer *trainer, const char *function)
{
    struct cnni_float_state host;
    CNNI_TRY(enter(trainer, true, function));
    cnni_float_enter(&host);
    cnni_group_enter(trainer);
    cnni_trainer_update(trainer);
    cnni_float_leave(&host);
    leave(trainer);
    return CNN_OK;
}

cnn_status cnn_trainer_step(double *loss, cnn_trainer *trainer, const cnn_tensor *const *inputs,
                            int32_t input_count, const cnn_tensor *const *targets,
                            int32_t target_count)
{
    struct cnni_loss_result result;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    CNNI_TRY(cnni_trainer_run(&result, trainer, inputs, input_count, targets, target_count, true,
                              __func__));
    if (loss != NULL)
        *loss = result.mean;
    return CNN_OK;
}

/* Output-shaped tensors of a custom step: the outputs, or the gradients by them. */
static cnn_status check_outputs(const cnn_trainer *trainer, const cnn_tensor *const *tensors,
                                int32_t count, int64_t n, const char *function, const char *what)
{
    const cnn_model *model = trainer->plan->model;
    if (tensors == NULL)
        return cnni_fail_null(trainer->context, function, what);
    if (count != 1)
        return cnni_fail(trainer->context, CNN_ERROR_INVALID, "%s: there are %d %s, must be 1",
                         function, count, what);
    return cnni_tensor_check_samples(n, trainer->context, tensors[0], CNN_FLOAT32,
                                     &model->nodes[model->node_count - 1].output, function, what);
}

cnn_status cnn_trainer_forward(cnn_trainer *trainer, cnn_tensor *const *outputs,
                               int32_t output_count, const cnn_tensor *const *inputs,
                               int32_t input_count)
{
    int64_t n = 0;
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    CNNI_TRY(check_inputs(trainer, inputs, input_count, &n, __func__));
    CNNI_TRY(check_outputs(trainer, (const cnn_tensor *const *)outputs, output_count, n, __func__,
                           "outputs"));
    CNNI_TRY(cnni_tensor_check_apart(outputs[0], "outputs[0]", inputs[0], "inputs[0]", __func__));
    CNNI_TRY(enter(trainer, true, __func__));
    struct cnni_float_state host;
    int32_t layers = trainer->plan->model->node_count;
    cnni_float_enter(&host);
    cnni_trainer_forget_forward(trainer);
    cnni_average_use(trainer, false);
    cnni_trainer_forward(trainer, inputs[0], n, true, layers);
    memcpy(outputs[0]->data, cnni_plan_value(trainer->plan, layers - 1),
           cnn_tensor_bytes(outputs[0]));
    trainer->inputs = cnni_tensor_share((cnn_tensor *)inputs[0]);
    trainer->n = n;
    cnni_float_leave(&host);
    leave(trainer);
    return CNN_OK;
}

cnn_status cnn_trainer_backward(cnn_trainer *trainer, const cnn_tensor *const *output_gradients,
                                int32_t gradient_count)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    if (trainer->n == 0)
        return cnni_fail(trainer->context, CNN_ERROR_STATE,
                         "%s: no cnn_trainer_forward() came before", __func__);
    CNNI_TRY(check_outputs(trainer, output_gradients, gradient_count, trainer->n, __func__,
                           "output_gradients"));
    CNNI_TRY(enter(trainer, true, __func__));
    struct cnni_float_state host;
    int32_t layers = trainer->plan->model->node_count;
    cnni_float_enter(&host);
    memcpy(cnni_plan_gradient(trainer->plan, layers - 1), output_gradients[0]->data,
           cnn_tensor_bytes(output_gradients[0]));
    cnni_trainer_backward(trainer, trainer->inputs, trainer->n, layers);
    cnni_trainer_forget_forward(trainer);
    trainer->gradients = true;
    cnni_float_leave(&host);
    leave(trainer);
    return CNN_OK;
}

cnn_status cnn_trainer_update(cnn_trainer *trainer)
{
    if (trainer == NULL)
        return cnni_fail_null(NULL, __func__, "trainer");
    CNNI_TRY(cnni_trainer_check_idle(trainer, __func__));
    if (!trainer->gradients)
        return cnni_fail(trainer->context, CNN_ERROR_STATE,
                         "%s: no cnn_trainer_backward() came before", __func__);
    return cnni_trainer_finish_group(trainer, __func__);
}

void cnn_trainer_cancel(cnn_trainer *trainer)
{
    if (trainer != NULL)
        atomic_store(&trainer->cancelled, true);
}
