/* SPDX-License-Identifier: MIT
 * Every Winograd transform of the kernel list: against B' x B, A' m A and A dy A' in double
 * precision with the derived bound, and to the bit against the same bodies in one lane with
 * fmaf(); all tails of channels, buffers beside unmapped pages, and special values. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"

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

#include "kernels/winograd.h"

/* ---- The matrices ---- */

enum { POINTS = 6, MOST = 4, PIXELS = POINTS * POINTS, CHANNELS = 80 };

static const double b_transposed[2][POINTS][POINTS] = {
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    {{4, 0, -5, 0, 1, 0},
     {0, -4, -4, 1, 1, 0},
     {0, 4, -4, -1, 1, 0},
     {0, -2, -1, 2, 1, 0},
     {0, 2, -1, -2, 1, 0},
     {0, 4, 0, -5, 0, 1}},
};

static const double a_transposed[2][MOST][POINTS] = {
    {{1, 1, 1, 0}, {0, 1, -1, -1}},
    {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
};

/* Element (i, j) of the matrix by which one side is multiplied. */
static double factor(const struct kernel_row *row, int32_t outputs, int i, int j)
{
    const int set = outputs == 4;
    if (strcmp(row->slot, "winograd_input") == 0)
        return b_transposed[set][i][j];
    return strcmp(row->slot, "winograd_output") == 0 ? a_transposed[set][i][j]
                                                     : a_transposed[set][j][i];
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
};

/* Runs the kernel, or with `lone` its body in one lane. */
static void run(const struct tile *tile, bool lone)
{
    const int64_t in_pitch = tile->in[1] - tile->in[0], out_pitch = tile->out[1] - tile->out[0];
    if (strcmp(tile->row->slot, "winograd_input") == 0) {
        const struct cnni_winograd_input call = {tile->in, tile->out[0], out_pitch, tile->channels,
                                                 tile->outputs};
        lone ? winograd_input(&call) : ((cnni_winograd_input_fn *)tile->row->function)(&call);
    } else if (strcmp(tile->row->slot, "winograd_output") == 0) {
        const struct cnni_winograd_output call = {tile->in[0], tile->out,      tile->bias,
                                                  in_pitch,    tile->channels, tile->outputs,
                                                  tile->relu};
        lone ? winograd_output(&call) : ((cnni_winograd_output_fn *)tile->row->function)(&call);
    } else {
        const struct cnni_winograd_gradient call = {tile->in, tile->out[0],   out_pitch,    16,
                                                    16,       tile->channels, tile->outputs};
        lone ? winograd_gradient(&call) : ((cnni_winograd_gradient_fn *)tile->row->function)(&call);
    }
}

static void check_values(const struct tile *tile)
{
    for (int at = 0; at < tile->side_out * tile->side_out; at++)
        for (int64_t c = 0; c < tile->channels && tile->out[at] != NULL; c++) {
            struct exact exact = transform(tile->row, tile->outputs, tile->side_in, tile->in, c,
                                           at / tile->side_out, at % tile->side_out);
            if (tile->bias != NULL) {
                exact.value += (double)tile->bias[c];
                exact.magnitude += fabs((double)tile->bias[c]);
            }
            if (!(exact.magnitude < 1e37))
                continue; /* sums beyond the range of floats are no measure */
            const double value = tile->relu && exact.value <= 0 ? 0 : exact.value;
            const double bound = tolerance_sum(PIXELS + 1, exact.magnitude);
            ck_assert_msg(
                tolerance_close(tile->out[at][c], value, bound),
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
    for (int i = 0; i < PIXELS; i++)
        copy.out[i] = tile->out[i] == NULL ? NULL : lone[i];
    run(&copy, true);
    for (int at = 0; at < tile->side_out * tile->side_out; at++)
        for (int64_t c = 0; c < tile->written && tile->out[at] != NULL; c++)
            ck_assert_msg(tolerance_same(tile->out[at][c], lone[at][c]),
                          "%s, F(%d), %d channels: at %d, channel %d got %a, one lane gives %a",
                          tile->row->name, (int)tile->outputs, (int)tile->channels, at, (int)c,
                          (double)tile->out[at][c], (double)lone[at][c]);
}

static void check_tile(const struct kernel_row *row, int32_t outputs, int64_t channels, int turn)
{
    const bool input = strcmp(row->slot, "winograd_input") == 0;
    const bool output = strcmp(row->slot, "winograd_output") == 0;
    const enum guarded_side side = turn % GUARDED_SIDES;
    struct tile tile = {
        .row = row,
        .outputs = outputs,
        .side_in = input || output ? outputs + 2 : outputs,
        .side_out = output ? outputs : outputs + 2,
        .channels = channels,
        .written = input || output ? channels : (channels + 15) / 16 * 16,
        .relu = output && turn % 3 == 0,
    };
    const float *in = filled(X, side, tile.side_in * tile.side_in * channels, turn % 5 == 4);
    float *out = filled(Y, side, tile.side_out * tile.side_out * tile.written, false);
    for (int i = 0; i < tile.side_in * tile.side_in; i++)
        tile.in[i] = in + i * channels;
    for (int i = 0; i < tile.side_out * tile.side_out; i++)
        tile.out[i] = output && turn % 4 == 1 && i % 3 == 2 ? NULL : out + i * tile.written;
    if (output && turn % 2 == 0)
        tile.bias = filled(BIAS, side, channels, false);
    run(&tile, false);
    check_values(&tile);
    check_bits(&tile);
    for (int64_t c = channels; c < tile.written; c++)
        for (int i = 0; i < tile.side_out * tile.side_out; i++)
            ck_assert_msg(out[i * tile.written + c] == 0, "%s leaves no 0 behind %d channels",
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

int main(void)
{
    static const char *const slots[] = {"winograd_input", "winograd_output", "winograd_gradient"};
    TCase *tcase = tcase_create("winograd");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "winograd_input", inputs_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_output", outputs_are_transformed);
    KERNEL_ROWS_TEST(tcase, "winograd_gradient", gradients_are_transformed);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
