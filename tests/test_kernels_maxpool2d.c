/* SPDX-License-Identifier: MIT
 * Every max-pooling kernel of the list, bit for bit: values and winners, NaN and equal values
 * included, records of one and of four bytes, buffers at unmapped pages. */
#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"
#include "support/value.h"

enum { X, Y, WINNERS, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], 1 << 16);
    cnni_random_start(&random_numbers, 8, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

/* Few different values, so that equal ones are common. */
static float draw(void)
{
    static const float values[] = {0, -0.0f, 1, -1, 2, -3, 1e-42f, INFINITY, -INFINITY, NAN};
    return values[cnni_random_below(&random_numbers, CNNI_COUNT(values))];
}

static const int64_t channel_counts[] = {1, 3, 7, 8, 9, 16, 31, 32, 40};

/* Windows of all sizes up to 3 x 3, overlapping, side by side or with gaps, in a row of pixels. */
static struct cnni_maxpool2d_windows choose(int turn)
{
    const int64_t c = channel_counts[turn % CNNI_COUNT(channel_counts)];
    struct cnni_maxpool2d_windows shape = {
        .windows = turn % 4,
        .channels = c,
        .rows = 1 + turn % 3,
        .columns = 1 + turn / 3 % 3,
        .x_step = (1 + turn / 2 % 4) * c,
        .first = turn % 5,
        .number_pitch = 3 + turn % 2,
        .gate = turn % 7 < 3,
        .winner_size = turn % 3 == 0   ? 0
                       : turn % 3 == 1 ? 1
                                       : 4,
    };
    shape.row_pitch = (CNNI_MAX(shape.windows - 1, 0) * (shape.x_step / c) + shape.columns + 1) * c;
    return shape;
}

static size_t x_count(const struct cnni_maxpool2d_windows *shape)
{
    if (shape->windows == 0)
        return 0;
    return (size_t)((shape->windows - 1) * shape->x_step + (shape->rows - 1) * shape->row_pitch +
                    shape->columns * shape->channels);
}

/* The place of the pixel with number `index` within the window that begins at `corner`. */
static int64_t pixel_at(const struct cnni_maxpool2d_windows *shape, int64_t index)
{
    return index / shape->columns * shape->row_pitch + index % shape->columns * shape->channels;
}

static int32_t number_of(const struct cnni_maxpool2d_windows *shape, int64_t index)
{
    return shape->first + (int32_t)(index / shape->columns) * shape->number_pitch +
           (int32_t)(index % shape->columns);
}

static int32_t read_winner(const struct cnni_maxpool2d_windows *shape, const void *winners,
                           int64_t place)
{
    return shape->winner_size == 1 ? ((const uint8_t *)winners)[place]
                                   : ((const int32_t *)winners)[place];
}

static int32_t no_winner(const struct cnni_maxpool2d_windows *shape)
{
    return shape->winner_size == 1 ? CNNI_NO_WINNER_BYTE : CNNI_NO_WINNER_WORD;
}

static void check_forward(const struct kernel_row *row, const struct cnni_maxpool2d_windows *shape,
                          enum guarded_side side)
{
    float *x = guarded_floats(&buffers[X], side, x_count(shape));
    const size_t results = (size_t)(shape->windows * shape->channels);
    float *y = guarded_floats(&buffers[Y], side, results);
    void *winners = guarded_bytes(&buffers[WINNERS], side, results * (size_t)shape->winner_size);
    for (size_t i = 0; i < x_count(shape); i++)
        x[i] = draw();
    ((cnni_maxpool2d_forward_fn *)row->function)(shape, y, winners, x);
    for (int64_t place = 0; place < (int64_t)results; place++) {
        const float *corner = x + place / shape->channels * shape->x_step + place % shape->channels;
        int64_t best = 0;
        for (int64_t i = 1; i < shape->rows * shape->columns; i++) {
            const float value = corner[pixel_at(shape, i)], most = corner[pixel_at(shape, best)];
            if (!isnan(most) && (isnan(value) || value > most))
                best = i;
        }
        assert_value(tolerance_same(y[place], corner[pixel_at(shape, best)]), "%s: y[%d]",
                     row->name, (int)place);
        if (shape->winner_size != 0)
            ck_assert_int_eq(read_winner(shape, winners, place), shape->gate && y[place] <= 0
                                                                     ? no_winner(shape)
                                                                     : number_of(shape, best));
    }
}

START_TEST(forward_is_exact)
{
    const struct kernel_row *row = kernel_row("maxpool2d_forward", _i);
    for (int turn = 0; turn < 2000; turn++) {
        const struct cnni_maxpool2d_windows shape = choose(turn);
        check_forward(row, &shape, turn / 7 % GUARDED_SIDES);
    }
}
END_TEST

static void check_backward(const struct kernel_row *row, const struct cnni_maxpool2d_windows *shape,
                           enum guarded_side side, bool overwrite)
{
    const size_t results = (size_t)(shape->windows * shape->channels), count = x_count(shape);
    static float want[1 << 14];
    float *dx = guarded_floats(&buffers[X], side, count);
    float *dy = guarded_floats(&buffers[Y], side, results);
    void *winners = guarded_bytes(&buffers[WINNERS], side, results * (size_t)shape->winner_size);
    for (size_t i = 0; i < count; i++)
        want[i] = dx[i] = (float)cnni_random_uniform(&random_numbers);
    for (int64_t place = 0; place < (int64_t)results; place++) {
        const int64_t pixels = shape->rows * shape->columns;
        /* now and then nobody */
        const int64_t best = cnni_random_below(&random_numbers, (uint32_t)pixels + 1);
        const int32_t number = best < pixels ? number_of(shape, best) : no_winner(shape);
        dy[place] = draw();
        if (shape->winner_size == 1)
            ((uint8_t *)winners)[place] = (uint8_t)number;
        else
            ((int32_t *)winners)[place] = number;
        float *corner = want + place / shape->channels * shape->x_step + place % shape->channels;
        for (int64_t i = 0; i < pixels; i++) {
            float *target = &corner[pixel_at(shape, i)];
            const float part = i == best ? dy[place] : 0;
            *target = overwrite ? part : *target + part;
        }
    }
    ((cnni_maxpool2d_backward_fn *)row->function)(shape, dx, dy, winners, overwrite);
    for (size_t i = 0; i < count; i++)
        assert_value(tolerance_same(dx[i], want[i]), "%s: dx[%zu] is %a, not %a", row->name, i,
                     (double)dx[i], (double)want[i]);
}

START_TEST(backward_is_exact)
{
    const struct kernel_row *row = kernel_row("maxpool2d_backward", _i);
    for (int turn = 0; turn < 2000; turn++) {
        struct cnni_maxpool2d_windows shape = choose(turn);
        shape.winner_size = turn % 2 ? 1 : 4;
        check_backward(row, &shape, turn / 7 % GUARDED_SIDES, turn % 5 < 2);
    }
}
END_TEST

/* What goes past the caches has the same bits. */
START_TEST(backward_streams)
{
    const struct kernel_row *row = kernel_row("maxpool2d_backward", _i);
    for (int turn = 0; turn < 200; turn++) {
        struct cnni_maxpool2d_windows shape = choose(turn);
        shape.channels = 16 * (1 + turn % 3);
        shape.x_step = shape.columns * shape.channels;
        shape.row_pitch = 3 * shape.columns * shape.channels;
        shape.winner_size = turn % 2 ? 1 : 4;
        shape.stream = true;
        check_backward(row, &shape, turn / 7 % GUARDED_SIDES, true);
    }
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"maxpool2d_forward", "maxpool2d_backward"};
    TCase *tcase = tcase_create("maxpool2d");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "maxpool2d_forward", forward_is_exact);
    KERNEL_ROWS_TEST(tcase, "maxpool2d_backward", backward_is_exact);
    KERNEL_ROWS_TEST(tcase, "maxpool2d_backward", backward_streams);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
