/* SPDX-License-Identifier: MIT
 * Work on a long range, elements of an array or rows, cut into items of one size. */
#ifndef CNNI_OP_RANGE_H
#define CNNI_OP_RANGE_H

#include "base/base.h"
#include "cnn/context.h"

/* Does what is to be done for numbers first .. first + count - 1. */
typedef void cnni_range_fn(void *task, int64_t first, int64_t count);

/* Cuts 0 .. count - 1 into items of `size`, the last one smaller, and runs them as
 * cnni_parallel() does. */
void cnni_parallel_range(cnn_context *context, int32_t lanes, int64_t count, int64_t size,
                         cnni_range_fn *run, void *task);

#endif
