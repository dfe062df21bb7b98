/* SPDX-License-Identifier: MIT
 * Weights from elsewhere: PyTorch's files, their numbers, and the wrong moment or arguments.
 * Names and reports: test_weights_names.c; files for PyTorch: test_weights_save.c; files made to
 * do harm: test_weights_hostile.c. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cnn.h"
#include "layers/layer_gate.h"
#include "model/model_internal.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"
#include "support/weights_files.h"

static cnn_context *context;
static cnn_weights *weights;

static struct accounts accounts;

static void set_up(void)
{
    torch_open("weights");
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

/* ---- PyTorch's files ----------------------------------------------------------------------- */

static void expect_torch_outputs(cnn_session *session)
{
    cnn_tensor *x = torch_tensor_nhwc(context, "sequential", "x");
    cnn_tensor *wanted = torch_tensor(context, "sequential", "y");
    cnn_tensor *y = tensor_like(context, wanted);
    EXPECT_OK(session_predict(session, y, x));
    expect_tensor_close("y", y, wanted, 1e-5);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_tensor_free(wanted);
}

/* The session is there, and has packed the weights, before they are loaded. */
START_TEST(outputs_are_those_of_pytorch)
{
    cnn_model *model = weights_network(context, NULL, NULL);
    cnn_session *session;
    cnn_tensor *x = model_inputs(model, context, 4, 1), *y = model_outputs(model, context, 4);
    EXPECT_OK(cnn_session_create(&session, model, 4));
    EXPECT_OK(session_predict(session, y, x));
    weights_map_network(weights);
    EXPECT_OK(weights_load_fixture(model, "weights/sequential.safetensors", weights));
    expect_outcomes(weights, 0, 0, 0, 0, 0, 4);
    expect_torch_outputs(session);
    cnn_tensor_free(x);
    cnn_tensor_free(y);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

START_TEST(layers_with_pytorch_names_need_no_rules)
{
    cnn_model *model = weights_network(context, "features.0", "classifier.1");
    cnn_session *session;
    EXPECT_OK(weights_load_fixture(model, "weights/sequential.safetensors", NULL));
    EXPECT_OK(cnn_session_create(&session, model, 4));
    expect_torch_outputs(session);
    cnn_session_free(session);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_file_is_read)
{
    const char *path = folder_path("some.safetensors");
    cnn_model *model = weights_network(context, "features.0", "classifier.1");
    struct file_bytes file = fixture_read("weights/sequential.safetensors");
    file_write(path, file.bytes, file.size);
    EXPECT_OK(cnn_model_load_weights(model, path, weights));
    expect_outcomes(weights, 0, 0, 0, 0, 0, 4);
    EXPECT_FAILS(cnn_model_load_weights(model, folder_path("none"), weights), CNN_ERROR_NOT_FOUND,
                 "cnn_model_load_weights", "none\"");
    EXPECT_FAILS(cnn_model_load_weights(model, folder_path("."), weights), CNN_ERROR_IO,
                 "cnn_model_load_weights", "\"");
    file_cut(path, file.size - 1);
    EXPECT_FAILS(cnn_model_load_weights(model, path, weights), CNN_ERROR_FORMAT,
                 "cnn_model_load_weights", "some.safetensors\": is cut short");
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, 100));
    EXPECT_FAILS(cnn_model_load_weights(model, path, weights), CNN_ERROR_LIMIT,
                 "cnn_model_load_weights", "100");
    expect_outcomes(weights, 0, 0, 0, 0, 0, 4); /* of the load before */
    cnn_model_free(model);
    free(file.bytes);
}
END_TEST

/* A file with F16, BF16, F64, F32 and the int64 that batch normalisation leaves. */
START_TEST(types_are_converted)
{
    static const char *const names[] = {"features.0.weight", "features.0.bias",
                                        "classifier.1.weight", "classifier.1.bias"};
    cnn_model *model = weights_network(context, "features.0", "classifier.1");
    EXPECT_OK(weights_load_fixture(model, "weights/mixed.safetensors", weights));
    expect_outcomes(weights, 0, 0, 0, 1, 0, 4);
    expect_outcome(weights, CNN_WEIGHTS_SKIPPED, 0, "features.3.num_batches_tracked",
                   "tensor \"features.3.num_batches_tracked\" I64 [] is passed over");
    for (int32_t i = 0; i < CNNI_COUNT(names); i++) {
        cnn_tensor *wanted = torch_tensor(context, "mixed", names[i]);
        cnn_tensor *got = tensor_like(context, wanted);
        EXPECT_OK(cnn_model_get_parameter(model, names[i], got));
        ck_assert_mem_eq(floats(got), floats(wanted), cnn_tensor_bytes(got));
        cnn_tensor_free(wanted);
        cnn_tensor_free(got);
    }
    cnn_model_free(model);
}
END_TEST

START_TEST(a_model_file_is_one_of_weights_too)
{
    cnn_model *model = model_chain(context), *other;
    cnn_tensor *bytes;
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    EXPECT_OK(cnn_context_set_seed(context, 77));
    other = model_chain(context);
    ck_assert(model_hash(model, context) != model_hash(other, context));
    EXPECT_OK(weights_load(other, cnn_tensor_const_data(bytes), cnn_tensor_bytes(bytes), NULL));
    ck_assert(model_hash(model, context) == model_hash(other, context));
    cnn_tensor_free(bytes);
    cnn_model_free(other);
    cnn_model_free(model);
}
END_TEST

/* ---- Numbers ------------------------------------------------------------------------------- */

enum { HALVES = 1 << 16 };

/* Loads `bytes`, all values of a dense layer [256][256] of type `type`, and returns the floats that
 * it has then. */
static const float *load_halves(const char *type, const unsigned char *bytes)
{
    static float values[HALVES];
    char header[128];
    cnn_model *model = model_new(context, (const int64_t[]){256}, 1);
    cnn_layer *layer;
    EXPECT_OK(cnn_dense_create(&layer, context, 256));
    EXPECT_OK(cnn_dense_set_bias(layer, 0));
    model_take(model, layer);
    snprintf(header, sizeof header,
             "{\"dense1.weight\":{\"dtype\":\"%s\",\"shape\":[256,256],\"data_offsets\":[0,%d]}}",
             type, 2 * HALVES);
    EXPECT_OK(weights_load_made(model, header, bytes, 2 * HALVES, NULL));
    weights_get(model, context, "dense1.weight", values, HALVES);
    cnn_model_free(model);
    return values;
}

/* Each of the numbers 0 to 65535, little-endian. */
static const unsigned char *count_up(void)
{
    static unsigned char bytes[2 * HALVES];
    for (int32_t i = 0; i < HALVES; i++) {
        bytes[2 * i] = (unsigned char)i;
        bytes[2 * i + 1] = (unsigned char)(i >> 8);
    }
    return bytes;
}

/* What IEEE 754 says a binary16 is: 5 bits of exponent, 10 of fraction. */
static float half_value(int32_t half)
{
    const int32_t exponent = half >> 10 & 31, fraction = half & 1023;
    float value = ldexpf((float)(1024 + fraction), exponent - 25);
    if (exponent == 0)
        value = ldexpf((float)fraction, -24);
    if (exponent == 31)
        value = fraction == 0 ? INFINITY : NAN;
    return half >> 15 ? -value : value;
}

START_TEST(every_f16_is_exact)
{
    const float *values = load_halves("F16", count_up());
    for (int32_t i = 0; i < HALVES; i++) {
        const float wanted = half_value(i);
        if (isnan(wanted))
            ck_assert_msg(isnan(values[i]), "%04x is %g", i, values[i]);
        else
            ck_assert_msg(memcmp(&values[i], &wanted, sizeof wanted) == 0, "%04x is %g, not %g", i,
                          values[i], wanted);
    }
}
END_TEST

START_TEST(every_bf16_is_exact)
{
    const float *values = load_halves("BF16", count_up());
    for (int32_t i = 0; i < HALVES; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        ck_assert_uint_eq(bits, (uint32_t)i << 16);
    }
}
END_TEST

START_TEST(an_f64_is_rounded_to_nearest_even)
{
    static const struct {
        double from;
        float to;
    } rows[] = {
        {0.1, 0.1f},
        {1 + 0x1p-24, 1},                            /* a tie, down to even */
        {1 + 3 * 0x1p-24, 1 + 0x1p-22f},             /* a tie, up to even */
        {1 + 0x1p-24 + 0x1p-50, 1 + 0x1p-23f},       /* above a tie */
        {0x1.fffffep127 + 0x1p102, 0x1.fffffep127f}, /* the largest float, and a little */
        {1e300, INFINITY},                           /* beyond */
        {-1e39, -INFINITY},
        {-INFINITY, -INFINITY},
        {0x1p-149, 0x1p-149f},   /* the smallest */
        {0x1.8p-149, 0x1p-148f}, /* a tie among denormals */
        {1e-60, 0},
        {-1e-60, -0.0f},
    };
    static const char form[] = "{\"last.weight\":{\"dtype\":\"F64\",\"shape\":[2,2],"
                               "\"data_offsets\":[0,32]},\"last.bias\":{\"dtype\":\"F64\","
                               "\"shape\":[2],\"data_offsets\":[32,48]}}";
    cnn_model *model = weights_model(context);
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        double stored[6] = {0};
        float values[4];
        stored[3] = rows[i].from;
        EXPECT_OK(weights_load_made(model, form, stored, sizeof stored, NULL));
        weights_get(model, context, "last.weight", values, 4);
        ck_assert_msg(memcmp(&values[3], &rows[i].to, sizeof(float)) == 0, "%a is %a, not %a",
                      rows[i].from, values[3], rows[i].to);
    }
    cnn_model_free(model);
}
END_TEST

/* ---- The wrong moment, the wrong arguments ------------------------------------------------- */

START_TEST(a_busy_model_is_left_alone)
{
    cnn_model *model = weights_model(context);
    const uint64_t hash = model_hash(model, context);
    cnn_tensor *bytes = NULL;
    EXPECT_OK(cnni_weight_gate_enter_reading(model->gate, "test"));
    EXPECT_FAILS(weights_load_named(model, weights, "last.weight", "last.bias"), CNN_ERROR_STATE,
                 "cnn_model_load_weights_memory", "reading");
    expect_outcomes(weights, 0, 0, 0, 0, 0, 0);
    EXPECT_OK(cnn_model_save_weights_memory(&bytes, model, NULL));
    cnn_tensor_free(bytes);
    cnni_weight_gate_leave(model->gate);
    ck_assert(model_hash(model, context) == hash);
    EXPECT_OK(cnni_weight_gate_enter_writing(model->gate, "test"));
    EXPECT_FAILS(cnn_model_save_weights_memory(&bytes, model, NULL), CNN_ERROR_STATE,
                 "cnn_model_save_weights_memory", "training step");
    ck_assert_ptr_null(bytes);
    cnni_weight_gate_leave(model->gate);
    EXPECT_OK(weights_load_named(model, weights, "last.weight", "last.bias"));
    expect_weights_loaded(model, context);
    cnn_model_free(model);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    cnn_model *model = weights_model(context), *empty = model_new(context, (const int64_t[]){2}, 1);
    cnn_weights *made = weights;
    cnn_tensor *bytes = (cnn_tensor *)model;
    ck_assert_int_eq(cnn_weights_create(NULL, context), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_weights_create(&made, NULL), CNN_ERROR_INVALID);
    ck_assert_ptr_null(made);
    cnn_weights_free(NULL);
    EXPECT_FAILS(cnn_weights_map(NULL, "a", "b"), CNN_ERROR_INVALID, "cnn_weights_map", "weights");
    EXPECT_FAILS(cnn_weights_map(weights, NULL, "b"), CNN_ERROR_INVALID, "cnn_weights_map",
                 "file_name");
    EXPECT_FAILS(cnn_weights_map(weights, "a", NULL), CNN_ERROR_INVALID, "cnn_weights_map",
                 "model_name");
    EXPECT_FAILS(cnn_weights_map(weights, "", "b"), CNN_ERROR_INVALID, "cnn_weights_map",
                 "file_name is \"\", must be a name");
    EXPECT_FAILS(cnn_weights_map_prefix(weights, "\xC3", ""), CNN_ERROR_INVALID,
                 "cnn_weights_map_prefix", "file_prefix is \"\\xC3\", must be UTF-8");
    EXPECT_FAILS(cnn_weights_map_prefix(weights, "a", NULL), CNN_ERROR_INVALID,
                 "cnn_weights_map_prefix", "model_prefix");
    EXPECT_FAILS(cnn_weights_skip(weights, NULL), CNN_ERROR_INVALID, "cnn_weights_skip", "prefix");
    EXPECT_FAILS(cnn_weights_skip(NULL, "a"), CNN_ERROR_INVALID, "cnn_weights_skip", "weights");
    EXPECT_FAILS(cnn_weights_set_strict(weights, 2), CNN_ERROR_INVALID, "cnn_weights_set_strict",
                 "strict is 2, must be 0 or 1");
    ck_assert_int_eq(cnn_weights_set_strict(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_weights_set_rename(NULL, NULL, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_weights(NULL, "x", NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_weights(model, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_weights_memory(NULL, "x", 1, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_weights_memory(model, NULL, 1, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_weights(NULL, "x", NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_weights(model, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_weights_memory(NULL, model, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_weights_memory(&bytes, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_ptr_null(bytes);
    EXPECT_FAILS(cnn_model_save_weights_memory(&bytes, empty, weights), CNN_ERROR_STATE,
                 "cnn_model_save_weights_memory", "no parameter");
    ck_assert_int_eq(cnn_weights_count(NULL, CNN_WEIGHTS_LOADED), 0);
    ck_assert_ptr_null(cnn_weights_name(NULL, CNN_WEIGHTS_LOADED, 0));
    ck_assert_uint_eq(cnn_weights_describe(NULL, NULL, 0), 0);
    ck_assert_str_eq(cnn_weights_outcome_name(CNN_WEIGHTS_MISMATCHED), "mismatched");
    ck_assert_str_eq(cnn_weights_outcome_name(0), "unknown outcome");
    ck_assert_str_eq(cnn_weights_outcome_name(7), "unknown outcome");
    EXPECT_OK(weights_load_named(model, weights, "last.weight",
                                 "last.bias")); /* no rule came of all that */
    cnn_model_free(empty);
    cnn_model_free(model);
}
END_TEST

static Suite *weights_suite(void)
{
    Suite *suite = suite_create("weights");
    TCase *tcase = tcase_create("weights");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, outputs_are_those_of_pytorch);
    tcase_add_test(tcase, layers_with_pytorch_names_need_no_rules);
    tcase_add_test(tcase, a_file_is_read);
    tcase_add_test(tcase, types_are_converted);
    tcase_add_test(tcase, a_model_file_is_one_of_weights_too);
    tcase_add_test(tcase, every_f16_is_exact);
    tcase_add_test(tcase, every_bf16_is_exact);
    tcase_add_test(tcase, an_f64_is_rounded_to_nearest_even);
    tcase_add_test(tcase, a_busy_model_is_left_alone);
    tcase_add_test(tcase, bad_arguments_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(weights_suite());
}
