/* SPDX-License-Identifier: MIT
 * What all layers have: creation, options, names, plans.  Building is in layer_build.c, parameters
 * as users see them are in layer_parameters.c, running a layer on its own is in layer_solo.c, each
 * kind in its own file. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "layers/layer_gate.h"
#include "layers/layer_internal.h"

static const struct cnni_layer_class *const classes[] = {
#define CNNI_LAYER(class) &class,
#include "layers/layer_list.h"
};

const struct cnni_layer_class *cnni_layer_class(cnn_layer_kind kind)
{
    for (int32_t i = 0; i < CNNI_COUNT(classes); i++)
        if (classes[i]->kind == kind)
            return classes[i];
    return NULL;
}

const struct cnni_layer_class *cnni_layer_class_named(const char *name)
{
    for (int32_t i = 0; i < CNNI_COUNT(classes); i++)
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    return NULL;
}

const char *cnn_layer_kind_name(cnn_layer_kind kind)
{
    const struct cnni_layer_class *class = cnni_layer_class(kind);
    return class != NULL ? class->name : "unknown layer";
}

cnn_status cnni_shape_of_input(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_shape *input, const char *function)
{
    (void)layer;
    (void)function;
    *output = *input;
    return CNN_OK;
}

/* ---- Shapes ---- */

cnn_status cnni_layer_shape(const cnn_layer *layer, struct cnni_shape *output,
                            const struct cnni_shape *inputs, int32_t input_count,
                            const char *function)
{
    char first[CNNI_SHAPE_TEXT], other[CNNI_SHAPE_TEXT];
    if (layer->class->join != NULL)
        return layer->class->join(layer, output, inputs, input_count, function);
    for (int32_t i = 1; i < input_count; i++)
        if (!cnni_shape_equal(&inputs[0], &inputs[i]))
            return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                             "%s: the inputs of layer \"%s\" are %s and %s, must have one shape",
                             function, layer->name, cnni_shape_text(first, &inputs[0]),
                             cnni_shape_text(other, &inputs[i]));
    return layer->class->shape(layer, output, &inputs[0], function);
}

/* ---- Options ---- */

double cnni_layer_option(const cnn_layer *layer, const struct cnni_option *option)
{
    const char *field = (const char *)layer + option->offset;
    return option->type == CNNI_WHOLE ? (double)*(const int64_t *)(const void *)field
                                      : *(const double *)(const void *)field;
}

static void store_option(cnn_layer *layer, const struct cnni_option *option, double value)
{
    char *field = (char *)layer + option->offset;
    if (option->type == CNNI_WHOLE)
        *(int64_t *)(void *)field = (int64_t)value;
    else
        *(double *)(void *)field = value;
}

static const struct cnni_option *find_option(const struct cnni_layer_class *class, const char *name)
{
    for (int32_t i = 0; i < class->option_count; i++)
        if (strcmp(class->options[i].name, name) == 0)
            return &class->options[i];
    return NULL;
}

static cnn_status check_setting(const cnn_layer *layer, const struct cnni_setting *setting,
                                const char *function)
{
    const struct cnni_option *option = find_option(layer->class, setting->name);
    if (option == NULL)
        return cnni_fail(layer->context, CNN_ERROR_NOT_FOUND, "%s: a %s layer has no option \"%s\"",
                         function, layer->class->name, setting->name);
    bool whole = option->type == CNNI_REAL || setting->value == floor(setting->value);
    if (!whole || !(setting->value >= option->low && setting->value <= option->high))
        return cnni_fail(layer->context, CNN_ERROR_INVALID,
                         "%s: %s is %.15g, must be %.15g to %.15g", function, setting->name,
                         setting->value, option->low, option->high);
    return CNN_OK;
}

cnn_status cnni_layer_set(cnn_layer *layer, const struct cnni_layer_class *class,
                          const struct cnni_setting *settings, int32_t setting_count,
                          const char *function)
{
    if (layer == NULL)
        return cnni_fail_null(NULL, function, "layer");
    if (layer->class != class)
        return cnni_fail(layer->context, CNN_ERROR_INVALID, "%s: layer is a %s, must be a %s",
                         function, layer->class->name, class->name);
    if (layer->built)
        return cnni_fail(layer->context, CNN_ERROR_STATE,
                         "%s: layer \"%s\" is already built, its options can no longer change",
                         function, layer->name);
    for (int32_t i = 0; i < setting_count; i++)
        CNNI_TRY(check_setting(layer, &settings[i], function));
    for (int32_t i = 0; i < setting_count; i++)
        store_option(layer, find_option(class, settings[i].name), settings[i].value);
    return CNN_OK;
}

cnn_status cnni_layer_set_pair(cnn_layer *layer, const struct cnni_layer_class *class,
                               const char *name, int64_t vertical, int64_t horizontal,
                               const char *function)
{
    char height[32], width[32];
    snprintf(height, sizeof height, "%s_height", name);
    snprintf(width, sizeof width, "%s_width", name);
    const struct cnni_setting settings[] = {
        {height, (double)vertical},
        {width, (double)horizontal},
    };
    return cnni_layer_set(layer, class, settings, 2, function);
}

cnn_status cnni_layer_check_picture(const cnn_layer *layer, const struct cnni_shape *input,
                                    const char *function)
{
    char text[CNNI_SHAPE_TEXT];
    if (input->rank == 3)
        return CNN_OK;
    return cnni_fail(layer->context, CNN_ERROR_SHAPE,
                     "%s: layer \"%s\" gets %s, a %s takes [h][w][c]", function, layer->name,
                     cnni_shape_text(text, input), layer->class->name);
}

/* ---- Life ---- */

/* One with preset options, of no stream of random numbers. */
static cnn_status make(cnn_layer **layer, cnn_context *context,
                       const struct cnni_layer_class *class, const char *function)
{
    cnn_layer *made;
    CNNI_TRY(cnni_alloc_zero(&made, context, 1, class->size, function));
    cnni_context_share(context);
    atomic_init(&made->references, 1);
    atomic_init(&made->version, 1);
    made->context = context;
    made->class = class;
    made->training.learning_rate = made->training.weight_decay = 1;
    made->initializer = class->kind == CNN_DENSE ? CNN_GLOROT_UNIFORM : CNN_HE_NORMAL;
    snprintf(made->name, sizeof made->name, "%s", class->name);
    for (int32_t i = 0; i < class->option_count; i++)
        store_option(made, &class->options[i], class->options[i].preset);
    *layer = made;
    return CNN_OK;
}

cnn_status cnni_layer_create(cnn_layer **layer, cnn_context *context,
                             const struct cnni_layer_class *class,
                             const struct cnni_setting *settings, int32_t setting_count,
                             const char *function)
{
    cnn_layer *made;
    if (layer == NULL)
        return cnni_fail_null(context, function, "layer");
    *layer = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    CNNI_TRY(make(&made, context, class, function));
    cnn_status status = cnni_layer_set(made, class, settings, setting_count, function);
    if (status != CNN_OK) {
        cnn_layer_free(made);
        return status;
    }
    cnni_context_next_stream(context, &made->seed, &made->stream);
    *layer = made;
    return CNN_OK;
}

cnn_status cnni_layer_copy(cnn_layer **copy, const cnn_layer *layer, const char *function)
{
    const struct cnni_layer_class *class = layer->class;
    CNNI_TRY(make(copy, layer->context, class, function));
    for (int32_t i = 0; i < class->option_count; i++)
        store_option(*copy, &class->options[i], cnni_layer_option(layer, &class->options[i]));
    snprintf((*copy)->name, sizeof(*copy)->name, "%s", layer->name);
    (*copy)->named = layer->named;
    (*copy)->training = layer->training;
    (*copy)->seed = layer->seed;
    (*copy)->stream = layer->stream;
    (*copy)->initializer = CNN_ZEROS;
    return CNN_OK;
}

cnn_layer *cnni_layer_share(cnn_layer *layer)
{
    atomic_fetch_add_explicit(&layer->references, 1, memory_order_relaxed);
    return layer;
}

void cnn_layer_free(cnn_layer *layer)
{
    if (layer == NULL ||
        atomic_fetch_sub_explicit(&layer->references, 1, memory_order_acq_rel) != 1)
        return;
    cnn_context *context = layer->context;
    cnni_weight_gate_release(layer->gate);
    cnni_solo_free(context, layer->solo);
    cnni_free(context, layer->forward.weights);
    cnni_free(context, layer->folded.weights);
    cnni_free(context, layer->backward.weights);
    for (int32_t i = 0; i < layer->parameter_count; i++) {
        cnni_free(context, layer->parameter[i].value);
        cnni_free(context, layer->parameter[i].gradient);
    }
    cnni_free(context, layer);
    cnni_context_release(context);
}

cnn_layer_kind cnn_layer_get_kind(const cnn_layer *layer)
{
    return layer == NULL ? 0 : layer->class->kind;
}

/* 1 to 200 bytes of UTF-8 without control characters: exactly what can be shown as it is. */
static bool is_name(const char *name)
{
    char shown[CNNI_NAME_SIZE + 8];
    size_t length = strlen(name);
    return length >= 1 && length < CNNI_NAME_SIZE &&
           strcmp(cnni_show_bytes(shown, sizeof shown, name, length), name) == 0;
}

cnn_status cnn_layer_set_name(cnn_layer *layer, const char *name)
{
    char shown[CNNI_SHOW_SIZE];
    if (layer == NULL)
        return cnni_fail_null(NULL, __func__, "layer");
    if (name == NULL)
        return cnni_fail_null(layer->context, __func__, "name");
    if (!is_name(name))
        return cnni_fail(
            layer->context, CNN_ERROR_INVALID,
            "%s: name is \"%s\", must be 1 to %d bytes of UTF-8 without control characters",
            __func__, cnni_show_bytes(shown, sizeof shown, name, strlen(name)), CNNI_NAME_SIZE - 1);
    if (layer->in_model)
        return cnni_fail(layer->context, CNN_ERROR_STATE,
                         "%s: layer \"%s\" is in a model and keeps its name", __func__,
                         layer->name);
    snprintf(layer->name, sizeof layer->name, "%s", name);
    layer->named = true;
    return CNN_OK;
}

const char *cnn_layer_name(const cnn_layer *layer)
{
    return layer == NULL ? NULL : layer->name;
}

void cnni_append_text(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    const size_t used = strlen(buffer);
    va_start(arguments, format);
    vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

void cnni_append_pair(char *buffer, size_t size, const char *name, int64_t vertical,
                      int64_t horizontal, int64_t preset)
{
    if (vertical != preset || horizontal != preset)
        cnni_append_text(buffer, size, " %s %lldx%lld", name, (long long)vertical,
                         (long long)horizontal);
}

void cnn_layer_describe(const cnn_layer *layer, char *buffer, size_t size)
{
    if (buffer == NULL || size == 0)
        return;
    snprintf(buffer, size, "%s", layer == NULL ? "" : layer->class->name);
    if (layer != NULL && layer->class->describe != NULL)
        layer->class->describe(layer, buffer, size);
}

/* ---- In a model ---- */

void cnni_layer_join(cnn_layer *layer, struct cnni_weight_gate *gate)
{
    cnni_solo_free(layer->context, layer->solo);
    layer->solo = NULL;
    layer->forward.version = layer->folded.version = layer->backward.version = 0;
    cnni_weight_gate_release(layer->gate);
    layer->gate = cnni_weight_gate_share(gate);
    layer->in_model = true;
}

/* ---- Planning ---- */

bool cnni_layer_has_gradients(const cnn_layer *layer)
{
    return layer->parameter_count > 0 && layer->parameter[0].gradient != NULL;
}

cnn_status cnni_layer_make_gradients(cnn_layer *layer, const char *function)
{
    for (int32_t i = 0; i < layer->parameter_count; i++) {
        struct cnni_parameter *parameter = &layer->parameter[i];
        if (parameter->gradient == NULL && !parameter->statistic)
            CNNI_TRY(cnni_alloc_zero(&parameter->gradient, layer->context, (size_t)parameter->count,
                                     sizeof(float), function));
    }
    return CNN_OK;
}

void cnni_layer_free_gradients(cnn_layer *layer)
{
    for (int32_t i = 0; i < layer->parameter_count; i++) {
        cnni_free(layer->context, layer->parameter[i].gradient);
        layer->parameter[i].gradient = NULL;
    }
}

cnn_status cnni_layer_plan(struct cnni_layer_plan *plan, const char *function)
{
    const struct cnni_layer_class *class = plan->layer->class;
    plan->input = plan->inputs[0];
    CNNI_TRY(
        cnni_layer_shape(plan->layer, &plan->output, plan->inputs, plan->input_count, function));
    return class->plan == NULL ? CNN_OK : class->plan(plan, function);
}

/* Only ever grows, so that an older plan of the layer still fits. */
static cnn_status make_packed(struct cnni_packed *packed, cnn_context *context, size_t bytes,
                              const char *function)
{
    float *weights;
    if (bytes <= packed->size)
        return CNN_OK;
    CNNI_TRY(cnni_alloc(&weights, context, bytes, 1, function));
    cnni_free(context, packed->weights);
    *packed = (struct cnni_packed){.weights = weights, .size = bytes};
    return CNN_OK;
}

cnn_status cnni_layer_make_packed(cnn_layer *layer, const struct cnni_layer_plan *plan,
                                  const char *function)
{
    CNNI_TRY(make_packed(&layer->forward, layer->context, plan->packed_forward, function));
    CNNI_TRY(make_packed(&layer->folded, layer->context, plan->packed_folded, function));
    return make_packed(&layer->backward, layer->context, plan->packed_backward, function);
}

void cnni_layer_free_packed_backward(cnn_layer *layer)
{
    cnni_free(layer->context, layer->backward.weights);
    layer->backward = (struct cnni_packed){.weights = NULL};
}

static void refresh(struct cnni_packed *packed, size_t wanted, uint64_t version,
                    const struct cnni_layer_plan *plan, int32_t lanes, cnni_pack_fn *pack)
{
    if (wanted == 0 || packed->version == version)
        return;
    pack(plan, lanes, packed->weights);
    packed->version = version;
}

/* Versions only grow, so that the sum of two tells whether either has changed. */
void cnni_layer_refresh(const struct cnni_layer_plan *plan, int32_t lanes)
{
    cnn_layer *layer = (cnn_layer *)plan->layer;
    const struct cnni_layer_class *class = layer->class;
    const cnn_layer *norm = plan->fused.norm;
    const uint64_t version = atomic_load(&layer->version);
    const uint64_t both = version + (norm == NULL ? 0 : atomic_load(&norm->version));
    refresh(&layer->forward, plan->packed_forward, version, plan, lanes, class->pack_forward);
    refresh(&layer->folded, plan->packed_folded, both, plan, lanes, class->pack_folded);
    refresh(&layer->backward, plan->packed_backward, version, plan, lanes, class->pack_backward);
}
