/* SPDX-License-Identifier: MIT
 * Tensors for tests. */
#include "support/tensors.h"

#include <math.h>
#include <stdlib.h>

#include "support/expect.h"

cnn_tensor *tensor_new(cnn_context *context, cnn_dtype dtype, const int64_t *shape, int32_t rank)
{
    cnn_tensor *tensor;
    EXPECT_OK(cnn_tensor_create(&tensor, context, dtype, shape, rank));
    return tensor;
}

cnn_tensor *tensor_like(cnn_context *context, const cnn_tensor *other)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = cnn_tensor_rank(other);
    for (int32_t i = 0; i < rank; i++)
        shape[i] = cnn_tensor_dim(other, i);
    return tensor_new(context, CNN_FLOAT32, shape, rank);
}

float *floats(cnn_tensor *tensor)
{
    if (cnn_tensor_dtype(tensor) != CNN_FLOAT32)
        ck_abort_msg("no float32 tensor");
    return cnn_tensor_data(tensor);
}

int32_t *labels(cnn_tensor *tensor)
{
    if (cnn_tensor_dtype(tensor) != CNN_INT32)
        ck_abort_msg("no int32 tensor");
    return cnn_tensor_data(tensor);
}

/* SplitMix64 (Steele et al. 2014). */
void fill_floats(float *values, int64_t count, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u;
    for (int64_t i = 0; i < count; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        values[i] = (float)((int64_t)(z >> 43) - (1 << 20)) * 0x1p-20f;
    }
}

void fill_tensor(cnn_tensor *tensor, uint64_t seed)
{
    fill_floats(floats(tensor), cnn_tensor_count(tensor), seed);
}

/* ---- Comparing ----------------------------------------------------------------------------- */

static double largest(const double *values, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            most = fmax(most, fabs(values[i]));
    return most;
}

static int matches(double got, double wanted, double allowed)
{
    return got == wanted || fabs(got - wanted) <= allowed || (isnan(got) && isnan(wanted));
}

void expect_close(const char *what, const float *got, const double *wanted, int64_t count,
                  double tolerance)
{
    double allowed = tolerance * largest(wanted, count);
    for (int64_t i = 0; i < count; i++)
        if (!matches((double)got[i], wanted[i], allowed))
            ck_abort_msg("%s: element %lld of %lld is %.9g, must be %.9g within %.3g", what,
                         (long long)i, (long long)count, (double)got[i], wanted[i], allowed);
}

static void expect_same_shape(const char *what, const cnn_tensor *got, const cnn_tensor *wanted)
{
    ck_assert_msg(cnn_tensor_rank(got) == cnn_tensor_rank(wanted), "%s: rank %d, must be %d", what,
                  cnn_tensor_rank(got), cnn_tensor_rank(wanted));
    for (int32_t i = 0; i < cnn_tensor_rank(got); i++)
        ck_assert_msg(cnn_tensor_dim(got, i) == cnn_tensor_dim(wanted, i),
                      "%s: dimension %d is %lld, must be %lld", what, i,
                      (long long)cnn_tensor_dim(got, i), (long long)cnn_tensor_dim(wanted, i));
}

void expect_tensor_close(const char *what, const cnn_tensor *got, const cnn_tensor *wanted,
                         double tolerance)
{
    expect_same_shape(what, got, wanted);
    int64_t count = cnn_tensor_count(wanted);
    const float *values = cnn_tensor_const_data(wanted);
    double *doubles = malloc((size_t)count * sizeof *doubles);
    ck_assert_ptr_nonnull(doubles);
    for (int64_t i = 0; i < count; i++)
        doubles[i] = (double)values[i];
    expect_close(what, cnn_tensor_const_data(got), doubles, count, tolerance);
    free(doubles);
}

void expect_tensor_equal(const char *what, const cnn_tensor *got, const cnn_tensor *wanted)
{
    expect_tensor_close(what, got, wanted, 0);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}
