/* SPDX-License-Identifier: MIT
 * What the files that write and read models share: model_save.c, model_load.c, model_load_layers.c,
 * weights_save.c.
 * The text of the graph is described in the first, the container in safetensors.h. */
#ifndef CNNI_MODEL_FILE_H
#define CNNI_MODEL_FILE_H

#include "base/json_reader.h"
#include "model/model_internal.h"
#include "model/safetensors.h"

/* The number "format" of the graph's text.  It grows with every change that an older version would
 * misunderstand; files with lower numbers are read for ever. */
enum { CNNI_MODEL_FORMAT = 1 };

/* Replaces the file at `path` by these bytes. */
cnn_status cnni_model_write(const char *path, const cnn_tensor *bytes, const char *function);

/* A model on its way out of a file. */
struct cnni_loading {
    struct cnni_source source;
    struct cnni_safetensors file;
    struct cnni_json json; /* reads the graph */
    char *text;            /* room for any string of the graph, or all of one array */
    cnn_model *model;
    int32_t tensors; /* that layers have been made for */
};

/* Reads the layers and adds them to the model; their parameters are zeros. */
cnn_status cnni_loading_layers(struct cnni_loading *loading);

/* CNN_ERROR_FORMAT where the graph's text was not what the calls before asked for. */
cnn_status cnni_loading_check(const struct cnni_loading *loading);

/* Makes of a public function's refusal a fault of the file. */
cnn_status cnni_loading_blame(const struct cnni_loading *loading, cnn_status status);

/* Goes to the value of the next member, which must be `name`; to the end, where it must be. */
void cnni_loading_member(struct cnni_json *json, const char *name);
void cnni_loading_end(struct cnni_json *json);

/* Reads a string without zero bytes into `text`, "" after an error.  Returns its length. */
size_t cnni_loading_text(struct cnni_json *json, char *text);

/* The number of elements of the array that comes next, whatever they are. */
size_t cnni_loading_count(const struct cnni_json *json);

#endif
