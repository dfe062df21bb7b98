/* SPDX-License-Identifier: MIT
 * Sorting: lists of every small length, of items of many sizes, and such as are hard for others. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/sort.h"
#include "support/suite.h"
#include "support/value.h"

enum { MOST = 3000, SIZE = 24 };

static int64_t comparisons;

/* The rank is in an item's first byte, or in its first two. */
static int by_byte(const void *a, const void *b)
{
    comparisons++;
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static int by_two(const void *a, const void *b)
{
    const int order = by_byte(a, b);
    return order != 0 ? order : ((const unsigned char *)a)[1] - ((const unsigned char *)b)[1];
}

/* In order, and as many of each rank as before; what is beside a rank has gone with it. */
static void check_bytes(int64_t count, size_t size, struct cnni_random *random)
{
    static unsigned char items[MOST * SIZE + 1];
    int64_t had[256] = {0};
    for (int64_t i = 0; i < count; i++) {
        const unsigned char rank = (unsigned char)cnni_random_below(random, 256);
        memset(items + (size_t)i * size, rank, size);
        had[rank]++;
    }
    items[(size_t)count * size] = 77;
    cnni_sort(items, count, size, by_byte);
    for (int64_t i = 0; i < count; i++) {
        const unsigned char *item = items + (size_t)i * size;
        for (size_t j = 1; j < size; j++)
            assert_value(item[j] == item[0], "item %d is torn", (int)i);
        assert_value(i == 0 || item[0] >= item[-(int)size], "item %d is out of order", (int)i);
        had[item[0]]--;
    }
    for (int rank = 0; rank < 256; rank++)
        ck_assert_int_eq(had[rank], 0);
    ck_assert_int_eq(items[(size_t)count * size], 77);
}

START_TEST(every_length_and_size)
{
    static const size_t sizes[] = {1, 4, 8, SIZE};
    struct cnni_random random;
    cnni_random_start(&random, 2, CNNI_RANDOM_CHECK, 0, 0);
    for (int64_t count = 0; count <= 100; count++)
        check_bytes(count, sizes[_i], &random);
    check_bytes(MOST, sizes[_i], &random);
}
END_TEST

/* Rising, falling, all equal, rising and falling: item i of `count`. */
static int64_t rising(int64_t i, int64_t count)
{
    return (void)count, i;
}
static int64_t falling(int64_t i, int64_t count)
{
    return count - i;
}
static int64_t level(int64_t i, int64_t count)
{
    return (void)i, (void)count, 5;
}
static int64_t pipes(int64_t i, int64_t count)
{
    return i < count / 2 ? i : count - i;
}

START_TEST(few_comparisons_of_any_list)
{
    static int64_t (*const lists[])(int64_t, int64_t) = {rising, falling, level, pipes};
    static unsigned char items[MOST][2];
    for (int64_t i = 0; i < MOST; i++) {
        const int64_t rank = lists[_i](i, MOST);
        items[i][0] = (unsigned char)(rank >> 8), items[i][1] = (unsigned char)rank;
    }
    comparisons = 0;
    cnni_sort(items, MOST, sizeof *items, by_two);
    ck_assert_int_le(comparisons, 2 * MOST * 12); /* 2 n log2 n */
    for (int i = 1; i < MOST; i++)
        ck_assert_int_le(by_two(items[i - 1], items[i]), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("sort");
    tcase_add_loop_test(tcase, every_length_and_size, 0, 4);
    tcase_add_loop_test(tcase, few_comparisons_of_any_list, 0, 4);
    Suite *suite = suite_create("sort");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
