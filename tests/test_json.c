/* SPDX-License-Identifier: MIT
 * JSON: what the reader takes and refuses, what the writer writes, and numbers in both directions.
 * Every text is read from memory of exactly its size, so that the sanitizers see a step too far. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "support/accounts.h"
#include "support/decimal_comma.h"
#include "support/suite.h"

/* A copy of exactly `size` bytes; one byte where there are none. */
static char *exact(const char *text, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, size);
    return copy;
}

/* What is wrong with a text, NULL for nothing. */
static const char *fault(const char *text, size_t size)
{
    struct cnni_json json;
    char *copy = exact(text, size);
    cnni_json_start(&json, copy, size);
    bool good = cnni_json_skip(&json) && cnni_json_finish(&json);
    ck_assert(good == (json.error == NULL));
    ck_assert_uint_le(json.at, size);
    free(copy);
    return json.error;
}

/* ---- Texts as a whole ---------------------------------------------------------------------- */

static const char *const good_texts[] = {
    "{}",
    "[]",
    " \t\r\n[ ] ",
    "0",
    "-0",
    "-0.0e-0",
    "12345678901234567890123456789012345678901234567890",
    "1e99999",
    "1E+2",
    "0.5e-7",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"",
    "\"\\u0000\\u00e4\\uABCD\\ud83d\\uDE00\"",
    "\"\x7F\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\"",
    "[1,2,[3,[]],{},{\"a\":{\"b\":[null,true]}}]",
    "{\"\":0,\"a\":1,\"a\":2}",
    "{\"a\" :\n1 , \"b\":[ 1 , 2 ] }",
};

START_TEST(good_text)
{
    const char *text = good_texts[_i];
    const char *error = fault(text, strlen(text));
    ck_assert_msg(error == NULL, "%s: %s", text, error);
}
END_TEST

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static const struct {
    const char *bytes;
    size_t size;
} bad_texts[] = {
    TEXT(""),
    TEXT(" "),
    TEXT("{"),
    TEXT("["),
    TEXT("}"),
    TEXT("]"),
    TEXT("[}"),
    TEXT("{]"),
    TEXT("[1"),
    TEXT("[1,"),
    TEXT("[1,]"),
    TEXT("[,1]"),
    TEXT("[1 2]"),
    TEXT("[1,,2]"),
    TEXT("[1}"),
    TEXT("{\"a\"}"),
    TEXT("{\"a\":}"),
    TEXT("{\"a\":1,}"),
    TEXT("{\"a\":1"),
    TEXT("{\"a\":1]"),
    TEXT("{,}"),
    TEXT("{1:2}"),
    TEXT("{a:1}"),
    TEXT("{\"a\" 1}"),
    TEXT("{\"a\":1 \"b\":2}"),
    TEXT("{'a':1}"),
    TEXT("[] []"),
    TEXT("1 2"),
    TEXT("[1]x"),
    TEXT("[1]\0"),
    TEXT("\0"),
    TEXT("[1]//"),
    TEXT("/**/1"),
    TEXT("\xEF\xBB\xBF{}"),
    TEXT("\xA0[]"),
    TEXT("\f1"),
    TEXT("True"),
    TEXT("tru"),
    TEXT("truex"),
    TEXT("nul"),
    TEXT("NaN"),
    TEXT("Infinity"),
    TEXT("-Infinity"),
    TEXT("+1"),
    TEXT("-"),
    TEXT("--1"),
    TEXT("01"),
    TEXT("-01"),
    TEXT("00"),
    TEXT(".5"),
    TEXT("1."),
    TEXT("1.e5"),
    TEXT("1e"),
    TEXT("1e+"),
    TEXT("1e5.5"),
    TEXT("0x10"),
    TEXT("1_000"),
    TEXT("1,5"),
    TEXT("\""),
    TEXT("\"a"),
    TEXT("\"a\\\""),
    TEXT("\"a\nb\""),
    TEXT("\"a\tb\""),
    TEXT("\"\0\""),
    TEXT("\"\x1F\""),
    TEXT("\"\\"),
    TEXT("\"\\x41\""),
    TEXT("\"\\\0\""),
    TEXT("\"\\'\""),
    TEXT("\"\\u\""),
    TEXT("\"\\u12\""),
    TEXT("\"\\u123"),
    TEXT("\"\\u123g\""),
    TEXT("\"\\U1234\""),
    TEXT("\"\\ud800\""),
    TEXT("\"\\udc00\""),
    TEXT("\"\\ud800\\ud800\""),
    TEXT("\"\\udc00\\udc00\""),
    TEXT("\"\\ud800x\""),
    TEXT("\"\\ud800\\udc0"),
    TEXT("\"\\ud800\\n12345\""),
    TEXT("\"\\ud800\\udc0\""),
    TEXT("\"\x80\""),
    TEXT("\"\xC3\""),
    TEXT("\"\xC3(\""),
    TEXT("\"\xC0\x80\""),
    TEXT("\"\xE0\x80\x80\""),
    TEXT("\"\xED\xA0\x80\""),
    TEXT("\"\xF0\x80\x80\x80\""),
    TEXT("\"\xF4\x90\x80\x80\""),
    TEXT("\"\xF5\x80\x80\x80\""),
    TEXT("\"\xFF\""),
    TEXT("{\"\xFF\":1}"),
    TEXT("\"\xF0\x9F\x98"),
};

START_TEST(bad_text)
{
    const char *error = fault(bad_texts[_i].bytes, bad_texts[_i].size);
    ck_assert_msg(error != NULL, "taken: %s", bad_texts[_i].bytes);
}
END_TEST

/* Cut short anywhere, a text is no text; and no cut reads too far. */
START_TEST(a_text_cut_short_is_refused)
{
    static const char text[] =
        "{\"a\":[1.5e7,\"\\u00e4\xE2\x82\xAC\",{\"b\":null}],\"c\":{\"d\":-1}}";
    for (size_t size = 0; size < sizeof text - 1; size++)
        ck_assert_ptr_nonnull(fault(text, size));
    ck_assert_ptr_null(fault(text, sizeof text - 1));
}
END_TEST

START_TEST(depth_is_limited)
{
    enum { ROOM = 100000 };
    static char text[ROOM];
    memset(text, '[', CNNI_JSON_DEPTH);
    memset(text + CNNI_JSON_DEPTH, ']', CNNI_JSON_DEPTH);
    ck_assert_ptr_null(fault(text, 2 * CNNI_JSON_DEPTH));
    memset(text, '[', CNNI_JSON_DEPTH + 1);
    memset(text + CNNI_JSON_DEPTH + 1, ']', CNNI_JSON_DEPTH + 1);
    ck_assert_str_eq(fault(text, 2 * CNNI_JSON_DEPTH + 2), "more than 64 levels");
    memset(text, '[', ROOM);
    ck_assert_ptr_nonnull(fault(text, ROOM));
    for (int32_t i = 0; i + 5 <= ROOM; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    ck_assert_ptr_nonnull(fault(text, ROOM));
}
END_TEST

/* ---- Pulling ------------------------------------------------------------------------------- */

START_TEST(values_are_pulled_one_by_one)
{
    static const char text[] =
        "{\"n\\u0061me\":\"x\\ny\",\"list\":[1,-2,[],3.5],\"rest\":{\"a\":[{}]}}";
    struct cnni_json json;
    struct cnni_json_string key, value;
    char decoded[16];
    int64_t whole;
    double real;
    cnni_json_start(&json, text, sizeof text - 1);
    ck_assert(cnni_json_object(&json));
    ck_assert(cnni_json_next_member(&json, &key));
    ck_assert(cnni_json_equal(key, "name"));
    ck_assert(!cnni_json_equal(key, "nam") && !cnni_json_equal(key, "names"));
    ck_assert(cnni_json_string(&json, &value));
    ck_assert_uint_eq(cnni_json_decode(decoded, value), 3);
    ck_assert_mem_eq(decoded, "x\ny", 3);
    ck_assert(cnni_json_next_member(&json, &key) && cnni_json_equal(key, "list"));
    ck_assert(cnni_json_array(&json));
    ck_assert(cnni_json_next_element(&json) && cnni_json_integer(&json, &whole) && whole == 1);
    ck_assert(cnni_json_next_element(&json) && cnni_json_real(&json, &real) && real == -2);
    ck_assert(cnni_json_next_element(&json) && cnni_json_array(&json));
    ck_assert(!cnni_json_next_element(&json));
    ck_assert(cnni_json_next_element(&json) && cnni_json_real(&json, &real) && real == 3.5);
    ck_assert(!cnni_json_next_element(&json));
    ck_assert(cnni_json_next_member(&json, &key) && cnni_json_skip(&json));
    ck_assert(!cnni_json_next_member(&json, &key));
    ck_assert(cnni_json_finish(&json));
}
END_TEST

START_TEST(the_first_error_stays)
{
    struct cnni_json json;
    struct cnni_json_string text;
    int64_t whole = 7;
    double real = 7;
    cnni_json_start(&json, "[1,2]", 5);
    ck_assert(!cnni_json_object(&json));
    ck_assert_str_eq(json.error, "expected an object");
    ck_assert(!cnni_json_array(&json) && !cnni_json_next_element(&json));
    ck_assert(!cnni_json_next_member(&json, &text) && !cnni_json_string(&json, &text));
    ck_assert(!cnni_json_integer(&json, &whole) && !cnni_json_real(&json, &real));
    ck_assert(!cnni_json_skip(&json) && !cnni_json_finish(&json));
    ck_assert(!cnni_json_fail(&json, "another"));
    ck_assert_str_eq(json.error, "expected an object");
    ck_assert_uint_eq(json.at, 0);
    ck_assert(whole == 7 && real == 7);
}
END_TEST

START_TEST(strings_are_decoded)
{
    static const struct {
        const char *json, *plain;
    } rows[] = {
        {"\"\"", ""},
        {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz"},
        {"\"\\u0041\\u00e4\\u20AC\\uFFFF\"", "A\xC3\xA4\xE2\x82\xAC\xEF\xBF\xBF"},
        {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"\"\xC3\xA4\\u007f\\u0080\\u07ff\\u0800\"", "\xC3\xA4\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80"},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        struct cnni_json json;
        struct cnni_json_string string;
        cnni_json_start(&json, rows[i].json, strlen(rows[i].json));
        ck_assert(cnni_json_string(&json, &string));
        char *decoded = exact(string.bytes, string.size);
        size_t size = cnni_json_decode(decoded, string);
        ck_assert_uint_eq(size, strlen(rows[i].plain));
        ck_assert(memcmp(decoded, rows[i].plain, size) == 0);
        ck_assert(cnni_json_equal(string, rows[i].plain));
        ck_assert(size == 0 || !cnni_json_equal(string, ""));
        free(decoded);
    }
}
END_TEST

START_TEST(a_zero_byte_equals_no_text)
{
    struct cnni_json_string string = {"\\u0000", 6}, longer = {"a\\u0000", 7};
    char byte = 'x';
    ck_assert_uint_eq(cnni_json_decode(&byte, string), 1);
    ck_assert_int_eq(byte, 0);
    ck_assert(!cnni_json_equal(string, "\0") && !cnni_json_equal(longer, "a\0"));
}
END_TEST

/* ---- Integers ------------------------------------------------------------------------------ */

static bool read_integer(const char *text, int64_t *value)
{
    struct cnni_json json;
    cnni_json_start(&json, text, strlen(text));
    return cnni_json_integer(&json, value);
}

START_TEST(integers_are_exact)
{
    static const int64_t values[] = {0, 1, -1, 42, INT32_MAX, INT64_MAX, INT64_MIN, -INT64_MAX};
    for (int32_t i = 0; i < CNNI_COUNT(values); i++) {
        char text[32];
        int64_t value;
        snprintf(text, sizeof text, "%lld", (long long)values[i]);
        ck_assert(read_integer(text, &value));
        ck_assert_int_eq(value, values[i]);
    }
}
END_TEST

START_TEST(other_numbers_are_no_integers)
{
    static const char *const texts[] = {
        "1.0",
        "1e2",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
        "\"1\"",
        "true",
    };
    int64_t value;
    for (int32_t i = 0; i < CNNI_COUNT(texts); i++)
        ck_assert_msg(!read_integer(texts[i], &value), "%s", texts[i]);
}
END_TEST

/* ---- Reals --------------------------------------------------------------------------------- */

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Writing and reading gives the same bits; so does the C library's reading. */
static void check_round_trip(double value)
{
    char text[CNNI_DECIMAL_SIZE];
    double back;
    cnni_decimal_write(text, value);
    ck_assert_msg(cnni_decimal_read(&back, text, strlen(text)) && same_bits(back, value),
                  "%a came back from %s as %a", value, text, back);
    ck_assert_msg(same_bits(strtod(text, NULL), value), "%a was written as %s", value, text);
    ck_assert_ptr_null(fault(text, strlen(text)));
}

static double random_double(struct cnni_random *random)
{
    double value;
    do {
        uint64_t bits = (uint64_t)cnni_random_bits(random) << 32 | cnni_random_bits(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

START_TEST(reals_come_back)
{
    struct cnni_random random;
    cnni_random_start(&random, 1, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < 3000; i++)
        check_round_trip(random_double(&random));
    for (int32_t i = 0; i < 3000; i++)
        check_round_trip((float)random_double(&random) < FLT_MAX ? (double)(float)i / 255.0f : 0);
    for (int32_t i = -1074; i < 1024; i++) {
        double power = ldexp(1, i);
        check_round_trip(power);
        check_round_trip(-nextafter(power, 0));
        check_round_trip(nextafter(power, 2 * power) < INFINITY ? nextafter(power, 2 * power) : 1);
    }
}
END_TEST

START_TEST(reals_are_written_short)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-3, "-3"},
        {0.5, "0.5"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {123.456, "123.456"},
        {1e-5, "0.00001"},
        {1e-6, "1e-6"},
        {1.25e-7, "1.25e-7"},
        {10000000000000000, "10000000000000000"},
        {1e17, "1e17"},
        {9007199254740992, "9007199254740992"},
        {2.0 / 3, "0.6666666666666666"},
        {9.999999999999999e22, "1e23"},
        {DBL_MAX, "1.7976931348623157e308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        char text[CNNI_DECIMAL_SIZE];
        ck_assert_str_eq(cnni_decimal_write(text, rows[i].value), rows[i].text);
    }
}
END_TEST

START_TEST(reals_are_read_as_the_c_library_does)
{
    struct cnni_random random;
    cnni_random_start(&random, 2, CNNI_RANDOM_CHECK, 0, 0);
    for (int32_t i = 0; i < 20000; i++) {
        char text[64];
        double got;
        uint64_t digits = (uint64_t)cnni_random_bits(&random) << 32 | cnni_random_bits(&random);
        int32_t exponent = (int32_t)cnni_random_below(&random, 680) - 360;
        snprintf(text, sizeof text, "%llu.%ue%d", (unsigned long long)digits >> (i % 60),
                 cnni_random_bits(&random), exponent);
        double wanted = strtod(text, NULL);
        ck_assert(cnni_decimal_read(&got, text, strlen(text)) == isfinite(wanted));
        if (isfinite(wanted))
            ck_assert_msg(same_bits(got, wanted), "%s: %a, not %a", text, got, wanted);
    }
}
END_TEST

/* Exactly between two doubles, and a little to the sides of that. */
START_TEST(ties_go_to_even)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.0000000000000000000000000000000000000000000000001", 9007199254740994},
        {"9007199254740992.9999999999999999999999999999999999999999999999999", 9007199254740992},
        {"9007199254740995", 9007199254740996},
        {"2.4703282292062327208e-324", 0},
        {"2.4703282292062327209e-324", 4.9406564584124654e-324},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"1.7976931348623158e308", DBL_MAX},
        {"179769313486231580793e288", DBL_MAX},
        {"1e-400", 0},
        {"-1e-999999999999999999999", -0.0},
        {"0e999999999999999999999", 0},
        {"0.00000000000000000000000000000000000000000000000001e50", 1},
        {"10000000000000000000000000000000000000000000000000000e-52", 1},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        double value;
        ck_assert(cnni_decimal_read(&value, rows[i].text, strlen(rows[i].text)));
        ck_assert_msg(same_bits(value, rows[i].value), "%s: %a", rows[i].text, value);
    }
}
END_TEST

/* A digit behind a thousand zeros still decides. */
START_TEST(no_digit_is_too_far)
{
    char text[3000] = "9007199254740993.";
    double value;
    memset(text + 17, '0', sizeof text - 18);
    text[sizeof text - 1] = '\0';
    ck_assert(cnni_decimal_read(&value, text, sizeof text - 1));
    ck_assert(value == 9007199254740992);
    text[sizeof text - 2] = '1';
    ck_assert(cnni_decimal_read(&value, text, sizeof text - 1));
    ck_assert(value == 9007199254740994);
}
END_TEST

START_TEST(too_large_reals_are_refused)
{
    static const char *const texts[] = {
        "1.7976931348623159e308",
        "1e309",
        "-1e309",
        "1e99999999999999999999",
        "179769313486231590000000000000000000000e270",
    };
    for (int32_t i = 0; i < CNNI_COUNT(texts); i++) {
        double value = 7;
        ck_assert_msg(!cnni_decimal_read(&value, texts[i], strlen(texts[i])), "%s", texts[i]);
        ck_assert(value == 7);
    }
}
END_TEST

START_TEST(a_locale_changes_nothing)
{
    char text[CNNI_DECIMAL_SIZE];
    double value;
    if (!set_decimal_comma())
        return;
    ck_assert_str_eq(cnni_decimal_write(text, 1.5), "1.5");
    ck_assert(cnni_decimal_read(&value, "1.5", 3) && value == 1.5);
}
END_TEST

/* ---- Writing ------------------------------------------------------------------------------- */

static cnn_context *context;

static void set_up(void)
{
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
}

static void tear_down(void)
{
    cnn_context_free(context);
}

static void put_text(struct cnni_json_writer *writer, const char *text)
{
    cnni_json_put_text(writer, text, strlen(text));
}

static void check_text(struct cnni_json_writer *writer, const char *wanted)
{
    ck_assert_int_eq(writer->status, CNN_OK);
    ck_assert_uint_eq(writer->size, strlen(wanted));
    ck_assert_msg(memcmp(writer->bytes, wanted, writer->size) == 0, "%.*s", (int)writer->size,
                  writer->bytes);
    ck_assert_ptr_null(fault(writer->bytes, writer->size));
}

START_TEST(commas_come_by_themselves)
{
    struct cnni_json_writer writer;
    cnni_json_writer_start(&writer, context, "test");
    cnni_json_open(&writer, '{');
    cnni_json_put_key(&writer, "a");
    cnni_json_put_integer(&writer, INT64_MIN);
    cnni_json_put_key(&writer, "b");
    cnni_json_open(&writer, '[');
    cnni_json_open(&writer, '[');
    cnni_json_close(&writer, ']');
    cnni_json_put_integer(&writer, 0);
    cnni_json_put_real(&writer, -0.25);
    put_text(&writer, "x");
    cnni_json_open(&writer, '{');
    cnni_json_close(&writer, '}');
    cnni_json_close(&writer, ']');
    cnni_json_put_key(&writer, "c");
    cnni_json_put_integer(&writer, INT64_MAX);
    cnni_json_put_key(&writer, "d");
    cnni_json_put_unsigned(&writer, UINT64_MAX);
    cnni_json_close(&writer, '}');
    check_text(&writer, "{\"a\":-9223372036854775808,\"b\":[[],0,-0.25,\"x\",{}],"
                        "\"c\":9223372036854775807,\"d\":18446744073709551615}");
    cnni_json_writer_free(&writer);
}
END_TEST

START_TEST(texts_are_escaped)
{
    struct cnni_json_writer writer;
    cnni_json_writer_start(&writer, context, "test");
    put_text(&writer, "a\"b\\c/\n\x01\x1F\x7F\xC3\xA4");
    check_text(&writer, "\"a\\\"b\\\\c/\\u000a\\u0001\\u001f\x7F\xC3\xA4\"");
    cnni_json_writer_free(&writer);
}
END_TEST

START_TEST(long_texts_grow)
{
    enum { COUNT = 20000 };
    struct cnni_json_writer writer;
    struct cnni_json json;
    int64_t value;
    cnni_json_writer_start(&writer, context, "test");
    cnni_json_open(&writer, '[');
    for (int32_t i = 0; i < COUNT; i++)
        cnni_json_put_integer(&writer, i);
    cnni_json_close(&writer, ']');
    ck_assert_int_eq(writer.status, CNN_OK);
    cnni_json_start(&json, writer.bytes, writer.size);
    cnni_json_array(&json);
    for (int32_t i = 0; i < COUNT; i++) {
        ck_assert(cnni_json_next_element(&json) && cnni_json_integer(&json, &value));
        ck_assert_int_eq(value, i);
    }
    ck_assert(!cnni_json_next_element(&json) && cnni_json_finish(&json));
    cnni_json_writer_free(&writer);
}
END_TEST

START_TEST(without_memory_the_writer_says_so)
{
    for (int32_t allowed = 0; allowed < 3; allowed++) {
        struct cnni_json_writer writer;
        struct accounts accounts;
        cnn_context *poor = accounts_context(&accounts);
        accounts.refuse_at = allowed + 1;
        cnni_json_writer_start(&writer, poor, "test");
        for (int32_t i = 0; i < 10000; i++)
            put_text(&writer, "text");
        ck_assert_int_eq(writer.status, CNN_ERROR_MEMORY);
        cnni_json_writer_free(&writer);
        ck_assert_int_eq(accounts.blocks, 0);
        cnn_context_free(poor);
    }
}
END_TEST

static Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("reader");
    tcase_add_loop_test(tcase, good_text, 0, CNNI_COUNT(good_texts));
    tcase_add_loop_test(tcase, bad_text, 0, CNNI_COUNT(bad_texts));
    tcase_add_test(tcase, a_text_cut_short_is_refused);
    tcase_add_test(tcase, depth_is_limited);
    tcase_add_test(tcase, values_are_pulled_one_by_one);
    tcase_add_test(tcase, the_first_error_stays);
    tcase_add_test(tcase, strings_are_decoded);
    tcase_add_test(tcase, a_zero_byte_equals_no_text);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("numbers");
    tcase_add_test(tcase, integers_are_exact);
    tcase_add_test(tcase, other_numbers_are_no_integers);
    tcase_add_test(tcase, reals_come_back);
    tcase_add_test(tcase, reals_are_written_short);
    tcase_add_test(tcase, reals_are_read_as_the_c_library_does);
    tcase_add_test(tcase, ties_go_to_even);
    tcase_add_test(tcase, no_digit_is_too_far);
    tcase_add_test(tcase, too_large_reals_are_refused);
    tcase_add_test(tcase, a_locale_changes_nothing);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("writer");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, commas_come_by_themselves);
    tcase_add_test(tcase, texts_are_escaped);
    tcase_add_test(tcase, long_texts_grow);
    tcase_add_test(tcase, without_memory_the_writer_says_so);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(json_suite());
}
