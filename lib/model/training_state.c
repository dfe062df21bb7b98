/* SPDX-License-Identifier: MIT
 * The table of a training's state: adding lines, and all of it to and from files. */
#include "model/training_state.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The table ---- */

void cnni_state_start(struct cnni_state *state, cnn_context *context, const char *function)
{
    *state = (struct cnni_state){.context = context, .function = function};
}

void cnni_state_free(struct cnni_state *state)
{
    cnni_free(state->context, state->numbers);
    cnni_free(state->context, state->arrays);
}

/* Makes room for one more line of `size` bytes; returns false after a failure. */
static bool make_room(struct cnni_state *state, void **lines, int32_t count, int32_t *room,
                      size_t size)
{
    enum { FIRST_ROOM = 32 };
    void *grown;
    if (state->status != CNN_OK || count < *room)
        return state->status == CNN_OK;
    int32_t wanted = CNNI_MAX(2 * *room, FIRST_ROOM);
    state->status = cnni_alloc_zero(&grown, state->context, (size_t)wanted, size, state->function);
    if (state->status != CNN_OK)
        return false;
    if (count > 0)
        memcpy(grown, *lines, (size_t)count * size);
    cnni_free(state->context, *lines);
    *lines = grown;
    *room = wanted;
    return true;
}

void cnni_state_number(struct cnni_state *state, const char *name, cnni_number_type type,
                       void *place, double low, double high)
{
    void *lines = state->numbers;
    bool done =
        make_room(state, &lines, state->number_count, &state->number_room, sizeof *state->numbers);
    state->numbers = lines;
    if (!done)
        return;
    struct cnni_state_number *number = &state->numbers[state->number_count++];
    *number = (struct cnni_state_number){.type = type, .place = place, .low = low, .high = high};
    snprintf(number->name, sizeof number->name, "%s", name);
}

void cnni_state_array(struct cnni_state *state, const char *owner, const char *kind,
                      const struct cnni_parameter *parameter, float *values)
{
    void *lines = state->arrays;
    if (values == NULL)
        return;
    bool done =
        make_room(state, &lines, state->array_count, &state->array_room, sizeof *state->arrays);
    state->arrays = lines;
    if (!done)
        return;
    struct cnni_state_array *array = &state->arrays[state->array_count++];
    *array = (struct cnni_state_array){.parameter = parameter, .values = values};
    /* No parameter's name ends so, whatever its layer is called. */
    snprintf(array->name, sizeof array->name, "%s%s%s", owner, kind == NULL ? "" : "/",
             kind == NULL ? "" : kind);
}

/* ---- Numbers ---- */

static int64_t load_whole(const struct cnni_state_number *number)
{
    switch (number->type) {
    case CNNI_NUMBER_INT32: return *(const int32_t *)number->place;
    case CNNI_NUMBER_ATOMIC: return atomic_load((_Atomic int64_t *)number->place);
    default: return *(const int64_t *)number->place;
    }
}

static void store_number(const struct cnni_state_number *number)
{
    switch (number->type) {
    case CNNI_NUMBER_INT32: *(int32_t *)number->place = (int32_t)number->whole; break;
    case CNNI_NUMBER_INT64: *(int64_t *)number->place = number->whole; break;
    case CNNI_NUMBER_ATOMIC: atomic_store((_Atomic int64_t *)number->place, number->whole); break;
    default: *(double *)number->place = number->real; break;
    }
}

/* What JSON has no numbers for. */
static const struct {
    const char *text;
    double value;
} special[] = {{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};

static void put_real(struct cnni_json_writer *json, double value)
{
    const char *text = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    if (isfinite(value))
        cnni_json_put_real(json, value);
    else
        cnni_json_put_text(json, text, strlen(text));
}

void cnni_state_put_numbers(const struct cnni_state *state, struct cnni_json_writer *json)
{
    cnni_json_open(json, '{');
    for (int32_t i = 0; i < state->number_count; i++) {
        const struct cnni_state_number *number = &state->numbers[i];
        cnni_json_put_key(json, number->name);
        if (number->type == CNNI_NUMBER_REAL)
            put_real(json, *(const double *)number->place);
        else
            cnni_json_put_integer(json, load_whole(number));
    }
    cnni_json_close(json, '}');
}

static void read_real(struct cnni_json *json, double *value)
{
    struct cnni_json_string text;
    if (json->at >= json->size || json->text[json->at] != '"') {
        cnni_json_real(json, value);
        return;
    }
    cnni_json_string(json, &text);
    for (int32_t i = 0; i < CNNI_COUNT(special) && json->error == NULL; i++)
        if (cnni_json_equal(text, special[i].text)) {
            *value = special[i].value;
            return;
        }
    cnni_json_fail(json, "expected a number");
}

/* NaN is in no range but the whole line. */
static bool in_range(const struct cnni_state_number *number, double value)
{
    if (number->high == INFINITY)
        return true;
    return value >= number->low && value <= number->high;
}

static cnn_status read_number(struct cnni_state_number *number, struct cnni_json *json,
                              const struct cnni_source *source)
{
    bool is_real = number->type == CNNI_NUMBER_REAL;
    if (is_real)
        read_real(json, &number->real);
    else
        cnni_json_integer(json, &number->whole);
    double value = is_real ? number->real : (double)number->whole;
    if (json->error != NULL || in_range(number, value))
        return CNN_OK;
    return cnni_source_fail(source, CNN_ERROR_FORMAT, "%s is %.15g, must be %.15g to %.15g",
                            number->name, value, number->low, number->high);
}

cnn_status cnni_state_read_numbers(struct cnni_state *state, struct cnni_json *json,
                                   const struct cnni_source *source)
{
    struct cnni_json_string key;
    int32_t count = 0;
    cnni_json_object(json);
    for (; cnni_json_next_member(json, &key); count++) {
        if (count == state->number_count || !cnni_json_equal(key, state->numbers[count].name)) {
            cnni_json_fail(json, "a number that is unknown or not in its place");
            return CNN_OK;
        }
        CNNI_TRY(read_number(&state->numbers[count], json, source));
    }
    if (count < state->number_count)
        cnni_json_fail(json, "a number that is missing");
    return CNN_OK;
}

/* ---- Arrays ---- */

cnn_status cnni_state_check_arrays(const struct cnni_state *state,
                                   const struct cnni_safetensors *file)
{
    char shown[CNNI_STATE_NAME], is[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    if (file->count != state->array_count)
        return cnni_source_fail(&file->source, CNN_ERROR_FORMAT, "has %d tensors, must have %d",
                                file->count, state->array_count);
    for (int32_t i = 0; i < state->array_count; i++) {
        const struct cnni_state_array *array = &state->arrays[i];
        const struct cnni_stored_tensor *tensor = &file->tensors[i];
        if (strcmp(tensor->name, array->name) != 0 ||
            !cnni_shape_equal(&tensor->shape, &array->parameter->shape))
            return cnni_source_fail(
                &file->source, CNN_ERROR_FORMAT, "tensor %d is \"%s\" %s, must be \"%s\" %s", i,
                cnni_show_bytes(shown, sizeof shown, tensor->name, strlen(tensor->name)),
                cnni_shape_text(is, &tensor->shape), array->name,
                cnni_shape_text(wanted, &array->parameter->shape));
    }
    return CNN_OK;
}

size_t cnni_state_largest(const struct cnni_state *state)
{
    int64_t largest = 0;
    for (int32_t i = 0; i < state->array_count; i++)
        largest = CNNI_MAX(largest, state->arrays[i].parameter->count);
    return (size_t)largest;
}

void cnni_state_store(const struct cnni_state *state, const struct cnni_safetensors *file,
                      float *work)
{
    for (int32_t i = 0; i < state->number_count; i++)
        store_number(&state->numbers[i]);
    for (int32_t i = 0; i < state->array_count; i++) {
        const struct cnni_state_array *array = &state->arrays[i];
        cnni_load_floats(work, file->tensors[i].bytes, (size_t)array->parameter->count);
        cnni_parameter_import(array->values, array->parameter, work);
    }
}
