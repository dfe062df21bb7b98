/* SPDX-License-Identifier: MIT
 * Max-pooling as a whole, on random shapes: values, records and gradients bit for bit against plain
 * loops, for several numbers of threads, between unmapped pages.  Single windows:
 * test_kernels_maxpool2d.c. */
#include <check.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/random.h"
#include "ops/op_maxpool2d.h"
#include "support/guarded.h"
#include "support/suite.h"
#include "support/tolerance.h"
#include "support/value.h"

enum { X, Y, DX, DY, WINNERS, BUFFERS };

static struct guarded buffers[BUFFERS];

static void choose_axis(struct cnni_random *random, int64_t *size, int64_t *output, int64_t *window,
                        int64_t *stride, int64_t *padding)
{
    int64_t after;
    do {
        *size = 1 + cnni_random_below(random, 14);
        *window = 1 + cnni_random_below(random, 4);
        if (cnni_random_below(random, 10) == 0)
            *window = 17;
        *stride = cnni_random_below(random, 2) == 0 ? *window : 1 + cnni_random_below(random, 5);
        *padding = cnni_random_below(random, (uint32_t)(*window / 2) + 1);
        after = cnni_random_below(random, (uint32_t)(*window / 2) + 1);
    } while (*size + *padding + after < *window);
    *output = (*size + *padding + after - *window) / *stride + 1;
}

static struct cnni_maxpool2d choose_shape(struct cnni_random *random)
{
    static const int64_t channels[] = {1, 3, 8, 17, 32};
    struct cnni_maxpool2d pool = {.c = channels[cnni_random_below(random, CNNI_COUNT(channels))]};
    choose_axis(random, &pool.h, &pool.oh, &pool.r, &pool.stride_h, &pool.pad_top);
    choose_axis(random, &pool.w, &pool.ow, &pool.s, &pool.stride_w, &pool.pad_left);
    return pool;
}

/* The place in x of the winner of one output, and in *number its number in the window. */
static int64_t find_winner(const struct cnni_maxpool2d *pool, const float *x, int64_t output,
                           int64_t *number)
{
    const int64_t c = output % pool->c, pixel = output / pool->c;
    const int64_t top = pixel / pool->ow % pool->oh * pool->stride_h - pool->pad_top;
    const int64_t left = pixel % pool->ow * pool->stride_w - pool->pad_left;
    int64_t best = -1;
    for (int64_t tap = 0; tap < pool->r * pool->s; tap++) {
        const int64_t i = top + tap / pool->s, j = left + tap % pool->s;
        if (i < 0 || i >= pool->h || j < 0 || j >= pool->w)
            continue;
        const int64_t picture = pixel / (pool->oh * pool->ow);
        const int64_t place = ((picture * pool->h + i) * pool->w + j) * pool->c + c;
        if (best < 0 || (!isnan(x[best]) && (isnan(x[place]) || x[place] > x[best]))) {
            best = place;
            *number = tap;
        }
    }
    return best;
}

static void check_shape(cnn_context *context, struct cnni_random *random,
                        const struct cnni_maxpool2d *pool, int64_t n, enum guarded_side side)
{
    const size_t inputs = (size_t)(n * pool->h * pool->w * pool->c);
    const size_t outputs = (size_t)(n * pool->oh * pool->ow * pool->c);
    float *x = guarded_floats(&buffers[X], side, inputs),
          *dx = guarded_floats(&buffers[DX], side, inputs);
    float *y = guarded_floats(&buffers[Y], side, outputs),
          *dy = guarded_floats(&buffers[DY], side, outputs);
    const size_t bytes = (size_t)n * cnni_maxpool2d_winner_bytes(pool);
    void *winners = guarded_bytes(&buffers[WINNERS], side, bytes);
    for (size_t i = 0; i < inputs; i++)
        x[i] = cnni_random_below(random, 50) == 0 ? NAN : (float)cnni_random_below(random, 20) - 15;
    for (size_t i = 0; i < outputs; i++)
        dy[i] = (float)cnni_random_below(random, 100);
    memset(dx, 0xFF, inputs * sizeof *dx);
    cnni_maxpool2d_forward(context, cnni_lanes(context), pool, n, y, winners, x, false);
    cnni_maxpool2d_backward(context, cnni_lanes(context), pool, n, dx, dy, winners);

    float *want = calloc(inputs, sizeof *want);
    for (size_t i = 0; i < outputs; i++) {
        int64_t number = 0;
        const int64_t place = find_winner(pool, x, (int64_t)i, &number);
        assert_value(tolerance_same(y[i], x[place]), "y[%zu]", i);
        ck_assert_int_eq(bytes == outputs ? ((uint8_t *)winners)[i] : ((int32_t *)winners)[i],
                         number);
        want[place] += dy[i];
    }
    for (size_t i = 0; i < inputs; i++)
        assert_value(dx[i] == want[i], "dx[%zu] is %g, not %g", i, (double)dx[i], (double)want[i]);
    free(want);
    cnni_maxpool2d_forward(context, cnni_lanes(context), pool, n, y, NULL, x,
                           false); /* keeps no record */
}

START_TEST(random_shapes_are_exact)
{
    static const int32_t threads[] = {1, 2, 3, 7};
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    ck_assert_int_eq(cnn_context_set_threads(context, threads[_i]), CNN_OK);
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], 1 << 20);
    struct cnni_random random;
    cnni_random_start(&random, 5, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    for (int turn = 0; turn < 100; turn++) {
        const struct cnni_maxpool2d pool = choose_shape(&random);
        check_shape(context, &random, &pool, 1 + cnni_random_below(&random, 5),
                    turn % GUARDED_SIDES);
    }
    /* Several items of parallel work. */
    const struct cnni_maxpool2d large = {40, 43, 33, 2, 2, 20, 21, 2, 2, 0, 0};
    check_shape(context, &random, &large, 4, GUARDED_END);
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
    cnn_context_free(context);
}
END_TEST

/* A gradient so large that it goes past the caches: each window's dy is found again in it, and
 * nothing else. */
START_TEST(large_gradients_are_exact)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    ck_assert_int_eq(cnn_context_set_threads(context, 2), CNN_OK);
    const struct cnni_maxpool2d pool = {513, 514, 32, 2, 2, 256, 257, 2, 2, 0, 0};
    const size_t inputs = 513 * 514 * 32, outputs = 256 * 257 * 32;
    float *dx = aligned_alloc(64, inputs * sizeof *dx), *dy = malloc(outputs * sizeof *dy);
    uint8_t *winners = malloc(outputs);
    double sum = 0, absolute = 0;
    for (size_t i = 0; i < outputs; i++) {
        dy[i] = (float)(i % 1000);
        winners[i] = (uint8_t)(i / 7 % 4);
        sum += dy[i];
    }
    memset(dx, 0xFF, inputs * sizeof *dx);
    cnni_maxpool2d_backward(context, cnni_lanes(context), &pool, 1, dx, dy, winners);
    for (size_t i = 0; i < outputs; i++) {
        const size_t pixel = i / 32, row = pixel / 257 * 2 + winners[i] / 2;
        assert_value(dx[(row * 514 + pixel % 257 * 2 + winners[i] % 2) * 32 + i % 32] == dy[i],
                     "dy[%zu]", i);
    }
    for (size_t i = 0; i < inputs; i++)
        absolute += fabs((double)dx[i]);
    ck_assert(absolute == sum);
    free(winners);
    free(dy);
    free(dx);
    cnn_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("op_maxpool2d");
    tcase_add_loop_test(tcase, random_shapes_are_exact, 0, 4);
    tcase_add_test(tcase, large_gradients_are_exact);
    Suite *suite = suite_create("op_maxpool2d");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
