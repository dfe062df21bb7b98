/* SPDX-License-Identifier: MIT
 * Weights files made to do harm, or damaged: refused with the right status and a text, leaving the
 * model as it was and nothing behind; and odd ones that are good. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/weights_files.h"

static cnn_context *context;
static cnn_model *model;
static uint64_t hash; /* of the model */

static struct accounts accounts;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 1));
    model = weights_model(context);
    hash = model_hash(model, context);
}

static void tear_down(void)
{
    cnn_model_free(model);
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

static const char header_text[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
    "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";

static const float values[] = {1, 2, 3, 4, 5, 6};

enum { TEXT_ROOM = 1 << 20 };

/* Puts `to` for `from` in the header, and loads. */
static cnn_status load_changed(const char *from, const char *to, cnn_weights *weights)
{
    static char header[TEXT_ROOM];
    const char *place = strstr(header_text, from);
    ck_assert_msg(place != NULL, "no %s", from);
    snprintf(header, sizeof header, "%.*s%s%s", (int)(place - header_text), header_text, to,
             place + strlen(from));
    return weights_load_made(model, header, values, sizeof values, weights);
}

static const struct {
    const char *from, *to;
    cnn_status status;
    const char *text; /* part of the message */
} rows[] = {
    /* The metadata. */
    {"{\"format\":\"pt\"}", "{}", CNN_OK, ""},
    {"\"__metadata__\":{\"format\":\"pt\"},", "", CNN_OK, ""},
    {"\"pt\"", "\"pt\",\"cnn.header_crc32c\":\"00000000\",\"cnn\":\"\"", CNN_OK, ""},
    {"\"pt\"", "1", CNN_ERROR_FORMAT, "expected a string"},
    {"\"pt\"", "{}", CNN_ERROR_FORMAT, "expected a string"},
    {"{\"format\":\"pt\"}", "[]", CNN_ERROR_FORMAT, "expected an object"},
    {"\"__metadata__\":", "\"__metadata__\":{},\"__metadata__\":", CNN_ERROR_FORMAT, "second time"},
    /* Spaces around. */
    {"[16,24]}}", "[16,24]}}      ", CNN_OK, ""},
    {"[16,24]}}", "[16,24]}\n }", CNN_OK, ""},
    {"[16,24]}}", "[16,24]}}{", CNN_ERROR_FORMAT, "expected the end"},
    {"[16,24]}}", "[16,24]}", CNN_ERROR_FORMAT, "header, byte"},
    /* Types. */
    {"\"F32\"", "\"F\\u00332\"", CNN_OK, ""},
    {"\"F32\"", "\"I32\"", CNN_ERROR_SHAPE, "I32 [2][2]"},
    {"\"F32\"", "\"U32\"", CNN_ERROR_SHAPE, "U32 [2][2]"},
    {"\"F32\"", "\"F6\"", CNN_ERROR_SHAPE, "of an unknown type [2][2]"},
    {"\"F32\"", "\"\"", CNN_ERROR_SHAPE, "of an unknown type"},
    {"\"F32\"", "\"F16\"", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"\"F32\"", "\"F64\"", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"\"F32\"", "\"BF16\"", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"\"F32\"", "\"BOOL\"", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"\"F32\"", "7", CNN_ERROR_FORMAT, "expected a string"},
    {"\"dtype\":\"F32\",", "", CNN_ERROR_FORMAT, "without a type"},
    {"\"shape\":[2,2],", "", CNN_ERROR_FORMAT, "without a type or shape"},
    {",\"data_offsets\":[0,16]", "", CNN_ERROR_FORMAT, "offsets"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"dtype\":\"F32\"", CNN_ERROR_FORMAT, "second time"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"x\":1", CNN_ERROR_FORMAT, "unknown"},
    /* Shapes. */
    {"[2,2],", "[4],", CNN_ERROR_SHAPE, "\"last.weight\" is [2][2], but in the file"},
    {"[2,2],", "[2,2,1],", CNN_ERROR_SHAPE, "F32 [2][2][1]"},
    {"[2,2],\"data_offsets\":[0,16]", "[],\"data_offsets\":[0,4]", CNN_ERROR_FORMAT, "gap"},
    {"[2,2],", "[],", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"[2,2],", "[0,2],", CNN_ERROR_FORMAT, "do not fit the shape"},
    {"[2,2],", "[-2,-2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[-1,4],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[2.0,2],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "[1,1,1,1,1,1,1,2,2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[4611686018427387904,4],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[4294967296,4294967296],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[99999999999999999999,1],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "null,", CNN_ERROR_FORMAT, "expected an array"},
    /* Places. */
    {"[0,16]", "[4,20]", CNN_ERROR_FORMAT, "tensor \"last.weight\" leaves a gap"},
    {"[16,24]", "[20,28]", CNN_ERROR_FORMAT, "tensor \"last.bias\" leaves a gap"},
    {"[16,24]", "[12,20]", CNN_ERROR_FORMAT, "overlaps"},
    {"[16,24]", "[0,8]", CNN_ERROR_FORMAT, "overlaps"},
    {"[16,24]", "[24,16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,20]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,24,32]", CNN_ERROR_FORMAT, "two offsets"},
    {"[16,24]", "[-8,0]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[-9223372036854775808,24]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,9223372036854775807]", CNN_ERROR_FORMAT, "offsets"},
    {"\"F32\",\"shape\":[2],\"data_offsets\":[16,24]",
     "\"F6\",\"shape\":[2],\"data_offsets\":[16,9223372036854775807]", CNN_ERROR_FORMAT,
     "cut short"},
    {"[2],\"data_offsets\":[16,24]", "[4],\"data_offsets\":[16,32]", CNN_ERROR_FORMAT, "cut short"},
    {"[2],\"data_offsets\":[16,24]", "[1],\"data_offsets\":[16,20]", CNN_ERROR_FORMAT,
     "goes on behind its end"},
    {",\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}", "",
     CNN_ERROR_FORMAT, "goes on behind its end"},
    /* Any order, nothing in a tensor, and numbers without dimensions. */
    {"\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
     "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}",
     "\"last.bias\":{\"data_offsets\":[16,24],\"shape\":[2],\"dtype\":\"F32\"},"
     "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
     CNN_OK, ""},
    {"\"last.weight\":{",
     "\"a.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[24,24]},"
     "\"b.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[7,0],\"data_offsets\":[16,16]},"
     "\"num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]},"
     "\"last.weight\":{",
     CNN_OK, ""},
    {",\"last.bias\":{",
     ",\"num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]},"
     "\"last.bias\":{",
     CNN_OK, ""},
    {"\"last.weight\":{",
     "\"a.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[20,20]},"
     "\"last.weight\":{",
     CNN_ERROR_FORMAT, "overlaps"},
    /* Names. */
    {"\"last.bias\":", "\"last.weight\":", CNN_ERROR_FORMAT,
     "tensor \"last.weight\" has a name that is there for the second time"},
    {"\"last.bias\":", "\"last.weigh\\u0074\":", CNN_ERROR_FORMAT, "second time"},
    {"\"last.weight\"", "\"last.weigh\\u0074\"", CNN_OK, ""},
    {"\"last.weight\"", "\"last.weight\\n\"", CNN_ERROR_NOT_FOUND, "1 missing, 1 unexpected"},
    {"\"last.weight\"", "\"last.weight\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"last.weight\"", "\"\"", CNN_ERROR_NOT_FOUND, "1 missing, 1 unexpected"},
    {"\"last.weight\"", "\"\xC3(\"", CNN_ERROR_FORMAT, "not UTF-8"},
    {"\"last.weight\"", "\"\\ud800\"", CNN_ERROR_FORMAT, "an escape"},
    {"\"last.weight\":{", "\"x\":[],\"last.weight\":{", CNN_ERROR_FORMAT, "expected an object"},
    {"\"last.weight\":{",
     "\"num_batches_tracked2\":{\"dtype\":\"I64\",\"shape\":[0],"
     "\"data_offsets\":[0,0]},\"last.weight\":{",
     CNN_ERROR_NOT_FOUND, "0 missing, 1 unexpected"},
};

/* Strictly, and as far as it goes: only damage counts then. */
START_TEST(a_hostile_file_is_refused)
{
    cnn_weights *weights;
    cnn_status status = load_changed(rows[_i].from, rows[_i].to, NULL);
    ck_assert_msg(status == rows[_i].status, "%s -> %s: %s %s", rows[_i].from, rows[_i].to,
                  cnn_status_name(status), status == CNN_OK ? "" : cnn_error_message());
    if (status != CNN_OK) {
        ck_assert_msg(strstr(cnn_error_message(), rows[_i].text) != NULL, "%s -> %s: %s",
                      rows[_i].from, rows[_i].to, cnn_error_message());
        ck_assert_ptr_null(strchr(cnn_error_message(), '\n'));
    }
    ck_assert_int_eq(model_hash(model, context) == hash, status != CNN_OK);
    EXPECT_OK(cnn_weights_create(&weights, context));
    EXPECT_OK(cnn_weights_set_strict(weights, 0));
    status = load_changed(rows[_i].from, rows[_i].to, weights);
    ck_assert_int_eq(status, rows[_i].status == CNN_ERROR_FORMAT ? CNN_ERROR_FORMAT : CNN_OK);
    cnn_weights_free(weights);
}
END_TEST

START_TEST(a_file_cut_short_is_refused)
{
    size_t size;
    char *bytes = weights_file(&size, header_text, values, sizeof values);
    char *longer = calloc(1, size + 4);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(weights_load(model, bytes, cut, NULL), CNN_ERROR_FORMAT);
    memcpy(longer, bytes, size);
    EXPECT_FAILS(weights_load(model, longer, size + 4, NULL), CNN_ERROR_FORMAT,
                 "cnn_model_load_weights_memory", "goes on behind its end");
    ck_assert(model_hash(model, context) == hash);
    free(longer);
    free(bytes);
}
END_TEST

/* There is no checksum: any bit may change, and nothing worse than another value comes of it. */
START_TEST(a_flipped_bit_does_no_harm)
{
    size_t size;
    char *bytes = weights_file(&size, header_text, values, sizeof values);
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (char)(1 << (i % 8));
        cnn_status status = weights_load(model, bytes, size, NULL);
        if (i / 8 >= size - sizeof values)
            EXPECT_OK(status);
        else
            ck_assert(status == CNN_OK || status == CNN_ERROR_FORMAT ||
                      status == CNN_ERROR_NOT_FOUND || status == CNN_ERROR_SHAPE);
        bytes[i / 8] ^= (char)(1 << (i % 8));
    }
    free(bytes);
}
END_TEST

START_TEST(files_of_other_programs_are_refused)
{
    static const char *const starts[] = {
        "",
        "\x89PNG\r\n\x1A\n0000",
        "PK\x03\x04________",
        "\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20",
        "\x93NUMPY\x01________",
        "GGUF____________",
        "{\"a\":1}",
        "hello, world: no weights here",
    };
    for (int32_t i = 0; i < CNNI_COUNT(starts); i++)
        EXPECT_FAILS(weights_load(model, starts[i], strlen(starts[i]), NULL), CNN_ERROR_FORMAT,
                     "cnn_model_load_weights_memory", "safetensors file");
}
END_TEST

START_TEST(a_wrong_length_is_refused)
{
    static const uint64_t lengths[] = {
        0, 1, 2, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32, UINT64_MAX - 7, INT64_MAX};
    size_t size;
    char *bytes = weights_file(&size, header_text, values, sizeof values);
    for (int32_t i = 0; i < CNNI_COUNT(lengths); i++) {
        for (int32_t j = 0; j < 8; j++)
            bytes[j] = (char)(lengths[i] >> (8 * j));
        ck_assert_int_eq(weights_load(model, bytes, size, NULL), CNN_ERROR_FORMAT);
    }
    free(bytes);
}
END_TEST

START_TEST(deep_headers_are_cheap)
{
    static char header[TEXT_ROOM];
    memset(header, '[', sizeof header - 1);
    memcpy(header, "{\"a\":", 5);
    EXPECT_FAILS(weights_load_made(model, header, "", 0, NULL), CNN_ERROR_FORMAT,
                 "cnn_model_load_weights_memory", "levels");
}
END_TEST

/* As many tensors as are allowed, in falling order, and then one more. */
START_TEST(many_tensors_are_quick)
{
    enum { MOST = 65536, LINE = 80 };
    char *header = malloc((MOST + 2) * LINE), *place = header;
    cnn_weights *weights;
    EXPECT_OK(cnn_weights_create(&weights, context));
    EXPECT_OK(cnn_weights_skip(weights, ""));
    for (int32_t count = MOST; count <= MOST + 1; count++) {
        place = header + sprintf(header, "{");
        for (int32_t i = 0; i < count; i++)
            place +=
                sprintf(place, "%s\"t%d\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[%d,%d]}",
                        i == 0 ? "" : ",", i, count - 1 - i, count - i);
        strcpy(place, "}");
        cnn_status status = weights_load_made(model, header, header, (size_t)count, weights);
        ck_assert_int_eq(status, count == MOST ? CNN_OK : CNN_ERROR_LIMIT);
    }
    ck_assert_int_eq(cnn_weights_count(weights, CNN_WEIGHTS_SKIPPED), MOST);
    ck_assert_str_eq(cnn_weights_name(weights, CNN_WEIGHTS_SKIPPED, MOST - 1), "t65535");
    cnn_weights_free(weights);
    free(header);
}
END_TEST

START_TEST(limits_hold)
{
    const struct {
        cnn_limit limit;
        int64_t enough;
    } limits[] = {
        {CNN_LIMIT_TENSORS, 2},
        {CNN_LIMIT_HEADER_BYTES, sizeof header_text - 1},
        {CNN_LIMIT_MODEL_BYTES, 8 + sizeof header_text - 1 + sizeof values},
    };
    for (int32_t i = 0; i < CNNI_COUNT(limits); i++) {
        EXPECT_OK(cnn_context_set_limit(context, limits[i].limit, limits[i].enough - 1));
        EXPECT_FAILS(weights_load_made(model, header_text, values, sizeof values, NULL),
                     CNN_ERROR_LIMIT, "cnn_model_load_weights_memory", "");
        EXPECT_OK(cnn_context_set_limit(context, limits[i].limit, limits[i].enough));
        EXPECT_OK(weights_load_made(model, header_text, values, sizeof values, NULL));
    }
}
END_TEST

static Suite *weights_hostile_suite(void)
{
    Suite *suite = suite_create("weights_hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, a_hostile_file_is_refused, 0, CNNI_COUNT(rows));
    tcase_add_test(tcase, a_file_cut_short_is_refused);
    tcase_add_test(tcase, a_flipped_bit_does_no_harm);
    tcase_add_test(tcase, files_of_other_programs_are_refused);
    tcase_add_test(tcase, a_wrong_length_is_refused);
    tcase_add_test(tcase, deep_headers_are_cheap);
    tcase_add_test(tcase, many_tensors_are_quick);
    tcase_add_test(tcase, limits_hold);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(weights_hostile_suite());
}
