/* SPDX-License-Identifier: MIT
 * Every kernel of a dense layer on one sample against its chains, link by link and bit for bit: all
 * rests of columns and rows, pitches, values that are not finite, buffers at unmapped pages. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/value.h"

enum { ROOM = 256 * 1024 };

static struct guarded x_memory, w_memory, bias_memory, y_memory;
static struct cnni_random random_numbers;

static void set_up(void)
{
    guarded_create(&x_memory, ROOM);
    guarded_create(&w_memory, ROOM);
    guarded_create(&bias_memory, ROOM);
    guarded_create(&y_memory, ROOM);
    cnni_random_start(&random_numbers, 4, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    guarded_free(&x_memory);
    guarded_free(&w_memory);
    guarded_free(&bias_memory);
    guarded_free(&y_memory);
}

/* Numbers, and with `odd` now and then zeros of both signs, denormals, infinities and NaN. */
static float *drawn(struct guarded *memory, enum guarded_side side, int64_t count, bool odd)
{
    static const float oddities[] = {0, -0.0f, 1e-41f, INFINITY, -INFINITY, NAN};
    float *values = guarded_floats(memory, side, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = (float)(2 * cnni_random_uniform(&random_numbers) - 1);
        if (odd && cnni_random_below(&random_numbers, 20) == 0)
            values[i] = oddities[cnni_random_below(&random_numbers, 6)];
    }
    return values;
}

static bool same(float got, float want)
{
    return (isnan(got) && isnan(want)) || memcmp(&got, &want, sizeof got) == 0;
}

static void check_dense(const struct kernel_row *row, const struct cnni_dense_row *dense)
{
    ((cnni_dense_row_fn *)row->function)(dense);
    for (int64_t j = 0; j < dense->columns; j++) {
        float want = dense->bias == NULL ? 0 : dense->bias[j];
        for (int64_t c = 0; c < dense->channels; c++)
            want = kernel_row_link(row, dense->x[c], dense->w[c * dense->w_pitch + j], want);
        if (dense->relu && want <= 0)
            want = 0;
        assert_value(same(dense->y[j], want), "%s, %d x %d, column %d: got %a, want %a", row->name,
                     (int)dense->channels, (int)dense->columns, (int)j, (double)dense->y[j],
                     (double)want);
    }
}

static void check_size(const struct kernel_row *row, int64_t channels, int64_t columns,
                       int64_t w_pitch, enum guarded_side side)
{
    for (int variant = 0; variant < 8; variant++) {
        const bool odd = variant & 4;
        const struct cnni_dense_row dense = {
            .x = drawn(&x_memory, side, channels, odd),
            .w =
                drawn(&w_memory, side, channels == 0 ? 0 : (channels - 1) * w_pitch + columns, odd),
            .w_pitch = w_pitch,
            .bias = variant & 1 ? drawn(&bias_memory, side, columns, odd) : NULL,
            .y = drawn(&y_memory, side, columns, true),
            .channels = channels,
            .columns = columns,
            .relu = variant & 2,
        };
        check_dense(row, &dense);
    }
}

START_TEST(chains_are_in_order)
{
    static const int64_t channels[] = {0, 1, 7, 8, 9, 16, 29};
    static const int64_t more[] = {64, 65, 79, 256, 300};
    const struct kernel_row *row = kernel_row("dense_row", _i);
    for (int side = 0; side < GUARDED_SIDES; side++)
        for (int i = 0; i < CNNI_COUNT(channels); i++) {
            for (int64_t columns = 1; columns <= 50; columns++)
                check_size(row, channels[i], columns, columns + columns % 3, side);
            for (int j = 0; j < CNNI_COUNT(more); j++)
                check_size(row, channels[i], more[j], more[j] + j, side);
        }
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"dense_row"};
    TCase *tcase = tcase_create("dense");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "dense_row", chains_are_in_order);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
