/* SPDX-License-Identifier: MIT
 * Model files: what is saved comes back to the bit, and failures on the way leave nothing behind.
 * Damage: test_model_file_damage.c; files made to do harm: test_model_file_hostile.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/model_files.h"
#include "support/networks.h"
#include "support/skip.h"
#include "support/suite.h"

static cnn_context *context;

static struct accounts accounts;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 1));
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

static void set_classes(cnn_model *model)
{
    static const char *const names[] = {"cat", "dog \"Rex\"", "\xC3\xA4\xE2\x82\xAC\\"};
    EXPECT_OK(cnn_model_set_classes(model, names, 3));
}

/* Every kind of layer, a branch, and options away from their presets. */
static cnn_model *make_model(void)
{
    static const float mean[] = {0.485f, 0.1f, 1.0f / 3}, deviation[] = {0.229f, 1e-30f, 7};
    cnn_model *model;
    cnn_layer *layer;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){9, 11, 3}, 3));
    EXPECT_OK(cnn_conv2d_create(&layer, context, 6, 3, 2));
    EXPECT_OK(cnn_conv2d_set_padding_sides(layer, 1, 0, 2, 1));
    EXPECT_OK(cnn_conv2d_set_groups(layer, 3));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, 1, 2));
    EXPECT_OK(cnn_conv2d_set_algorithm(layer, CNN_EXACT));
    EXPECT_OK(cnn_layer_set_name(layer, "first \"conv\" \xC3\xA4"));
    model_take(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 6, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    model_take(model, layer);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (const int32_t[]){1, 2}, 2));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 3, 2));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 2, 1));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, 1, 1));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dropout_create(&layer, context, 0.3));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 5));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    EXPECT_OK(cnn_dense_set_bias(layer, 0));
    model_take(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    model_take(model, layer);
    set_classes(model);
    EXPECT_OK(cnn_model_set_normalization(model, mean, deviation, 3));
    return model;
}

static void check_same_file(const cnn_model *model, const char *bytes, size_t size)
{
    size_t other_size;
    char *other = model_bytes(model, &other_size);
    ck_assert_uint_eq(other_size, size);
    ck_assert_mem_eq(other, bytes, size);
    free(other);
}

/* ---- Round trips --------------------------------------------------------------------------- */

static cnn_tensor *new_tensor(const int64_t *shape, int32_t rank)
{
    cnn_tensor *tensor;
    EXPECT_OK(cnn_tensor_create(&tensor, context, CNN_FLOAT32, shape, rank));
    return tensor;
}

static void check_same_parameters(const cnn_model *a, const cnn_model *b)
{
    ck_assert_int_eq(cnn_model_parameter_count(a), cnn_model_parameter_count(b));
    for (int32_t i = 0; i < cnn_model_parameter_count(a); i++) {
        const char *name = cnn_model_parameter_name(a, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        ck_assert_str_eq(name, cnn_model_parameter_name(b, i));
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, a, name));
        cnn_tensor *of_a = new_tensor(shape, rank), *of_b = new_tensor(shape, rank);
        EXPECT_OK(cnn_model_get_parameter(a, name, of_a));
        EXPECT_OK(cnn_model_get_parameter(b, name, of_b));
        ck_assert_mem_eq(cnn_tensor_data(of_a), cnn_tensor_data(of_b), cnn_tensor_bytes(of_a));
        cnn_tensor_free(of_a);
        cnn_tensor_free(of_b);
    }
}

static cnn_tensor *predict(cnn_model *model, const cnn_tensor *input)
{
    cnn_session *session;
    int64_t shape[1 + CNN_MAX_RANK] = {4};
    int32_t rank;
    EXPECT_OK(cnn_model_output_shape(shape + 1, &rank, model));
    cnn_tensor *output = new_tensor(shape, rank + 1);
    EXPECT_OK(cnn_session_create(&session, model, 4));
    EXPECT_OK(cnn_session_run(session, &output, 1, &input, 1));
    cnn_session_free(session);
    return output;
}

static void check_same_predictions(cnn_model *a, cnn_model *b)
{
    struct cnni_random random;
    cnn_tensor *input = new_tensor((const int64_t[]){4, 9, 11, 3}, 4);
    float *values = cnn_tensor_data(input);
    cnni_random_start(&random, 3, CNNI_RANDOM_CHECK, 0, 0);
    for (int64_t i = 0; i < cnn_tensor_count(input); i++)
        values[i] = (float)cnni_random_normal(&random);
    cnn_tensor *of_a = predict(a, input), *of_b = predict(b, input);
    ck_assert_mem_eq(cnn_tensor_data(of_a), cnn_tensor_data(of_b), cnn_tensor_bytes(of_a));
    cnn_tensor_free(input);
    cnn_tensor_free(of_a);
    cnn_tensor_free(of_b);
}

static void check_same_graph(cnn_model *a, cnn_model *b)
{
    ck_assert_int_eq(cnn_model_layer_count(a), cnn_model_layer_count(b));
    for (int32_t i = 0; i < cnn_model_layer_count(a); i++) {
        char of_a[256], of_b[256];
        cnn_layer_describe(cnn_model_layer(a, i), of_a, sizeof of_a);
        cnn_layer_describe(cnn_model_layer(b, i), of_b, sizeof of_b);
        ck_assert_str_eq(of_a, of_b);
        ck_assert_str_eq(cnn_layer_name(cnn_model_layer(a, i)),
                         cnn_layer_name(cnn_model_layer(b, i)));
    }
    ck_assert_int_eq(cnn_model_class_count(a), cnn_model_class_count(b));
    for (int32_t i = 0; i < cnn_model_class_count(a); i++)
        ck_assert_str_eq(cnn_model_class_name(a, i), cnn_model_class_name(b, i));
    float of_a[6], of_b[6];
    EXPECT_OK(cnn_model_normalization(of_a, of_a + 3, a, 3));
    EXPECT_OK(cnn_model_normalization(of_b, of_b + 3, b, 3));
    ck_assert_mem_eq(of_a, of_b, sizeof of_a);
}

START_TEST(a_model_comes_back_to_the_bit)
{
    cnn_model *model = make_model(), *loaded;
    size_t size;
    char *bytes = model_bytes(model, &size);
    ck_assert_uint_eq(size % 4, 0);
    EXPECT_OK(model_from_bytes(&loaded, context, bytes, size));
    check_same_graph(model, loaded);
    check_same_parameters(model, loaded);
    check_same_predictions(model, loaded);
    check_same_file(loaded, bytes, size);
    cnn_model_free(loaded);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(a_file_comes_back_to_the_bit)
{
    cnn_model *model = make_model(), *loaded;
    const char *path = folder_path("model.cnn");
    EXPECT_OK(cnn_model_save(model, path));
    EXPECT_OK(cnn_model_save(model, path));
    EXPECT_OK(cnn_model_load(&loaded, context, path));
    check_same_parameters(model, loaded);
    cnn_model_free(loaded);
    cnn_model_free(model);
}
END_TEST

/* Not-a-numbers keep their bits, infinities and minus zero too. */
START_TEST(odd_values_come_back)
{
    static const uint32_t odd[] = {0x7FC12345, 0xFF800000, 0x80000000, 0x00000001};
    cnn_model *model = model_small(context), *loaded;
    cnn_tensor *values = new_tensor((const int64_t[]){2, 2}, 2);
    size_t size;
    memcpy(cnn_tensor_data(values), odd, sizeof odd);
    EXPECT_OK(cnn_model_set_parameter(model, "dense1.weight", values));
    char *bytes = model_bytes(model, &size);
    EXPECT_OK(model_from_bytes(&loaded, context, bytes, size));
    check_same_parameters(model, loaded);
    cnn_tensor_free(values);
    cnn_model_free(loaded);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

/* A file of the first format, written by tests/python/make_model.c when there was no other: it must
 * load for ever, with the values that were put into it. */
START_TEST(the_first_format_is_read)
{
    struct file_bytes file = fixture_read("format1.cnn");
    cnn_model *model;
    EXPECT_OK(cnn_model_load_memory(&model, context, file.bytes, file.size));
    free(file.bytes);
    ck_assert_int_eq(cnn_model_layer_count(model), 11);
    ck_assert_int_eq(cnn_model_parameter_count(model), 7);
    ck_assert_str_eq(cnn_model_class_name(model, 3), "\"4\"");
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        uint32_t seed = (uint32_t)i;
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *tensor = new_tensor(shape, rank);
        EXPECT_OK(cnn_model_get_parameter(model, name, tensor));
        const float *values = cnn_tensor_const_data(tensor);
        for (int64_t j = 0; j < cnn_tensor_count(tensor); j++) {
            seed = seed * 1664525 + 1013904223;
            ck_assert(values[j] == (float)(seed >> 8) / (float)(1 << 23) - 1);
        }
        cnn_tensor_free(tensor);
    }
    cnn_model_free(model);
}
END_TEST

START_TEST(a_model_without_layers_is_not_saved)
{
    cnn_model *model;
    cnn_tensor *bytes = NULL;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){2}, 1));
    ck_assert_int_eq(cnn_model_save_memory(&bytes, model), CNN_ERROR_STATE);
    ck_assert_ptr_null(bytes);
    ck_assert_int_eq(cnn_model_save(model, folder_path("empty.cnn")), CNN_ERROR_STATE);
    ck_assert_int_ne(access(folder_path("empty.cnn"), F_OK), 0);
    cnn_model_free(model);
}
END_TEST

START_TEST(null_is_refused)
{
    cnn_model *model = model_small(context), *loaded = model;
    cnn_tensor *bytes;
    ck_assert_int_eq(cnn_model_save(NULL, "x"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save(model, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_memory(&bytes, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_memory(NULL, model), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load(NULL, context, "x"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load(&loaded, NULL, "x"), CNN_ERROR_INVALID);
    ck_assert_ptr_null(loaded);
    ck_assert_int_eq(cnn_model_load(&loaded, context, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(NULL, context, "x", 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(&loaded, NULL, "x", 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(&loaded, context, NULL, 1), CNN_ERROR_INVALID);
    cnn_model_free(model);
}
END_TEST

START_TEST(paths_that_lead_nowhere)
{
    cnn_model *model = model_small(context), *loaded;
    ck_assert_int_eq(cnn_model_load(&loaded, context, folder_path("none")), CNN_ERROR_NOT_FOUND);
    ck_assert_int_eq(cnn_model_load(&loaded, context, folder_path(".")), CNN_ERROR_IO);
    ck_assert_int_eq(cnn_model_save(model, folder_path("none/model")), CNN_ERROR_IO);
    ck_assert_int_eq(cnn_model_save(model, folder_path(".")), CNN_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "cnn_model_save: \""));
    cnn_model_free(model);
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
    cnn_model *model = model_small(context), *loaded;
    ck_assert_int_eq(cnn_model_save(model, folder_path("secret")), CNN_OK);
    cnn_model_free(model);
    ck_assert_int_eq(chmod(folder_path("."), 0755), 0);
    ck_assert_int_eq(chmod(folder_path("secret"), 0), 0);
    if (!become_ordinary_user())
        return;
    EXPECT_FAILS(cnn_model_load(&loaded, context, folder_path("secret")), CNN_ERROR_IO,
                 "cnn_model_load", "Permission denied");
    ck_assert_ptr_null(loaded);
}
END_TEST

/* ---- Failures around ----------------------------------------------------------------------- */

/* Lets the next calls have `allowed` blocks, and then no more. */
static void allow_blocks(int64_t allowed)
{
    accounts.refuse_at = accounts.calls + allowed + 1;
}

/* Each allocation in turn is refused, and all after it. */
START_TEST(without_memory_nothing_is_left)
{
    cnn_model *model = make_model(), *loaded = NULL;
    cnn_tensor *saved = NULL;
    size_t size;
    char *bytes = model_bytes(model, &size);
    int64_t before = accounts.blocks, allowed = 0;
    for (allow_blocks(0); cnn_model_load_memory(&loaded, context, bytes, size) == CNN_ERROR_MEMORY;
         allow_blocks(++allowed)) {
        ck_assert_ptr_null(loaded);
        ck_assert_int_eq(accounts.blocks, before);
    }
    ck_assert_int_gt(allowed, 20);
    ck_assert_ptr_nonnull(loaded);
    cnn_model_free(loaded);
    for (allow_blocks(allowed = 0); cnn_model_save_memory(&saved, model) == CNN_ERROR_MEMORY;
         allow_blocks(++allowed)) {
        ck_assert_ptr_null(saved);
        ck_assert_int_eq(accounts.blocks, before);
    }
    ck_assert_int_gt(allowed, 8);
    ck_assert_ptr_nonnull(saved);
    accounts.refuse_at = 0;
    cnn_tensor_free(saved);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

static ssize_t write_nothing(int file, const void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return 0;
}

/* The old model stays when the new one cannot be written. */
START_TEST(a_failed_save_leaves_the_old_model)
{
    struct cnni_file_calls failing = *cnni_file_system_calls();
    cnn_model *model = make_model(), *small = model_small(context), *loaded;
    const char *path = folder_path("old.cnn");
    EXPECT_OK(cnn_model_save(model, path));
    failing.write = write_nothing;
    cnni_file_set_calls(&failing);
    ck_assert_int_eq(cnn_model_save(small, path), CNN_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "old.cnn\": No space left on device"));
    cnni_file_set_calls(NULL);
    EXPECT_OK(cnn_model_load(&loaded, context, path));
    check_same_parameters(model, loaded);
    cnn_model_free(loaded);
    cnn_model_free(small);
    cnn_model_free(model);
}
END_TEST

static Suite *model_file_suite(void)
{
    Suite *suite = suite_create("model_file");
    TCase *tcase = tcase_create("round trips");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_model_comes_back_to_the_bit);
    tcase_add_test(tcase, a_file_comes_back_to_the_bit);
    tcase_add_test(tcase, odd_values_come_back);
    tcase_add_test(tcase, the_first_format_is_read);
    tcase_add_test(tcase, a_model_without_layers_is_not_saved);
    tcase_add_test(tcase, null_is_refused);
    tcase_add_test(tcase, paths_that_lead_nowhere);
    tcase_add_test(tcase, a_file_that_cannot_be_read);
    tcase_add_test(tcase, without_memory_nothing_is_left);
    tcase_add_test(tcase, a_failed_save_leaves_the_old_model);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_file_suite());
}
