/* SPDX-License-Identifier: MIT
 * What the files that write and read models share: model_save.c, model_load.c, model_load_layers.c,
 * weights_save.c.
 * The text of the graph is described in the first, the container in safetensors.h. */
#ifndef CNNI_MODEL_FILE_H
#define CNNI_MODEL_FILE_H

#include "base/json_reader.h"
#include "model/model_internal.h"
#include "model/safetensors.h"
#include "model/training_state.h"

/* The number "format" of the graph's text.  It grows with every change that an older version would
 * misunderstand; files with lower numbers are read for ever. */
enum { CNNI_MODEL_FORMAT = 1 };

/* ---- Writing ---- */

/* Adds the parameters to a table of state, in the order of files. */
void cnni_model_list_state(const cnn_model *model, struct cnni_state *state);

/* Writes the graph as the file's text has it, with a checksum for each of `count` tensors. */
void cnni_model_put_graph(struct cnni_json_writer *json, const cnn_model *model,
                          const uint32_t *crcs, int32_t count);

/* A file's bytes: the graph, the arrays of `state`, the model's own first, and, where `checkpoint`
 * is not NULL, that text about the others.  CNN_ERROR_STATE: no layers, or somebody is changing the
 * weights. */
cnn_status cnni_model_write(cnn_tensor **bytes, const cnn_model *model,
                            const struct cnni_state *state,
                            const struct cnni_json_writer *checkpoint, const char *function);

/* Replaces the file at `path` by `bytes`. */
cnn_status cnni_model_write_file(const cnn_tensor *bytes, const char *path, const char *function);

/* ---- Reading ---- */

/* A model on its way out of a file. */
struct cnni_loading {
    struct cnni_source source;
    struct cnni_safetensors file;
    struct cnni_json json; /* reads the graph */
    char *text;            /* room for any string of the graph, or all of one array */
    cnn_model *model;
    int32_t tensors; /* that layers have been made for */
};

/* Reads the next of the graph's checksums, which must be that of `tensor`. */
cnn_status cnni_check_tensor(struct cnni_json *json, const struct cnni_source *source,
                             const struct cnni_stored_tensor *tensor);

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
