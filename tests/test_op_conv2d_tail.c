/* SPDX-License-Identifier: MIT
 * What convolutions do to their outputs while they are in the caches, a sum and an activation,
 * against doing it afterwards: the same bits, directly, depthwise and by Winograd tiles, on any
 * number of threads; and scaling packed weights against scaling the weights. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/context_internal.h"
#include "base/random.h"
#include "cnn/context.h"
#include "ops/op_activation.h"
#include "ops/op_conv2d.h"
#include "ops/op_elementwise.h"
#include "support/suite.h"
#include "support/value.h"

static const struct {
    int64_t n;
    struct cnni_conv2d conv;
} problems[] = {
    /* in place, in small blocks, and in parts of the panels */
    {1, {7, 7, 64, 200, 1, 1, 7, 7, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {40, {9, 11, 24, 50, 1, 1, 9, 11, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    /* copied, with borders apart; several strips; stride */
    {2, {8, 9, 20, 70, 3, 3, 8, 9, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {1, {64, 64, 3, 32, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {1, {150, 5, 2, 6, 3, 3, 75, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0, false}},
    /* groups: two, and depthwise */
    {1, {8, 9, 20, 150, 3, 3, 8, 9, 1, 1, 1, 1, 1, 1, 2, 0, 0, false}},
    {3, {14, 13, 37, 37, 3, 3, 7, 7, 2, 2, 1, 1, 1, 1, 37, 0, 0, false}},
    /* Winograd tiles of 4x4 and 2x2 that reach over the edges; many blocks and few */
    {8, {32, 32, 32, 32, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 4, 4, false}},
    {1, {17, 22, 33, 40, 3, 3, 17, 22, 1, 1, 1, 1, 1, 1, 1, 4, 0, false}},
    {2, {40, 24, 64, 32, 3, 3, 38, 22, 1, 1, 0, 0, 1, 1, 1, 2, 2, false}},
};

static const struct {
    bool adds;
    cnn_layer_kind activation; /* 0: none */
} tails[] = {{true, 0}, {true, CNN_RELU}, {false, CNN_RELU6}, {true, CNN_SILU}};

static float *drawn(int64_t count, uint64_t seed)
{
    struct cnni_random random;
    float *values = aligned_alloc(64, ((size_t)count * sizeof *values + 63) / 64 * 64);
    cnni_random_start(&random, seed, CNNI_RANDOM_CHECK, 0, 0);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(2 * cnni_random_uniform(&random) - 1);
    return values;
}

/* The arrays of a problem, and a call that is ready. */
struct subject {
    struct cnni_conv2d_call call;
    struct cnni_conv2d_sizes sizes;
    int64_t count; /* of y */
    float *x, *w, *b, *addend, *packed, *y, *wanted;
};

static int64_t count_w(const struct cnni_conv2d *conv)
{
    return conv->r * conv->s * (conv->c / conv->groups) * conv->k;
}

static struct subject begin(cnn_context *context, int index)
{
    const struct cnni_conv2d *conv = &problems[index].conv;
    const int64_t n = problems[index].n;
    struct subject subject = {
        .call = {.context = context, .conv = conv, .n = n, .lanes = cnni_lanes(context)},
        .count = n * conv->oh * conv->ow * conv->k,
        .x = drawn(n * conv->h * conv->w * conv->c, 1),
        .w = drawn(count_w(conv), 2),
        .b = drawn(conv->k, 3),
    };
    ck_assert_int_eq(
        cnni_conv2d_measure(&subject.sizes, context, conv, n, subject.call.lanes, false, "test"),
        CNN_OK);
    subject.addend = drawn(subject.count, 4);
    subject.y = drawn(subject.count, 5);
    subject.wanted = drawn(subject.count, 6);
    subject.packed = drawn((int64_t)subject.sizes.forward_weights, 7);
    subject.call.scratch = drawn((int64_t)subject.sizes.forward, 8);
    cnni_conv2d_pack_forward(context, 1, conv, subject.packed, subject.w);
    return subject;
}

static void end(struct subject *subject)
{
    float *const arrays[] = {subject->x,      subject->w, subject->b,      subject->addend,
                             subject->packed, subject->y, subject->wanted, subject->call.scratch};
    for (int i = 0; i < CNNI_COUNT(arrays); i++)
        free(arrays[i]);
}

static void check_tail(struct subject *subject, const struct cnni_conv2d_tail *tail)
{
    cnn_context *context = subject->call.context;
    const int32_t lanes = subject->call.lanes;
    memset(subject->y, 0xFF, (size_t)subject->count * sizeof *subject->y);
    subject->call.tail = NULL;
    cnni_conv2d_forward(&subject->call, subject->wanted, subject->x, subject->packed, subject->b,
                        false);
    if (tail->addend != NULL)
        cnni_add(context, lanes, subject->count, subject->wanted, subject->wanted, tail->addend);
    if (tail->activation.kind != 0)
        cnni_activation_forward(context, lanes, &tail->activation, subject->count, subject->wanted,
                                subject->wanted);
    subject->call.tail = tail;
    cnni_conv2d_forward(&subject->call, subject->y, subject->x, subject->packed, subject->b, false);
    for (int64_t i = 0; i < subject->count; i++)
        assert_value(memcmp(&subject->y[i], &subject->wanted[i], sizeof(float)) == 0,
                     "activation %d%s, y[%d] is %a, must be %a", tail->activation.kind,
                     tail->addend == NULL ? "" : " of a sum", (int)i, (double)subject->y[i],
                     (double)subject->wanted[i]);
}

START_TEST(tails_are_the_same_bits)
{
    for (int32_t threads = 1; threads <= 3; threads += 2) {
        cnn_context *context;
        ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
        ck_assert_int_eq(cnn_context_set_threads(context, threads), CNN_OK);
        struct subject subject = begin(context, _i);
        for (int i = 0; i < CNNI_COUNT(tails); i++)
            check_tail(&subject, &(struct cnni_conv2d_tail){
                                     .addend = tails[i].adds ? subject.addend : NULL,
                                     .activation = {.kind = tails[i].activation},
                                 });
        end(&subject);
        cnn_context_free(context);
    }
}
END_TEST

/* By powers of two: exact, so that it does not matter when it is done. */
START_TEST(scaling_packed_weights_scales_weights)
{
    cnn_context *context;
    ck_assert_int_eq(cnn_context_create(&context), CNN_OK);
    struct subject subject = begin(context, _i);
    const struct cnni_conv2d *conv = subject.call.conv;
    float *scale = drawn(conv->k, 9);
    for (int64_t k = 0; k < conv->k; k++)
        scale[k] = ldexpf(1, (int)(k % 7) - 3);
    cnni_conv2d_scale(context, conv, subject.packed, subject.sizes.forward_weights, scale);
    for (int64_t i = 0; i < count_w(conv); i++)
        subject.w[i] *= scale[i % conv->k];
    float *wanted = drawn((int64_t)subject.sizes.forward_weights, 10);
    cnni_conv2d_pack_forward(context, 1, conv, wanted, subject.w);
    ck_assert_mem_eq(subject.packed, wanted, subject.sizes.forward_weights * sizeof(float));
    free(scale);
    free(wanted);
    end(&subject);
    cnn_context_free(context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("op_conv2d_tail");
    TCase *tcase = tcase_create("op_conv2d_tail");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, tails_are_the_same_bits, 0, CNNI_COUNT(problems));
    tcase_add_loop_test(tcase, scaling_packed_weights_scales_weights, 0, CNNI_COUNT(problems));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
