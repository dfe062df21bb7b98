/* SPDX-License-Identifier: MIT
 * How the names of parameters in files and in models belong together. */
#include "model/weights_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

/* ---- Rules ---- */

static void free_rule(const cnn_weights *weights, struct cnni_weights_rule *rule)
{
    for (int32_t i = 0; i < CNNI_SIDES; i++)
        cnni_free(weights->context, rule->side[i]);
}

void cnni_weights_free_rules(cnn_weights *weights)
{
    for (int32_t i = 0; i < weights->rule_count; i++)
        free_rule(weights, &weights->rules[i]);
    cnni_free(weights->context, weights->rules);
}

static cnn_status reserve_rule(cnn_weights *weights, const char *function)
{
    struct cnni_weights_rule *larger;
    if (weights->rule_count < weights->rule_room)
        return CNN_OK;
    if (weights->rule_room > INT32_MAX / 2)
        return cnni_fail(weights->context, CNN_ERROR_MEMORY, "%s: no memory for so many rules",
                         function);
    const int32_t room = CNNI_MAX(2 * weights->rule_room, 8);
    CNNI_TRY(cnni_alloc(&larger, weights->context, (size_t)room, sizeof *larger, function));
    for (int32_t i = 0; i < weights->rule_count; i++)
        larger[i] = weights->rules[i];
    cnni_free(weights->context, weights->rules);
    weights->rules = larger;
    weights->rule_room = room;
    return CNN_OK;
}

static cnn_status add_rule(cnn_weights *weights, const char *in_file, const char *in_model,
                           bool prefix, const char *function)
{
    struct cnni_weights_rule rule = {.prefix = prefix};
    CNNI_TRY(reserve_rule(weights, function));
    CNNI_TRY(cnni_copy_text(&rule.side[CNNI_IN_MODEL], weights->context, in_model, function));
    cnn_status status = in_file == NULL ? CNN_OK
                                        : cnni_copy_text(&rule.side[CNNI_IN_FILE], weights->context,
                                                         in_file, function);
    if (status == CNN_OK)
        weights->rules[weights->rule_count++] = rule;
    else
        free_rule(weights, &rule);
    return status;
}

/* Whether `name` can be the argument `what` of a rule. */
static cnn_status check_name(const cnn_weights *weights, const char *name, const char *what,
                             bool prefix, const char *function)
{
    char shown[CNNI_SHOW_SIZE];
    if (weights == NULL)
        return cnni_fail_null(NULL, function, "weights");
    if (name == NULL)
        return cnni_fail_null(weights->context, function, what);
    if ((prefix || name[0] != '\0') && cnni_utf8_valid(name, strlen(name)))
        return CNN_OK;
    return cnni_fail(weights->context, CNN_ERROR_INVALID, "%s: %s is \"%s\", must be %s", function,
                     what, cnni_show_bytes(shown, sizeof shown, name, strlen(name)),
                     name[0] == '\0' ? "a name" : "UTF-8");
}

cnn_status cnn_weights_map(cnn_weights *weights, const char *file_name, const char *model_name)
{
    CNNI_TRY(check_name(weights, file_name, "file_name", false, __func__));
    CNNI_TRY(check_name(weights, model_name, "model_name", false, __func__));
    return add_rule(weights, file_name, model_name, false, __func__);
}

cnn_status cnn_weights_map_prefix(cnn_weights *weights, const char *file_prefix,
                                  const char *model_prefix)
{
    CNNI_TRY(check_name(weights, file_prefix, "file_prefix", true, __func__));
    CNNI_TRY(check_name(weights, model_prefix, "model_prefix", true, __func__));
    return add_rule(weights, file_prefix, model_prefix, true, __func__);
}

cnn_status cnn_weights_skip(cnn_weights *weights, const char *prefix)
{
    CNNI_TRY(check_name(weights, prefix, "prefix", true, __func__));
    return add_rule(weights, NULL, prefix, true, __func__);
}

cnn_status cnn_weights_set_rename(cnn_weights *weights, cnn_weights_rename_fn to_model,
                                  cnn_weights_rename_fn to_file, void *user)
{
    if (weights == NULL)
        return cnni_fail_null(NULL, __func__, "weights");
    weights->rename[CNNI_IN_FILE] = to_model;
    weights->rename[CNNI_IN_MODEL] = to_file;
    weights->rename_user = user;
    return CNN_OK;
}

/* ---- Following them ---- */

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool cnni_weights_skips(const cnn_weights *weights, const char *name)
{
    for (int32_t i = 0; weights != NULL && i < weights->rule_count; i++)
        if (weights->rules[i].side[CNNI_IN_FILE] == NULL &&
            begins_with(name, weights->rules[i].side[CNNI_IN_MODEL]))
            return true;
    return false;
}

size_t cnni_weights_room(const cnn_weights *weights, size_t longest)
{
    size_t most = 0;
    for (int32_t i = 0; weights != NULL && i < weights->rule_count; i++)
        for (int32_t j = 0; j < CNNI_SIDES; j++)
            if (weights->rules[i].side[j] != NULL)
                most = CNNI_MAX(most, strlen(weights->rules[i].side[j]));
    return most + longest + 1; /* both texts are in memory, so that this fits */
}

static bool fits(const struct cnni_weights_rule *rule, int32_t from, const char *name)
{
    if (rule->side[CNNI_IN_FILE] == NULL)
        return false;
    return rule->prefix ? begins_with(name, rule->side[from]) : strcmp(name, rule->side[from]) == 0;
}

const char *cnni_weights_rename(const cnn_weights *weights, int32_t from, const char *name,
                                char *room)
{
    if (weights == NULL)
        return name;
    if (weights->rename[from] != NULL)
        return weights->rename[from](weights->rename_user, name);
    for (int32_t i = 0; i < weights->rule_count; i++) {
        const struct cnni_weights_rule *rule = &weights->rules[i];
        if (fits(rule, from, name)) {
            strcpy(room, rule->side[1 - from]);
            strcat(room, name + strlen(rule->side[from]));
            return room;
        }
    }
    return name;
}

/* ---- A model's parameters ---- */

cnn_status cnni_weights_list(struct cnni_weights_target **targets, size_t *largest,
                             const cnn_model *model, const char *function)
{
    int32_t index = 0;
    *largest = 0;
    CNNI_TRY(cnni_alloc_zero(targets, model->context, (size_t)model->parameter_count,
                             sizeof **targets, function));
    for (int32_t i = 0; i < model->node_count; i++) {
        cnn_layer *layer = model->nodes[i].layer;
        for (int32_t j = 0; j < layer->parameter_count; j++, index++) {
            struct cnni_parameter *parameter = &layer->parameter[j];
            (*targets)[index] = (struct cnni_weights_target){
                .name = model->parameter_names[index], .layer = layer, .parameter = parameter};
            *largest = CNNI_MAX(*largest, (size_t)parameter->count);
        }
    }
    return CNN_OK;
}
