/* SPDX-License-Identifier: MIT
 * From items to ranges. */
#include "ops/op_range.h"

#include "base/parallel.h"

struct range {
    int64_t count, size;
    cnni_range_fn *run;
    void *task;
};

static void run_item(void *task, int64_t item, int32_t lane)
{
    (void)lane;
    const struct range *range = task;
    const int64_t first = item * range->size;
    range->run(range->task, first, CNNI_MIN(range->count - first, range->size));
}

void cnni_parallel_range(cnn_context *context, int32_t lanes, int64_t count, int64_t size,
                         cnni_range_fn *run, void *task)
{
    struct range range = {count, size, run, task};
    cnni_parallel(context, lanes, cnni_ceil_div(count, size), run_item, &range);
}
