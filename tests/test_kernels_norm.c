/* SPDX-License-Identifier: MIT
 * The kernels of batch normalisation of the list, to the bits of their formulas, and their sums
 * within the bound of double precision: all small numbers of pixels and channels, special values,
 * values that are cut, buffers at unmapped pages. */
#include <math.h>

#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"
#include "support/value.h"

enum { PIXELS = 128, CHANNELS = 70, MOST = PIXELS * CHANNELS };
enum { X, Y, DY, DX, SCALE, SHIFT, MEAN, SLOPE, OFFSET, FIRST, SECOND, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], MOST * sizeof(float));
    cnni_random_start(&random_numbers, 9, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

static const int64_t pixel_counts[] = {1, 2, 3, 7, 128};
enum { TURNS = CNNI_COUNT(pixel_counts) * CHANNELS * 2 };

static float draw(bool special)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0, 1e-42f, 6, 3e38f, -3e38f};
    if (special && cnni_random_below(&random_numbers, 8) == 0)
        return odd[cnni_random_below(&random_numbers, CNNI_COUNT(odd))];
    return (float)(2 * cnni_random_uniform(&random_numbers) - 1);
}

static float *filled(int buffer, int turn, int64_t count, bool special)
{
    float *values = guarded_floats(&buffers[buffer], turn % GUARDED_SIDES, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        values[i] = draw(special);
    return values;
}

/* One problem: channels 1 .. 70, one of the numbers of pixels, cut or not. */
struct problem {
    struct cnni_norm norm;
    int64_t count;
    const float *x, *y, *dy;
};

static struct problem problem_of(int turn, bool special)
{
    static const float bounds[][2] = {{-INFINITY, INFINITY}, {0, INFINITY}, {0, 0.25f}};
    const int64_t pixels = pixel_counts[turn % CNNI_COUNT(pixel_counts)];
    const int64_t channels = turn / 2 % CHANNELS + 1, count = pixels * channels;
    return (struct problem){
        .norm = {.pixels = pixels,
                 .channels = channels,
                 .scale = filled(SCALE, turn, channels, false),
                 .shift = filled(SHIFT, turn, channels, false),
                 .mean = filled(MEAN, turn, channels, false),
                 .slope = filled(SLOPE, turn, channels, false),
                 .offset = filled(OFFSET, turn, channels, false),
                 .low = bounds[turn % 3][0],
                 .high = bounds[turn % 3][1]},
        .count = count,
        .x = filled(X, turn, count, special),
        .y = filled(Y, turn, count, special),
        .dy = filled(DY, turn, count, special),
    };
}

static void check_same(const struct kernel_row *row, const struct problem *problem, int64_t i,
                       float got, float want)
{
    assert_value(tolerance_same(got, want), "%s, %d pixels of %d channels, [%d]: got %a, want %a",
                 row->name, (int)problem->norm.pixels, (int)problem->norm.channels, (int)i,
                 (double)got, (double)want);
}

START_TEST(moments_are_their_chains)
{
    const struct kernel_row *row = kernel_row("norm_moments", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const struct problem problem = problem_of(turn, turn % 4 == 3);
        const int64_t channels = problem.norm.channels;
        float *sums = filled(FIRST, turn, channels, false);
        float *squares = filled(SECOND, turn, channels, false);
        ((cnni_norm_moments_fn *)row->function)(&problem.norm, sums, squares, problem.x);
        for (int64_t c = 0; c < channels; c++) {
            float sum = 0, square = 0;
            for (int64_t p = 0; p < problem.norm.pixels; p++)
                sum += problem.x[p * channels + c];
            for (int64_t p = 0; p < problem.norm.pixels; p++) {
                const float away = problem.x[p * channels + c] - sum / (float)problem.norm.pixels;
                square = kernel_row_link(row, away, away, square);
            }
            check_same(row, &problem, c, sums[c], sum);
            check_same(row, &problem, c, squares[c], square);
        }
    }
}
END_TEST

static float normalized(const struct kernel_row *row, const struct problem *problem, int64_t i)
{
    const int64_t c = i % problem->norm.channels;
    return kernel_row_link(row, problem->x[i], problem->norm.scale[c], problem->norm.shift[c]);
}

START_TEST(apply_is_its_formula)
{
    const struct kernel_row *row = kernel_row("norm_apply", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const struct problem problem = problem_of(turn, true);
        float *y = filled(DX, turn, problem.count, false);
        const bool adds = turn % 5 < 2, in_place = turn % 7 == 0;
        const float *addend = adds ? problem.y : NULL;
        if (in_place)
            memcpy(y, problem.x, (size_t)problem.count * sizeof *y);
        ((cnni_norm_apply_fn *)row->function)(&problem.norm, y, in_place ? y : problem.x, addend);
        for (int64_t i = 0; i < problem.count; i++) {
            float want = normalized(row, &problem, i);
            if (adds)
                want += addend[i];
            if (want < problem.norm.low)
                want = problem.norm.low;
            if (want > problem.norm.high)
                want = problem.norm.high;
            check_same(row, &problem, i, y[i], want);
        }
    }
}
END_TEST

static float gated(const struct kernel_row *row, const struct problem *problem, const float *y,
                   int64_t i)
{
    const float value = y == NULL ? normalized(row, problem, i) : y[i];
    return value <= problem->norm.low || value >= problem->norm.high ? 0 : problem->dy[i];
}

START_TEST(gradient_sums_are_their_chains)
{
    const struct kernel_row *row = kernel_row("norm_gradient", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const struct problem problem = problem_of(turn, turn % 4 == 3);
        const int64_t channels = problem.norm.channels;
        const float *y = turn % 5 < 2 ? problem.y : NULL;
        float *g = turn % 3 == 0 ? NULL : filled(DX, turn, problem.count, false);
        float *sums = filled(FIRST, turn, channels, false);
        float *products = filled(SECOND, turn, channels, false);
        ((cnni_norm_gradient_fn *)row->function)(&problem.norm, sums, products, g, problem.dy,
                                                 problem.x, y);
        for (int64_t i = 0; g != NULL && i < problem.count; i++)
            check_same(row, &problem, i, g[i], gated(row, &problem, y, i));
        for (int64_t c = 0; c < channels; c++) {
            float sum = 0, product = 0;
            for (int64_t i = c; i < problem.count; i += channels) {
                const float value = gated(row, &problem, y, i);
                sum += value;
                product = kernel_row_link(row, value, problem.x[i] - problem.norm.mean[c], product);
            }
            check_same(row, &problem, c, sums[c], sum);
            check_same(row, &problem, c, products[c], product);
        }
    }
}
END_TEST

START_TEST(backward_is_its_formula)
{
    const struct kernel_row *row = kernel_row("norm_backward", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const struct problem problem = problem_of(turn, true);
        const struct cnni_norm *norm = &problem.norm;
        const float *y = turn % 5 < 2 ? problem.y : NULL;
        const bool in_place = turn % 7 == 0;
        float *dx = filled(DX, turn, problem.count, false);
        if (in_place)
            memcpy(dx, problem.dy, (size_t)problem.count * sizeof *dx);
        ((cnni_norm_backward_fn *)row->function)(norm, dx, in_place ? dx : problem.dy, problem.x,
                                                 y);
        for (int64_t i = 0; i < problem.count; i++) {
            const int64_t c = i % norm->channels;
            const float rest =
                kernel_row_link(row, problem.x[i] - norm->mean[c], norm->slope[c], norm->offset[c]);
            check_same(row, &problem, i, dx[i],
                       kernel_row_link(row, gated(row, &problem, y, i), norm->scale[c], rest));
        }
    }
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"norm_moments", "norm_apply", "norm_gradient",
                                        "norm_backward"};
    TCase *tcase = tcase_create("norm");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "norm_moments", moments_are_their_chains);
    KERNEL_ROWS_TEST(tcase, "norm_apply", apply_is_its_formula);
    KERNEL_ROWS_TEST(tcase, "norm_gradient", gradient_sums_are_their_chains);
    KERNEL_ROWS_TEST(tcase, "norm_backward", backward_is_its_formula);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
