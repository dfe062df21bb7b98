/* SPDX-License-Identifier: MIT
 * The gate before a model's weights: any number of calls may read them, or one may change them.
 * Nobody waits; who comes at a bad moment is told so.  The model and its layers share the gate, so
 * that a layer may outlive its model. */
#ifndef CNNI_LAYER_GATE_H
#define CNNI_LAYER_GATE_H

#include "cnn/context.h"

struct cnni_weight_gate;

/* The context is borrowed from those that share the gate. */
cnn_status cnni_weight_gate_create(struct cnni_weight_gate **gate, cnn_context *context,
                                   const char *function);
struct cnni_weight_gate *cnni_weight_gate_share(struct cnni_weight_gate *gate);

/* Gives up a reference; NULL does nothing. */
void cnni_weight_gate_release(struct cnni_weight_gate *gate);

/* Each successful enter is matched by its leave; CNN_ERROR_STATE when others are in the way. */
cnn_status cnni_weight_gate_enter_reading(struct cnni_weight_gate *gate, const char *function);
cnn_status cnni_weight_gate_enter_writing(struct cnni_weight_gate *gate, const char *function);
void cnni_weight_gate_leave(struct cnni_weight_gate *gate);

#endif
