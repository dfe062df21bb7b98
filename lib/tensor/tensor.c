/* SPDX-License-Identifier: MIT
 * The tensor handle: memory of its own or the caller's, and the few operations on whole arrays.
 * Shapes as values are in shape.c. */
#include <math.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "ops/op_transpose.h"
#include "tensor/tensor_internal.h"

/* Element types: `low` and `high` bound what a fill may store. */
static const struct {
    const char *name;
    size_t size;
    double low, high;
} dtypes[] = {
    [CNN_FLOAT32] = {"float32", 4, -INFINITY, INFINITY},
    [CNN_UINT8] = {"uint8", 1, 0, 255},
    [CNN_INT32] = {"int32", 4, INT32_MIN, INT32_MAX},
};

static bool is_dtype(cnn_dtype dtype)
{
    return dtype >= 1 && dtype < CNNI_COUNT(dtypes);
}

const char *cnn_dtype_name(cnn_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].name : "unknown type";
}

size_t cnn_dtype_size(cnn_dtype dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

/* A tensor of checked shape without elements. */
static cnn_status make(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                       const int64_t *shape, int32_t rank, const char *function)
{
    struct cnni_shape checked;
    if (tensor == NULL)
        return cnni_fail_null(context, function, "tensor");
    *tensor = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, function, "context");
    if (!is_dtype(dtype))
        return cnni_fail(context, CNN_ERROR_INVALID,
                         "%s: dtype is %d, must be CNN_FLOAT32, CNN_UINT8 or CNN_INT32", function,
                         dtype);
    CNNI_TRY(cnni_shape_set(&checked, context, shape, rank, function));
    CNNI_TRY(cnni_alloc_zero(tensor, context, 1, sizeof **tensor, function));
    cnni_context_share(context);
    atomic_init(&(*tensor)->references, 1);
    (*tensor)->context = context;
    (*tensor)->dtype = dtype;
    (*tensor)->shape = checked;
    (*tensor)->count = cnni_shape_count(&checked);
    return CNN_OK;
}

cnn_status cnni_tensor_create(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                              const int64_t *shape, int32_t rank, const char *function)
{
    CNNI_TRY(make(tensor, context, dtype, shape, rank, function));
    cnn_status status = cnni_alloc_zero(&(*tensor)->data, context, (size_t)(*tensor)->count,
                                        dtypes[dtype].size, function);
    if (status != CNN_OK) {
        cnn_tensor_free(*tensor);
        *tensor = NULL;
    }
    return status;
}

cnn_status cnn_tensor_create(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                             const int64_t *shape, int32_t rank)
{
    return cnni_tensor_create(tensor, context, dtype, shape, rank, __func__);
}

cnn_status cnn_tensor_wrap(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                           const int64_t *shape, int32_t rank, void *data,
                           cnn_tensor_release_fn release, void *user)
{
    if (tensor != NULL)
        *tensor = NULL;
    if (data == NULL)
        return cnni_fail_null(context, __func__, "data");
    if (is_dtype(dtype) && (uintptr_t)data % dtypes[dtype].size != 0)
        return cnni_fail(context, CNN_ERROR_INVALID, "%s: data is not aligned to %zu bytes",
                         __func__, dtypes[dtype].size);
    CNNI_TRY(make(tensor, context, dtype, shape, rank, __func__));
    (*tensor)->data = data;
    (*tensor)->wrapped = true;
    (*tensor)->release = release;
    (*tensor)->release_user = user;
    return CNN_OK;
}

cnn_tensor *cnni_tensor_share(cnn_tensor *tensor)
{
    atomic_fetch_add_explicit(&tensor->references, 1, memory_order_relaxed);
    return tensor;
}

void cnn_tensor_free(cnn_tensor *tensor)
{
    if (tensor == NULL ||
        atomic_fetch_sub_explicit(&tensor->references, 1, memory_order_acq_rel) != 1)
        return;
    cnn_context *context = tensor->context;
    if (!tensor->wrapped)
        cnni_free(context, tensor->data);
    else if (tensor->release != NULL)
        tensor->release(tensor->release_user, tensor->data);
    cnni_free(context, tensor);
    cnni_context_release(context);
}

cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor)
{
    return tensor == NULL ? 0 : tensor->dtype;
}

int32_t cnn_tensor_rank(const cnn_tensor *tensor)
{
    return tensor == NULL ? 0 : tensor->shape.rank;
}

int64_t cnn_tensor_count(const cnn_tensor *tensor)
{
    return tensor == NULL ? 0 : tensor->count;
}

size_t cnn_tensor_bytes(const cnn_tensor *tensor)
{
    return tensor == NULL ? 0 : (size_t)tensor->count * dtypes[tensor->dtype].size;
}

int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis)
{
    int32_t rank = cnn_tensor_rank(tensor);
    if (axis < -rank || axis >= rank)
        return 0;
    return tensor->shape.dim[axis < 0 ? axis + rank : axis];
}

void *cnn_tensor_data(cnn_tensor *tensor)
{
    return tensor == NULL ? NULL : tensor->data;
}

const void *cnn_tensor_const_data(const cnn_tensor *tensor)
{
    return tensor == NULL ? NULL : tensor->data;
}

cnn_status cnn_tensor_reshape(cnn_tensor *tensor, const int64_t *shape, int32_t rank)
{
    struct cnni_shape wanted;
    char old_text[CNNI_SHAPE_TEXT], new_text[CNNI_SHAPE_TEXT];
    if (tensor == NULL)
        return cnni_fail_null(NULL, __func__, "tensor");
    CNNI_TRY(cnni_shape_set(&wanted, tensor->context, shape, rank, __func__));
    if (cnni_shape_count(&wanted) != tensor->count)
        return cnni_fail(tensor->context, CNN_ERROR_SHAPE,
                         "%s: the tensor is %s, another number of elements than %s", __func__,
                         cnni_shape_text(old_text, &tensor->shape),
                         cnni_shape_text(new_text, &wanted));
    tensor->shape = wanted;
    return CNN_OK;
}

cnn_status cnn_tensor_fill(cnn_tensor *tensor, double value)
{
    if (tensor == NULL)
        return cnni_fail_null(NULL, __func__, "tensor");
    bool whole = tensor->dtype != CNN_FLOAT32;
    /* Compilers move arithmetic, but not volatile accesses, across calls that change its
     * rounding. */
    volatile double given = value, result;
    struct cnni_float_state host;
    cnni_float_enter(&host);
    result = whole ? nearbyint(given) : (double)(float)given;
    cnni_float_leave(&host);
    const double rounded = result;
    if (whole && !(rounded >= dtypes[tensor->dtype].low && rounded <= dtypes[tensor->dtype].high))
        return cnni_fail(tensor->context, CNN_ERROR_INVALID, "%s: value is %g, must fit into %s",
                         __func__, value, dtypes[tensor->dtype].name);
    switch (tensor->dtype) {
    case CNN_UINT8: memset(tensor->data, (int)rounded, (size_t)tensor->count); break;
    case CNN_INT32:
        for (int64_t i = 0; i < tensor->count; i++)
            ((int32_t *)tensor->data)[i] = (int32_t)rounded;
        break;
    default:
        for (int64_t i = 0; i < tensor->count; i++)
            ((float *)tensor->data)[i] = (float)rounded;
    }
    return CNN_OK;
}

static cnn_status fail_pair(const char *function, const cnn_tensor *target,
                            const cnn_tensor *source, const char *wanted)
{
    char target_text[CNNI_SHAPE_TEXT], source_text[CNNI_SHAPE_TEXT];
    return cnni_fail(target->context, CNN_ERROR_SHAPE, "%s: target is %s %s and source %s %s, %s",
                     function, dtypes[target->dtype].name,
                     cnni_shape_text(target_text, &target->shape), dtypes[source->dtype].name,
                     cnni_shape_text(source_text, &source->shape), wanted);
}

cnn_status cnn_tensor_copy(cnn_tensor *target, const cnn_tensor *source)
{
    if (target == NULL)
        return cnni_fail_null(NULL, __func__, "target");
    if (source == NULL)
        return cnni_fail_null(target->context, __func__, "source");
    if (target->dtype != source->dtype || !cnni_shape_equal(&target->shape, &source->shape))
        return fail_pair(__func__, target, source, "must be of one type and shape");
    memmove(target->data, source->data, cnn_tensor_bytes(source));
    return CNN_OK;
}

/* Either conversion; `nhwc` and `nchw` are what the two arguments should be. */
static cnn_status convert(cnn_tensor *target, const cnn_tensor *source, const cnn_tensor *nhwc,
                          const cnn_tensor *nchw, const char *function)
{
    if (target == NULL)
        return cnni_fail_null(NULL, function, "target");
    if (source == NULL)
        return cnni_fail_null(target->context, function, "source");
    const int64_t *a = nhwc->shape.dim, *b = nchw->shape.dim;
    if (nhwc->dtype != nchw->dtype || nhwc->shape.rank != 4 || nchw->shape.rank != 4 ||
        a[0] != b[0] || a[1] != b[2] || a[2] != b[3] || a[3] != b[1])
        return fail_pair(function, target, source, "must be [n][h][w][c] and [n][c][h][w]");
    if (target->data == source->data)
        return cnni_fail(target->context, CNN_ERROR_INVALID,
                         "%s: target and source are the same memory, must be two", function);
    const bool to_nchw = target == nchw;
    const int64_t pixels = a[1] * a[2], channels = a[3];
    cnni_transpose_planes(target->context, cnni_lanes(target->context), a[0],
                          to_nchw ? pixels : channels, to_nchw ? channels : pixels,
                          (int32_t)dtypes[nhwc->dtype].size, target->data, source->data);
    return CNN_OK;
}

cnn_status cnn_tensor_from_nchw(cnn_tensor *nhwc, const cnn_tensor *nchw)
{
    return convert(nhwc, nchw, nhwc, nchw, __func__);
}

cnn_status cnn_tensor_to_nchw(cnn_tensor *nchw, const cnn_tensor *nhwc)
{
    return convert(nchw, nhwc, nhwc, nchw, __func__);
}

cnn_status cnni_tensor_check_batch(int64_t *n, cnn_context *context, const cnn_tensor *tensor,
                                   cnn_dtype dtype, const struct cnni_shape *sample, int64_t max_n,
                                   const char *function, const char *what)
{
    if (tensor == NULL)
        return cnni_fail_null(context, function, what);
    struct cnni_shape rest = {.rank = tensor->shape.rank - 1};
    memcpy(rest.dim, tensor->shape.dim + 1, sizeof rest.dim - sizeof rest.dim[0]);
    char found[CNNI_SHAPE_TEXT], wanted[CNNI_SHAPE_TEXT];
    if (tensor->dtype != dtype || !cnni_shape_equal(&rest, sample))
        return cnni_fail(context, CNN_ERROR_SHAPE, "%s: %s is %s %s, must be %s [n]%s", function,
                         what, dtypes[tensor->dtype].name, cnni_shape_text(found, &tensor->shape),
                         dtypes[dtype].name, cnni_shape_text(wanted, sample));
    if (tensor->shape.dim[0] > max_n)
        return cnni_fail(context, CNN_ERROR_SHAPE,
                         "%s: %s has %lld samples, must have at most %lld", function, what,
                         (long long)tensor->shape.dim[0], (long long)max_n);
    *n = tensor->shape.dim[0];
    return CNN_OK;
}

cnn_status cnni_tensor_check_samples(int64_t n, cnn_context *context, const cnn_tensor *tensor,
                                     cnn_dtype dtype, const struct cnni_shape *sample,
                                     const char *function, const char *what)
{
    int64_t found = 0;
    CNNI_TRY(
        cnni_tensor_check_batch(&found, context, tensor, dtype, sample, INT64_MAX, function, what));
    if (found == n)
        return CNN_OK;
    return cnni_fail(context, CNN_ERROR_SHAPE, "%s: %s has %lld samples, must have %lld", function,
                     what, (long long)found, (long long)n);
}

cnn_status cnni_tensor_check_apart(const cnn_tensor *tensor, const char *what,
                                   const cnn_tensor *other, const char *other_what,
                                   const char *function)
{
    const uintptr_t first = (uintptr_t)tensor->data, second = (uintptr_t)other->data;
    if (first >= second + cnn_tensor_bytes(other) || second >= first + cnn_tensor_bytes(tensor))
        return CNN_OK;
    return cnni_fail(tensor->context, CNN_ERROR_INVALID,
                     "%s: %s and %s share the same memory, must be two", function, what,
                     other_what);
}
