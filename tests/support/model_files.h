/* SPDX-License-Identifier: MIT
 * What the tests of model files share: a small model, and files as bytes. */
#ifndef SUPPORT_MODEL_FILES_H
#define SUPPORT_MODEL_FILES_H

#include "cnn.h"

/* Few bytes, for tests that try every one: [2] -> dense 2. */
cnn_model *model_small(cnn_context *context);

/* The bytes of the model's file.  Freed with free(). */
char *model_bytes(const cnn_model *model, size_t *size);

/* Loads a copy of exactly `size` bytes, so that the sanitizers see a step too far. */
cnn_status model_from_bytes(cnn_model **model, cnn_context *context, const char *bytes,
                            size_t size);

/* Fails the test unless loading is refused as damaged, with a text of one line.  `place` is for the
 * report. */
void expect_damaged(cnn_context *context, const char *bytes, size_t size, size_t place);

#endif
