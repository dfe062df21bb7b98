/* SPDX-License-Identifier: MIT
 * The kernels of activations: values and gradients of every kind within their bounds of double
 * precision, over all of float's range; limits, NaN; all short lengths, buffers at unmapped pages;
 * and the same bits on every level with fused multiply-add. */
#include "base/random.h"
#include "support/guarded.h"
#include "support/kernel_rows.h"
#include "support/reference_activation.h"
#include "support/tensors.h"
#include "support/tolerance.h"
#include "support/value.h"

/* ---- The kinds, and how far from exact they may be ---- */

struct kind {
    const char *name;
    struct cnni_activation activation;
    bool reads_input;
    double value_ulps;
    double gradient_ulps; /* of the sum of the magnitudes that the formula adds up */
};

/* Exact but for the roundings of the formula: half a unit each, and as much again where a result
 * is just above a power of two.  The exponential is within 2 units, what is made from it within
 * 4; gelu, with a polynomial more, within 8. */
static const struct kind kinds[] = {
    {"relu", {CNN_RELU, 0}, false, 0, 0},
    {"leaky_relu", {CNN_LEAKY_RELU, 0.2f}, false, 0.5, 0.5},
    {"leaky_relu 0", {CNN_LEAKY_RELU, 0}, false, 0, 0},
    {"relu6", {CNN_RELU6, 0}, false, 0, 0},
    {"sigmoid", {CNN_SIGMOID, 0}, false, 4, 2},
    {"tanh", {CNN_TANH, 0}, false, 4, 2},
    {"silu", {CNN_SILU, 0}, true, 4, 8},
    {"hard_swish", {CNN_HARD_SWISH, 0}, true, 3, 2},
    {"hard_sigmoid", {CNN_HARD_SIGMOID, 0}, false, 2, 1},
    {"gelu", {CNN_GELU, 0}, true, 8, 8},
    {"elu", {CNN_ELU, 1.3f}, false, 4, 2},
};
enum { KINDS = CNNI_COUNT(kinds) };

/* Without fused multiply-add, x^2 / 2 in gelu's exponent is off by its rounding. */
static double extra_ulps(const struct kernel_row *row, const struct kind *kind, float x)
{
    const double square = fmin((double)x * x, 225);
    return row->level == CNNI_GENERIC && kind->activation.kind == CNN_GELU ? square : 0;
}

/* ---- Arrays ---- */

enum { X, Y, DY, DX, BUFFERS, COUNT = 1 << 14, SWEEPS = 6 };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;
static float *array[BUFFERS]; /* [COUNT], at the end of their buffers */

static void set_up(void)
{
    for (int i = 0; i < BUFFERS; i++) {
        guarded_create(&buffers[i], COUNT * sizeof(float));
        array[i] = guarded_floats(&buffers[i], GUARDED_END, COUNT);
    }
    cnni_random_start(&random_numbers, 12, CNNI_RANDOM_CHECK, 0, 0);
}

static void tear_down(void)
{
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
}

static float draw(double range)
{
    return (float)(range * (2 * cnni_random_uniform(&random_numbers) - 1));
}

/* Even sweeps: patterns of bits all over the numbers that there are; odd ones: where the functions
 * bend. */
static void fill_inputs(int sweep)
{
    static const double ranges[] = {1, 4, 16, 110};
    for (int i = 0; i < COUNT; i++) {
        const uint32_t bits = (uint32_t)(sweep / 2 * COUNT + i) * 87381u; /* 2^32 in 3 * COUNT */
        if (sweep % 2 == 0)
            memcpy(&array[X][i], &bits, sizeof bits);
        else
            array[X][i] = draw(ranges[i % CNNI_COUNT(ranges)]);
    }
}

static void run_forward(const struct kernel_row *row, const struct kind *kind, int64_t count,
                        float *y, const float *x)
{
    ((cnni_activation_forward_fn *)row->function)(&kind->activation, count, y, x);
}

static void run_backward(const struct kernel_row *row, const struct kind *kind, int64_t count,
                         float *dx, const float *dy, const float *value)
{
    ((cnni_activation_backward_fn *)row->function)(&kind->activation, count, dx, dy, value);
}

/* The outputs of `array[X]` on the same level, for backward to read. */
static void make_outputs(const struct kernel_row *row, const struct kind *kind, float *y)
{
    cnni_kernels(row->level)->activation_forward(&kind->activation, COUNT, y, array[X]);
}

/* A unit in the last place at `magnitude`; below the normal range, where factors have been rounded
 * absolutely, one that allows for a product with |x| up to 128. */
static double unit_at(double magnitude)
{
    int exponent;
    frexp(magnitude, &exponent);
    return ldexp(1, (exponent < -118 ? -118 : exponent) - 24);
}

static void check(const struct kernel_row *row, const struct kind *kind, const char *what, float x,
                  float got, double exact, double bound)
{
    assert_value(tolerance_close(got, exact, bound),
                 "%s: %s of %s at %a: got %a, want %a within %g", row->name, what, kind->name,
                 (double)x, (double)got, exact, bound);
}

/* ---- Against double precision ---- */

START_TEST(values_are_close)
{
    const struct kernel_row *row = kernel_row("activation_forward", _i);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            fill_inputs(sweep);
            run_forward(row, kind, COUNT, array[Y], array[X]);
            for (int i = 0; i < COUNT; i++) {
                const float x = array[X][i];
                const double exact = reference_activation(kind->activation.kind,
                                                          (double)kind->activation.parameter, x);
                const double ulps = kind->value_ulps + extra_ulps(row, kind, x);
                check(row, kind, "value", x, array[Y][i], exact, ulps * unit_at(exact));
            }
        }
}
END_TEST

START_TEST(gradients_are_close)
{
    const struct kernel_row *row = kernel_row("activation_backward", _i);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            fill_inputs(sweep);
            make_outputs(row, kind, array[Y]);
            const float *value = kind->reads_input ? array[X] : array[Y];
            for (int i = 0; i < COUNT; i++)
                array[DY][i] = draw(1);
            run_backward(row, kind, COUNT, array[DX], array[DY], value);
            for (int i = 0; i < COUNT; i++) {
                double magnitude;
                const double exact =
                    array[DY][i] * reference_activation_gradient(kind->activation.kind,
                                                                 (double)kind->activation.parameter,
                                                                 value[i], &magnitude);
                const double ulps = kind->gradient_ulps + extra_ulps(row, kind, value[i]);
                check(row, kind, "gradient", value[i], array[DX][i], exact,
                      ulps * unit_at(array[DY][i] * magnitude));
            }
        }
}
END_TEST

/* ---- Places, lengths, special values ---- */

/* Lengths 0 .. 70 at both ends of a buffer, apart and in place: each element is what it is on its
 * own. */
START_TEST(elements_do_not_depend_on_their_places)
{
    const struct kernel_row *row = kernel_row("activation_forward", _i);
    fill_inputs(1);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        for (int turn = 0; turn < 2 * 71; turn++) {
            const size_t count = (size_t)turn / 2, bytes = count * sizeof(float);
            float *y = guarded_floats(&buffers[Y], turn % GUARDED_SIDES, count), one;
            float *x = guarded_floats(&buffers[DX], turn % GUARDED_SIDES, count);
            memcpy(x, array[X] + turn, bytes);
            memcpy(y, x, bytes);
            run_forward(row, kind, (int64_t)count, y, turn % 3 == 0 ? y : x);
            for (size_t i = 0; i < count; i++) {
                run_forward(row, kind, 1, &one, &x[i]);
                assert_value(tolerance_same(y[i], one), "%s: %s, [%zu] of %zu", row->name,
                             kind->name, i, count);
            }
        }
}
END_TEST

START_TEST(gradients_do_not_depend_on_their_places)
{
    const struct kernel_row *row = kernel_row("activation_backward", _i);
    fill_inputs(1);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        for (int turn = 0; turn < 2 * 71; turn++) {
            const size_t count = (size_t)turn / 2, bytes = count * sizeof(float);
            float *dx = guarded_floats(&buffers[Y], turn % GUARDED_SIDES, count), one;
            float *value = guarded_floats(&buffers[DX], turn % GUARDED_SIDES, count);
            float *dy = guarded_floats(&buffers[DY], turn % GUARDED_SIDES, count);
            memcpy(value, array[X] + turn, bytes);
            memcpy(dy, array[X] + 200 + turn, bytes);
            memcpy(dx, dy, bytes);
            run_backward(row, kind, (int64_t)count, dx, turn % 3 == 0 ? dx : dy, value);
            for (size_t i = 0; i < count; i++) {
                run_backward(row, kind, 1, &one, &dy[i], &value[i]);
                assert_value(tolerance_same(dx[i], one), "%s: %s, [%zu] of %zu", row->name,
                             kind->name, i, count);
            }
        }
}
END_TEST

static float value_of(const struct kernel_row *row, const struct kind *kind, float x)
{
    float y;
    run_forward(row, kind, 1, &y, &x);
    return y;
}

/* The formulas of some say 0 * infinite, which only leaky ReLU means with a slope of 0. */
START_TEST(limits_are_reached)
{
    const struct kernel_row *row = kernel_row("activation_forward", _i);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++) {
        static const float far[] = {-INFINITY, -3e38f, -1e3f, 1e3f, 3e38f, INFINITY};
        for (int i = 0; i < CNNI_COUNT(far); i++) {
            const double wanted = reference_activation(
                kind->activation.kind, (double)kind->activation.parameter, (double)far[i]);
            check(row, kind, "value", far[i], value_of(row, kind, far[i]), wanted,
                  unit_at(wanted) / 2);
        }
        ck_assert_msg(isnan(value_of(row, kind, NAN)), "%s: %s of NaN", row->name, kind->name);
    }
}
END_TEST

/* As far out, a gradient is dy, or 0, or the slope; NaN in dy or in x passes. */
START_TEST(gradients_have_limits)
{
    const struct kernel_row *row = kernel_row("activation_backward", _i);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++) {
        static const float far[] = {-INFINITY, -3e38f, -1e3f, 1e3f, 3e38f, INFINITY};
        const float dy = 0.75f, nan = NAN;
        for (int i = 0; i < CNNI_COUNT(far); i++) {
            float value = far[i], dx;
            double magnitude;
            if (!kind->reads_input)
                cnni_kernels(row->level)->activation_forward(&kind->activation, 1, &value, &far[i]);
            run_backward(row, kind, 1, &dx, &dy, &value);
            const double wanted = dy * reference_activation_gradient(
                                           kind->activation.kind,
                                           (double)kind->activation.parameter, value, &magnitude);
            check(row, kind, "gradient", far[i], dx, wanted, unit_at(dy * magnitude));
        }
        float dx, inside = 0.5f;
        run_backward(row, kind, 1, &dx, &nan, &inside);
        ck_assert_msg(isnan(dx), "%s: %s of a NaN dy", row->name, kind->name);
        run_backward(row, kind, 1, &dx, &nan, &nan);
        ck_assert_msg(isnan(dx), "%s: %s of NaN", row->name, kind->name);
    }
}
END_TEST

/* As at the end of a convolution, which may do it in place of this kernel. */
START_TEST(relu_makes_plus_zero)
{
    const struct kernel_row *row = kernel_row("activation_forward", _i);
    static const float low[] = {-0.0f, 0, -1e-45f, -2, -INFINITY};
    for (int i = 0; i < CNNI_COUNT(low); i++)
        ck_assert_msg(tolerance_same(value_of(row, &kinds[0], low[i]), 0), "%s: of %a", row->name,
                      (double)low[i]);
}
END_TEST

/* ---- The same bits ---- */

/* Of all levels with fused multiply-add, on every machine. */
static const uint64_t committed_bits = UINT64_C(0x36c215e31db6041d);

START_TEST(levels_agree)
{
    const struct kernel_row *row = kernel_row("activation_backward", _i);
    uint64_t hash = 0;
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            fill_inputs(sweep);
            for (int i = 0; i < COUNT; i++) {
                array[DY][i] = draw(1);
                if (isnan(array[X][i])) /* levels differ about which NaN it is */
                    array[X][i] = 0;
            }
            make_outputs(row, kind, array[Y]);
            run_backward(row, kind, COUNT, array[DX], array[DY],
                         kind->reads_input ? array[X] : array[Y]);
            hash = hash_bytes(hash, array[Y], COUNT * sizeof(float));
            hash = hash_bytes(hash, array[DX], COUNT * sizeof(float));
        }
    if (row->level != CNNI_GENERIC)
        ck_assert_msg(hash == committed_bits, "%s: %#llx", row->name, (unsigned long long)hash);
}
END_TEST

int main(void)
{
    static const char *const slots[] = {"activation_forward", "activation_backward"};
    TCase *tcase = tcase_create("activation");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    KERNEL_ROWS_TEST(tcase, "activation_forward", values_are_close);
    KERNEL_ROWS_TEST(tcase, "activation_backward", gradients_are_close);
    KERNEL_ROWS_TEST(tcase, "activation_forward", elements_do_not_depend_on_their_places);
    KERNEL_ROWS_TEST(tcase, "activation_backward", gradients_do_not_depend_on_their_places);
    KERNEL_ROWS_TEST(tcase, "activation_forward", limits_are_reached);
    KERNEL_ROWS_TEST(tcase, "activation_backward", gradients_have_limits);
    KERNEL_ROWS_TEST(tcase, "activation_forward", relu_makes_plus_zero);
    KERNEL_ROWS_TEST(tcase, "activation_backward", levels_agree);
    return kernel_rows_main(tcase, slots, CNNI_COUNT(slots));
}
