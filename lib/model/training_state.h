/* SPDX-License-Identifier: MIT
 * What a training is made of, as a table: numbers and arrays that a checkpoint keeps and that
 * resuming puts back.  Whatever has a part in it has a function cnni_<noun>_list_state() that adds
 * a line for each; nothing else knows them one by one.  What is chosen and not made, settings, is
 * in checkpoint_settings.c. */
#ifndef CNNI_TRAINING_STATE_H
#define CNNI_TRAINING_STATE_H

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "layers/layer_internal.h"
#include "model/safetensors.h"

/* The type of a number's variable. */
typedef int32_t cnni_number_type;
enum {
    CNNI_NUMBER_INT32 = 1,
    CNNI_NUMBER_INT64 = 2,
    CNNI_NUMBER_ATOMIC = 3, /* _Atomic int64_t */
    CNNI_NUMBER_REAL = 4    /* double */
};

enum { CNNI_STATE_NAME = 320 };

struct cnni_state_number {
    char name[64];
    cnni_number_type type;
    void *place;
    double low, high; /* both allowed; up to infinity also NaN and infinities are */
    int64_t whole;    /* read, not yet stored */
    double real;
};

/* Values in the layout of a parameter: its own, or such as are kept beside it. */
struct cnni_state_array {
    char name[CNNI_STATE_NAME];
    const struct cnni_parameter *parameter;
    float *values;
};

struct cnni_state {
    cnn_context *context;
    const char *function; /* for the text of a failure */
    cnn_status status;    /* the first failure; adding does nothing after it */
    struct cnni_state_number *numbers;
    struct cnni_state_array *arrays;
    int32_t number_count, number_room, array_count, array_room;
};

/* Begins an empty table, and frees one. */
void cnni_state_start(struct cnni_state *state, cnn_context *context, const char *function);
void cnni_state_free(struct cnni_state *state);

/* Adds a line.  Names differ, and stay what they are: files have them.  The variable is borrowed as
 * long as the table. */
void cnni_state_number(struct cnni_state *state, const char *name, cnni_number_type type,
                       void *place, double low, double high);

/* Adds an array beside the parameter called `owner`, or, with `kind` NULL, the parameter itself;
 * nothing where `values` is NULL. */
void cnni_state_array(struct cnni_state *state, const char *owner, const char *kind,
                      const struct cnni_parameter *parameter, float *values);

/* Writes the numbers as an object. */
void cnni_state_put_numbers(const struct cnni_state *state, struct cnni_json_writer *json);

/* Reads that object, which must have the table's numbers in its order and in their ranges; failures
 * are the reader's or set the text. */
cnn_status cnni_state_read_numbers(struct cnni_state *state, struct cnni_json *json,
                                   const struct cnni_source *source);

/* CNN_ERROR_FORMAT unless the file's tensors have the names and shapes of the table's arrays. */
cnn_status cnni_state_check_arrays(const struct cnni_state *state,
                                   const struct cnni_safetensors *file);

/* Puts what was read and checked into its places.  `work` has room for the largest array. */
void cnni_state_store(const struct cnni_state *state, const struct cnni_safetensors *file,
                      float *work);

/* Elements of the largest array. */
size_t cnni_state_largest(const struct cnni_state *state);

#endif
