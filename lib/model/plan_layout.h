/* SPDX-License-Identifier: MIT
 * Where the buffers of a plan lie in its arena. */
#ifndef CNNI_PLAN_LAYOUT_H
#define CNNI_PLAN_LAYOUT_H

#include "model/plan.h"

/* Sets the offsets, so that no two buffers that live at the same time overlap, and writes the size
 * of the arena.  CNN_ERROR_SHAPE when it is more than a size_t counts. */
cnn_status cnni_plan_layout(size_t *arena_bytes, struct cnni_buffer *buffers, int32_t count,
                            cnn_context *context, const char *function);

#endif
