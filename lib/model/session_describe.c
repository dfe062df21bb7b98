/* SPDX-License-Identifier: MIT
 * How a session runs its model, as a table. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/session_internal.h"

/* A text that may be longer than the memory for it. */
struct text {
    char *buffer;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
    va_list arguments;
    const bool room = text->length < text->size;
    va_start(arguments, format);
    const int added = vsnprintf(room ? text->buffer + text->length : NULL,
                                room ? text->size - text->length : 0, format, arguments);
    va_end(arguments);
    text->length += added > 0 ? (size_t)added : 0;
}

/* What the layer does: its algorithm, or where else it is done. */
static const char *explain(const struct cnni_plan *plan, int32_t index, double *operations)
{
    const struct cnni_step *step = &plan->steps[index];
    const struct cnni_layer_class *class = step->layer.layer->class;
    *operations = 0;
    if (step->skips_forward)
        return "in passing";
    if (class->explain != NULL)
        return class->explain(&step->layer, operations);
    const int32_t input = plan->model->nodes[index].inputs[0];
    if (input != CNN_MODEL_INPUT && step->value == plan->steps[input].value)
        return "in place";
    return "";
}

/* Of one sample; values that stay where they are and are not touched count nothing. */
static double kilobytes(const struct cnni_plan *plan, int32_t index)
{
    const struct cnni_step *step = &plan->steps[index];
    double floats = (double)cnn_model_layer_parameters(plan->model, index);
    if (step->skips_forward)
        return 0;
    for (int32_t i = 0; i < step->layer.input_count; i++)
        floats += (double)cnni_shape_count(&step->inputs[i]);
    floats += (double)cnni_shape_count(cnni_plan_made(plan, index));
    return floats * sizeof(float) / 1000;
}

static void append_layer(struct text *text, const struct cnni_plan *plan, int32_t index)
{
    const struct cnni_step *step = &plan->steps[index];
    const cnn_layer_kind activation = step->layer.fused.activation.kind;
    char how[64], shape[CNNI_SHAPE_TEXT];
    double operations;
    snprintf(how, sizeof how, "%s%s%s%s%s%s", explain(plan, index, &operations),
             step->layer.fused.norm != NULL ? ", norm" : "", step->layer.fused.add ? ", add" : "",
             activation == 0 ? "" : ", ", activation == 0 ? "" : cnn_layer_kind_name(activation),
             step->layer.fused.pool ? ", pool" : "");
    append(text, "%-16s %-18s %-28s %10.3f %10.1f\n", step->layer.layer->name,
           cnni_shape_text(shape, &step->layer.output), how, operations / 1e6,
           kilobytes(plan, index));
}

size_t cnn_session_describe(const cnn_session *session, char *buffer, size_t size)
{
    struct text text = {buffer, buffer == NULL ? 0 : size, 0};
    if (text.size > 0)
        buffer[0] = '\0';
    if (session == NULL)
        return 0;
    append(&text, "%-16s %-18s %-28s %10s %10s\n", "layer", "output", "algorithm", "MFLOP", "KB");
    for (int32_t i = 0; i < session->plan->model->node_count; i++)
        append_layer(&text, session->plan, i);
    if (session->plan->front > 1)
        append(&text, "The first %d layers run on %lld samples at a time.\n", session->plan->front,
               (long long)session->plan->front_n);
    return text.length;
}
