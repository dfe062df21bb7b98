/* SPDX-License-Identifier: MIT
 * Tensors: every function of cnn/tensor.h with each of its documented errors, the memory it wraps,
 * and that a failure leaves everything as it was. */
#include <fenv.h>
#include <math.h>
#include <stdint.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"

static struct accounts accounts;
static cnn_context *context;

static void set_up(void)
{
    context = accounts_context(&accounts);
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
    ck_assert_uint_eq(accounts.bytes, 0);
}

static const cnn_dtype dtypes[] = {CNN_FLOAT32, CNN_UINT8, CNN_INT32};
enum { DTYPES = 3 };

static const cnn_dtype no_dtypes[] = {0, 4, -1, INT32_MAX, INT32_MIN};
enum { NO_DTYPES = 5 };

/* ---- Types --------------------------------------------------------------------------------- */

START_TEST(types_have_names_and_sizes)
{
    ck_assert_str_eq(cnn_dtype_name(CNN_FLOAT32), "float32");
    ck_assert_str_eq(cnn_dtype_name(CNN_UINT8), "uint8");
    ck_assert_str_eq(cnn_dtype_name(CNN_INT32), "int32");
    ck_assert_uint_eq(cnn_dtype_size(CNN_FLOAT32), 4);
    ck_assert_uint_eq(cnn_dtype_size(CNN_UINT8), 1);
    ck_assert_uint_eq(cnn_dtype_size(CNN_INT32), 4);
    for (int32_t i = 0; i < NO_DTYPES; i++) {
        ck_assert_str_eq(cnn_dtype_name(no_dtypes[i]), "unknown type");
        ck_assert_uint_eq(cnn_dtype_size(no_dtypes[i]), 0);
    }
}
END_TEST

/* ---- Creating ------------------------------------------------------------------------------ */

START_TEST(a_new_tensor_is_zero_and_aligned)
{
    static const int64_t shape[CNN_MAX_RANK] = {3, 1, 2, 1, 5, 1, 1, 2};
    for (int32_t d = 0; d < DTYPES; d++) {
        int64_t count = 1;
        for (int32_t rank = 1; rank <= CNN_MAX_RANK; rank++) {
            count *= shape[rank - 1];
            cnn_tensor *tensor = tensor_new(context, dtypes[d], shape, rank);
            ck_assert_int_eq(cnn_tensor_dtype(tensor), dtypes[d]);
            ck_assert_int_eq(cnn_tensor_rank(tensor), rank);
            ck_assert_int_eq(cnn_tensor_count(tensor), count);
            ck_assert_uint_eq(cnn_tensor_bytes(tensor), (size_t)count * cnn_dtype_size(dtypes[d]));
            ck_assert_uint_eq((uintptr_t)cnn_tensor_data(tensor) % 64, 0);
            ck_assert_ptr_eq(cnn_tensor_const_data(tensor), cnn_tensor_data(tensor));
            const uint8_t *bytes = cnn_tensor_const_data(tensor);
            for (size_t i = 0; i < cnn_tensor_bytes(tensor); i++)
                ck_assert_uint_eq(bytes[i], 0);
            for (int32_t axis = 0; axis < rank; axis++) {
                ck_assert_int_eq(cnn_tensor_dim(tensor, axis), shape[axis]);
                ck_assert_int_eq(cnn_tensor_dim(tensor, axis - rank), shape[axis]);
            }
            ck_assert_int_eq(cnn_tensor_dim(tensor, rank), 0);
            ck_assert_int_eq(cnn_tensor_dim(tensor, -rank - 1), 0);
            ck_assert_int_eq(cnn_tensor_dim(tensor, INT32_MIN), 0);
            ck_assert_int_eq(cnn_tensor_dim(tensor, INT32_MAX), 0);
            cnn_tensor_free(tensor);
        }
    }
}
END_TEST

/* Shapes that neither creating, wrapping nor reshaping takes. */
static const struct {
    int64_t shape[CNN_MAX_RANK + 1];
    int32_t rank;
    const char *part;
} bad_shapes[] = {
    {{2}, 0, "rank is 0, must be 1 to 8"},
    {{2}, -1, "rank is -1"},
    {{1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, "rank is 9"},
    {{2}, INT32_MIN, "rank is -2147483648"},
    {{2, 0, 3}, 3, "dimension 1 is 0, must be at least 1"},
    {{2, 3, -1}, 3, "dimension 2 is -1"},
    {{INT64_MIN}, 1, "dimension 0 is"},
    {{INT64_MAX, 2}, 2, "[9223372036854775807][2] has more elements than memory can hold"},
    {{INT64_C(1) << 62}, 1, "[4611686018427387904] has more elements"},
    {{1 << 30, 1 << 30, 1 << 30}, 3, "more elements"},
};
enum { BAD_SHAPES = sizeof bad_shapes / sizeof bad_shapes[0] };

START_TEST(creating_refuses_what_cannot_be)
{
    static const int64_t shape[] = {2, 3};
    cnn_tensor *tensor;
    EXPECT_FAILS(cnn_tensor_create(NULL, context, CNN_FLOAT32, shape, 2), CNN_ERROR_INVALID,
                 "cnn_tensor_create", "tensor is NULL");
    for (int32_t i = 0; i < NO_DTYPES; i++) {
        tensor = (cnn_tensor *)&tensor;
        EXPECT_FAILS(cnn_tensor_create(&tensor, context, no_dtypes[i], shape, 2), CNN_ERROR_INVALID,
                     "cnn_tensor_create", "must be CNN_FLOAT32, CNN_UINT8 or CNN_INT32");
        ck_assert_ptr_null(tensor);
    }
    tensor = (cnn_tensor *)&tensor;
    EXPECT_FAILS(cnn_tensor_create(&tensor, NULL, CNN_FLOAT32, shape, 2), CNN_ERROR_INVALID,
                 "cnn_tensor_create", "context is NULL");
    ck_assert_ptr_null(tensor);
    EXPECT_FAILS(cnn_tensor_create(&tensor, context, CNN_FLOAT32, NULL, 2), CNN_ERROR_INVALID,
                 "cnn_tensor_create", "shape is NULL");
    for (int32_t i = 0; i < BAD_SHAPES; i++) {
        tensor = (cnn_tensor *)&tensor;
        EXPECT_FAILS(cnn_tensor_create(&tensor, context, CNN_FLOAT32, bad_shapes[i].shape,
                                       bad_shapes[i].rank),
                     CNN_ERROR_SHAPE, "cnn_tensor_create", bad_shapes[i].part);
        ck_assert_ptr_null(tensor);
    }
    ck_assert_int_eq(accounts.calls, 0);
}
END_TEST

START_TEST(memory_that_is_not_there_is_reported)
{
    static const int64_t shape[] = {INT64_C(1) << 56};
    cnn_tensor *tensor = (cnn_tensor *)&tensor;
    EXPECT_FAILS(cnn_tensor_create(&tensor, context, CNN_FLOAT32, shape, 1), CNN_ERROR_MEMORY,
                 "cnn_tensor_create", "no memory for 72057594037927936 elements of 4 bytes");
    ck_assert_ptr_null(tensor);
    ck_assert_int_eq(accounts.blocks, 0);
}
END_TEST

START_TEST(a_failed_creation_leaves_the_context_open)
{
    static const int64_t shape[] = {4};
    cnn_tensor *tensor;
    accounts.refuse_at = 2; /* the handle is there, its elements are not */
    EXPECT_FAILS(cnn_tensor_create(&tensor, context, CNN_FLOAT32, shape, 1), CNN_ERROR_MEMORY,
                 "cnn_tensor_create", "4");
    EXPECT_OK(cnn_context_set_cpu(context, "generic"));
    accounts_open(&accounts, context);
}
END_TEST

START_TEST(null_is_answered)
{
    ck_assert_int_eq(cnn_tensor_dtype(NULL), 0);
    ck_assert_int_eq(cnn_tensor_rank(NULL), 0);
    ck_assert_int_eq(cnn_tensor_count(NULL), 0);
    ck_assert_uint_eq(cnn_tensor_bytes(NULL), 0);
    ck_assert_int_eq(cnn_tensor_dim(NULL, 0), 0);
    ck_assert_ptr_null(cnn_tensor_data(NULL));
    ck_assert_ptr_null(cnn_tensor_const_data(NULL));
    cnn_tensor_free(NULL);
}
END_TEST

/* ---- Wrapping ------------------------------------------------------------------------------ */

/* What a release callback was told. */
struct released {
    int32_t calls;
    void *data;
};

static void release(void *user, void *data)
{
    struct released *released = user;
    released->calls++;
    released->data = data;
}

START_TEST(wrapped_memory_is_the_callers)
{
    float values[6] = {1, 2, 3, 4, 5, 6};
    struct released released = {0, NULL};
    cnn_tensor *tensor;
    EXPECT_OK(cnn_tensor_wrap(&tensor, context, CNN_FLOAT32, (int64_t[]){2, 3}, 2, values, release,
                              &released));
    ck_assert_ptr_eq(cnn_tensor_data(tensor), values);
    EXPECT_OK(cnn_tensor_fill(tensor, 7));
    ck_assert_float_eq(values[5], 7);
    ck_assert_int_eq(released.calls, 0);
    cnn_tensor_free(tensor);
    ck_assert_int_eq(released.calls, 1);
    ck_assert_ptr_eq(released.data, values);
    EXPECT_OK(
        cnn_tensor_wrap(&tensor, context, CNN_FLOAT32, (int64_t[]){6}, 1, values, NULL, NULL));
    cnn_tensor_free(tensor);
    ck_assert_float_eq(values[0], 7);
}
END_TEST

START_TEST(release_waits_for_the_last_reference)
{
    float values[8] = {1, -1, 1, -1, 1, -1, 1, -1};
    struct released released = {0, NULL};
    cnn_tensor *input, *output = TENSOR(context, CNN_FLOAT32, 2, 4);
    cnn_layer *layer;
    EXPECT_OK(cnn_relu_create(&layer, context));
    EXPECT_OK(cnn_tensor_wrap(&input, context, CNN_FLOAT32, (int64_t[]){2, 4}, 2, values, release,
                              &released));
    EXPECT_OK(cnn_layer_forward(layer, output, &input, 1, 1)); /* shares until the next forward */
    cnn_tensor_free(input);
    ck_assert_int_eq(released.calls, 0);
    cnn_layer_free(layer);
    ck_assert_int_eq(released.calls, 1);
    cnn_tensor_free(output);
}
END_TEST

START_TEST(wrapping_refuses_what_cannot_be)
{
    float values[4] = {0};
    struct released released = {0, NULL};
    static const int64_t shape[] = {2};
    cnn_tensor *tensor = (cnn_tensor *)&tensor;
    EXPECT_FAILS(cnn_tensor_wrap(NULL, context, CNN_FLOAT32, shape, 1, values, release, &released),
                 CNN_ERROR_INVALID, "cnn_tensor_wrap", "tensor is NULL");
    EXPECT_FAILS(cnn_tensor_wrap(&tensor, context, CNN_FLOAT32, shape, 1, NULL, release, &released),
                 CNN_ERROR_INVALID, "cnn_tensor_wrap", "data is NULL");
    ck_assert_ptr_null(tensor);
    EXPECT_FAILS(cnn_tensor_wrap(&tensor, NULL, CNN_FLOAT32, shape, 1, values, release, &released),
                 CNN_ERROR_INVALID, "cnn_tensor_wrap", "context is NULL");
    EXPECT_FAILS(cnn_tensor_wrap(&tensor, context, 9, shape, 1, values, release, &released),
                 CNN_ERROR_INVALID, "cnn_tensor_wrap", "dtype is 9");
    EXPECT_FAILS(
        cnn_tensor_wrap(&tensor, context, CNN_FLOAT32, NULL, 1, values, release, &released),
        CNN_ERROR_INVALID, "cnn_tensor_wrap", "shape is NULL");
    for (int32_t offset = 1; offset < 4; offset++)
        EXPECT_FAILS(cnn_tensor_wrap(&tensor, context, CNN_INT32, shape, 1, (char *)values + offset,
                                     release, &released),
                     CNN_ERROR_INVALID, "cnn_tensor_wrap", "data is not aligned to 4 bytes");
    for (int32_t i = 0; i < BAD_SHAPES; i++) {
        tensor = (cnn_tensor *)&tensor;
        EXPECT_FAILS(cnn_tensor_wrap(&tensor, context, CNN_UINT8, bad_shapes[i].shape,
                                     bad_shapes[i].rank, values, release, &released),
                     CNN_ERROR_SHAPE, "cnn_tensor_wrap", bad_shapes[i].part);
        ck_assert_ptr_null(tensor);
    }
    accounts.refuse_at = 1;
    EXPECT_FAILS(cnn_tensor_wrap(&tensor, context, CNN_UINT8, shape, 1, values, release, &released),
                 CNN_ERROR_MEMORY, "cnn_tensor_wrap", "no memory");
    accounts.refuse_at = 0;
    ck_assert_int_eq(released.calls, 0);
    EXPECT_OK(
        cnn_tensor_wrap(&tensor, context, CNN_UINT8, shape, 1, (char *)values + 1, NULL, NULL));
    cnn_tensor_free(tensor);
}
END_TEST

/* ---- Shape, fill, copy --------------------------------------------------------------------- */

START_TEST(reshaping_keeps_the_elements)
{
    cnn_tensor *tensor = tensor_noise(context, (int64_t[]){2, 3, 4}, 3, 1);
    const void *data = cnn_tensor_const_data(tensor);
    EXPECT_OK(cnn_tensor_reshape(tensor, (int64_t[]){24}, 1));
    ck_assert_int_eq(cnn_tensor_rank(tensor), 1);
    EXPECT_OK(cnn_tensor_reshape(tensor, (int64_t[]){6, 1, 4, 1}, 4));
    ck_assert_int_eq(cnn_tensor_dim(tensor, 2), 4);
    ck_assert_ptr_eq(cnn_tensor_const_data(tensor), data);
    EXPECT_FAILS(cnn_tensor_reshape(NULL, (int64_t[]){24}, 1), CNN_ERROR_INVALID,
                 "cnn_tensor_reshape", "tensor is NULL");
    EXPECT_FAILS(cnn_tensor_reshape(tensor, NULL, 1), CNN_ERROR_INVALID, "cnn_tensor_reshape",
                 "shape is NULL");
    EXPECT_FAILS(cnn_tensor_reshape(tensor, (int64_t[]){5, 5}, 2), CNN_ERROR_SHAPE,
                 "cnn_tensor_reshape",
                 "the tensor is [6][1][4][1], another number of elements than "
                 "[5][5]");
    for (int32_t i = 0; i < BAD_SHAPES; i++)
        EXPECT_FAILS(cnn_tensor_reshape(tensor, bad_shapes[i].shape, bad_shapes[i].rank),
                     CNN_ERROR_SHAPE, "cnn_tensor_reshape", bad_shapes[i].part);
    ck_assert_int_eq(cnn_tensor_rank(tensor), 4);
    ck_assert_int_eq(cnn_tensor_count(tensor), 24);
    cnn_tensor_free(tensor);
}
END_TEST

START_TEST(filling_rounds_to_the_type)
{
    cnn_tensor *floats = TENSOR(context, CNN_FLOAT32, 5);
    cnn_tensor *bytes = TENSOR(context, CNN_UINT8, 5);
    cnn_tensor *labels = TENSOR(context, CNN_INT32, 5);
    EXPECT_OK(cnn_tensor_fill(floats, 0.1));
    ck_assert(((float *)cnn_tensor_data(floats))[4] == 0.1f);
    EXPECT_OK(cnn_tensor_fill(floats, NAN));
    ck_assert(isnan(((float *)cnn_tensor_data(floats))[4]));
    EXPECT_OK(cnn_tensor_fill(bytes, 254.6));
    ck_assert_uint_eq(((uint8_t *)cnn_tensor_data(bytes))[4], 255);
    EXPECT_OK(cnn_tensor_fill(labels, -2147483648.0));
    ck_assert_int_eq(((int32_t *)cnn_tensor_data(labels))[4], INT32_MIN);

    static const double no_bytes[] = {-1, 256, 255.6, NAN, INFINITY, -INFINITY};
    for (int32_t i = 0; i < 6; i++)
        EXPECT_FAILS(cnn_tensor_fill(bytes, no_bytes[i]), CNN_ERROR_INVALID, "cnn_tensor_fill",
                     "must fit into uint8");
    static const double no_labels[] = {2147483648.0, -2147483649.0, NAN, 1e300};
    for (int32_t i = 0; i < 4; i++)
        EXPECT_FAILS(cnn_tensor_fill(labels, no_labels[i]), CNN_ERROR_INVALID, "cnn_tensor_fill",
                     "must fit into int32");
    EXPECT_FAILS(cnn_tensor_fill(NULL, 1), CNN_ERROR_INVALID, "cnn_tensor_fill", "tensor is NULL");
    ck_assert_uint_eq(((uint8_t *)cnn_tensor_data(bytes))[4], 255);
    ck_assert_int_eq(((int32_t *)cnn_tensor_data(labels))[4], INT32_MIN);
    cnn_tensor_free(floats);
    cnn_tensor_free(bytes);
    cnn_tensor_free(labels);
}
END_TEST

START_TEST(filling_rounds_the_same_in_every_rounding_mode)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    cnn_tensor *floats = TENSOR(context, CNN_FLOAT32, 1);
    cnn_tensor *bytes = TENSOR(context, CNN_UINT8, 1);
    for (int32_t i = 0; i < 4; i++) {
        ck_assert_int_eq(fesetround(modes[i]), 0);
        EXPECT_OK(cnn_tensor_fill(floats, 0.1));
        EXPECT_OK(cnn_tensor_fill(bytes, 2.5));
        ck_assert_int_eq(fegetround(), modes[i]);
        fesetround(FE_TONEAREST);
        ck_assert(*(float *)cnn_tensor_data(floats) == 0.1f);
        ck_assert_uint_eq(*(uint8_t *)cnn_tensor_data(bytes), 2);
    }
    cnn_tensor_free(floats);
    cnn_tensor_free(bytes);
}
END_TEST

START_TEST(copying_needs_one_type_and_shape)
{
    static const int64_t shape[] = {2, 3};
    cnn_tensor *source = tensor_noise(context, shape, 2, 5);
    cnn_tensor *target = tensor_new(context, CNN_FLOAT32, shape, 2);
    cnn_tensor *labels = tensor_new(context, CNN_INT32, shape, 2);
    cnn_tensor *turned = TENSOR(context, CNN_FLOAT32, 3, 2);
    EXPECT_OK(cnn_tensor_copy(target, source));
    ck_assert(tensors_equal(target, source));
    EXPECT_OK(cnn_tensor_copy(target, target));
    ck_assert(tensors_equal(target, source));
    EXPECT_FAILS(cnn_tensor_copy(NULL, source), CNN_ERROR_INVALID, "cnn_tensor_copy",
                 "target is NULL");
    EXPECT_FAILS(cnn_tensor_copy(target, NULL), CNN_ERROR_INVALID, "cnn_tensor_copy",
                 "source is NULL");
    EXPECT_FAILS(cnn_tensor_copy(labels, source), CNN_ERROR_SHAPE, "cnn_tensor_copy",
                 "target is int32 [2][3] and source float32 [2][3]");
    EXPECT_FAILS(cnn_tensor_copy(turned, source), CNN_ERROR_SHAPE, "cnn_tensor_copy",
                 "target is float32 [3][2] and source float32 [2][3]");
    cnn_tensor_free(source);
    cnn_tensor_free(target);
    cnn_tensor_free(labels);
    cnn_tensor_free(turned);
}
END_TEST

/* ---- NCHW ---------------------------------------------------------------------------------- */

static void check_conversion(cnn_dtype dtype, size_t n, size_t c, size_t h, size_t w)
{
    const size_t size = cnn_dtype_size(dtype);
    cnn_tensor *nchw = TENSOR(context, dtype, (int64_t)n, (int64_t)c, (int64_t)h, (int64_t)w);
    cnn_tensor *nhwc = TENSOR(context, dtype, (int64_t)n, (int64_t)h, (int64_t)w, (int64_t)c);
    cnn_tensor *back = TENSOR(context, dtype, (int64_t)n, (int64_t)c, (int64_t)h, (int64_t)w);
    uint8_t *from = cnn_tensor_data(nchw);
    const uint8_t *to = cnn_tensor_const_data(nhwc);
    for (size_t i = 0; i < cnn_tensor_bytes(nchw); i++)
        from[i] = (uint8_t)(i * 7 % 251);
    EXPECT_OK(cnn_tensor_from_nchw(nhwc, nchw));
    for (size_t plane = 0; plane < n * c; plane++)
        for (size_t pixel = 0; pixel < h * w; pixel++)
            ck_assert_mem_eq(to + ((plane / c * h * w + pixel) * c + plane % c) * size,
                             from + (plane * h * w + pixel) * size, size);
    EXPECT_OK(cnn_tensor_to_nchw(back, nhwc));
    ck_assert(tensors_equal(back, nchw));
    cnn_tensor_free(nchw);
    cnn_tensor_free(nhwc);
    cnn_tensor_free(back);
}

/* Small, pictures, few pixels of many channels, and more of both; the last three are cut among
 * threads. */
START_TEST(nchw_becomes_nhwc_and_back)
{
    EXPECT_OK(cnn_context_set_threads(context, 3));
    for (int32_t d = 0; d < DTYPES; d++) {
        check_conversion(dtypes[d], 2, 3, 4, 5);
        check_conversion(dtypes[d], 2, 3, 99, 101);
        check_conversion(dtypes[d], 3, 1100, 5, 7);
        check_conversion(dtypes[d], 1, 33, 37, 41);
    }
}
END_TEST

START_TEST(converting_needs_matching_sizes)
{
    cnn_tensor *nchw = TENSOR(context, CNN_FLOAT32, 2, 3, 4, 5);
    static const struct {
        cnn_dtype dtype;
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
    } rows[] = {
        {CNN_FLOAT32, {1, 4, 5, 3}, 4},    {CNN_FLOAT32, {2, 3, 4, 5}, 4},
        {CNN_FLOAT32, {2, 5, 4, 3}, 4},    {CNN_FLOAT32, {2, 4, 5, 1}, 4},
        {CNN_INT32, {2, 4, 5, 3}, 4},      {CNN_FLOAT32, {2, 20, 3}, 3},
        {CNN_FLOAT32, {2, 4, 5, 3, 1}, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cnn_tensor *nhwc = tensor_new(context, rows[i].dtype, rows[i].shape, rows[i].rank);
        EXPECT_FAILS(cnn_tensor_from_nchw(nhwc, nchw), CNN_ERROR_SHAPE, "cnn_tensor_from_nchw",
                     "target is");
        EXPECT_FAILS(cnn_tensor_to_nchw(nchw, nhwc), CNN_ERROR_SHAPE, "cnn_tensor_to_nchw",
                     "must be [n][h][w][c] and [n][c][h][w]");
        cnn_tensor_free(nhwc);
    }
    EXPECT_FAILS(cnn_tensor_from_nchw(NULL, nchw), CNN_ERROR_INVALID, "cnn_tensor_from_nchw",
                 "target is NULL");
    EXPECT_FAILS(cnn_tensor_from_nchw(nchw, NULL), CNN_ERROR_INVALID, "cnn_tensor_from_nchw",
                 "source is NULL");
    EXPECT_FAILS(cnn_tensor_to_nchw(NULL, nchw), CNN_ERROR_INVALID, "cnn_tensor_to_nchw",
                 "target is NULL");
    EXPECT_FAILS(cnn_tensor_to_nchw(nchw, NULL), CNN_ERROR_INVALID, "cnn_tensor_to_nchw",
                 "source is NULL");
    EXPECT_OK(cnn_tensor_reshape(nchw, (int64_t[]){120, 1, 1, 1}, 4));
    EXPECT_FAILS(cnn_tensor_from_nchw(nchw, nchw), CNN_ERROR_INVALID, "cnn_tensor_from_nchw",
                 "the same memory");
    cnn_tensor_free(nchw);
}
END_TEST

/* ---- Lifetime ------------------------------------------------------------------------------ */

START_TEST(a_tensor_outlives_the_callers_context)
{
    struct accounts other_accounts;
    cnn_context *other = accounts_context(&other_accounts);
    cnn_tensor *tensor = tensor_noise(other, (int64_t[]){3, 3}, 2, 9);
    cnn_tensor *copy = TENSOR(context, CNN_FLOAT32, 3, 3);
    cnn_context_free(other);
    EXPECT_OK(cnn_tensor_copy(copy, tensor)); /* tensors of two contexts */
    ck_assert_int_gt(other_accounts.blocks, 0);
    cnn_tensor_free(tensor);
    ck_assert_int_eq(other_accounts.blocks, 0);
    ck_assert_uint_eq(other_accounts.bytes, 0);
    cnn_tensor_free(copy);
}
END_TEST

static Suite *tensor_suite(void)
{
    Suite *suite = suite_create("tensor");
    TCase *tcase = tcase_create("tensor");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, types_have_names_and_sizes);
    tcase_add_test(tcase, a_new_tensor_is_zero_and_aligned);
    tcase_add_test(tcase, creating_refuses_what_cannot_be);
    tcase_add_test(tcase, memory_that_is_not_there_is_reported);
    tcase_add_test(tcase, a_failed_creation_leaves_the_context_open);
    tcase_add_test(tcase, null_is_answered);
    tcase_add_test(tcase, wrapped_memory_is_the_callers);
    tcase_add_test(tcase, release_waits_for_the_last_reference);
    tcase_add_test(tcase, wrapping_refuses_what_cannot_be);
    tcase_add_test(tcase, reshaping_keeps_the_elements);
    tcase_add_test(tcase, filling_rounds_to_the_type);
    tcase_add_test(tcase, filling_rounds_the_same_in_every_rounding_mode);
    tcase_add_test(tcase, copying_needs_one_type_and_shape);
    tcase_add_test(tcase, nchw_becomes_nhwc_and_back);
    tcase_add_test(tcase, converting_needs_matching_sizes);
    tcase_add_test(tcase, a_tensor_outlives_the_callers_context);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(tensor_suite());
}
