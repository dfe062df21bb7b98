/* SPDX-License-Identifier: MIT
 * A session: a model and a plan to predict with it.  Its table is in session_describe.c. */
#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/session_internal.h"

cnn_status cnn_session_create(cnn_session **session, cnn_model *model, int64_t max_batch)
{
    cnn_session *made;
    if (session == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "session");
    *session = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    const struct cnni_plan_options options = {.max_n = max_batch};
    CNNI_TRY(cnni_alloc_zero(&made, model->context, 1, sizeof *made, __func__));
    cnn_status status = cnni_plan_create(&made->plan, model, &options, __func__);
    if (status != CNN_OK) {
        cnni_free(model->context, made);
        return status;
    }
    cnni_model_close(model);
    *session = made;
    return CNN_OK;
}

void cnn_session_free(cnn_session *session)
{
    if (session == NULL)
        return;
    cnn_context *context = session->plan->model->context;
    cnni_context_share(context);
    cnni_flip_free(&session->flip, context);
    cnni_plan_free(session->plan);
    cnni_free(context, session);
    cnni_context_release(context);
}

/* Checks what a run is given; writes the batch. */
static cnn_status check_run(const struct cnni_plan *plan, cnn_tensor *const *outputs,
                            int32_t output_count, const cnn_tensor *const *inputs,
                            int32_t input_count, int64_t *n, const char *function)
{
    const cnn_model *model = plan->model;
    if (outputs == NULL || inputs == NULL)
        return cnni_fail_null(model->context, function, outputs == NULL ? "outputs" : "inputs");
    if (input_count != 1 || output_count != 1)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: there are %d outputs and %d inputs, must be 1 and 1", function,
                         output_count, input_count);
    CNNI_TRY(cnni_tensor_check_batch(n, model->context, inputs[0], CNN_FLOAT32, &model->input,
                                     plan->max_n, function, "inputs[0]"));
    CNNI_TRY(cnni_tensor_check_samples(*n, model->context, outputs[0], CNN_FLOAT32,
                                       &model->nodes[model->node_count - 1].output, function,
                                       "outputs[0]"));
    return cnni_tensor_check_apart(outputs[0], "outputs[0]", inputs[0], "inputs[0]", function);
}

/* Twice, for the mean of both, where mirror images count. */
static void predict(const cnn_session *session, struct cnni_plan_run run)
{
    struct cnni_plan *plan = session->plan;
    const struct cnni_flip *flip = &session->flip;
    const int32_t layers = plan->model->node_count;
    float *y = run.output;
    cnni_plan_forward(plan, &run, layers);
    if (flip->mirrored == NULL)
        return;
    cnni_flip_mirror(flip, plan, run.n, run.input);
    run.input = flip->mirrored;
    run.output = flip->outputs;
    cnni_plan_forward(plan, &run, layers);
    cnni_flip_mean(flip, run.n * cnni_shape_count(&plan->model->nodes[layers - 1].output), y);
}

cnn_status cnn_session_run(cnn_session *session, cnn_tensor *const *outputs, int32_t output_count,
                           const cnn_tensor *const *inputs, int32_t input_count)
{
    int64_t n = 0;
    if (session == NULL)
        return cnni_fail_null(NULL, __func__, "session");
    struct cnni_plan *plan = session->plan;
    CNNI_TRY(check_run(plan, outputs, output_count, inputs, input_count, &n, __func__));
    CNNI_TRY(cnni_weight_gate_enter_reading(plan->model->gate, __func__));
    const struct cnni_plan_run run = {.n = n, .input = inputs[0]->data, .output = outputs[0]->data};
    struct cnni_float_state host;
    cnni_float_enter(&host);
    cnni_plan_refresh(plan, false);
    predict(session, run);
    cnni_float_leave(&host);
    cnni_weight_gate_leave(plan->model->gate);
    return CNN_OK;
}

cnn_status cnn_session_set_flip_averaging(cnn_session *session, int32_t on)
{
    if (session == NULL)
        return cnni_fail_null(NULL, __func__, "session");
    const cnn_model *model = session->plan->model;
    return cnni_flip_set(&session->flip, session->plan, &model->nodes[model->node_count - 1].output,
                         on, __func__);
}

cnn_status cnn_session_profile(cnn_session *session, int32_t on)
{
    if (session == NULL)
        return cnni_fail_null(NULL, __func__, "session");
    if (on != 0 && on != 1)
        return cnni_fail(session->plan->model->context, CNN_ERROR_INVALID,
                         "%s: on is %d, must be 0 or 1", __func__, on);
    return cnni_plan_measure(session->plan, on == 1, __func__);
}

double cnn_session_layer_seconds(const cnn_session *session, int32_t index)
{
    if (session == NULL || session->plan->seconds == NULL || index < 0 ||
        index >= session->plan->model->node_count)
        return 0;
    return session->plan->seconds[index];
}

size_t cnn_session_bytes(const cnn_session *session)
{
    return session == NULL ? 0
                           : cnni_plan_bytes(session->plan) + session->flip.bytes + sizeof *session;
}
