/* SPDX-License-Identifier: MIT
 * Every transpose of the list, bit for bit: all sizes around the squares of all levels, the three
 * channels of pictures, pitches, buffers at unmapped pages. */
#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"

#include <string.h>

enum { SIDE_MOST = 300, PITCH_MORE = 5, ROOM = 64 * 1024 };

static struct guarded source, target;
static uint8_t bits[ROOM + 256];

/* Any bits: as floats they are numbers of any size, and in every eighth place quiet and signalling
 * NaN of all payloads. */
static void set_up(void)
{
    struct cnni_random random;
    guarded_create(&source, ROOM);
    guarded_create(&target, ROOM);
    cnni_random_start(&random, 12, CNNI_RANDOM_CHECK, 0, 0);
    for (size_t i = 0; i < sizeof bits; i += sizeof(uint32_t)) {
        const uint32_t nan = i % 32 == 0 ? 0x7f800000 : 0, word = cnni_random_bits(&random) | nan;
        memcpy(bits + i, &word, sizeof word);
    }
}

static void tear_down(void)
{
    guarded_free(&source);
    guarded_free(&target);
}

/* Bytes of a matrix, its last row without what the pitch adds. */
static size_t bytes_of(int64_t rows, int64_t columns, int64_t pitch, int32_t size)
{
    return (size_t)(((rows - 1) * pitch + columns) * size);
}

/* What is in the gaps of y stays. */
static void check_transpose(const struct kernel_row *row, const struct cnni_transpose *matrix,
                            enum guarded_side side)
{
    static uint8_t want[ROOM];
    const int64_t rows = matrix->rows, columns = matrix->columns, size = matrix->size;
    const size_t x_bytes = bytes_of(rows, columns, matrix->x_pitch, matrix->size);
    const size_t y_bytes = bytes_of(columns, rows, matrix->y_pitch, matrix->size);
    const uint8_t *x = memcpy(guarded_bytes(&source, side, x_bytes), bits, x_bytes);
    uint8_t *y = memcpy(guarded_bytes(&target, side, y_bytes), bits + 128, y_bytes);
    memcpy(want, y, y_bytes);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            memcpy(want + (j * matrix->y_pitch + i) * size, x + (i * matrix->x_pitch + j) * size,
                   (size_t)size);
    ((cnni_transpose_fn *)row->function)(matrix, y, x);
    if (memcmp(y, want, y_bytes) == 0)
        return;
    size_t i = 0;
    while (y[i] == want[i])
        i++;
    ck_abort_msg("%s, %dx%d of %d bytes: byte %d is %d, must be %d", row->name, (int)rows,
                 (int)columns, (int)size, (int)i, y[i], want[i]);
}

/* Without gaps, and with some in either or both. */
static void check_pitches(const struct kernel_row *row, int64_t rows, int64_t columns, int32_t size)
{
    for (int gaps = 0; gaps < 4; gaps++)
        for (enum guarded_side side = GUARDED_END; side < GUARDED_SIDES; side++) {
            const struct cnni_transpose matrix = {
                .rows = rows,
                .columns = columns,
                .x_pitch = columns + (gaps & 1 ? PITCH_MORE : 0),
                .y_pitch = rows + (gaps & 2 ? PITCH_MORE : 0),
                .size = size,
            };
            check_transpose(row, &matrix, side);
        }
}

static const int64_t sides[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40};

START_TEST(transpose_is_exact)
{
    const struct kernel_row *row = kernel_row("transpose", _i);
    for (int i = 0; i < CNNI_COUNT(sides); i++)
        for (int j = 0; j < CNNI_COUNT(sides); j++)
            for (int32_t size = 1; size <= 4; size += 3)
                check_pitches(row, sides[i], sides[j], size);
}
END_TEST

START_TEST(long_transpose_is_exact)
{
    const struct kernel_row *row = kernel_row("transpose", _i);
    for (int64_t thin = 1; thin <= 20; thin++)
        for (int32_t size = 1; size <= 4; size += 3) {
            check_pitches(row, thin, SIDE_MOST - thin, size);
            check_pitches(row, SIDE_MOST - thin, thin, size);
        }
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"transpose"};
    TCase *tcase = tcase_create("transpose");
    tcase_set_timeout(tcase, 20);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "transpose", transpose_is_exact);
    KERNEL_ROWS_TEST(tcase, "transpose", long_transpose_is_exact);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
