/* SPDX-License-Identifier: MIT
 * The kernels of resampling of the list, to the bits of their chains: all small numbers of
 * channels, outputs with none, one and several taps, special values, buffers at unmapped pages. */
#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"

enum { ROWS = 3, WIDTH = 5, PIXELS = 4, CHANNELS = 140, TAPS = 3 };
enum { X, Y, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    guarded_create(&buffers[X], ROWS * WIDTH * CHANNELS * sizeof(float));
    guarded_create(&buffers[Y], PIXELS * CHANNELS * sizeof(float));
    cnni_random_start(&random_numbers, 12, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

static float draw(bool special)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0, 1e-42f, 3e38f, -3e38f};
    if (special && cnni_random_below(&random_numbers, 8) == 0)
        return odd[cnni_random_below(&random_numbers, CNNI_COUNT(odd))];
    return (float)(2 * cnni_random_uniform(&random_numbers) - 1);
}

/* Taps of a picture [ROWS][WIDTH][channels]; that its last pixel is read is made sure of. */
struct problem {
    struct cnni_resample row;
    struct cnni_resample_tap rows[TAPS], columns[PIXELS * TAPS];
    int64_t first[PIXELS + 1];
};

static void make_problem(struct problem *problem, int64_t channels, int turn)
{
    int64_t count = 0;
    problem->row = (struct cnni_resample){.pixels = turn % (PIXELS + 1),
                                          .channels = channels,
                                          .rows = problem->rows,
                                          .row_count = turn % (TAPS + 1),
                                          .columns = problem->columns,
                                          .first = problem->first};
    for (int64_t i = 0; i < TAPS; i++)
        problem->rows[i] = (struct cnni_resample_tap){
            (i == 0 ? ROWS - 1 : cnni_random_below(&random_numbers, ROWS)) * WIDTH * channels,
            draw(false)};
    for (int64_t p = 0; p < PIXELS; p++) {
        const int64_t taps = cnni_random_below(&random_numbers, TAPS + 1);
        problem->first[p] = count;
        for (int64_t t = 0; t < taps; t++)
            problem->columns[count++] = (struct cnni_resample_tap){
                (t == 0 ? WIDTH - 1 : cnni_random_below(&random_numbers, WIDTH)) * channels,
                draw(false)};
    }
    problem->first[PIXELS] = count;
}

static float wanted(const struct kernel_row *row, const struct problem *problem, const float *x,
                    int64_t pixel, int64_t c)
{
    float sum = 0;
    bool begun = false;
    for (int64_t i = 0; i < problem->row.row_count; i++)
        for (int64_t t = problem->first[pixel]; t < problem->first[pixel + 1]; t++) {
            const struct cnni_resample_tap *down = &problem->rows[i], *over = &problem->columns[t];
            const float value = x[down->x + over->x + c], weight = down->weight * over->weight;
            sum = begun ? kernel_row_link(row, value, weight, sum) : value * weight;
            begun = true;
        }
    return sum;
}

START_TEST(outputs_are_their_chains)
{
    const struct kernel_row *row = kernel_row("resample", _i);
    struct problem problem;
    for (int64_t channels = 1; channels <= CHANNELS; channels++)
        for (int turn = 0; turn < 20; turn++) {
            const size_t count = (size_t)(ROWS * WIDTH * channels);
            float *x = guarded_floats(&buffers[X], turn % GUARDED_SIDES, count);
            make_problem(&problem, channels, turn);
            float *y = guarded_floats(&buffers[Y], turn / 2 % GUARDED_SIDES,
                                      (size_t)(problem.row.pixels * channels));
            for (size_t i = 0; i < count; i++)
                x[i] = draw(turn % 3 == 0);
            ((cnni_resample_fn *)row->function)(&problem.row, y, x);
            for (int64_t i = 0; i < problem.row.pixels * channels; i++) {
                const float want = wanted(row, &problem, x, i / channels, i % channels);
                ck_assert_msg(tolerance_same(y[i], want), "%s, %d channels, [%d]: got %a, want %a",
                              row->name, (int)channels, (int)i, (double)y[i], (double)want);
            }
        }
}
END_TEST

/* One tap of weight 1 copies every bit, the sign of a zero too. */
START_TEST(single_taps_copy)
{
    const struct kernel_row *row = kernel_row("resample", _i);
    const struct cnni_resample_tap tap = {0, 1};
    const float x[3] = {-0.0f, 1e-42f, -INFINITY};
    float y[3];
    const struct cnni_resample copy = {1, 3, &tap, 1, &tap, (const int64_t[]){0, 1}};
    ((cnni_resample_fn *)row->function)(&copy, y, x);
    ck_assert_mem_eq(y, x, sizeof x);
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"resample"};
    TCase *tcase = tcase_create("resample");
    tcase_set_timeout(tcase, 20);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "resample", outputs_are_their_chains);
    KERNEL_ROWS_TEST(tcase, "resample", single_taps_copy);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
