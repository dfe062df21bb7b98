/* SPDX-License-Identifier: MIT
 * Convolution and 2x2 max-pooling done together, against one after the other: the same bits, in all
 * directions, whether directly or by Winograd tiles, between unmapped pages. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/random.h"
#include "cnn/context.h"
#include "ops/op_conv2d.h"
#include "ops/op_maxpool2d.h"
#include "support/guarded.h"
#include "support/suite.h"

static const struct {
    int64_t n;
    struct cnni_conv2d conv;
} problems[] = {
    /* directly: a first layer in several strips, then in rows and columns that fill no window */
    {2, {64, 64, 3, 32, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    {3, {31, 29, 3, 20, 3, 3, 29, 27, 1, 1, 0, 0, 1, 1, 1, 0, 0, true}},
    {1, {150, 5, 2, 6, 3, 3, 149, 5, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    /* several pictures in a strip, of odd and even height */
    {40, {3, 5, 4, 6, 3, 3, 3, 5, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    {33, {6, 4, 5, 17, 3, 3, 6, 4, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    /* one window; none along an axis that strips could cut */
    {5, {2, 2, 3, 5, 1, 1, 2, 2, 1, 1, 0, 0, 1, 1, 1, 0, 0, true}},
    {2, {3, 3, 3, 5, 1, 1, 3, 3, 1, 1, 0, 0, 1, 1, 1, 0, 0, true}},
    /* a single tap, which is not joined over pictures; strides; dilation; odd pitch of copies */
    {2, {18, 22, 6, 40, 1, 1, 18, 22, 1, 1, 0, 0, 1, 1, 1, 0, 0, true}},
    {2, {23, 22, 3, 16, 7, 7, 12, 11, 2, 2, 3, 3, 1, 1, 1, 0, 0, true}},
    {1, {20, 20, 5, 7, 3, 3, 16, 16, 1, 1, 0, 0, 2, 2, 1, 0, 0, true}},
    {2, {8, 9, 150, 140, 3, 3, 8, 9, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    /* many weights: a whole strip is pooled at a time */
    {2, {40, 40, 40, 100, 3, 3, 40, 40, 1, 1, 1, 1, 1, 1, 1, 0, 0, true}},
    /* Winograd tiles of 4x4 and 2x2: many blocks, few, tiles that reach over the edges */
    {16, {32, 32, 32, 48, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 4, 4, true}},
    {1, {17, 22, 33, 40, 3, 3, 17, 22, 1, 1, 1, 1, 1, 1, 1, 4, 0, true}},
    {3, {13, 11, 32, 32, 3, 3, 11, 9, 1, 1, 0, 0, 1, 1, 1, 4, 4, true}},
    {20, {16, 16, 48, 32, 3, 3, 16, 16, 1, 1, 1, 1, 1, 1, 1, 4, 4, true}},
    {2, {6, 200, 32, 32, 3, 3, 6, 200, 1, 1, 1, 1, 1, 1, 1, 4, 4, true}},
    {7, {9, 10, 32, 35, 3, 3, 9, 10, 1, 1, 1, 1, 1, 1, 1, 2, 2, true}},
    {2, {40, 24, 64, 32, 3, 3, 38, 22, 1, 1, 0, 0, 1, 1, 1, 2, 2, true}},
};

/* Values of one way to compute: together, or the convolution alone and the pooling alone. */
struct values {
    float *y, *dx, *dw, *db;
    uint8_t *winners;
};

struct given {
    float *x, *w, *b, *dy; /* dy by the pooled outputs */
};

enum { X, W, B, DY, Y, WINNERS, DX, DW, DB, PACKED, SCRATCH, BUFFERS };

static struct guarded buffers[BUFFERS];
static struct cnni_random random_numbers;

static float *drawn(float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(2 * cnni_random_uniform(&random_numbers) - 1);
    return values;
}

static float *guarded(int buffer, int64_t count)
{
    return guarded_floats(&buffers[buffer], GUARDED_END, (size_t)count);
}

/* Aligned, and full of NaN. */
static float *scratch_of(size_t count)
{
    float *scratch = guarded(SCRATCH, (int64_t)(count + 15) / 16 * 16);
    memset(scratch, 0xFF, count * sizeof *scratch);
    return scratch;
}

static int64_t count_x(const struct cnni_conv2d *conv, int64_t n)
{
    return n * conv->h * conv->w * conv->c;
}

static int64_t count_w(const struct cnni_conv2d *conv)
{
    return conv->r * conv->s * conv->c * conv->k;
}

static int64_t count_pooled(const struct cnni_conv2d *conv, int64_t n)
{
    return n * (conv->oh / 2) * (conv->ow / 2) * conv->k;
}

static struct cnni_conv2d_call measured(const struct cnni_conv2d *conv, cnn_context *context,
                                        int64_t n, struct cnni_conv2d_sizes *sizes)
{
    ck_assert_int_eq(cnni_conv2d_measure(sizes, context, conv, n, 3, true, "test"), CNN_OK);
    return (struct cnni_conv2d_call){.context = context, .conv = conv, .n = n, .lanes = 3};
}

static void backward(struct cnni_conv2d_call *call, const struct cnni_conv2d_sizes *sizes,
                     const struct values *values, const struct given *given, const float *dy)
{
    float *packed = guarded(PACKED, (int64_t)sizes->backward_weights);
    cnni_conv2d_pack_backward(call->context, 3, call->conv, packed, given->w);
    call->scratch = scratch_of(sizes->backward_data);
    cnni_conv2d_backward_data(call, values->dx, dy, packed);
    call->scratch = scratch_of(sizes->backward_filter);
    cnni_conv2d_backward_filter(call, values->dw, values->db, given->x, dy);
}

static void run_together(const struct cnni_conv2d *conv, cnn_context *context, int64_t n,
                         const struct values *values, const struct given *given, bool relu)
{
    struct cnni_conv2d_sizes sizes;
    struct cnni_conv2d_call call = measured(conv, context, n, &sizes);
    float *packed = guarded(PACKED, (int64_t)sizes.forward_weights);
    cnni_conv2d_pack_forward(context, 3, conv, packed, given->w);
    call.scratch = scratch_of(sizes.forward);
    cnni_conv2d_forward(&call, values->y, given->x, packed, given->b, relu); /* no winners */
    const size_t bytes = (size_t)count_pooled(conv, n) * sizeof(float);
    float *predicted = memcpy(malloc(bytes), values->y, bytes);
    memset(values->y, 0xFF, bytes);
    call.winners = values->winners;
    call.scratch = scratch_of(sizes.forward);
    cnni_conv2d_forward(&call, values->y, given->x, packed, given->b, relu);
    ck_assert(memcmp(values->y, predicted, bytes) == 0);
    free(predicted);
    backward(&call, &sizes, values, given, given->dy);
}

static void run_apart(const struct cnni_conv2d *pooled, cnn_context *context, int64_t n,
                      const struct values *values, const struct given *given, bool relu)
{
    struct cnni_conv2d conv = *pooled;
    conv.pooled = false;
    const struct cnni_maxpool2d pool = {.h = conv.oh,
                                        .w = conv.ow,
                                        .c = conv.k,
                                        .r = 2,
                                        .s = 2,
                                        .oh = conv.oh / 2,
                                        .ow = conv.ow / 2,
                                        .stride_h = 2,
                                        .stride_w = 2};
    struct cnni_conv2d_sizes sizes;
    struct cnni_conv2d_call call = measured(&conv, context, n, &sizes);
    float *packed = guarded(PACKED, (int64_t)sizes.forward_weights);
    float *outputs = malloc((size_t)(n * conv.oh * conv.ow * conv.k) * sizeof *outputs);
    cnni_conv2d_pack_forward(context, 3, &conv, packed, given->w);
    call.scratch = scratch_of(sizes.forward);
    cnni_conv2d_forward(&call, outputs, given->x, packed, given->b, relu);
    cnni_maxpool2d_forward(context, 3, &pool, n, values->y, values->winners, outputs, relu);
    cnni_maxpool2d_backward(context, 3, &pool, n, outputs, given->dy, values->winners);
    backward(&call, &sizes, values, given, outputs);
    free(outputs);
}

static struct values apart_values(const struct cnni_conv2d *conv, int64_t n)
{
    return (struct values){
        .y = malloc((size_t)count_pooled(conv, n) * sizeof(float)),
        .winners = malloc((size_t)count_pooled(conv, n)),
        .dx = malloc((size_t)count_x(conv, n) * sizeof(float)),
        .dw = calloc((size_t)count_w(conv), sizeof(float)),
        .db = calloc((size_t)conv->k, sizeof(float)),
    };
}

static void free_values(struct values *values)
{
    free(values->y);
    free(values->winners);
    free(values->dx);
    free(values->dw);
    free(values->db);
}

static struct values together_values(const struct cnni_conv2d *conv, int64_t n)
{
    const size_t bytes = (size_t)count_pooled(conv, n);
    struct values values = {
        .y = guarded(Y, count_pooled(conv, n)),
        .winners = (uint8_t *)guarded_bytes(&buffers[WINNERS], GUARDED_END, bytes),
        .dx = guarded(DX, count_x(conv, n)),
        .dw = guarded(DW, count_w(conv)),
        .db = guarded(DB, conv->k),
    };
    memset(values.dx, 0xFF, (size_t)count_x(conv, n) * sizeof *values.dx);
    memset(values.dw, 0, (size_t)count_w(conv) * sizeof *values.dw);
    memset(values.db, 0, (size_t)conv->k * sizeof *values.db);
    return values;
}

static void expect_same(const char *what, const void *got, const void *wanted, int64_t bytes,
                        int problem)
{
    ck_assert_msg(memcmp(got, wanted, (size_t)bytes) == 0, "%s of problem %d differs", what,
                  problem);
}

static void check_problem(cnn_context *context, int number, bool relu)
{
    const struct cnni_conv2d *conv = &problems[number].conv;
    const int64_t n = problems[number].n, float_size = (int64_t)sizeof(float);
    const struct given given = {
        .x = drawn(guarded(X, count_x(conv, n)), count_x(conv, n)),
        .w = drawn(guarded(W, count_w(conv)), count_w(conv)),
        .b = drawn(guarded(B, conv->k), conv->k),
        .dy = drawn(guarded(DY, count_pooled(conv, n)), count_pooled(conv, n)),
    };
    struct values together = together_values(conv, n), apart = apart_values(conv, n);
    run_apart(conv, context, n, &apart, &given, relu);
    run_together(conv, context, n, &together, &given, relu);
    expect_same("y", together.y, apart.y, count_pooled(conv, n) * float_size, number);
    expect_same("winners", together.winners, apart.winners, count_pooled(conv, n), number);
    expect_same("dx", together.dx, apart.dx, count_x(conv, n) * float_size, number);
    /* Apart, single pixels are joined over pictures, and their sums are cut otherwise. */
    if (conv->r * conv->s > 1) {
        expect_same("dw", together.dw, apart.dw, count_w(conv) * float_size, number);
        expect_same("db", together.db, apart.db, conv->k * float_size, number);
    }
    free_values(&apart);
}

START_TEST(together_or_apart)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    ck_assert_int_eq(cnn_context_set_threads(context, 3), CNN_OK);
    cnni_random_start(&random_numbers, 17, CNNI_RANDOM_CHECK, (uint64_t)_i, 0);
    for (int i = 0; i < BUFFERS; i++)
        guarded_create(&buffers[i], 24 << 20);
    check_problem(context, _i, true);
    check_problem(context, _i, false);
    for (int i = 0; i < BUFFERS; i++)
        guarded_free(&buffers[i]);
    cnn_context_free(context);
}
END_TEST

static Suite *pool_suite(void)
{
    Suite *suite = suite_create("op_conv2d_pool");
    TCase *tcase = tcase_create("together");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, together_or_apart, 0, CNNI_COUNT(problems));
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(pool_suite());
}
