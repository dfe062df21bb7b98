/* SPDX-License-Identifier: MIT
 * Model files made to do harm, with right checksums: refused with the right status and a text,
 * leaving nothing behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/model_files.h"
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

/* A model file in two texts, [2] -> dense 2, whose six values are zeros. */
static const char graph_text[] =
    "{\"format\":1,\"library\":\"0.1.0\",\"input\":[1,2,1],\"mean\":[0.5],\"deviation\":[0.25],"
    "\"layers\":["
    "{\"kind\":\"maxpool2d\",\"name\":\"pool\",\"options\":{\"window_height\":1,\"window_width\":1,"
    "\"stride_height\":0,\"stride_width\":0,\"padding_height\":0,\"padding_width\":0},"
    "\"inputs\":[-1]},"
    "{\"kind\":\"flatten\",\"name\":\"flat\",\"options\":{},\"inputs\":[0]},"
    "{\"kind\":\"dense\",\"name\":\"last\",\"options\":{\"units\":2,\"bias\":1},\"inputs\":[1]}],"
    "\"classes\":[\"a\",\"b\"],\"crc32c\":[\"WWWWWWWW\",\"BBBBBBBB\"]}";

static const char header_text[] =
    "{\"__metadata__\":{\"cnn.header_crc32c\":\"HHHHHHHH\",\"cnn\":\"GRAPH\"},"
    "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
    "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";

enum { TEXT_ROOM = 1 << 20, VALUES_SIZE = 24 };

/* Puts `to` where `from` stands for the first time; false where it does not. */
static bool substitute(char *text, const char *from, const char *to)
{
    char *place = strstr(text, from);
    if (place == NULL)
        return false;
    memmove(place + strlen(to), place + strlen(from), strlen(place + strlen(from)) + 1);
    memcpy(place, to, strlen(to));
    return true;
}

static void put_crc(char *text, const char *mark, uint32_t crc)
{
    char digits[9];
    snprintf(digits, sizeof digits, "%08x", crc);
    while (substitute(text, mark, digits))
        continue;
}

/* Appends `graph` to `header` as a JSON string's inside. */
static void escape(char *escaped, const char *graph)
{
    for (; *graph != '\0'; graph++) {
        if (*graph == '"' || *graph == '\\')
            *escaped++ = '\\';
        *escaped++ = *graph;
    }
    *escaped = '\0';
}

/* Makes the file after putting `to` for `from` in the graph or else in the header; returns its
 * size. */
static size_t make_file(char *file, const char *from, const char *to)
{
    static char graph[TEXT_ROOM], header[TEXT_ROOM], escaped[TEXT_ROOM];
    static const char zeros[VALUES_SIZE];
    strcpy(graph, graph_text);
    strcpy(header, header_text);
    ck_assert_msg(substitute(graph, from, to) || substitute(header, from, to), "no %s", from);
    put_crc(graph, "WWWWWWWW", cnni_crc32c(0, zeros, 16));
    put_crc(graph, "BBBBBBBB", cnni_crc32c(0, zeros, 8));
    escape(escaped, graph);
    substitute(header, "GRAPH", escaped);
    char *crc = strstr(header, "HHHHHHHH");
    if (crc != NULL)
        memcpy(crc, "00000000", 8);
    uint64_t size = strlen(header);
    if (crc != NULL) {
        char digits[9];
        snprintf(digits, sizeof digits, "%08x", cnni_crc32c(0, header, size));
        memcpy(crc, digits, 8);
    }
    for (int32_t i = 0; i < 8; i++)
        file[i] = (char)(size >> (8 * i));
    memcpy(file + 8, header, size);
    memset(file + 8 + size, 0, VALUES_SIZE);
    return 8 + size + VALUES_SIZE;
}

static const struct {
    const char *from, *to;
    cnn_status status;
    const char *text; /* part of the message */
} hostile[] = {
    /* The metadata. */
    {"\"cnn.header_crc32c\":\"HHHHHHHH\",", "", CNN_ERROR_FORMAT, "not written by libcnn"},
    {"\"cnn.header_crc32c\":\"HHHHHHHH\",\"cnn\":\"GRAPH\"", "\"format\":\"pt\"", CNN_ERROR_FORMAT,
     "not written by libcnn"},
    {",\"cnn\":\"GRAPH\"", "", CNN_ERROR_FORMAT, "not written by libcnn"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"GRAPH\",\"cnn\":\"\"", CNN_ERROR_FORMAT, "second time"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":{}", CNN_ERROR_FORMAT, "expected a string"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"\"", CNN_ERROR_FORMAT, "expected an object"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"\\u0000\"", CNN_ERROR_FORMAT, "expected an object"},
    {"HHHHHHHH", "0000000", CNN_ERROR_FORMAT, "checksum"},
    {"HHHHHHHH", "zzzzzzzz", CNN_ERROR_FORMAT, "checksum"},
    {"\"__metadata__\":", "\"__metadata__\":{},\"__metadata__\":", CNN_ERROR_FORMAT, "second time"},
    /* The tensors. */
    {"\"F32\"", "\"F16\"", CNN_ERROR_FORMAT, "other than F32"},
    {"\"F32\"", "7", CNN_ERROR_FORMAT, "expected a string"},
    {"\"dtype\":\"F32\",", "", CNN_ERROR_FORMAT, "without a type"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"dtype\":\"F32\"", CNN_ERROR_FORMAT, "second time"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"x\":1", CNN_ERROR_FORMAT, "unknown"},
    {"[2,2],", "[4],", CNN_ERROR_FORMAT, "tensor 0 is [4], layer \"last\" needs [2][2]"},
    {"[2,2],", "[2,2,1],", CNN_ERROR_FORMAT, "needs [2][2]"},
    {"[2,2],", "[],", CNN_ERROR_FORMAT, "without a type or shape"},
    {"[2,2],", "[-2,-2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[0,2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[2.0,2],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "[1,1,1,1,1,1,1,2,2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[4611686018427387904,4],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[4294967296,4294967296],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[99999999999999999999,1],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "null,", CNN_ERROR_FORMAT, "expected an array"},
    {"[0,16]", "[4,20]", CNN_ERROR_FORMAT, "gap"},
    {"[16,24]", "[20,28]", CNN_ERROR_FORMAT, "gap"},
    {"[16,24]", "[12,20]", CNN_ERROR_FORMAT, "overlap"},
    {"[16,24]", "[0,8]", CNN_ERROR_FORMAT, "overlap"},
    {"[16,24]", "[24,16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,20]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,24,32]", CNN_ERROR_FORMAT, "two offsets"},
    {"[16,24]", "[-9223372036854775808,24]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,9223372036854775807]", CNN_ERROR_FORMAT, "offsets"},
    {"[2],\"data_offsets\":[16,24]", "[4],\"data_offsets\":[16,32]", CNN_ERROR_FORMAT, "cut short"},
    {"[2],\"data_offsets\":[16,24]", "[1],\"data_offsets\":[16,20]", CNN_ERROR_FORMAT,
     "goes on behind its end"},
    {"\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
     "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}",
     "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]},"
     "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
     CNN_ERROR_FORMAT, "gap"},
    {",\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}", "",
     CNN_ERROR_FORMAT, "goes on behind its end"},
    {"\"last.bias\":", "\"last.weight\":", CNN_ERROR_FORMAT, "must be \"last.bias\""},
    {"\"last.weight\"", "\"last.weigh\\u0074\\n\"", CNN_ERROR_FORMAT, "named \"last.weight\\x0A\""},
    {"\"last.weight\"", "\"last.weight\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"last.weight\"", "\"\"", CNN_ERROR_FORMAT, "named \"\""},
    {"\"last.weight\":{", "\"x\":[],\"last.weight\":{", CNN_ERROR_FORMAT, "expected an object"},
    {"[2],\"data_offsets\":[16,24]}",
     "[1],\"data_offsets\":[16,20]},\"more\":"
     "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[20,24]}",
     CNN_ERROR_FORMAT, "tensor 1 is [1]"},
    /* The graph's head. */
    {"\"format\":1", "\"format\":2", CNN_ERROR_UNSUPPORTED, "newer version"},
    {"\"format\":1", "\"format\":9223372036854775807", CNN_ERROR_UNSUPPORTED, "newer version"},
    {"\"format\":1", "\"format\":0", CNN_ERROR_FORMAT, "below 1"},
    {"\"format\":1", "\"format\":-1", CNN_ERROR_FORMAT, "below 1"},
    {"\"format\":1", "\"format\":\"1\"", CNN_ERROR_FORMAT, "expected a number"},
    {"\"format\":1,", "", CNN_ERROR_FORMAT, "a member that is missing"},
    {"\"format\":1,", "\"format\":1,\"format\":1,", CNN_ERROR_FORMAT, "a member that is"},
    {"\"library\":\"0.1.0\",", "", CNN_ERROR_FORMAT, "a member that is missing"},
    {"\"input\":[1,2,1]", "\"input\":[]", CNN_ERROR_FORMAT, "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,0]", CNN_ERROR_FORMAT, "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,-2,1]", CNN_ERROR_FORMAT, "must be at least 1"},
    {"\"input\":[1,2,1]", "\"input\":[4294967296,4294967296,1]", CNN_ERROR_FORMAT,
     "more elements than memory can hold"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,1000000000000]", CNN_ERROR_FORMAT,
     "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,1,1,1,1,1,1,1,1]", CNN_ERROR_FORMAT,
     "more than 8 dimensions"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,1,1]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[0.5,0.5]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[1e300]", CNN_ERROR_FORMAT, "too large for a float"},
    {"[0.5]", "[1e400]", CNN_ERROR_FORMAT, "too large for a double"},
    {"[0.5]", "[NaN]", CNN_ERROR_FORMAT, "expected a number"},
    {"[0.5]", "[\"0.5\"]", CNN_ERROR_FORMAT, "expected a number"},
    {"[0.25]", "[0]", CNN_ERROR_FORMAT, "deviation"},
    {"[0.25]", "[-1]", CNN_ERROR_FORMAT, "deviation"},
    {"[0.25]", "[1,1]", CNN_ERROR_FORMAT, "deviations than of means"},
    /* The layers. */
    {"\"layers\":[", "\"layers\":[1,", CNN_ERROR_FORMAT, "expected an object"},
    {"\"layers\":[", "\"layers\":{", CNN_ERROR_FORMAT, "expected an array"},
    {"\"maxpool2d\"", "\"medianpool2d\"", CNN_ERROR_UNSUPPORTED, "kind \"medianpool2d\""},
    {"\"maxpool2d\"", "\"max\\npool2d\"", CNN_ERROR_UNSUPPORTED, "max\\x0Apool2d"},
    {"\"maxpool2d\"", "\"maxpool2d\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"maxpool2d\"", "\"relu\"", CNN_ERROR_FORMAT, "option"},
    {"\"name\":\"pool\"", "\"name\":\"flat\"", CNN_ERROR_FORMAT, "flat"},
    {"\"name\":\"pool\"", "\"name\":\"\"", CNN_ERROR_FORMAT, "name"},
    {"\"name\":\"pool\"", "\"name\":\"a\\u0001\"", CNN_ERROR_FORMAT, "a\\x01"},
    {"\"name\":\"pool\"", "\"name\":\"\xC3(\"", CNN_ERROR_FORMAT, "not UTF-8"},
    {"\"name\":\"pool\"", "\"name\":\"\\ud800\"", CNN_ERROR_FORMAT, "an escape"},
    {"\"window_height\":1", "\"window_height\":0", CNN_ERROR_FORMAT, "window_height is 0"},
    {"\"window_height\":1", "\"window_height\":1.5", CNN_ERROR_FORMAT, "expected an integer"},
    {"\"window_height\":1", "\"window_height\":9223372036854775807", CNN_ERROR_FORMAT,
     "window_height is 9"},
    {"\"window_height\":1", "\"window_height\":2", CNN_ERROR_FORMAT, "larger than"},
    {"\"window_height\":1", "\"window_height\":true", CNN_ERROR_FORMAT, "expected a number"},
    {"\"window_height\":1", "\"window_height\":1,\"window_height\":1", CNN_ERROR_FORMAT, "option"},
    {"\"window_height\":1", "\"window_depth\":1", CNN_ERROR_FORMAT, "option"},
    {"\"stride_height\":0", "\"stride_height\":-1", CNN_ERROR_FORMAT, "stride_height is -1"},
    {"\"padding_height\":0", "\"padding_height\":1", CNN_ERROR_FORMAT, "at most half"},
    /* A cycle: the layer itself; forward: the next one; dangling: none at all. */
    {"\"inputs\":[-1]", "\"inputs\":[0]", CNN_ERROR_FORMAT,
     "an input of layer \"pool\" is 0, must be -1 for the model's or a layer before this one"},
    {"\"inputs\":[-1]", "\"inputs\":[1]", CNN_ERROR_FORMAT, "layer \"pool\" is 1, must be -1"},
    {"\"inputs\":[1]", "\"inputs\":[3]", CNN_ERROR_FORMAT, "layer \"last\" is 3, must be -1"},
    {"\"inputs\":[-1]", "\"inputs\":[-2]", CNN_ERROR_FORMAT, "layer \"pool\" is -2, must be -1"},
    {"\"inputs\":[-1]", "\"inputs\":[4294967295]", CNN_ERROR_FORMAT, "is 4294967295, must be -1"},
    {"\"inputs\":[-1]", "\"inputs\":[\"flat\"]", CNN_ERROR_FORMAT, "expected a number"},
    {"\"inputs\":[-1]", "\"inputs\":[]", CNN_ERROR_FORMAT, "0 inputs"},
    {"\"inputs\":[-1]", "\"inputs\":[-1,-1]", CNN_ERROR_FORMAT, "2 inputs"},
    {"\"inputs\":[-1]", "\"inputs\":[-1],\"more\":1", CNN_ERROR_FORMAT, "unknown member"},
    {"\"inputs\":[0]},{", "\"inputs\":[-1]},{", CNN_OK, ""},
    {"\"inputs\":[1]", "\"inputs\":[0]", CNN_ERROR_FORMAT, "put a flatten before it"},
    {"\"units\":2", "\"units\":0", CNN_ERROR_FORMAT, "units is 0"},
    {"\"units\":2", "\"units\":3", CNN_ERROR_FORMAT, "needs [3][2]"},
    {"\"units\":2", "\"units\":16777216", CNN_ERROR_FORMAT, "needs [16777216][2]"},
    {"\"input\":[1,2,1]", "\"input\":[1,288230376151711744,1]", CNN_ERROR_FORMAT, "layer \"last\""},
    {"\"units\":2,\"bias\":1", "\"units\":2,\"bias\":0", CNN_ERROR_FORMAT,
     "has 2 tensors, but its layers need 1"},
    {"\"bias\":1", "\"bias\":2", CNN_ERROR_FORMAT, "bias is 2"},
    {",\"bias\":1", "", CNN_OK, ""}, /* an option that came later has its preset */
    /* Behind the layers. */
    {"\"a\",\"b\"", "\"a\",1", CNN_ERROR_FORMAT, "expected a string"},
    {"\"a\",\"b\"", "\"a\",\"\"", CNN_ERROR_FORMAT, "name 1"},
    {"\"a\",\"b\"", "\"a\",\"\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"a\",\"b\"", "", CNN_OK, ""},
    {"WWWWWWWW", "00000000", CNN_ERROR_FORMAT, "tensor \"last.weight\""},
    {"\"WWWWWWWW\",", "", CNN_ERROR_FORMAT, "damaged"},
    {",\"BBBBBBBB\"", "", CNN_ERROR_FORMAT, "fewer checksums"},
    {"\"BBBBBBBB\"", "\"BBBBBBBB\",\"BBBBBBBB\"", CNN_ERROR_FORMAT, "more checksums"},
    {"\"BBBBBBBB\"", "0", CNN_ERROR_FORMAT, "expected a string"},
    {"\"BBBBBBBB\"]", "\"BBBBBBBB\"],\"more\":1", CNN_ERROR_FORMAT, "unknown member"},
    {"\"BBBBBBBB\"]}", "\"BBBBBBBB\"]}}", CNN_ERROR_FORMAT, "expected the end"},
};

START_TEST(a_hostile_file_is_refused)
{
    static char file[TEXT_ROOM];
    cnn_model *model;
    size_t size = make_file(file, hostile[_i].from, hostile[_i].to);
    cnn_status status = model_from_bytes(&model, context, file, size);
    ck_assert_msg(status == hostile[_i].status, "%s -> %s: %s %s", hostile[_i].from, hostile[_i].to,
                  cnn_status_name(status), status == CNN_OK ? "" : cnn_error_message());
    if (status != CNN_OK)
        ck_assert_msg(strstr(cnn_error_message(), hostile[_i].text) != NULL, "%s -> %s: %s",
                      hostile[_i].from, hostile[_i].to, cnn_error_message());
    cnn_model_free(model);
}
END_TEST

START_TEST(the_file_made_by_hand_is_good)
{
    static char file[TEXT_ROOM];
    cnn_model *model;
    EXPECT_OK(model_from_bytes(&model, context, file, make_file(file, "\"a\"", "\"\\u0061\"")));
    ck_assert_str_eq(cnn_model_class_name(model, 0), "a");
    cnn_model_free(model);
}
END_TEST

/* Shapes whose products do not fit into 64 bits, each reasonable by itself. */
START_TEST(sizes_do_not_wrap)
{
    static const struct {
        const char *input, *layer;
    } rows[] = {
        {"[1,288230376151711744,1]", "\"units\":16777216"},
        {"[576460752303423488,1,1]", "\"units\":16777216"},
        {"[1,1152921504606846975,1]", "\"units\":16"},
    };
    static char file[TEXT_ROOM];
    char graph[sizeof graph_text + 100];
    cnn_model *model;
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        strcpy(graph, graph_text);
        ck_assert(substitute(graph, "[1,2,1]", rows[i].input));
        ck_assert(substitute(graph, "\"units\":2", rows[i].layer));
        size_t size = make_file(file, graph_text, graph);
        ck_assert_int_eq(model_from_bytes(&model, context, file, size), CNN_ERROR_FORMAT);
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "more elements than memory can hold"));
    }
}
END_TEST

/* Lengths of the header that lie. */
START_TEST(a_wrong_length_is_refused)
{
    static const uint64_t lengths[] = {
        0, 1, 2, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32, UINT64_MAX - 7, INT64_MAX};
    static char file[TEXT_ROOM];
    size_t size = make_file(file, "\"a\"", "\"a\"");
    for (int32_t i = 0; i < CNNI_COUNT(lengths); i++) {
        for (int32_t j = 0; j < 8; j++)
            file[j] = (char)(lengths[i] >> (8 * j));
        expect_damaged(context, file, size, (size_t)i);
    }
}
END_TEST

/* A megabyte of brackets, of names, of tensors without size: refused before they cost anything. */
START_TEST(large_headers_are_cheap)
{
    static char file[TEXT_ROOM], layers[TEXT_ROOM / 2];
    cnn_model *model;
    size_t used = 0;
    memset(file, '[', sizeof file);
    memcpy(file, "\xF0\xFF\x0F\0\0\0\0\0{\"a\":", 13);
    ck_assert_int_eq(model_from_bytes(&model, context, file, sizeof file), CNN_ERROR_FORMAT);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "levels"));
    for (int32_t i = 0; i < 6000; i++)
        used += (size_t)snprintf(layers + used, sizeof layers - used,
                                 "{\"kind\":\"relu\",\"name\":\"r%d\",\"options\":{},"
                                 "\"inputs\":[%d]},",
                                 i, i - 1);
    strcat(layers, "{\"kind\":\"flatten\"");
    size_t size = make_file(file, "{\"kind\":\"flatten\"", layers);
    ck_assert_int_eq(model_from_bytes(&model, context, file, size), CNN_ERROR_LIMIT);
}
END_TEST

START_TEST(limits_hold)
{
    static const struct {
        cnn_limit limit;
        int64_t enough;
    } rows[] = {
        {CNN_LIMIT_TENSORS, 2},
        {CNN_LIMIT_LAYERS, 3},
        {CNN_LIMIT_CLASSES, 2},
    };
    static char file[TEXT_ROOM];
    cnn_model *model;
    size_t size = make_file(file, "\"a\"", "\"a\"");
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough - 1));
        ck_assert_int_eq(model_from_bytes(&model, context, file, size), CNN_ERROR_LIMIT);
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough));
        EXPECT_OK(model_from_bytes(&model, context, file, size));
        cnn_model_free(model);
    }
    int64_t header = (int64_t)(size - VALUES_SIZE - 8);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_HEADER_BYTES, header - 1));
    ck_assert_int_eq(model_from_bytes(&model, context, file, size), CNN_ERROR_LIMIT);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_HEADER_BYTES, header));
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, (int64_t)size - 1));
    ck_assert_int_eq(model_from_bytes(&model, context, file, size), CNN_ERROR_LIMIT);
    file_write(folder_path("large.cnn"), file, size);
    ck_assert_int_eq(cnn_model_load(&model, context, folder_path("large.cnn")), CNN_ERROR_LIMIT);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, (int64_t)size));
    EXPECT_OK(cnn_model_load(&model, context, folder_path("large.cnn")));
    cnn_model_free(model);
}
END_TEST

/* What could not be loaded is not saved. */
START_TEST(limits_hold_for_saving)
{
    static char file[TEXT_ROOM];
    cnn_model *model;
    cnn_tensor *bytes;
    EXPECT_OK(model_from_bytes(&model, context, file, make_file(file, "\"a\"", "\"a\"")));
    EXPECT_OK(cnn_model_save_memory(&bytes, model));
    const int64_t size = (int64_t)cnn_tensor_bytes(bytes);
    const struct {
        cnn_limit limit;
        int64_t enough;
    } rows[] = {
        {CNN_LIMIT_TENSORS, 2},
        {CNN_LIMIT_HEADER_BYTES, size - VALUES_SIZE - 8},
        {CNN_LIMIT_MODEL_BYTES, size},
    };
    cnn_tensor_free(bytes);
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough - 1));
        ck_assert_int_eq(cnn_model_save_memory(&bytes, model), CNN_ERROR_LIMIT);
        ck_assert_ptr_null(bytes);
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough));
        EXPECT_OK(cnn_model_save_memory(&bytes, model));
        cnn_tensor_free(bytes);
    }
    cnn_model_free(model);
}
END_TEST

static Suite *model_file_hostile_suite(void)
{
    Suite *suite = suite_create("model_file_hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, the_file_made_by_hand_is_good);
    tcase_add_loop_test(tcase, a_hostile_file_is_refused, 0, CNNI_COUNT(hostile));
    tcase_add_test(tcase, sizes_do_not_wrap);
    tcase_add_test(tcase, a_wrong_length_is_refused);
    tcase_add_test(tcase, large_headers_are_cheap);
    tcase_add_test(tcase, limits_hold);
    tcase_add_test(tcase, limits_hold_for_saving);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_file_hostile_suite());
}
