/* SPDX-License-Identifier: MIT
 * The taps of one axis of op_resample.h: which inputs each output reads, and how much of them; and
 * the same the other way round. */
#ifndef CNNI_OP_RESAMPLE_AXIS_H
#define CNNI_OP_RESAMPLE_AXIS_H

#include "kernels/kernels.h"
#include "ops/op_resample.h"

/* Output o has the taps first[o] to first[o + 1] - 1, in the order of what they read. */
struct cnni_resample_taps {
    int64_t *first; /* [outputs + 1], or [inputs + 1] where turned round */
    struct cnni_resample_tap *taps;
};

/* Adds the room of an axis, in either direction; false where no size_t can hold it. */
bool cnni_resample_add_bytes(size_t *bytes, const struct cnni_resample_axis *axis);

/* Lays out and fills the taps of an axis in `memory`, their places `step` floats apart; `turned`
 * for backward.  Returns the memory behind them. */
void *cnni_resample_fill(struct cnni_resample_taps *taps, const struct cnni_resample_axis *axis,
                         int64_t step, bool turned, void *memory);

#endif
