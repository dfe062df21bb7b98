/* SPDX-License-Identifier: MIT
 * Who is using the weights of a model. */
#include "layers/layer_gate.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/memory.h"

enum { WRITER = -1 };

struct cnni_gate {
    atomic_int references;
    atomic_int readers; /* how many are reading, or WRITER */
    cnn_context *context;
};

cnn_status cnni_gate_create(struct cnni_gate **gate, cnn_context *context, const char *function)
{
    CNNI_TRY(cnni_alloc_zero(gate, context, 1, sizeof **gate, function));
    atomic_init(&(*gate)->references, 1);
    (*gate)->context = context;
    return CNN_OK;
}

struct cnni_gate *cnni_gate_share(struct cnni_gate *gate)
{
    atomic_fetch_add_explicit(&gate->references, 1, memory_order_relaxed);
    return gate;
}

void cnni_gate_release(struct cnni_gate *gate)
{
    if (gate != NULL && atomic_fetch_sub_explicit(&gate->references, 1, memory_order_acq_rel) == 1)
        cnni_free(gate->context, gate);
}

static cnn_status fail_writing(const struct cnni_gate *gate, const char *function)
{
    return cnni_fail(gate->context, CNN_ERROR_STATE,
                     "%s: the model is in the middle of a training step or of setting a parameter",
                     function);
}

cnn_status cnni_gate_enter_reading(struct cnni_gate *gate, const char *function)
{
    int readers = atomic_load(&gate->readers);
    do
        if (readers == WRITER)
            return fail_writing(gate, function);
    while (!atomic_compare_exchange_weak(&gate->readers, &readers, readers + 1));
    return CNN_OK;
}

void cnni_gate_leave_reading(struct cnni_gate *gate)
{
    atomic_fetch_sub(&gate->readers, 1);
}

cnn_status cnni_gate_enter_writing(struct cnni_gate *gate, const char *function)
{
    int readers = 0;
    if (atomic_compare_exchange_strong(&gate->readers, &readers, WRITER))
        return CNN_OK;
    if (readers == WRITER)
        return fail_writing(gate, function);
    return cnni_fail(gate->context, CNN_ERROR_STATE,
                     "%s: %d other calls are reading the model's weights", function, readers);
}

void cnni_gate_leave_writing(struct cnni_gate *gate)
{
    atomic_store(&gate->readers, 0);
}
