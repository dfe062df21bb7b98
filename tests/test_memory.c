/* SPDX-License-Identifier: MIT
 * Floor 0's small tools: sizes that do not wrap, memory from the host's allocator, texts of
 * failures. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "cnn/status.h"
#include "support/accounts.h"
#include "support/suite.h"

START_TEST(sizes_do_not_wrap)
{
    size_t size = 7;
    int64_t number = 7;
    ck_assert(cnni_mul_size(&size, 3, 5) && size == 15);
    ck_assert(!cnni_mul_size(&size, SIZE_MAX / 2 + 1, 2) && size == 15);
    ck_assert(cnni_add_size(&size, SIZE_MAX - 1, 1) && size == SIZE_MAX);
    ck_assert(!cnni_add_size(&size, SIZE_MAX, 1) && size == SIZE_MAX);
    ck_assert(cnni_mul_int64(&number, -3, 5) && number == -15);
    ck_assert(!cnni_mul_int64(&number, INT64_MIN, -1) && number == -15);
    ck_assert(cnni_add_int64(&number, INT64_MAX, -1) && number == INT64_MAX - 1);
    ck_assert(!cnni_add_int64(&number, INT64_MAX, 1) && number == INT64_MAX - 1);
    ck_assert_int_eq(cnni_ceil_div(0, 4), 0);
    ck_assert_int_eq(cnni_ceil_div(8, 4), 2);
    ck_assert_int_eq(cnni_ceil_div(9, 4), 3);
    ck_assert_int_eq(cnni_ceil_div(INT64_MAX, INT64_MAX - 1), 2);
}
END_TEST

START_TEST(memory_is_aligned_and_given_back)
{
    struct accounts accounts;
    cnn_context *context = accounts_context(&accounts);
    for (size_t count = 0; count < 200; count += 13) {
        unsigned char *memory;
        ck_assert_int_eq(cnni_alloc_zero(&memory, context, count, 3, "test"), CNN_OK);
        ck_assert_uint_eq((uintptr_t)memory % CNNI_ALIGNMENT, 0);
        ck_assert_uint_ge(accounts.bytes, 3 * count);
        for (size_t i = 0; i < 3 * count; i++)
            ck_assert_uint_eq(memory[i], 0);
        memset(memory, 0xAA, 3 * count);
        cnni_free(context, memory);
        ck_assert_int_eq(accounts.blocks, 0);
        ck_assert_uint_eq(accounts.bytes, 0);
    }
    cnni_free(context, NULL);
    cnn_context_free(context);
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    struct accounts accounts;
    cnn_context *context = accounts_context(&accounts);
    static const struct {
        size_t count, size;
    } rows[] = {{SIZE_MAX, 2}, {SIZE_MAX / 4 + 1, 4}, {SIZE_MAX, 1}, {SIZE_MAX / 2, 1}};
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        void *memory = &accounts;
        ck_assert_int_eq(cnni_alloc(&memory, context, rows[i].count, rows[i].size, "cnn_test"),
                         CNN_ERROR_MEMORY);
        ck_assert_ptr_null(memory);
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "cnn_test"));
    }
    ck_assert_int_eq(accounts.calls, 0);
    cnn_context_free(context);
}
END_TEST

START_TEST(a_refusing_allocator_is_reported)
{
    struct accounts accounts;
    cnn_context *context = accounts_context(&accounts);
    accounts.refuse_at = 1;
    accounts.refuse_once = true;
    void *memory = &accounts;
    ck_assert_int_eq(cnni_alloc_zero(&memory, context, 10, 4, "cnn_test"), CNN_ERROR_MEMORY);
    ck_assert_ptr_null(memory);
    ck_assert_int_eq(cnni_alloc_zero(&memory, context, 10, 4, "cnn_test"), CNN_OK);
    cnni_free(context, memory);
    ck_assert_int_eq(accounts.blocks, 0);
    cnn_context_free(context);
}
END_TEST

START_TEST(texts_are_copied)
{
    struct accounts accounts;
    cnn_context *context = accounts_context(&accounts);
    static const char *const texts[] = {"", "a", "conv1.weight"};
    for (int32_t i = 0; i < CNNI_COUNT(texts); i++) {
        char *copy;
        ck_assert_int_eq(cnni_copy_text(&copy, context, texts[i], "test"), CNN_OK);
        ck_assert_str_eq(copy, texts[i]);
        ck_assert_ptr_ne(copy, texts[i]);
        cnni_free(context, copy);
    }
    ck_assert_int_eq(accounts.blocks, 0);
    cnn_context_free(context);
}
END_TEST

/* ---- Failures ---- */

static cnn_context *make_context(void)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    return context;
}

static void *fail_elsewhere(void *context)
{
    ck_assert_str_eq(cnn_error_message(), "");
    ck_assert_int_eq(cnni_fail(context, CNN_ERROR_IO, "second: %d", 2), CNN_ERROR_IO);
    ck_assert_str_eq(cnn_error_message(), "second: 2");
    return NULL;
}

START_TEST(each_thread_and_each_context_has_its_newest_failure)
{
    cnn_context *context = make_context(), *other = make_context();
    char text[CNNI_ERROR_SIZE];
    pthread_t thread;
    ck_assert_str_eq(cnn_error_message(), "");
    cnn_context_error(context, text, sizeof text);
    ck_assert_str_eq(text, "");

    ck_assert_int_eq(cnni_fail(context, CNN_ERROR_SHAPE, "first: %s", "one"), CNN_ERROR_SHAPE);
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, context), 0);
    pthread_join(thread, NULL);
    ck_assert_str_eq(cnn_error_message(), "first: one");
    cnn_context_error(context, text, sizeof text);
    ck_assert_str_eq(text, "second: 2");
    cnn_context_error(other, text, sizeof text);
    ck_assert_str_eq(text, "");

    ck_assert_int_eq(cnni_fail_null(NULL, "cnn_f", "x"), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(), "cnn_f: x is NULL");
    cnn_context_free(other);
    cnn_context_free(context);
}
END_TEST

START_TEST(a_failure_may_quote_the_failure_before)
{
    cnni_fail(NULL, CNN_ERROR_IO, "inner");
    cnni_fail(NULL, CNN_ERROR_IO, "outer: %s", cnn_error_message());
    ck_assert_str_eq(cnn_error_message(), "outer: inner");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    static char name[3 * CNNI_ERROR_SIZE];
    memset(name, 'x', sizeof name - 1);
    cnni_fail(NULL, CNN_ERROR_IO, "%s", name);
    ck_assert_uint_eq(strlen(cnn_error_message()), CNNI_ERROR_SIZE - 1);
}
END_TEST

START_TEST(a_context_error_fits_the_buffer)
{
    cnn_context *context = make_context();
    char text[4] = "zzz";
    cnni_fail(context, CNN_ERROR_IO, "abcdef");
    cnn_context_error(context, text, 0);
    ck_assert_str_eq(text, "zzz");
    cnn_context_error(context, text, sizeof text);
    ck_assert_str_eq(text, "abc");
    cnn_context_error(context, text, 1);
    ck_assert_str_eq(text, "");
    cnn_context_error(context, NULL, 5);
    text[0] = 'z';
    cnn_context_error(NULL, text, sizeof text);
    ck_assert_str_eq(text, "");
    cnn_context_free(context);
}
END_TEST

START_TEST(captured_failures_leave_the_others_alone)
{
    cnn_context *context = make_context();
    char captured[CNNI_ERROR_SIZE], text[CNNI_ERROR_SIZE];
    cnni_fail(context, CNN_ERROR_IO, "kept");
    cnni_error_capture(captured);
    ck_assert_str_eq(captured, "");
    ck_assert_int_eq(cnni_fail(context, CNN_ERROR_FORMAT, "dealt with"), CNN_ERROR_FORMAT);
    cnni_error_capture(NULL);
    ck_assert_str_eq(captured, "dealt with");
    ck_assert_str_eq(cnn_error_message(), "kept");
    cnn_context_error(context, text, sizeof text);
    ck_assert_str_eq(text, "kept");
    cnni_fail(context, CNN_ERROR_IO, "again");
    ck_assert_str_eq(cnn_error_message(), "again");
    cnn_context_free(context);
}
END_TEST

START_TEST(any_bytes_can_be_shown)
{
    static const struct {
        const char *bytes, *shown;
    } rows[] = {
        {"", ""},
        {"a/b c.jpg", "a/b c.jpg"},
        {"K\xc3\xa4tzchen \xe7\x8c\xab \xf0\x9f\x90\xb1",
         "K\xc3\xa4tzchen \xe7\x8c\xab \xf0\x9f\x90\xb1"},
        {"line\nbreak\t\x7f", "line\\x0Abreak\\x09\\x7F"},
        {"\xff\xfe", "\\xFF\\xFE"},
        {"\xc2\x85", "\\xC2\\x85"},                   /* a C1 control */
        {"\xc0\xaf", "\\xC0\\xAF"},                   /* overlong */
        {"\xed\xa0\x80", "\\xED\\xA0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"}, /* above U+10FFFF */
        {"cut \xe7\x8c", "cut \\xE7\\x8C"},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        char buffer[CNNI_SHOW_SIZE];
        ck_assert_str_eq(
            cnni_show_bytes(buffer, sizeof buffer, rows[i].bytes, strlen(rows[i].bytes)),
            rows[i].shown);
    }
}
END_TEST

START_TEST(long_bytes_are_shown_in_part)
{
    char bytes[100], buffer[24];
    for (size_t count = 0; count <= sizeof bytes; count++) {
        memset(bytes, count % 2 ? 'x' : '\xff', sizeof bytes);
        memset(buffer, 'z', sizeof buffer);
        cnni_show_bytes(buffer, sizeof buffer, bytes, count);
        ck_assert_uint_lt(strlen(buffer), sizeof buffer);
        if (count == sizeof bytes)
            ck_assert_ptr_nonnull(strstr(buffer, "..."));
    }
}
END_TEST

START_TEST(statuses_have_names)
{
    ck_assert_str_eq(cnn_status_name(CNN_OK), "CNN_OK");
    ck_assert_str_eq(cnn_status_name(CNN_ERROR_CANCELLED), "CNN_ERROR_CANCELLED");
    for (cnn_status status = CNN_ERROR_CANCELLED; status <= CNN_OK; status++)
        ck_assert_str_ne(cnn_status_name(status), "unknown status");
    ck_assert_str_eq(cnn_status_name(1), "unknown status");
    ck_assert_str_eq(cnn_status_name(-1000), "unknown status");
}
END_TEST

static Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, sizes_do_not_wrap);
    tcase_add_test(tcase, memory_is_aligned_and_given_back);
    tcase_add_test(tcase, impossible_sizes_are_refused);
    tcase_add_test(tcase, a_refusing_allocator_is_reported);
    tcase_add_test(tcase, texts_are_copied);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("failures");
    tcase_add_test(tcase, each_thread_and_each_context_has_its_newest_failure);
    tcase_add_test(tcase, a_failure_may_quote_the_failure_before);
    tcase_add_test(tcase, long_texts_are_cut);
    tcase_add_test(tcase, a_context_error_fits_the_buffer);
    tcase_add_test(tcase, captured_failures_leave_the_others_alone);
    tcase_add_test(tcase, any_bytes_can_be_shown);
    tcase_add_test(tcase, long_bytes_are_shown_in_part);
    tcase_add_test(tcase, statuses_have_names);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(memory_suite());
}
