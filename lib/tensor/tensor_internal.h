/* SPDX-License-Identifier: MIT
 * What a tensor holds, and shapes as values. */
#ifndef CNNI_TENSOR_H
#define CNNI_TENSOR_H

#include <stdatomic.h>

#include "base/base.h"
#include "cnn/tensor.h"

/* A shape.  Within models and layers the batch dimension is left out. */
struct cnni_shape {
    int32_t rank;
    int64_t dim[CNN_MAX_RANK];
};

struct cnn_tensor {
    atomic_int references;
    cnn_context *context;
    cnn_dtype dtype;
    struct cnni_shape shape;
    int64_t count; /* elements */
    void *data;
    bool wrapped; /* `data` is the caller's */
    cnn_tensor_release_fn release;
    void *release_user;
};

/* As cnn_tensor_create(), with the name of the public function for the text. */
cnn_status cnni_tensor_create(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                              const int64_t *shape, int32_t rank, const char *function);

/* Another reference; returns `tensor`. */
cnn_tensor *cnni_tensor_share(cnn_tensor *tensor);

/* Fills `shape` from an argument; CNN_ERROR_SHAPE or CNN_ERROR_INVALID with `function` in the text.
 * Afterwards the number of elements, with 8 bytes each, is known to fit into an int64_t. */
cnn_status cnni_shape_set(struct cnni_shape *shape, cnn_context *context, const int64_t *dims,
                          int32_t rank, const char *function);

/* The number of elements; `shape` has been checked. */
int64_t cnni_shape_count(const struct cnni_shape *shape);

bool cnni_shape_equal(const struct cnni_shape *a, const struct cnni_shape *b);

/* Writes "[32][64][64][3]" for messages; returns `text`. */
enum { CNNI_SHAPE_TEXT = 192 };
const char *cnni_shape_text(char text[CNNI_SHAPE_TEXT], const struct cnni_shape *shape);

/* CNN_OK when `tensor` is of `dtype` and [n][sample], 1 <= n <= max_n; writes n.  `what` names it
 * in the text ("input"), `function` the public call. */
cnn_status cnni_tensor_check_batch(int64_t *n, cnn_context *context, const cnn_tensor *tensor,
                                   cnn_dtype dtype, const struct cnni_shape *sample, int64_t max_n,
                                   const char *function, const char *what);

/* The same for exactly `n` samples. */
cnn_status cnni_tensor_check_samples(int64_t n, cnn_context *context, const cnn_tensor *tensor,
                                     cnn_dtype dtype, const struct cnni_shape *sample,
                                     const char *function, const char *what);

/* CNN_ERROR_INVALID when two tensors, `what` and `other_what` in the text, share memory. */
cnn_status cnni_tensor_check_apart(const cnn_tensor *tensor, const char *what,
                                   const cnn_tensor *other, const char *other_what,
                                   const char *function);

#endif
