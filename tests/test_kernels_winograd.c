/* SPDX-License-Identifier: MIT
 * Every Winograd transform of the kernel list: against B' x B, A' m A, A dy A', G g G' and G' u G
 * in double precision with the derived bound, and to the bit against the same bodies in one lane
 * with fmaf(); all tails of channels, buffers beside unmapped pages, and special values. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"
#include "support/value.h"
#include "support/winograd_matrices.h"

/* ---- One lane with fused multiply-add ---- */

typedef float vec;
enum { VECTOR = 1 };

static inline vec vec_set(float value)
{
    return value;
}

static inline vec vec_load(const float *x, int64_t count)
{
    return count > 0 ? *x : 0;
}

static inline void vec_store(float *y, vec value, int64_t count)
{
    (void)count;
    *y = value;
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return fmaf(a, b, c);
}

static inline vec vec_relu(vec x)
{
    return x <= 0 ? 0 : x;
}

#include "kernels/winograd_body.h"

/* ---- What is exact ---- */

enum { PIXELS = POINTS * POINTS, CHANNELS = 80 };

static bool is(const struct kernel_row *row, const char *slot)
{
    return strcmp(row->slot, slot) == 0;
}

/* Element (i, j) of the matrix by which one side is multiplied. */
static double factor(const struct kernel_row *row, int32_t outputs, int i, int j)
{
    const int set = outputs == 4;
    if (is(row, "winograd_input"))
        return b_transposed[set][i][j];
    if (is(row, "winograd_output"))
        return a_transposed[set][i][j];
    if (is(row, "winograd_gradient"))
        return a_transposed[set][j][i];
    return is(row, "winograd_weights") ? g_matrix[set][i][j] : g_matrix[set][j][i];
}

struct exact {
    double value, magnitude;
};

/* Element (i, j) of F x F' for one channel of `x`, [side * side] pixels or points. */
static struct exact transform(const struct kernel_row *row, int32_t outputs, int side,
                              const float *const *x, int64_t c, int i, int j)
{
    struct exact sum = {0, 0};
    for (int p = 0; p < side; p++)
        for (int q = 0; q < side; q++) {
            const double f = factor(row, outputs, i, p) * factor(row, outputs, j, q);
            if (f == 0)
                continue;
            sum.value += f * (double)x[p * side + q][c];
            sum.magnitude += fabs(f * (double)x[p * side + q][c]);
        }
    return sum;
}

/* ---- Tiles ---- */

enum { X, Y, BIAS, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], 1 << 16);
    cnni_random_start(&random_numbers, 9, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

static float *filled(int buffer, enum guarded_side side, int64_t count, bool mixed)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 1e-42f, 3e38f, 0};
    float *values = guarded_floats(&buffers[buffer], side, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        values[i] = mixed && cnni_random_below(&random_numbers, 60) == 0
                        ? odd[cnni_random_below(&random_numbers, CNNI_COUNT(odd))]
                        : (float)(2 * cnni_random_uniform(&random_numbers) - 1);
    return values;
}

/* A tile of a slot: what goes in is `side_in` squared arrays of channels, what comes out
 * `side_out` squared. */
struct tile {
    const struct kernel_row *row;
    int32_t outputs;
    int side_in, side_out;
    int64_t channels, written; /* of which so many are written */
    const float *in[PIXELS];
    float *out[PIXELS];
    const float *bias;
    bool relu;
    float before[PIXELS * CHANNELS]; /* what a slot adds to; else 0 */
};

/* Runs the kernel, or with `lone` its body in one lane. */
#define CALL(slot, ...)                                                                            \
    do {                                                                                           \
        const struct cnni_##slot call = {__VA_ARGS__};                                             \
        if (lone)                                                                                  \
            slot(&call);                                                                           \
        else                                                                                       \
            ((cnni_##slot##_fn *)tile->row->function)(&call);                                      \
    } while (0)

static void run(const struct tile *tile, bool lone)
{
    const int64_t in_pitch = tile->in[1] - tile->in[0], out_pitch = tile->out[1] - tile->out[0];
    if (is(tile->row, "winograd_input"))
        CALL(winograd_input, tile->in, tile->out[0], out_pitch, tile->channels, tile->outputs);
    else if (is(tile->row, "winograd_output"))
        CALL(winograd_output, tile->in[0], tile->out, tile->bias, in_pitch, tile->channels,
             tile->outputs, tile->relu);
    else if (is(tile->row, "winograd_gradient"))
        CALL(winograd_gradient, tile->in, tile->out[0], out_pitch, 16, 16, tile->channels,
             tile->outputs);
    else if (is(tile->row, "winograd_weights"))
        CALL(winograd_weights, tile->in, tile->out[0], out_pitch, tile->channels, tile->outputs);
    else
        CALL(winograd_filter, tile->in[0], tile->out, in_pitch, tile->channels, tile->outputs);
}

static void check_values(const struct tile *tile)
{
    for (int at = 0; at < tile->side_out * tile->side_out; at++)
        for (int64_t c = 0; c < tile->channels && tile->out[at] != NULL; c++) {
            struct exact exact = transform(tile->row, tile->outputs, tile->side_in, tile->in, c,
                                           at / tile->side_out, at % tile->side_out);
            const double start = tile->bias != NULL ? (double)tile->bias[c]
                                                    : (double)tile->before[at * CHANNELS + c];
            exact.value += start;
            exact.magnitude += fabs(start);
            if (!(exact.magnitude < 1e37))
                continue; /* sums beyond the range of floats are no measure */
            const double value = tile->relu && exact.value <= 0 ? 0 : exact.value;
            const double bound = tolerance_sum(PIXELS + 1, exact.magnitude);
            assert_value(tolerance_close(tile->out[at][c], value, bound),
                         "%s, F(%d), %d channels: at %d, channel %d got %.9g, exact %.9g, bound %g",
                         tile->row->name, (int)tile->outputs, (int)tile->channels, at, (int)c,
                         (double)tile->out[at][c], value, bound);
        }
}

/* On levels with fused multiply-add the bits are those of one lane. */
static void check_bits(const struct tile *tile)
{
    static float lone[PIXELS][CHANNELS];
    struct tile copy = *tile;
    if (tile->row->level == CNNI_GENERIC)
        return;
    memcpy(lone, tile->before, sizeof lone);
    for (int i = 0; i < PIXELS; i++)
        copy.out[i] = tile->out[i] == NULL ? NULL : lone[i];
    run(&copy, true);
    for (int at = 0; at < tile->side_out * tile->side_out; at++)
        for (int64_t c = 0; c < tile->written && tile->out[at] != NULL; c++)
            assert_value(tolerance_same(tile->out[at][c], lone[at][c]),
                         "%s, F(%d), %d channels: at %d, channel %d got %a, one lane gives %a",
                         tile->row->name, (int)tile->outputs, (int)tile->channels, at, (int)c,
                         (double)tile->out[at][c], (double)lone[at][c]);
}

/* Sides of what goes into a slot and comes out of it. */
static void choose_sides(struct tile *tile)
{
    const int inputs = tile->outputs + 2, outputs = tile->outputs;
    const struct {
        const char *slot;
        int in, out;
    } sides[] = {{"winograd_input", inputs, inputs},
                 {"winograd_output", inputs, outputs},
                 {"winograd_gradient", outputs, inputs},
                 {"winograd_weights", KERNEL, inputs},
                 {"winograd_filter", inputs, KERNEL}};
    for (int i = 0; i < CNNI_COUNT(sides); i++)
        if (is(tile->row, sides[i].slot)) {
            tile->side_in = sides[i].in;
            tile->side_out = sides[i].out;
        }
}

static void check_tile(const struct kernel_row *row, int32_t outputs, int64_t channels, int turn)
{
    const bool output = is(row, "winograd_output");
    const enum guarded_side side = turn % GUARDED_SIDES;
    struct tile tile = {
        .row = row,
        .outputs = outputs,
        .channels = channels,
        .written = is(row, "winograd_gradient") ? (channels + 15) / 16 * 16 : channels,
        .relu = output && turn % 3 == 0,
    };
    choose_sides(&tile);
    const float *in = filled(X, side, tile.side_in * tile.side_in * channels, turn % 5 == 4);
    float *out = filled(Y, side, tile.side_out * tile.side_out * tile.written, false);
    for (int i = 0; i < tile.side_in * tile.side_in; i++)
        tile.in[i] = in + i * channels;
    for (int i = 0; i < tile.side_out * tile.side_out; i++) {
        tile.out[i] = output && turn % 4 == 1 && i % 3 == 2 ? NULL : out + i * tile.written;
        if (is(row, "winograd_filter"))
            memcpy(tile.before + i * CHANNELS, tile.out[i], (size_t)channels * sizeof *out);
    }
    if (output && turn % 2 == 0)
        tile.bias = filled(BIAS, side, channels, false);
    run(&tile, false);
    check_values(&tile);
    check_bits(&tile);
    for (int64_t c = channels; c < tile.written; c++)
        for (int i = 0; i < tile.side_out * tile.side_out; i++)
            assert_value(out[i * tile.written + c] == 0, "%s leaves no 0 behind %d channels",
                         row->name, (int)channels);
}

static void check_row(const struct kernel_row *row)
{
    int turn = 0;
    for (int32_t outputs = 2; outputs <= 4; outputs += 2)
        for (int64_t channels = 1; channels <= 66; channels++)
            for (int i = 0; i < 3; i++)
                check_tile(row, outputs, channels, turn++);
}

START_TEST(inputs_are_transformed)
{
    check_row(kernel_row("winograd_input", _i));
}
END_TEST

START_TEST(outputs_are_transformed)
{
    check_row(kernel_row("winograd_output", _i));
}
END_TEST

START_TEST(gradients_are_transformed)
{
    check_row(kernel_row("winograd_gradient", _i));
}
END_TEST

START_TEST(weights_are_transformed)
{
    check_row(kernel_row("winograd_weights", _i));
}
END_TEST

START_TEST(filters_are_transformed_back)
{
    check_row(kernel_row("winograd_filter", _i));
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"winograd_input", "winograd_output", "winograd_gradient",
                                        "winograd_weights", "winograd_filter"};
    TCase *tcase = tcase_create("winograd");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "winograd_input", inputs_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_output", outputs_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_gradient", gradients_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_weights", weights_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_filter", filters_are_transformed_back);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
