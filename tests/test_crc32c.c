/* SPDX-License-Identifier: MIT
 * The checksum: known answers, and every length and alignment against the definition, by bits. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "support/suite.h"

/* The polynomial, one bit after the other. */
static uint32_t by_definition(const unsigned char *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    }
    return ~crc;
}

/* RFC 3720, appendix B.4, and the usual check value. */
START_TEST(known_answers)
{
    unsigned char bytes[32];
    ck_assert_uint_eq(cnni_crc32c(0, "", 0), 0);
    ck_assert_uint_eq(cnni_crc32c(0, "123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof bytes);
    ck_assert_uint_eq(cnni_crc32c(0, bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    ck_assert_uint_eq(cnni_crc32c(0, bytes, sizeof bytes), 0x62A8AB43);
    for (int32_t i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    ck_assert_uint_eq(cnni_crc32c(0, bytes, sizeof bytes), 0x46DD794E);
}
END_TEST

START_TEST(equal_to_the_definition)
{
    unsigned char bytes[96];
    for (int32_t i = 0; i < CNNI_COUNT(bytes); i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; start + size <= sizeof bytes; size++)
            ck_assert_uint_eq(cnni_crc32c(0, bytes + start, size),
                              by_definition(bytes + start, size));
}
END_TEST

START_TEST(parts_add_up)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    size_t size = sizeof text - 1;
    uint32_t whole = cnni_crc32c(0, text, size);
    for (size_t cut = 0; cut <= size; cut++)
        ck_assert_uint_eq(cnni_crc32c(cnni_crc32c(0, text, cut), text + cut, size - cut), whole);
}
END_TEST

static Suite *crc32c_suite(void)
{
    Suite *suite = suite_create("crc32c");
    TCase *tcase = tcase_create("crc32c");
    tcase_add_test(tcase, known_answers);
    tcase_add_test(tcase, equal_to_the_definition);
    tcase_add_test(tcase, parts_add_up);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(crc32c_suite());
}
