/* SPDX-License-Identifier: MIT
 * Grad-CAM.  A plan for training one sample is cut behind the layer that is looked at, so that its
 * values are stored as they are.  It runs forward up to there, where the values are copied, since
 * layers behind may work in place; then to the end, and backward to the cut, where the gradient
 * is. */
#include "cnn/explain.h"

#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/plan.h"

struct heat {
    cnn_model *model;
    const cnn_tensor *input;
    int32_t class_index;
    int32_t layer;
    int32_t layers;                 /* up to the score: all, or all but a softmax at the end */
    const struct cnni_shape *shape; /* [h][w][c], of the layer's output */
    struct cnni_plan *plan;
    float *value;  /* [h][w][c], a copy */
    double *alpha; /* [c] */
};

/* ---- The layer ---- */

static bool has_pixels(const struct cnni_shape *shape)
{
    return shape->rank == 3 && shape->dim[0] * shape->dim[1] > 1;
}

int32_t cnn_model_heat_map_layer(const cnn_model *model)
{
    int32_t found = -1;
    if (model == NULL)
        return -1;
    for (int32_t i = 0; i < model->node_count; i++) {
        const struct cnni_shape *shape = &model->nodes[i].output;
        const bool convolves = model->nodes[i].layer->class->kind == CNN_CONV2D;
        if (!has_pixels(shape))
            continue;
        const bool keeps_size = found >= 0 && memcmp(shape->dim, model->nodes[found].output.dim,
                                                     2 * sizeof shape->dim[0]) == 0;
        if (convolves || keeps_size)
            found = i;
    }
    return found;
}

/* ---- What is given ---- */

static cnn_status choose_layer(struct heat *heat, const char *function)
{
    const cnn_model *model = heat->model;
    if (heat->layer < -1 || heat->layer >= model->node_count)
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: layer is %d, must be -1 or one of the %d layers", function,
                         heat->layer, model->node_count);
    if (heat->layer == -1)
        heat->layer = cnn_model_heat_map_layer(model);
    if (heat->layer == -1)
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: the model has no convolution with more than one output pixel",
                         function);
    heat->shape = &model->nodes[heat->layer].output;
    if (heat->shape->rank != 3) {
        char text[CNNI_SHAPE_TEXT];
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: layer %d, \"%s\", makes %s, must make pictures [h][w][c]", function,
                         heat->layer, model->nodes[heat->layer].layer->name,
                         cnni_shape_text(text, heat->shape));
    }
    return CNN_OK;
}

static cnn_status check_score(struct heat *heat, const char *function)
{
    const cnn_model *model = heat->model;
    const int32_t last = model->node_count - 1;
    const struct cnni_shape *output = &model->nodes[last].output;
    const bool has_softmax = model->nodes[last].layer->class->kind == CNN_SOFTMAX;
    if (output->rank != 1) {
        char text[CNNI_SHAPE_TEXT];
        return cnni_fail(model->context, CNN_ERROR_SHAPE,
                         "%s: the model's output is %s, must be [classes]", function,
                         cnni_shape_text(text, output));
    }
    if (heat->class_index < 0 || heat->class_index >= output->dim[0])
        return cnni_fail(model->context, CNN_ERROR_INVALID,
                         "%s: class_index is %d, must be 0 to %lld", function, heat->class_index,
                         (long long)output->dim[0] - 1);
    heat->layers = has_softmax && last > 0 ? last : last + 1;
    return CNN_OK;
}

static cnn_status check(struct heat *heat, const char *function)
{
    int64_t n = 0;
    CNNI_TRY(cnni_model_check_complete(heat->model, function));
    CNNI_TRY(cnni_tensor_check_batch(&n, heat->model->context, heat->input, CNN_FLOAT32,
                                     &heat->model->input, 1, function, "input"));
    CNNI_TRY(check_score(heat, function));
    return choose_layer(heat, function);
}

/* ---- Running ---- */

/* Leaves the layer's values in `value`, and the gradient by them in the plan. */
static void run(struct heat *heat)
{
    const int32_t cut = heat->layer + 1, score = heat->layers - 1;
    struct cnni_plan_run part = {.n = 1, .input = heat->input->data};
    cnni_plan_refresh(heat->plan, true);
    cnni_plan_forward(heat->plan, &part, cut);
    memcpy(heat->value, cnni_plan_value(heat->plan, heat->layer),
           (size_t)cnni_shape_count(heat->shape) * sizeof *heat->value);
    part.first = cut;
    cnni_plan_forward(heat->plan, &part, heat->layers);
    float *gradient = cnni_plan_gradient(heat->plan, score);
    memset(gradient, 0,
           (size_t)cnni_shape_count(&heat->model->nodes[score].output) * sizeof *gradient);
    gradient[heat->class_index] = 1;
    cnni_plan_backward(heat->plan, &part, heat->layers);
}

/* alpha[c], in double precision. */
static void weigh(struct heat *heat)
{
    const float *gradient = cnni_plan_gradient(heat->plan, heat->layer); /* [h][w][c] */
    const int64_t pixels = heat->shape->dim[0] * heat->shape->dim[1], c = heat->shape->dim[2];
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < c; j++)
            heat->alpha[j] += (double)gradient[i * c + j];
    for (int64_t j = 0; j < c; j++)
        heat->alpha[j] /= (double)pixels;
}

static void add_up(float *map, const struct heat *heat)
{
    const int64_t pixels = heat->shape->dim[0] * heat->shape->dim[1], c = heat->shape->dim[2];
    for (int64_t i = 0; i < pixels; i++) {
        double sum = 0;
        for (int64_t j = 0; j < c; j++)
            sum += heat->alpha[j] * (double)heat->value[i * c + j];
        map[i] = sum < 0 ? 0 : (float)sum; /* NaN stays */
    }
}

/* Parameters got gradients on the way. */
static void clear_gradients(const cnn_model *model)
{
    for (int32_t i = 0; i < model->node_count; i++)
        cnn_layer_clear_gradients(model->nodes[i].layer);
}

static cnn_status run_inside(float *map, struct heat *heat, const char *function)
{
    struct cnni_float_state host;
    CNNI_TRY(cnni_weight_gate_enter_writing(heat->model->gate, function));
    cnni_float_enter(&host);
    run(heat);
    weigh(heat);
    add_up(map, heat);
    clear_gradients(heat->model);
    cnni_float_leave(&host);
    cnni_weight_gate_leave(heat->model->gate);
    return CNN_OK;
}

/* ---- The call ---- */

static cnn_status make(cnn_tensor **map, struct heat *heat, const char *function)
{
    cnn_context *context = heat->model->context;
    const struct cnni_plan_options options = {.max_n = 1, .training = true, .cut = heat->layer + 1};
    const size_t values = (size_t)cnni_shape_count(heat->shape);
    CNNI_TRY(cnni_plan_create(&heat->plan, heat->model, &options, function));
    CNNI_TRY(cnni_alloc(&heat->value, context, values, sizeof *heat->value, function));
    CNNI_TRY(cnni_alloc_zero(&heat->alpha, context, (size_t)heat->shape->dim[2],
                             sizeof *heat->alpha, function));
    CNNI_TRY(cnni_tensor_create(map, context, CNN_FLOAT32, heat->shape->dim, 2, function));
    return run_inside((*map)->data, heat, function);
}

static cnn_status make_alone(cnn_tensor **map, struct heat *heat, const char *function)
{
    cnn_context *context = heat->model->context;
    if (atomic_exchange(&heat->model->trained, true))
        return cnni_fail(context, CNN_ERROR_STATE, "%s: the model belongs to a trainer", function);
    const cnn_status status = make(map, heat, function);
    cnni_plan_free(heat->plan);
    atomic_store(&heat->model->trained, false);
    cnni_free(context, heat->value);
    cnni_free(context, heat->alpha);
    if (status != CNN_OK) {
        cnn_tensor_free(*map);
        *map = NULL;
    }
    return status;
}

cnn_status cnn_model_heat_map(cnn_tensor **map, cnn_model *model, const cnn_tensor *input,
                              int32_t class_index, int32_t layer)
{
    if (map == NULL)
        return cnni_fail_null(model == NULL ? NULL : model->context, __func__, "map");
    *map = NULL;
    if (model == NULL)
        return cnni_fail_null(NULL, __func__, "model");
    struct heat heat = {.model = model, .input = input, .class_index = class_index, .layer = layer};
    CNNI_TRY(check(&heat, __func__));
    return make_alone(map, &heat, __func__);
}
