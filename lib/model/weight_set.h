/* SPDX-License-Identifier: MIT
 * A second set of a model's weights: one array for each of its parameters, trained or not, in the
 * order of their names; or for its running statistics alone, with NULL for the others.  What
 * changes the model's own is called inside its gate. */
#ifndef CNNI_WEIGHT_SET_H
#define CNNI_WEIGHT_SET_H

#include "model/model_internal.h"
#include "model/training_state.h"

/* Allocates a set, of zeros. */
cnn_status cnni_weight_set_create(float ***weights, const cnn_model *model, const char *function);
cnn_status cnni_weight_set_create_statistics(float ***weights, const cnn_model *model,
                                             const char *function);
void cnni_weight_set_free(float **weights, const cnn_model *model); /* NULL: nothing */

/* Bytes of a set; 0 for NULL. */
size_t cnni_weight_set_bytes(float *const *weights, const cnn_model *model);

/* Copies the model's weights into a set; and a set, of all weights, into the model. */
void cnni_weight_set_keep(float *const *weights, const cnn_model *model);
void cnni_weight_set_put_back(cnn_model *model, float *const *weights);

/* Adds a set, where there is one, to a table of state: as `kind` beside the model's own weights,
 * or, with NULL, in their place. */
void cnni_weight_set_list(float *const *weights, const char *kind, const cnn_model *model,
                          struct cnni_state *state);

/* Changes places: the model has what is in the set, the set what the model had. */
void cnni_weight_set_swap(float **weights, cnn_model *model);

#endif
