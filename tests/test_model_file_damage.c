/* SPDX-License-Identifier: MIT
 * Model files that were cut, that have a bit flipped or bytes too many, and files of other programs
 * are refused with the right status and a text, and leave nothing behind. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
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

START_TEST(a_file_cut_short_is_refused)
{
    cnn_model *model = model_small(context);
    size_t size;
    char *bytes = model_bytes(model, &size);
    for (size_t cut = 0; cut < size; cut++)
        expect_damaged(context, bytes, cut, cut);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(a_flipped_bit_is_noticed)
{
    cnn_model *model = model_small(context);
    size_t size;
    char *bytes = model_bytes(model, &size);
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (char)(1 << (i % 8));
        expect_damaged(context, bytes, size, i);
        bytes[i / 8] ^= (char)(1 << (i % 8));
    }
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
    cnn_model *model = model_small(context);
    size_t size;
    char *bytes = model_bytes(model, &size);
    char *longer = calloc(1, size + 4);
    memcpy(longer, bytes, size);
    expect_damaged(context, longer, size + 1, 1);
    expect_damaged(context, longer, size + 4, 4);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "goes on behind its end"));
    cnn_model_free(model);
    free(longer);
    free(bytes);
}
END_TEST

START_TEST(files_of_other_programs_are_refused)
{
    static const char *const starts[] = {
        "",
        "\x89PNG\r\n\x1A\n0000",
        "PK\x03\x04________",
        "\xFF\xD8\xFF\xE0____________",
        "\x93NUMPY\x01________",
        "GGUF____________",
        "{\"a\":1}",
        "hello, world: no model here",
    };
    for (int32_t i = 0; i < CNNI_COUNT(starts); i++)
        expect_damaged(context, starts[i], strlen(starts[i]), (size_t)i);
}
END_TEST

static Suite *model_file_damage_suite(void)
{
    Suite *suite = suite_create("model_file_damage");
    TCase *tcase = tcase_create("damage");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_file_cut_short_is_refused);
    tcase_add_test(tcase, a_flipped_bit_is_noticed);
    tcase_add_test(tcase, bytes_behind_the_end_are_refused);
    tcase_add_test(tcase, files_of_other_programs_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_file_damage_suite());
}
