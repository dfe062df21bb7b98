/* SPDX-License-Identifier: MIT
 * Tensors for tests: made in one line, filled with numbers that are the same everywhere,
 * compared. */
#ifndef SUPPORT_TENSORS_H
#define SUPPORT_TENSORS_H

#include <stdint.h>

#include "cnn/tensor.h"

/* A new tensor of zeros: TENSOR(context, CNN_FLOAT32, 2, 3) is [2][3]. */
#define TENSOR(context, dtype, ...)                                                                \
    tensor_new(context, dtype, (const int64_t[]){__VA_ARGS__},                                     \
               (int32_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
cnn_tensor *tensor_new(cnn_context *context, cnn_dtype dtype, const int64_t *shape, int32_t rank);

/* A new float32 tensor of another's shape. */
cnn_tensor *tensor_like(cnn_context *context, const cnn_tensor *other);

/* The elements of a float32 tensor; of an int32 one. */
float *floats(cnn_tensor *tensor);
int32_t *labels(cnn_tensor *tensor);

/* Evenly distributed numbers in -1 <= x < 1, multiples of 2^-20, that depend on `seed` alone. */
void fill_floats(float *values, int64_t count, uint64_t seed);
void fill_tensor(cnn_tensor *tensor, uint64_t seed);

/* Fails the test unless every element of `got` is within `tolerance` times the largest element of
 * `wanted` from it; NaN matches NaN, and an infinity itself.  `what` names the array. */
void expect_close(const char *what, const float *got, const double *wanted, int64_t count,
                  double tolerance);
void expect_tensor_close(const char *what, const cnn_tensor *got, const cnn_tensor *wanted,
                         double tolerance);

/* Fails the test unless all elements are equal (0 equals -0, NaN equals NaN). */
void expect_tensor_equal(const char *what, const cnn_tensor *got, const cnn_tensor *wanted);

/* FNV-1a over bytes, to compare many at once; `hash` is that of what came before, or HASH_START. */
#define HASH_START 0xcbf29ce484222325u
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);

#endif
