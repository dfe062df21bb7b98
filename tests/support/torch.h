/* SPDX-License-Identifier: MIT
 * What PyTorch computed: the files that fixtures/make_torch_fixtures.py makes, which also describes
 * their form.  Arrays are found by case and name; one that is missing fails the test. */
#ifndef SUPPORT_TORCH_H
#define SUPPORT_TORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnn/tensor.h"

struct torch_array {
    const char *name; /* "case/array", not ended by a zero byte */
    size_t name_length;
    cnn_dtype dtype; /* CNN_FLOAT32 or CNN_INT32 */
    int32_t rank;
    int64_t shape[CNN_MAX_RANK];
    int64_t count;
    const void *values; /* no alignment */
};

/* Opens tests/fixtures/torch/NAME.bin for the rest of the test program; one at a time. */
void torch_open(const char *name);

/* The array `name` of case `name`; and whether there is one. */
struct torch_array torch_array(const char *of_case, const char *name);
bool torch_has(const char *of_case, const char *name);

/* A new tensor with an array's values, as they are; and with [n][c][h][w] made [n][h][w][c]
 * where the array has rank 4. */
cnn_tensor *torch_tensor(cnn_context *context, const char *of_case, const char *name);
cnn_tensor *torch_tensor_nhwc(cnn_context *context, const char *of_case, const char *name);

/* A number of an array. */
double torch_number(const char *of_case, const char *name, int64_t index);

#endif
