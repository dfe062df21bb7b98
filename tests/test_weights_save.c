/* SPDX-License-Identifier: MIT
 * Weights as files for other programs. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/weights_files.h"

static cnn_context *context;
static cnn_weights *weights;

static struct accounts accounts;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 1));
    EXPECT_OK(cnn_weights_create(&weights, context));
}

static void tear_down(void)
{
    cnn_weights_free(weights);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

START_TEST(saved_weights_come_back)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"features.0.weight\":{\"dtype\":\"F32\",\"shape\":[4,3,3,3],\"data_offsets\":[0,432]},"
        "\"features.0.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[432,448]},"
        "\"classifier.1.weight\":{\"dtype\":\"F32\",\"shape\":[5,48],"
        "\"data_offsets\":[448,1408]},"
        "\"classifier.1.bias\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[1408,1428]}}";
    const char *path = folder_path("saved.safetensors");
    cnn_model *model = weights_network(context, NULL, NULL), *other;
    weights_map_network(weights);
    EXPECT_OK(cnn_weights_skip(weights, "dense1.")); /* which saving does not heed */
    EXPECT_OK(cnn_model_save_weights(model, path, weights));
    struct file_bytes file = file_read(path);
    const uint64_t length = file.bytes[0] | (uint64_t)file.bytes[1] << 8;
    ck_assert_uint_eq(length % 8, 0);
    ck_assert_uint_eq(file.size, 8 + length + 1428);
    ck_assert_mem_eq(file.bytes + 8, header, sizeof header - 1);
    for (uint64_t i = sizeof header - 1; i < length; i++)
        ck_assert_int_eq(file.bytes[8 + i], ' ');
    EXPECT_OK(cnn_context_set_seed(context, 99));
    other = weights_network(context, "features.0", "classifier.1");
    ck_assert(model_hash(other, context) != model_hash(model, context));
    EXPECT_OK(cnn_model_load_weights(other, path, NULL));
    ck_assert(model_hash(other, context) == model_hash(model, context));
    free(file.bytes);
    cnn_model_free(other);
    cnn_model_free(model);
}
END_TEST

START_TEST(pytorch_weights_keep_their_bytes)
{
    struct file_bytes file = fixture_read("weights/sequential.safetensors");
    cnn_model *model = weights_network(context, "features.0", "classifier.1");
    cnn_tensor *bytes;
    EXPECT_OK(weights_load(model, (const char *)file.bytes, file.size, NULL));
    EXPECT_OK(cnn_model_save_weights_memory(&bytes, model, NULL));
    /* PyTorch sorts by name: bias and weights of the dense layer, then those of the other. */
    const unsigned char *theirs = file.bytes + file.size - 1428, *ours = cnn_tensor_data(bytes);
    ours += cnn_tensor_bytes(bytes) - 1428;
    ck_assert_mem_eq(theirs, ours + 1408, 20);
    ck_assert_mem_eq(theirs + 20, ours + 448, 960);
    ck_assert_mem_eq(theirs + 980, ours + 432, 16);
    ck_assert_mem_eq(theirs + 996, ours, 432);
    cnn_tensor_free(bytes);
    cnn_model_free(model);
    free(file.bytes);
}
END_TEST

static const char *named_badly(void *user, const char *name)
{
    (void)name;
    return user;
}

START_TEST(bad_names_are_not_saved)
{
    static const struct {
        const char *name, *word;
    } rows[] = {
        {"", "is named \"\" in the file, which cannot be"},
        {"__metadata__", "which cannot be"},
        {"\xFF", "\"\\xFF\" in the file, which is not UTF-8"},
        {"same", "parameter \"last.bias\" is named \"same\" in the file, as another is"},
    };
    cnn_model *model = weights_model(context);
    const char *path = folder_path("bad.safetensors");
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        EXPECT_OK(cnn_weights_set_rename(weights, NULL, named_badly, (void *)rows[i].name));
        EXPECT_FAILS(cnn_model_save_weights(model, path, weights), CNN_ERROR_INVALID,
                     "cnn_model_save_weights", rows[i].word);
    }
    EXPECT_OK(cnn_weights_set_rename(weights, NULL, named_badly, NULL));
    EXPECT_FAILS(cnn_model_save_weights(model, path, weights), CNN_ERROR_STATE,
                 "cnn_model_save_weights", "no parameter");
    ck_assert_ptr_null(file_read(path).bytes);
    cnn_model_free(model);
}
END_TEST

START_TEST(names_are_escaped)
{
    cnn_model *model = weights_model(context);
    const uint64_t hash = model_hash(model, context);
    cnn_tensor *bytes;
    EXPECT_OK(cnn_weights_map(weights, "\"a\"\\\n\xC3\xA4", "last.weight"));
    EXPECT_OK(cnn_model_save_weights_memory(&bytes, model, weights));
    EXPECT_OK(weights_load_named(model, weights, "last.weight", "last.bias"));
    EXPECT_OK(weights_load(model, cnn_tensor_data(bytes), cnn_tensor_bytes(bytes), weights));
    ck_assert(model_hash(model, context) == hash);
    cnn_tensor_free(bytes);
    cnn_model_free(model);
}
END_TEST

static ssize_t write_nothing(int file, const void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return 0;
}

START_TEST(a_failed_save_leaves_the_old_file)
{
    struct cnni_file_calls failing = *cnni_file_system_calls();
    cnn_model *model = weights_model(context);
    const char *path = folder_path("old.safetensors");
    file_write(path, "old", 3);
    failing.write = write_nothing;
    cnni_file_set_calls(&failing);
    EXPECT_FAILS(cnn_model_save_weights(model, path, NULL), CNN_ERROR_IO, "cnn_model_save_weights",
                 "old.safetensors\": No space left on device");
    cnni_file_set_calls(NULL);
    struct file_bytes file = file_read(path);
    ck_assert_uint_eq(file.size, 3);
    free(file.bytes);
    cnn_model_free(model);
}
END_TEST

static Suite *weights_save_suite(void)
{
    Suite *suite = suite_create("weights_save");
    TCase *tcase = tcase_create("weights");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, saved_weights_come_back);
    tcase_add_test(tcase, pytorch_weights_keep_their_bytes);
    tcase_add_test(tcase, bad_names_are_not_saved);
    tcase_add_test(tcase, names_are_escaped);
    tcase_add_test(tcase, a_failed_save_leaves_the_old_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(weights_save_suite());
}
