/* SPDX-License-Identifier: MIT
 * What ops do with long arrays: cutting among threads changes nothing, softmax rows add up,
 * dropout drops what its numbers say.  Single kernels: test_kernels_vector.c. */
#include <check.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/random.h"
#include "ops/op_activation.h"
#include "ops/op_elementwise.h"
#include "ops/op_optimizer.h"
#include "ops/op_softmax.h"
#include "support/suite.h"
#include "support/tolerance.h"
#include "support/value.h"

enum { COUNT = 3 * 16384 + 5, ARRAYS = 5 };

static const int32_t thread_counts[] = {1, 2, 3, 7};

static cnn_context *context;
static float *array[ARRAYS];

static void set_up(void)
{
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    struct cnni_random random;
    cnni_random_start(&random, 6, CNNI_RANDOM_CHECK, 0, 0);
    for (int i = 0; i < ARRAYS; i++) {
        array[i] = malloc(COUNT * sizeof(float));
        for (int j = 0; j < COUNT; j++)
            array[i][j] = (float)(2 * cnni_random_uniform(&random) - 1);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < ARRAYS; i++)
        free(array[i]);
    cnn_context_free(context);
}

START_TEST(elements_are_exact)
{
    const struct cnni_activation relu = {.kind = CNN_RELU};
    ck_assert_int_eq(cnn_context_set_threads(context, thread_counts[_i]), CNN_OK);
    cnni_activation_forward(context, cnni_lanes(context), &relu, COUNT, array[2], array[0]);
    for (int i = 0; i < COUNT; i++)
        assert_value(array[2][i] == (array[0][i] > 0 ? array[0][i] : 0), "[%d]", i);
    cnni_activation_backward(context, cnni_lanes(context), &relu, COUNT, array[3], array[1],
                             array[2]);
    for (int i = 0; i < COUNT; i++)
        assert_value(array[3][i] == (array[0][i] > 0 ? array[1][i] : 0), "[%d]", i);
    cnni_add(context, cnni_lanes(context), COUNT, array[4], array[0], array[1]);
    for (int i = 0; i < COUNT; i++)
        assert_value(array[4][i] == array[0][i] + array[1][i], "[%d]", i);
}
END_TEST

START_TEST(dropout_follows_its_numbers)
{
    ck_assert_int_eq(cnn_context_set_threads(context, thread_counts[_i]), CNN_OK);
    const struct cnni_dropout dropout = {.rate = 0.3, .seed = 11, .stream = 4, .step = 9};
    const float scale = (float)(1 / 0.7);
    cnni_dropout(context, cnni_lanes(context), &dropout, COUNT, array[1], array[0]);
    struct cnni_random random;
    cnni_random_start(&random, 11, CNNI_RANDOM_DROPOUT, 4, 9);
    int dropped = 0;
    for (int i = 0; i < COUNT; i++) {
        const bool drop = cnni_random_uniform(&random) < 0.3;
        dropped += drop;
        assert_value(array[1][i] == (drop ? 0 : array[0][i] * scale), "[%d]", i);
    }
    /* Five standard deviations around the mean. */
    const double deviation = sqrt(COUNT * 0.3 * 0.7);
    ck_assert(fabs(dropped - 0.3 * COUNT) < 5 * deviation);
}
END_TEST

/* Blocks of 4096 in 16 lanes, added in order: see op_optimizer.h. */
static double sum_of_squares(const float *x)
{
    double sum = 0;
    for (int first = 0; first < COUNT; first += 4096) {
        double lane[16] = {0};
        for (int i = first; i < CNNI_MIN(COUNT, first + 4096); i++)
            lane[(i - first) % 16] += (double)x[i] * x[i];
        for (int half = 8; half > 0; half /= 2)
            for (int j = 0; j < half; j++)
                lane[j] += lane[j + half];
        sum += lane[0];
    }
    return sum;
}

START_TEST(sum_of_squares_is_its_tree)
{
    ck_assert_int_eq(cnn_context_set_threads(context, thread_counts[_i]), CNN_OK);
    const int32_t lanes = cnni_lanes(context);
    ck_assert(cnni_sum_squares(context, lanes, COUNT, array[0]) == sum_of_squares(array[0]));
    ck_assert(cnni_sum_squares(context, lanes, 0, array[0]) == 0);
}
END_TEST

/* Rows of 1, 2, 1000 and 40000 elements. */
static const int64_t row_lengths[] = {1, 2, 1000, 40000};

START_TEST(softmax_rows_add_up)
{
    const int64_t columns = row_lengths[_i], rows = CNNI_MIN(COUNT / columns, 40);
    const int32_t lanes = cnni_lanes(context);
    cnni_softmax_forward(context, lanes, rows, columns, array[1], array[2], array[0]);
    cnni_softmax_backward(context, lanes, rows, columns, array[4], array[3], array[1]);
    for (int64_t row = 0; row < rows; row++) {
        const float *x = array[0] + row * columns, *y = array[1] + row * columns;
        const float *dy = array[3] + row * columns, *dx = array[4] + row * columns;
        double sum = 0, product = 0, magnitude = 0;
        for (int64_t i = 0; i < columns; i++)
            sum += exp((double)x[i]);
        for (int64_t i = 0; i < columns; i++) {
            const double exact = exp((double)x[i]) / sum;
            /* exp within 4 ULP, the sum of `columns` of them, a subtraction, a division */
            const double part = exact * ((double)(columns + 8) * 0x1p-23);
            assert_value(tolerance_close(y[i], exact, part), "[%d]", (int)i);
            product += exact * dy[i];
            magnitude += exact * fabs((double)dy[i]);
        }
        ck_assert(fabs(array[2][row] - log(sum)) < 1e-6 * (1 + fabs(log(sum))));
        for (int64_t i = 0; i < columns; i++) {
            const double share = exp((double)x[i]) / sum, exact = share * (dy[i] - product);
            const double bound =
                share * (fabs((double)dy[i]) + magnitude) * ((double)(2 * columns + 20) * 0x1p-23);
            assert_value(tolerance_close(dx[i], exact, bound), "[%d]", (int)i);
        }
    }
}
END_TEST

/* Updates of the two optimizers: the same for any number of threads, and the first step of Adam
 * moves each weight by the learning rate. */
START_TEST(optimizers_update_every_element)
{
    ck_assert_int_eq(cnn_context_set_threads(context, thread_counts[_i]), CNN_OK);
    float *w = array[0], *g = array[1], *m = array[2], *v = array[3], *before = array[4];
    memcpy(before, w, COUNT * sizeof *w);
    memset(m, 0, COUNT * sizeof *m);
    memset(v, 0, COUNT * sizeof *v);
    for (int i = 0; i < COUNT; i++)
        g[i] = i % 2 ? 0.25f : -0.5f;
    const struct cnni_adam_step adam = {.step_size = (float)(0.01 / (1 - 0.9)),
                                        .root_correction = (float)sqrt(1 - 0.999),
                                        .beta1 = 0.9f,
                                        .rest1 = 0.1f,
                                        .beta2 = 0.999f,
                                        .rest2 = 0.001f,
                                        .shrink = 1,
                                        .gradient_scale = 1};
    cnni_adam_update(context, cnni_lanes(context), &adam, COUNT, w, g, m, v);
    for (int i = 0; i < COUNT; i++) {
        assert_value(g[i] == 0, "[%d]", i);
        assert_value(fabs(w[i] - before[i] - (i % 2 ? -0.01 : 0.01)) < 1e-6, "[%d]", i);
    }
    for (int i = 0; i < COUNT; i++)
        g[i] = (float)i;
    memcpy(before, w, COUNT * sizeof *w);
    const struct cnni_sgd_step sgd = {.learning_rate = 0.5f, .gradient_scale = 1};
    cnni_sgd_update(context, cnni_lanes(context), &sgd, COUNT, w, g, NULL);
    for (int i = 0; i < COUNT; i++)
        assert_value(g[i] == 0 && w[i] == before[i] - 0.5f * (float)i, "[%d]", i);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("op_elementwise");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, elements_are_exact, 0, CNNI_COUNT(thread_counts));
    tcase_add_loop_test(tcase, dropout_follows_its_numbers, 0, CNNI_COUNT(thread_counts));
    tcase_add_loop_test(tcase, sum_of_squares_is_its_tree, 0, CNNI_COUNT(thread_counts));
    tcase_add_loop_test(tcase, softmax_rows_add_up, 0, CNNI_COUNT(row_lengths));
    tcase_add_loop_test(tcase, optimizers_update_every_element, 0, CNNI_COUNT(thread_counts));
    Suite *suite = suite_create("op_elementwise");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
