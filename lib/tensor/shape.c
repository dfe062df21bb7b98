/* SPDX-License-Identifier: MIT
 * Shapes as values: checking, counting, comparing, showing. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tensor/tensor_internal.h"

cnn_status cnni_shape_set(struct cnni_shape *shape, cnn_context *context, const int64_t *dims,
                          int32_t rank, const char *function)
{
    if (dims == NULL)
        return cnni_fail_null(context, function, "shape");
    if (rank < 1 || rank > CNN_MAX_RANK)
        return cnni_fail(context, CNN_ERROR_SHAPE, "%s: rank is %d, must be 1 to %d", function,
                         rank, CNN_MAX_RANK);
    struct cnni_shape made = {.rank = rank};
    int64_t bytes = 8;
    bool fits = true;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 1)
            return cnni_fail(context, CNN_ERROR_SHAPE,
                             "%s: dimension %d is %lld, must be at least 1", function, i,
                             (long long)dims[i]);
        made.dim[i] = dims[i];
        fits = fits && cnni_mul_int64(&bytes, bytes, dims[i]);
    }
    if (!fits || bytes > PTRDIFF_MAX) {
        char text[CNNI_SHAPE_TEXT];
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: shape %s has more elements than memory can hold", function,
                         cnni_shape_text(text, &made));
    }
    *shape = made;
    return CNN_OK;
}

int64_t cnni_shape_count(const struct cnni_shape *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < shape->rank; i++)
        count *= shape->dim[i];
    return count;
}

bool cnni_shape_equal(const struct cnni_shape *a, const struct cnni_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

const char *cnni_shape_text(char text[CNNI_SHAPE_TEXT], const struct cnni_shape *shape)
{
    int used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < shape->rank; i++)
        used += snprintf(text + used, (size_t)(CNNI_SHAPE_TEXT - used), "[%lld]",
                         (long long)shape->dim[i]);
    return text;
}
