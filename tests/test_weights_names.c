/* SPDX-License-Identifier: MIT
 * Weights from elsewhere: which name belongs to which, and what is reported of each. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
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

/* ---- Names --------------------------------------------------------------------------------- */

START_TEST(whole_names_are_mapped)
{
    cnn_model *model = weights_model(context);
    EXPECT_OK(cnn_weights_map(weights, "w", "last.weight"));
    EXPECT_OK(cnn_weights_map(weights, "stem", "last.bias"));
    EXPECT_OK(weights_load_named(model, weights, "w", "stem"));
    expect_weights_loaded(model, context);
    expect_outcome(weights, CNN_WEIGHTS_LOADED, 1, "last.bias",
                   "parameter \"last.bias\" is [2], from \"stem\" F32 [2]");
    /* A whole name is no prefix. */
    EXPECT_FAILS(weights_load_named(model, weights, "w", "stem.1"), CNN_ERROR_NOT_FOUND,
                 "cnn_model_load_weights_memory", "1 missing, 1 unexpected");
    expect_outcome(weights, CNN_WEIGHTS_UNEXPECTED, 0, "stem.1",
                   "tensor \"stem.1\" F32 [2] has no parameter \"stem.1\" in the model");
    cnn_model_free(model);
}
END_TEST

/* A prefix taken off, one put before, and the first rule that fits. */
START_TEST(prefixes_are_mapped)
{
    cnn_model *model = weights_model(context);
    EXPECT_OK(cnn_weights_map(weights, "module.fc.b", "last.bias"));
    EXPECT_OK(cnn_weights_map_prefix(weights, "module.fc.", "last."));
    EXPECT_OK(cnn_weights_map_prefix(weights, "module.", ""));
    EXPECT_OK(cnn_weights_map_prefix(weights, "w", "last.w"));
    EXPECT_OK(weights_load_named(model, weights, "module.fc.weight", "module.fc.b"));
    expect_weights_loaded(model, context);
    EXPECT_OK(weights_load_named(model, weights, "module.last.weight", "module.last.bias"));
    EXPECT_OK(weights_load_named(model, weights, "weight", "last.bias"));
    expect_outcomes(weights, 0, 0, 0, 0, 0, 2);
    cnn_model_free(model);
}
END_TEST

START_TEST(many_rules_are_kept)
{
    cnn_model *model = weights_model(context);
    char from[16], to[16];
    for (int32_t i = 0; i < 100; i++) {
        snprintf(from, sizeof from, "a%d.", i);
        snprintf(to, sizeof to, "%s.", i == 57 ? "last" : "other");
        EXPECT_OK(cnn_weights_map_prefix(weights, from, to));
    }
    EXPECT_OK(weights_load_named(model, weights, "a57.weight", "a57.bias"));
    expect_weights_loaded(model, context);
    cnn_model_free(model);
}
END_TEST

static const char *to_model(void *user, const char *name)
{
    static char renamed[64];
    (*(int32_t *)user)++;
    if (name[0] == 'x')
        return NULL;
    snprintf(renamed, sizeof renamed, "last.%s", name);
    return renamed;
}

static const char *to_file(void *user, const char *name)
{
    (*(int32_t *)user)++;
    return strcmp(name, "last.bias") == 0 ? NULL : name + strlen("last.");
}

START_TEST(a_callback_names)
{
    cnn_model *model = weights_model(context);
    cnn_tensor *bytes;
    int32_t calls = 0;
    EXPECT_OK(cnn_weights_map_prefix(weights, "", "nothing"));
    EXPECT_OK(cnn_weights_set_rename(weights, to_model, to_file, &calls));
    EXPECT_OK(weights_load_named(model, weights, "weight", "bias"));
    expect_weights_loaded(model, context);
    ck_assert_int_eq(calls, 2);
    EXPECT_FAILS(weights_load_named(model, weights, "weight", "x.bias"), CNN_ERROR_NOT_FOUND,
                 "cnn_model_load_weights_memory",
                 "1 missing, 0 unexpected, 0 mismatched; parameter \"last.bias\" [2] is not in");
    expect_outcomes(weights, 1, 0, 0, 1, 0, 1);
    EXPECT_OK(cnn_model_save_weights_memory(&bytes, model, weights));
    ck_assert_int_eq(calls, 6);
    ck_assert_ptr_nonnull(memmem(cnn_tensor_data(bytes), cnn_tensor_bytes(bytes), "\"weight\"", 8));
    ck_assert_ptr_null(memmem(cnn_tensor_data(bytes), cnn_tensor_bytes(bytes), "bias", 4));
    cnn_tensor_free(bytes);
    cnn_model_free(model);
}
END_TEST

START_TEST(two_tensors_for_one_parameter_are_refused)
{
    cnn_model *model = weights_model(context);
    const uint64_t hash = model_hash(model, context);
    EXPECT_OK(cnn_weights_set_strict(weights, 0));
    EXPECT_OK(cnn_weights_map(weights, "other", "last.weight"));
    EXPECT_FAILS(weights_load_named(model, weights, "last.weight", "other"), CNN_ERROR_INVALID,
                 "cnn_model_load_weights_memory",
                 "tensors \"last.weight\" and \"other\" are both mapped to parameter "
                 "\"last.weight\"");
    ck_assert(model_hash(model, context) == hash);
    cnn_model_free(model);
}
END_TEST

/* ---- What does not fit --------------------------------------------------------------------- */

/* Names, shapes and types that fit and that do not, in one file for weights_network(context, ). */
static const char odd_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"conv2d1.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},"
    "\"dense1.bias\":{\"dtype\":\"F32\",\"shape\":[7],\"data_offsets\":[16,44]},"
    "\"conv2d1.weight\":{\"dtype\":\"I8\",\"shape\":[4,3,3,3],\"data_offsets\":[44,152]},"
    "\"extra\\n\":{\"dtype\":\"F4\",\"shape\":[5,2],\"data_offsets\":[152,157]},"
    "\"head.scale\":{\"dtype\":\"BOOL\",\"shape\":[0,3],\"data_offsets\":[157,157]}}";
enum { ODD_SIZE = 157 };

static const char odd_values[ODD_SIZE] = {0, 0, (char)0x80, 0x3F};

START_TEST(strict_loading_reports_and_changes_nothing)
{
    cnn_model *model = weights_network(context, NULL, NULL);
    const uint64_t hash = model_hash(model, context);
    EXPECT_FAILS(weights_load_made(model, odd_header, odd_values, ODD_SIZE, weights),
                 CNN_ERROR_NOT_FOUND, "cnn_model_load_weights_memory",
                 "bytes: does not fit the model: 1 missing, 2 unexpected, 2 mismatched; the first: "
                 "parameter \"dense1.weight\" [5][48] is not in the file");
    ck_assert(model_hash(model, context) == hash);
    expect_outcomes(weights, 1, 2, 2, 0, 0, 1);
    expect_outcome(weights, CNN_WEIGHTS_MISSING, 0, "dense1.weight",
                   "parameter \"dense1.weight\" [5][48] is not in the file");
    expect_outcome(
        weights, CNN_WEIGHTS_UNEXPECTED, 0, "extra\n",
        "tensor \"extra\\x0A\" of an unknown type [5][2] has no parameter \"extra\\x0A\" in "
        "the model");
    expect_outcome(
        weights, CNN_WEIGHTS_UNEXPECTED, 1, "head.scale",
        "tensor \"head.scale\" BOOL [0][3] has no parameter \"head.scale\" in the model");
    expect_outcome(
        weights, CNN_WEIGHTS_MISMATCHED, 0, "conv2d1.weight",
        "parameter \"conv2d1.weight\" is [4][3][3][3], but in the file \"conv2d1.weight\" "
        "I8 [4][3][3][3]");
    expect_outcome(weights, CNN_WEIGHTS_MISMATCHED, 1, "dense1.bias",
                   "parameter \"dense1.bias\" is [5], but in the file \"dense1.bias\" F32 [7]");
    expect_outcome(weights, CNN_WEIGHTS_LOADED, 0, "conv2d1.bias",
                   "parameter \"conv2d1.bias\" is [4], from \"conv2d1.bias\" F32 [4]");
    ck_assert_ptr_null(cnn_weights_name(weights, CNN_WEIGHTS_LOADED, 1));
    ck_assert_ptr_null(cnn_weights_text(weights, CNN_WEIGHTS_MISSING, -1));
    ck_assert_ptr_null(cnn_weights_text(weights, 7, 0));
    /* Without a handle the text alone tells. */
    EXPECT_FAILS(weights_load_made(model, odd_header, odd_values, ODD_SIZE, NULL),
                 CNN_ERROR_NOT_FOUND, "cnn_model_load_weights_memory", "1 missing, 2 unexpected");
    ck_assert(model_hash(model, context) == hash);
    cnn_model_free(model);
}
END_TEST

START_TEST(partial_loading_takes_what_fits)
{
    cnn_model *model = weights_network(context, NULL, NULL);
    float before[240], after[240], bias[4];
    weights_get(model, context, "dense1.weight", before, 240);
    EXPECT_OK(cnn_weights_set_strict(weights, 0));
    EXPECT_OK(weights_load_made(model, odd_header, odd_values, ODD_SIZE, weights));
    expect_outcomes(weights, 1, 2, 2, 0, 0, 1);
    weights_get(model, context, "dense1.weight", after, 240);
    ck_assert_mem_eq(before, after, sizeof before);
    weights_get(model, context, "conv2d1.bias", bias, 4);
    ck_assert(bias[0] == 1 && bias[1] == 0);
    cnn_model_free(model);
}
END_TEST

/* A file for quite another network is a mistake. */
START_TEST(partial_loading_of_nothing_fails)
{
    cnn_model *model = weights_model(context);
    EXPECT_OK(cnn_weights_set_strict(weights, 0));
    EXPECT_FAILS(weights_load_named(model, weights, "a", "b"), CNN_ERROR_NOT_FOUND,
                 "cnn_model_load_weights_memory", "2 missing, 2 unexpected");
    EXPECT_FAILS(weights_load_made(model, "{}", "", 0, weights), CNN_ERROR_NOT_FOUND,
                 "cnn_model_load_weights_memory", "2 missing, 0 unexpected");
    cnn_model_free(model);
}
END_TEST

START_TEST(a_wrong_shape_alone_has_its_status)
{
    cnn_model *other = model_new(context, (const int64_t[]){2}, 1);
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    EXPECT_OK(cnn_layer_set_name(layer, "last"));
    model_take(other, layer);
    EXPECT_FAILS(weights_load_named(other, weights, "last.weight", "last.bias"), CNN_ERROR_SHAPE,
                 "cnn_model_load_weights_memory",
                 "0 missing, 0 unexpected, 2 mismatched; the first: parameter \"last.weight\" is "
                 "[3][2], but in the file \"last.weight\" F32 [2][2]");
    cnn_model_free(other);
}
END_TEST

/* The case of the header's comment: a network of other classes. */
START_TEST(the_head_is_replaced)
{
    cnn_model *model = model_new(context, (const int64_t[]){8, 6, 3}, 3);
    cnn_model *whole = weights_network(context, "features.0", "classifier.1");
    cnn_layer *layer;
    float head[96], after[96], weight[108], wanted[108];
    EXPECT_OK(cnn_conv2d_create(&layer, context, 4, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding(layer, 1, 1));
    EXPECT_OK(cnn_layer_set_name(layer, "features.0"));
    model_take(model, layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 2, 2));
    model_take(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    model_take(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 2));
    EXPECT_OK(cnn_layer_set_name(layer, "classifier.1"));
    model_take(model, layer);
    weights_get(model, context, "classifier.1.weight", head, 96);
    EXPECT_FAILS(weights_load_fixture(model, "weights/sequential.safetensors", weights),
                 CNN_ERROR_SHAPE, "cnn_model_load_weights_memory", "2 mismatched");
    EXPECT_OK(cnn_weights_skip(weights, "classifier."));
    EXPECT_OK(weights_load_fixture(model, "weights/sequential.safetensors", weights));
    expect_outcomes(weights, 0, 0, 0, 2, 2, 2);
    expect_outcome(weights, CNN_WEIGHTS_KEPT, 1, "classifier.1.bias",
                   "parameter \"classifier.1.bias\" [2] keeps its values");
    weights_get(model, context, "classifier.1.weight", after, 96);
    ck_assert_mem_eq(head, after, sizeof head);
    EXPECT_OK(weights_load_fixture(whole, "weights/sequential.safetensors", NULL));
    weights_get(whole, context, "features.0.weight", wanted, 108);
    weights_get(model, context, "features.0.weight", weight, 108);
    ck_assert_mem_eq(weight, wanted, sizeof wanted);
    cnn_model_free(whole);
    cnn_model_free(model);
}
END_TEST

/* Rules come first: what is skipped is named as in the model. */
START_TEST(skipping_holds_for_what_rules_say)
{
    cnn_model *model = weights_model(context);
    EXPECT_OK(cnn_weights_map_prefix(weights, "net.", ""));
    EXPECT_OK(cnn_weights_skip(weights, "old."));
    EXPECT_OK(cnn_weights_skip(weights, "last.b"));
    EXPECT_OK(weights_load_named(model, weights, "net.last.weight", "net.old.head"));
    expect_outcomes(weights, 0, 0, 0, 1, 1, 1);
    EXPECT_FAILS(weights_load_named(model, weights, "net.last.weight", "net.older.head"),
                 CNN_ERROR_NOT_FOUND, "cnn_model_load_weights_memory", "0 missing, 1 unexpected");
    expect_outcome(
        weights, CNN_WEIGHTS_UNEXPECTED, 0, "net.older.head",
        "tensor \"net.older.head\" F32 [2] has no parameter \"older.head\" in the model");
    cnn_model_free(model);
}
END_TEST

START_TEST(a_description_has_all)
{
    static const char wanted[] =
        "1 missing, 0 unexpected, 0 mismatched, 1 skipped, 0 kept, 1 loaded\n"
        "parameter \"last.bias\" [2] is not in the file\n"
        "tensor \"bn.num_batches_tracked\" F32 [2] is passed over\n"
        "parameter \"last.weight\" is [2][2], from \"last.weight\" F32 [2][2]\n";
    cnn_model *model = weights_model(context);
    char text[512];
    EXPECT_OK(cnn_weights_set_strict(weights, 0));
    EXPECT_OK(weights_load_named(model, weights, "last.weight", "bn.num_batches_tracked"));
    ck_assert_uint_eq(cnn_weights_describe(weights, NULL, 0), sizeof wanted - 1);
    ck_assert_uint_eq(cnn_weights_describe(weights, text, sizeof text), sizeof wanted - 1);
    ck_assert_str_eq(text, wanted);
    for (size_t size = 1; size < sizeof wanted; size++) {
        memset(text, 'x', sizeof text);
        ck_assert_uint_eq(cnn_weights_describe(weights, text, size), sizeof wanted - 1);
        ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_mem_eq(text, wanted, size - 1);
        ck_assert_int_eq(text[size], 'x');
    }
    cnn_model_free(model);
}
END_TEST

START_TEST(a_name_too_long_for_a_line_is_cut)
{
    enum { LONG = 5000 };
    static char name[LONG + 1];
    cnn_model *model = weights_model(context);
    memset(name, 'n', LONG);
    char *header = malloc(2 * LONG);
    sprintf(header, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", name);
    ck_assert_int_eq(weights_load_made(model, header, "0000", 4, weights), CNN_ERROR_NOT_FOUND);
    ck_assert_str_eq(cnn_weights_name(weights, CNN_WEIGHTS_UNEXPECTED, 0), name);
    ck_assert_uint_lt(strlen(cnn_weights_text(weights, CNN_WEIGHTS_UNEXPECTED, 0)), 1000);
    ck_assert_ptr_nonnull(strstr(cnn_weights_text(weights, CNN_WEIGHTS_UNEXPECTED, 0), "nn...\""));
    free(header);
    cnn_model_free(model);
}
END_TEST

static Suite *weights_names_suite(void)
{
    Suite *suite = suite_create("weights_names");
    TCase *tcase = tcase_create("weights");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, whole_names_are_mapped);
    tcase_add_test(tcase, prefixes_are_mapped);
    tcase_add_test(tcase, many_rules_are_kept);
    tcase_add_test(tcase, a_callback_names);
    tcase_add_test(tcase, two_tensors_for_one_parameter_are_refused);
    tcase_add_test(tcase, strict_loading_reports_and_changes_nothing);
    tcase_add_test(tcase, partial_loading_takes_what_fits);
    tcase_add_test(tcase, partial_loading_of_nothing_fails);
    tcase_add_test(tcase, a_wrong_shape_alone_has_its_status);
    tcase_add_test(tcase, the_head_is_replaced);
    tcase_add_test(tcase, skipping_holds_for_what_rules_say);
    tcase_add_test(tcase, a_description_has_all);
    tcase_add_test(tcase, a_name_too_long_for_a_line_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(weights_names_suite());
}
