/* SPDX-License-Identifier: MIT
 * Files of weights, models for them, and what is expected of loading. */
#ifndef SUPPORT_WEIGHTS_FILES_H
#define SUPPORT_WEIGHTS_FILES_H

#include "cnn.h"

/* The bytes of a safetensors file of that header and those values.  Freed with free(). */
char *weights_file(size_t *size, const char *header, const void *values, size_t values_size);

/* [2] -> dense 2, "last", with "last.weight" [2][2] and "last.bias" [2]. */
cnn_model *weights_model(cnn_context *context);

/* Loads a copy of exactly `size` bytes, so that the sanitizers see a step too far. */
cnn_status weights_load(cnn_model *model, const char *bytes, size_t size, cnn_weights *weights);

/* The same from a header and values. */
cnn_status weights_load_made(cnn_model *model, const char *header, const void *values,
                             size_t values_size, cnn_weights *weights);

/* The same with weights_model()'s parameters, called so in the file, with values 1 to 6; and
 * whether the model has these now. */
cnn_status weights_load_named(cnn_model *model, cnn_weights *weights, const char *weight,
                              const char *bias);
void expect_weights_loaded(cnn_model *model, cnn_context *context);

/* The network of fixtures/make_weights_fixtures.py; NULL leaves a layer the name that it gets by
 * itself.  The rules for those names, and loading one of the fixtures. */
cnn_model *weights_network(cnn_context *context, const char *conv, const char *dense);
void weights_map_network(cnn_weights *weights);
cnn_status weights_load_fixture(cnn_model *model, const char *name, cnn_weights *weights);

/* How many names had each outcome; and name and text of number `index` of one. */
void expect_outcomes(const cnn_weights *weights, int32_t missing, int32_t unexpected,
                     int32_t mismatched, int32_t skipped, int32_t kept, int32_t loaded);
void expect_outcome(const cnn_weights *weights, cnn_weights_outcome outcome, int32_t index,
                    const char *name, const char *text);

/* A copy of a parameter's values: `count` of them. */
void weights_get(cnn_model *model, cnn_context *context, const char *name, float *values,
                 int64_t count);

#endif
