/* SPDX-License-Identifier: MIT
 * What a model holds. */
#ifndef CNNI_MODEL_H
#define CNNI_MODEL_H

#include <stdatomic.h>

#include "base/lock.h"
#include "cnn/model.h"
#include "layers/layer_gate.h"
#include "layers/layer_internal.h"

/* One layer in the graph. */
struct cnni_node {
    cnn_layer *layer;         /* shared */
    struct cnni_shape output; /* of one sample */
    struct cnni_shape origin; /* what those values were before a flatten; else `output` */
    int32_t *inputs;          /* numbers of nodes, or CNN_MODEL_INPUT */
    int32_t input_count;
    int32_t consumers; /* how many inputs of other nodes this is */
};

struct cnn_model {
    atomic_int references;
    cnn_context *context;
    struct cnni_shape input;
    struct cnni_node *nodes;
    int32_t node_count, node_room;
    atomic_bool closed;  /* a session or trainer exists or existed: no layer can be added */
    atomic_bool trained; /* a trainer has it */

    struct cnni_weight_gate *gate; /* who is using the weights; shared with the layers */
    struct cnni_lock packing;      /* held while packed weights are made or refreshed */

    char **classes;
    int32_t class_count;
    float *mean, *deviation; /* [channels] for picture-shaped inputs, else NULL */

    char **parameter_names; /* "layer.weight", in the order of the layers */
    int32_t parameter_count;
};

/* As the public functions, with the name of the one that was called for the text. */
cnn_status cnni_model_create(cnn_model **model, cnn_context *context, const int64_t *shape,
                             int32_t rank, const char *function);
cnn_status cnni_model_add(cnn_model *model, cnn_layer *layer, const int32_t *inputs,
                          int32_t input_count, const char *function);
cnn_status cnni_model_set_classes(cnn_model *model, const char *const *names, int32_t count,
                                  const char *function);

cnn_model *cnni_model_share(cnn_model *model);

/* Frees `count` texts and their array. */
void cnni_free_texts(cnn_context *context, char **texts, int32_t count);

/* Channels of a picture-shaped input [h][w][c]; 0 for other inputs. */
int32_t cnni_model_channels(const cnn_model *model);

/* The shapes of the nodes numbered `inputs`, of one sample. */
void cnni_model_input_shapes(struct cnni_shape *shapes, const cnn_model *model,
                             const int32_t *inputs, int32_t input_count);

/* No layer can be added any more. */
void cnni_model_close(cnn_model *model);

/* CNN_ERROR_STATE for a model without layers, or with an output that nobody takes. */
cnn_status cnni_model_check_complete(const cnn_model *model, const char *function);

#endif
