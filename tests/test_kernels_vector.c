/* SPDX-License-Identifier: MIT
 * Kernels on arrays: addition and sums bit for bit, softmax's exponential within 4 ULP, optimizer
 * steps to the bits of their formulas; all short lengths, special values, buffers at unmapped
 * pages. */
#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/tolerance.h"

enum { A, B, C, D, BUFFERS, LONGEST = 1030 };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], LONGEST * sizeof(double));
    cnni_random_start(&random_numbers, 9, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

/* Lengths 0 .. 70, and one long. */
enum { LENGTHS = 72 };

static int64_t length_of(int turn)
{
    return turn % LENGTHS == LENGTHS - 1 ? LONGEST : turn % LENGTHS;
}

static float draw(bool special)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0, 1e-42f, -1e-42f, 3e38f, -3e38f};
    if (special && cnni_random_below(&random_numbers, 4) == 0)
        return odd[cnni_random_below(&random_numbers, CNNI_COUNT(odd))];
    return (float)(2 * cnni_random_uniform(&random_numbers) - 1);
}

static float *filled(int buffer, int turn, bool special)
{
    float *values = guarded_floats(&buffers[buffer], turn % GUARDED_SIDES, (size_t)length_of(turn));
    for (int64_t i = 0; i < length_of(turn); i++)
        values[i] = draw(special);
    return values;
}

static float *copied(int buffer, int turn, const float *values)
{
    float *copy = guarded_floats(&buffers[buffer], turn % GUARDED_SIDES, (size_t)length_of(turn));
    memcpy(copy, values, (size_t)length_of(turn) * sizeof *copy);
    return copy;
}

static void check_same(const struct kernel_row *row, int turn, int64_t i, float got, float want)
{
    ck_assert_msg(tolerance_same(got, want), "%s, %d elements, [%d]: got %a, want %a", row->name,
                  (int)length_of(turn), (int)i, (double)got, (double)want);
}

enum { TURNS = 2 * LENGTHS + 1 };

START_TEST(add_is_exact)
{
    const struct kernel_row *row = kernel_row("vector_add", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const float *a = filled(A, turn, true), *b = filled(B, turn, true);
        float *y = copied(C, turn, turn % 3 == 0 ? a : b);
        ((cnni_vector_add_fn *)row->function)(length_of(turn), y, turn % 3 == 0 ? y : a,
                                              turn % 3 == 1 ? y : b);
        for (int64_t i = 0; i < length_of(turn); i++)
            check_same(row, turn, i, y[i], a[i] + b[i]);
    }
}
END_TEST

/* One fused multiply-add, or, without that instruction, two roundings. */
START_TEST(average_is_one_multiply_add)
{
    const struct kernel_row *row = kernel_row("vector_average", _i);
    const bool fused = strstr(row->name, "generic") == NULL;
    for (int turn = 0; turn < TURNS; turn++) {
        const float *w = filled(A, turn, turn % 2 == 0), *before = filled(B, turn, true);
        const float rest = 1.0f / (float)(2 + turn);
        float *a = copied(C, turn, before);
        ((cnni_vector_average_fn *)row->function)(length_of(turn), a, w, rest);
        for (int64_t i = 0; i < length_of(turn); i++) {
            const float step = w[i] - before[i], product = rest * step;
            check_same(row, turn, i, a[i],
                       fused ? fmaf(rest, step, before[i]) : before[i] + product);
        }
    }
}
END_TEST

enum { LANES = 16 };

START_TEST(sum_squares_is_its_tree)
{
    const struct kernel_row *row = kernel_row("vector_sum_squares", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const float *x = filled(A, turn, false);
        double lane[LANES] = {0};
        for (int64_t i = 0; i < length_of(turn); i++)
            lane[i % LANES] += (double)x[i] * x[i];
        for (int half = LANES / 2; half > 0; half /= 2)
            for (int j = 0; j < half; j++)
                lane[j] += lane[j + half];
        const double got = ((cnni_vector_sum_squares_fn *)row->function)(length_of(turn), x);
        ck_assert_msg(got == lane[0], "%s, %d elements: got %a, want %a", row->name,
                      (int)length_of(turn), got, lane[0]);
    }
}
END_TEST

/* ---- Softmax ---- */

static float fold(float lane[LANES])
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

START_TEST(softmax_exp_is_close)
{
    const struct kernel_row *row = kernel_row("softmax_exp", _i);
    for (int turn = 1; turn < 20 * LENGTHS; turn++) {
        float *x = filled(A, turn, false);
        const int64_t count = length_of(turn);
        const float spread = (float)(1 << turn % 9) * 0.5f;
        float largest = -INFINITY;
        for (int64_t i = 0; i < count; i++) {
            x[i] *= spread;
            largest = CNNI_MAX(largest, x[i]);
        }
        float *y = turn % 3 == 0 ? copied(B, turn, x) : filled(B, turn, false);
        float max = 0, sum = -1, lane[LANES] = {0};
        ((cnni_softmax_exp_fn *)row->function)(count, y, &max, &sum, turn % 3 == 0 ? y : x);
        ck_assert(max == largest);
        for (int64_t i = 0; i < count; i++) {
            const double exact = exp((double)(x[i] - max));
            ck_assert_msg(tolerance_ulps(y[i], exact) <= 4, "%s: exp(%a) is %a, %.2f ULP from %a",
                          row->name, (double)(x[i] - max), (double)y[i],
                          tolerance_ulps(y[i], exact), exact);
            lane[i % LANES] += y[i];
        }
        ck_assert_msg(sum == fold(lane), "%s: sum of %d elements", row->name, (int)count);
    }
}
END_TEST

/* NaN anywhere makes the sum NaN; so does +Inf; -Inf counts as 0. */
START_TEST(softmax_exp_passes_on_nan)
{
    const struct kernel_row *row = kernel_row("softmax_exp", _i);
    for (int turn = 1; turn < LENGTHS - 1; turn++)
        for (int64_t place = 0; place < length_of(turn); place++) {
            float *x = filled(A, turn, false), *y = filled(B, turn, false), max, sum;
            x[place] = NAN;
            ((cnni_softmax_exp_fn *)row->function)(length_of(turn), y, &max, &sum, x);
            ck_assert(isnan(sum) && isnan(y[place]));
            x[place] = INFINITY;
            ((cnni_softmax_exp_fn *)row->function)(length_of(turn), y, &max, &sum, x);
            ck_assert(isnan(sum) && isnan(y[place]));
            x[place] = -INFINITY;
            ((cnni_softmax_exp_fn *)row->function)(length_of(turn), y, &max, &sum, x);
            ck_assert(length_of(turn) == 1 ? isnan(sum) : sum >= 1 && y[place] == 0);
        }
}
END_TEST

START_TEST(softmax_backward_is_its_formula)
{
    const struct kernel_row *row = kernel_row("softmax_backward", _i);
    for (int turn = 0; turn < TURNS; turn++) {
        const float *dy = filled(A, turn, false), *y = filled(B, turn, false);
        float *dx = turn % 3 == 0 ? copied(C, turn, dy) : filled(C, turn, false);
        float lane[LANES] = {0};
        for (int64_t i = 0; i < length_of(turn); i++)
            lane[i % LANES] = kernel_row_link(row, y[i], dy[i], lane[i % LANES]);
        const float sum = fold(lane);
        ((cnni_softmax_backward_fn *)row->function)(length_of(turn), dx, turn % 3 == 0 ? dx : dy,
                                                    y);
        for (int64_t i = 0; i < length_of(turn); i++)
            check_same(row, turn, i, dx[i], y[i] * (dy[i] - sum));
    }
}
END_TEST

/* ---- Optimizers ---- */

static void clear_and_check(const struct kernel_row *row, int turn, const float *g)
{
    for (int64_t i = 0; i < length_of(turn); i++)
        check_same(row, turn, i, g[i], 0);
}

START_TEST(sgd_is_its_formula)
{
    const struct kernel_row *row = kernel_row("optimizer_sgd", _i);
    static float w0[LONGEST], g0[LONGEST], v0[LONGEST];
    for (int turn = 0; turn < 8 * LENGTHS; turn++) {
        const struct cnni_sgd_step step = {.learning_rate = 0.1f,
                                           .momentum = 0.9f,
                                           .weight_decay = 0.01f,
                                           .gradient_scale = 0.5f,
                                           .nesterov = turn / LENGTHS % 2,
                                           .first = turn / LENGTHS / 2 % 2};
        const size_t bytes = (size_t)length_of(turn) * sizeof(float);
        float *w = filled(A, turn, false), *g = filled(B, turn, false), *v = filled(C, turn, false);
        const bool momentum = turn / LENGTHS < 4;
        memcpy(w0, w, bytes);
        memcpy(g0, g, bytes);
        memcpy(v0, v, bytes);
        ((cnni_optimizer_sgd_fn *)row->function)(&step, length_of(turn), w, g, momentum ? v : NULL);
        clear_and_check(row, turn, g);
        for (int64_t i = 0; i < length_of(turn); i++) {
            const float h =
                kernel_row_link(row, step.weight_decay, w0[i], g0[i] * step.gradient_scale);
            const float speed = step.first ? h : kernel_row_link(row, step.momentum, v0[i], h);
            const float ahead = kernel_row_link(row, step.momentum, speed, h);
            const float d = !momentum ? h : step.nesterov ? ahead : speed;
            check_same(row, turn, i, v[i], momentum ? speed : v0[i]);
            check_same(row, turn, i, w[i], kernel_row_link(row, -step.learning_rate, d, w0[i]));
        }
    }
}
END_TEST

START_TEST(adam_is_its_formula)
{
    const struct kernel_row *row = kernel_row("optimizer_adam", _i);
    static float w0[LONGEST], g0[LONGEST], m0[LONGEST], v0[LONGEST];
    const struct cnni_adam_step step = {.step_size = 0.01f,
                                        .root_correction = 0.3f,
                                        .epsilon = 1e-8f,
                                        .beta1 = 0.9f,
                                        .rest1 = 0.1f,
                                        .beta2 = 0.999f,
                                        .rest2 = 0.001f,
                                        .weight_decay = 0.02f,
                                        .shrink = 0.99f,
                                        .gradient_scale = 2};
    for (int turn = 0; turn < TURNS; turn++) {
        const size_t bytes = (size_t)length_of(turn) * sizeof(float);
        float *w = filled(A, turn, false), *g = filled(B, turn, false);
        float *m = filled(C, turn, false), *v = filled(D, turn, false);
        for (int64_t i = 0; i < length_of(turn); i++)
            v[i] = fabsf(v[i]);
        memcpy(w0, w, bytes);
        memcpy(g0, g, bytes);
        memcpy(m0, m, bytes);
        memcpy(v0, v, bytes);
        ((cnni_optimizer_adam_fn *)row->function)(&step, length_of(turn), w, g, m, v);
        clear_and_check(row, turn, g);
        for (int64_t i = 0; i < length_of(turn); i++) {
            const float h =
                kernel_row_link(row, step.weight_decay, w0[i], g0[i] * step.gradient_scale);
            const float first = kernel_row_link(row, step.beta1, m0[i], step.rest1 * h);
            const float second = kernel_row_link(row, step.beta2, v0[i], step.rest2 * h * h);
            const float root = sqrtf(second) / step.root_correction + step.epsilon;
            check_same(row, turn, i, m[i], first);
            check_same(row, turn, i, v[i], second);
            check_same(row, turn, i, w[i],
                       kernel_row_link(row, -step.step_size, first / root, w0[i] * step.shrink));
        }
    }
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"vector_add",       "vector_sum_squares", "softmax_exp",
                                        "softmax_backward", "optimizer_sgd",      "optimizer_adam"};
    TCase *tcase = tcase_create("vector");
    tcase_set_timeout(tcase, 20);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "vector_add", add_is_exact);
    KERNEL_ROWS_TEST(tcase, "vector_average", average_is_one_multiply_add);
    KERNEL_ROWS_TEST(tcase, "vector_sum_squares", sum_squares_is_its_tree);
    KERNEL_ROWS_TEST(tcase, "softmax_exp", softmax_exp_is_close);
    KERNEL_ROWS_TEST(tcase, "softmax_exp", softmax_exp_passes_on_nan);
    KERNEL_ROWS_TEST(tcase, "softmax_backward", softmax_backward_is_its_formula);
    KERNEL_ROWS_TEST(tcase, "optimizer_sgd", sgd_is_its_formula);
    KERNEL_ROWS_TEST(tcase, "optimizer_adam", adam_is_its_formula);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
