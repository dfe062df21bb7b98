/* SPDX-License-Identifier: MIT
 * Comparing JSON: equal texts are passed, and of others the first difference is found, whatever the
 * other text is. */
#include <check.h>
#include <string.h>

#include "base/json_compare.h"
#include "support/suite.h"

static const char ours_text[] =
    "{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true}],\"e\":[]},\"f\":\"\\\"\"}";

static bool compare(const char *theirs_text, size_t size, struct cnni_json *theirs,
                    struct cnni_json_difference *difference)
{
    struct cnni_json ours;
    cnni_json_start(&ours, ours_text, strlen(ours_text));
    cnni_json_start(theirs, theirs_text, size);
    *difference = (struct cnni_json_difference){.path = ""};
    const bool equal = cnni_json_compare(&ours, theirs, difference);
    ck_assert_ptr_null(ours.error);
    if (equal)
        ck_assert(cnni_json_finish(&ours));
    return equal;
}

START_TEST(equal_texts_are_passed)
{
    struct cnni_json theirs;
    struct cnni_json_difference difference;
    ck_assert(compare(ours_text, strlen(ours_text), &theirs, &difference));
    ck_assert(cnni_json_finish(&theirs));
    ck_assert_str_eq(difference.path, "");
}
END_TEST

static const struct {
    const char *text, *path, *ours, *theirs; /* values; NULL: none */
} different[] = {
    {"{\"a\":2}", "a", "1", "2"},
    {"{\"a\":\"1\"}", "a", "1", "\"1\""},
    {"{\"a\":1.0}", "a", "1", "1.0"},
    {"{\"a\":[1]}", "a", "1", "[1]"},
    {"{}", "a", "1", NULL},
    {"{\"b\":1}", "a", "1", NULL},
    {"[]", "", ours_text, "[]"},
    {"7", "", ours_text, "7"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"y\"]}}", "b.c[1]", "\"x\"", "\"y\""},
    {"{\"a\":1,\"b\":{\"c\":[0.5]}}", "b.c[1]", "\"x\"", NULL},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":false}]}}", "b.c[2].d", "true", "false"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true,\"z\":[1]}]}}", "b.c[2].z", NULL, "[1]"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true},3]}}", "b.c[3]", NULL, "3"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true}],\"e\":[1]}}", "b.e[0]", NULL, "1"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true}],\"e\":{}}}", "b.e", "[]", "{}"},
    {"{\"a\":1,\"b\":{\"c\":[0.5,\"x\",{\"d\":true}],\"e\":[]},\"f\":\"q\"}", "f", "\"\\\"\"",
     "\"q\""},
};

static void expect_value(struct cnni_json_string found, const char *wanted)
{
    ck_assert_int_eq(found.bytes == NULL, wanted == NULL);
    if (wanted == NULL)
        return;
    ck_assert_uint_eq(found.size, strlen(wanted));
    ck_assert_mem_eq(found.bytes, wanted, found.size);
}

START_TEST(the_first_difference_is_found)
{
    struct cnni_json theirs;
    struct cnni_json_difference difference;
    ck_assert(!compare(different[_i].text, strlen(different[_i].text), &theirs, &difference));
    ck_assert_ptr_null(theirs.error);
    ck_assert_str_eq(difference.path, different[_i].path);
    expect_value(difference.ours, different[_i].ours);
    expect_value(difference.theirs, different[_i].theirs);
}
END_TEST

/* Cut anywhere, or with any byte changed: an error or a difference, and no step too far. */
START_TEST(damaged_texts_are_told)
{
    char copy[sizeof ours_text];
    struct cnni_json theirs;
    struct cnni_json_difference difference;
    const size_t size = strlen(ours_text);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert(!compare(ours_text, cut, &theirs, &difference));
    for (size_t i = 0; i < size; i++)
        for (int32_t byte = 0; byte < 256; byte++) {
            memcpy(copy, ours_text, size);
            copy[i] = (char)byte;
            ck_assert_int_eq(compare(copy, size, &theirs, &difference), copy[i] == ours_text[i]);
        }
}
END_TEST

/* A path longer than there is room for is cut. */
START_TEST(a_long_path_is_cut)
{
    static char long_text[2][1000];
    struct cnni_json ours, theirs;
    struct cnni_json_difference difference = {.path = ""};
    for (int32_t i = 0; i < 2; i++) {
        memset(long_text[i], 'k', sizeof long_text[i]);
        memcpy(long_text[i], "{\"", 2);
        memcpy(long_text[i] + 990, i == 0 ? "\":{\"a\":1}}" : "\":{\"a\":2}}", 10);
    }
    cnni_json_start(&ours, long_text[0], 1000);
    cnni_json_start(&theirs, long_text[1], 1000);
    ck_assert(!cnni_json_compare(&ours, &theirs, &difference));
    ck_assert_uint_eq(strlen(difference.path), CNNI_JSON_PATH - 1);
    expect_value(difference.theirs, "2");
}
END_TEST

static Suite *json_compare_suite(void)
{
    Suite *suite = suite_create("json_compare");
    TCase *tcase = tcase_create("json_compare");
    tcase_add_test(tcase, equal_texts_are_passed);
    tcase_add_loop_test(tcase, the_first_difference_is_found, 0, CNNI_COUNT(different));
    tcase_add_test(tcase, damaged_texts_are_told);
    tcase_add_test(tcase, a_long_path_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(json_compare_suite());
}
