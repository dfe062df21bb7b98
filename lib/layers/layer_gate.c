/* SPDX-License-Identifier: MIT
 * The gate that a model and its layers share. */
#include "layers/layer_gate.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/lock.h"
#include "base/memory.h"

struct cnni_weight_gate {
    atomic_int references;
    struct cnni_gate gate;
    cnn_context *context;
};

cnn_status cnni_weight_gate_create(struct cnni_weight_gate **gate, cnn_context *context,
                                   const char *function)
{
    CNNI_TRY(cnni_alloc_zero(gate, context, 1, sizeof **gate, function));
    atomic_init(&(*gate)->references, 1);
    (*gate)->context = context;
    return CNN_OK;
}

struct cnni_weight_gate *cnni_weight_gate_share(struct cnni_weight_gate *gate)
{
    atomic_fetch_add_explicit(&gate->references, 1, memory_order_relaxed);
    return gate;
}

void cnni_weight_gate_release(struct cnni_weight_gate *gate)
{
    if (gate != NULL && atomic_fetch_sub_explicit(&gate->references, 1, memory_order_acq_rel) == 1)
        cnni_free(gate->context, gate);
}

/* Says who is in the way, as cnni_gate_users() counts. */
static cnn_status fail_entering(const struct cnni_weight_gate *gate, int32_t users,
                                const char *function)
{
    if (users > 0)
        return cnni_fail(gate->context, CNN_ERROR_STATE,
                         "%s: %d other calls are reading the model's weights", function, users);
    return cnni_fail(gate->context, CNN_ERROR_STATE,
                     "%s: the model is in the middle of a training step or of setting a parameter",
                     function);
}

cnn_status cnni_weight_gate_enter_reading(struct cnni_weight_gate *gate, const char *function)
{
    const int32_t users = cnni_gate_enter_reading(&gate->gate);
    return users == 0 ? CNN_OK : fail_entering(gate, users, function);
}

cnn_status cnni_weight_gate_enter_writing(struct cnni_weight_gate *gate, const char *function)
{
    const int32_t users = cnni_gate_enter_writing(&gate->gate);
    return users == 0 ? CNN_OK : fail_entering(gate, users, function);
}

void cnni_weight_gate_leave(struct cnni_weight_gate *gate)
{
    cnni_gate_leave(&gate->gate);
}
