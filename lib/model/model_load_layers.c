/* SPDX-License-Identifier: MIT
 * Model files, reading the layers.  A layer is built, and its memory taken, only after the tensors
 * that it needs were found to be in the file. */
#include "model/model_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "cnn/version.h"

#include <string.h>

enum { MOST_OPTIONS = 32 };

/* Reads the options, which come in the order of the class's table.  One that is not there keeps its
 * preset: it came with a later version than the file's. */
static int32_t read_options(struct cnni_json *json, const struct cnni_layer_class *class,
                            struct cnni_setting settings[MOST_OPTIONS])
{
    struct cnni_json_string key;
    int32_t count = 0, option = 0;
    CNNI_ASSERT(class->option_count <= MOST_OPTIONS);
    cnni_json_object(json);
    for (; cnni_json_next_member(json, &key); option++) {
        int64_t whole = 0;
        double value = 0;
        while (option < class->option_count && !cnni_json_equal(key, class->options[option].name))
            option++;
        if (option == class->option_count) {
            cnni_json_fail(json, "an option that is unknown or not in its place");
            break;
        }
        if (class->options[option].type == CNNI_REAL)
            cnni_json_real(json, &value);
        else if (cnni_json_integer(json, &whole))
            value = (double)whole;
        settings[count++] = (struct cnni_setting){class->options[option].name, value};
    }
    return count;
}

/* Reads the numbers of the layers whose outputs `layer` takes, all read before it: whatever a file
 * says, a graph has neither cycles nor ends that hang in the air. */
static cnn_status read_inputs(struct cnni_loading *loading, const cnn_layer *layer, int32_t *inputs)
{
    struct cnni_json *json = &loading->json;
    cnni_json_array(json);
    while (cnni_json_next_element(json)) {
        int64_t number = 0;
        if (cnni_json_integer(json, &number) &&
            (number < CNN_MODEL_INPUT || number >= cnn_model_layer_count(loading->model)))
            return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT,
                                    "graph, byte %zu: an input of layer \"%s\" is %lld, must be -1 "
                                    "for the model's or a layer before this one",
                                    json->at, layer->name, (long long)number);
        *inputs++ = (int32_t)number;
    }
    cnni_loading_end(json);
    return cnni_loading_check(loading);
}

/* Whether the file's next tensors are what `layer` needs for the output of node `input`. */
static cnn_status check_tensors(struct cnni_loading *loading, const cnn_layer *layer, int32_t input)
{
    const cnn_model *model = loading->model;
    const struct cnni_shape *shape = &model->input, *origin = shape;
    struct cnni_parameter parameter[CNNI_MAX_PARAMETERS];
    struct cnni_shape output;
    if (layer->class->parameters == NULL)
        return CNN_OK;
    if (input != CNN_MODEL_INPUT) {
        shape = &model->nodes[input].output;
        origin = &model->nodes[input].origin;
    }
    CNNI_TRY(cnni_loading_blame(
        loading, cnni_layer_shape(layer, &output, shape, 1, loading->source.function)));
    int32_t count = layer->class->parameters(layer, parameter, shape, origin);
    for (int32_t i = 0; i < count; i++) {
        char wanted[CNNI_SHAPE_TEXT], found[CNNI_SHAPE_TEXT] = "missing";
        int32_t at = loading->tensors + i;
        const struct cnni_stored_tensor *tensor =
            at < loading->file.count ? &loading->file.tensors[at] : NULL;
        if (tensor == NULL || !cnni_shape_equal(&tensor->shape, &parameter[i].shape))
            return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT,
                                    "tensor %d is %s, layer \"%s\" needs %s", at,
                                    tensor == NULL ? found : cnni_shape_text(found, &tensor->shape),
                                    layer->name, cnni_shape_text(wanted, &parameter[i].shape));
    }
    return CNN_OK;
}

/* Builds the layer, and checks that its parameters have the names of the file's next tensors. */
static cnn_status add_layer(struct cnni_loading *loading, cnn_layer *layer, const int32_t *inputs,
                            int32_t input_count)
{
    cnn_model *model = loading->model;
    if (input_count > 0)
        CNNI_TRY(check_tensors(loading, layer, inputs[0]));
    if (layer->class->parameters != NULL) /* the file has their values */
        CNNI_TRY(cnn_layer_set_initializer(layer, CNN_ZEROS));
    CNNI_TRY(
        cnni_loading_blame(loading, cnn_model_add_with_inputs(model, layer, inputs, input_count)));
    for (; loading->tensors < model->parameter_count; loading->tensors++) {
        char shown[CNNI_SHOW_SIZE];
        const char *found = loading->file.tensors[loading->tensors].name;
        const char *wanted = model->parameter_names[loading->tensors];
        if (strcmp(found, wanted) != 0)
            return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT,
                                    "tensor %d is named \"%s\", must be \"%s\"", loading->tensors,
                                    cnni_show_bytes(shown, sizeof shown, found, strlen(found)),
                                    wanted);
    }
    return CNN_OK;
}

static cnn_status read_inputs_and_add(struct cnni_loading *loading, cnn_layer *layer)
{
    const struct cnni_source *source = &loading->source;
    int32_t *inputs;
    cnni_loading_member(&loading->json, "inputs");
    size_t count = cnni_loading_count(&loading->json);
    if (count > (size_t)cnn_context_limit(source->context, CNN_LIMIT_LAYERS) + 1)
        cnni_json_fail(&loading->json, "more inputs than there can be layers");
    CNNI_TRY(cnni_loading_check(loading));
    CNNI_TRY(cnni_alloc(&inputs, source->context, count, sizeof *inputs, source->function));
    cnn_status status = read_inputs(loading, layer, inputs);
    if (status == CNN_OK)
        status = add_layer(loading, layer, inputs, (int32_t)count);
    cnni_free(source->context, inputs);
    return status;
}

static cnn_status read_kind(struct cnni_loading *loading, const struct cnni_layer_class **class)
{
    char shown[CNNI_SHOW_SIZE];
    cnni_json_object(&loading->json);
    cnni_loading_member(&loading->json, "kind");
    size_t length = cnni_loading_text(&loading->json, loading->text);
    CNNI_TRY(cnni_loading_check(loading));
    *class = cnni_layer_class_named(loading->text);
    if (*class != NULL)
        return CNN_OK;
    return cnni_source_fail(&loading->source, CNN_ERROR_UNSUPPORTED,
                            "has a layer of kind \"%s\", which libcnn %s does not know",
                            cnni_show_bytes(shown, sizeof shown, loading->text, length),
                            cnn_version_string());
}

static cnn_status read_layer(struct cnni_loading *loading)
{
    const struct cnni_layer_class *class = NULL;
    struct cnni_setting settings[MOST_OPTIONS];
    cnn_layer *layer;
    CNNI_TRY(read_kind(loading, &class));
    cnni_loading_member(&loading->json, "name");
    cnni_loading_text(&loading->json, loading->text);
    cnni_loading_member(&loading->json, "options");
    int32_t count = read_options(&loading->json, class, settings);
    CNNI_TRY(cnni_loading_check(loading));
    CNNI_TRY(
        cnni_loading_blame(loading, cnni_layer_create(&layer, loading->source.context, class,
                                                      settings, count, loading->source.function)));
    cnn_status status = cnni_loading_blame(loading, cnn_layer_set_name(layer, loading->text));
    if (status == CNN_OK)
        status = read_inputs_and_add(loading, layer);
    cnn_layer_free(layer);
    return status;
}

cnn_status cnni_loading_layers(struct cnni_loading *loading)
{
    cnni_loading_member(&loading->json, "layers");
    cnni_json_array(&loading->json);
    while (cnni_json_next_element(&loading->json))
        CNNI_TRY(read_layer(loading));
    CNNI_TRY(cnni_loading_check(loading));
    if (cnn_model_layer_count(loading->model) == 0)
        return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT, "has no layers");
    /* A checkpoint has more of them behind. */
    if (loading->file.checkpoint == NULL ? loading->tensors != loading->file.count
                                         : loading->tensors > loading->file.count)
        return cnni_source_fail(&loading->source, CNN_ERROR_FORMAT,
                                "has %d tensors, but its layers need %d", loading->file.count,
                                loading->tensors);
    return CNN_OK;
}
