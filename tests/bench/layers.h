/* SPDX-License-Identifier: MIT
 * The convolution layers that are measured, and one of them ready to run in all three
 * directions. */
#ifndef CNN_BENCH_LAYERS_H
#define CNN_BENCH_LAYERS_H

#include "base/base.h"
#include "base/context_internal.h"
#include "bench/harness.h"
#include "ops/op_conv2d.h"

static const struct bench_layer {
    const char *name;
    struct cnni_conv2d conv;
} bench_layers[] = {
    {"3->32 3x3 @128", {128, 128, 3, 32, 3, 3, 128, 128, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"32->32 3x3 @64", {64, 64, 32, 32, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"32->64 3x3 @64", {64, 64, 32, 64, 3, 3, 64, 64, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"64->64 3x3 @32", {32, 32, 64, 64, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"64->128 3x3 @32", {32, 32, 64, 128, 3, 3, 32, 32, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"128->128 3x3 @16", {16, 16, 128, 128, 3, 3, 16, 16, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"3->64 7x7 s2 @224", {224, 224, 3, 64, 7, 7, 112, 112, 2, 2, 3, 3, 1, 1, 1, 0, 0, false}},
    {"64->64 1x1 @56", {56, 56, 64, 64, 1, 1, 56, 56, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {"64->64 3x3 @56", {56, 56, 64, 64, 3, 3, 56, 56, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"64->256 1x1 @56", {56, 56, 64, 256, 1, 1, 56, 56, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {"128->128 3x3 @28", {28, 28, 128, 128, 3, 3, 28, 28, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"256->256 3x3 @14", {14, 14, 256, 256, 3, 3, 14, 14, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"512->512 3x3 @7", {7, 7, 512, 512, 3, 3, 7, 7, 1, 1, 1, 1, 1, 1, 1, 0, 0, false}},
    {"1024->2048 1x1 s2 @14", {14, 14, 1024, 2048, 1, 1, 7, 7, 2, 2, 0, 0, 1, 1, 1, 0, 0, false}},
    {"256->1024 1x1 @14", {14, 14, 256, 1024, 1, 1, 14, 14, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {"depthwise 64 @112", {112, 112, 64, 64, 3, 3, 112, 112, 1, 1, 1, 1, 1, 1, 64, 0, 0, false}},
    {"depthwise 64 s2 @112", {112, 112, 64, 64, 3, 3, 56, 56, 2, 2, 1, 1, 1, 1, 64, 0, 0, false}},
    {"depthwise 256 @28", {28, 28, 256, 256, 3, 3, 28, 28, 1, 1, 1, 1, 1, 1, 256, 0, 0, false}},
    {"depthwise 256 s2 @28", {28, 28, 256, 256, 3, 3, 14, 14, 2, 2, 1, 1, 1, 1, 256, 0, 0, false}},
    {"depthwise 512 @14", {14, 14, 512, 512, 3, 3, 14, 14, 1, 1, 1, 1, 1, 1, 512, 0, 0, false}},
    {"depthwise 512 s2 @14", {14, 14, 512, 512, 3, 3, 7, 7, 2, 2, 1, 1, 1, 1, 512, 0, 0, false}},
    {"dense 8192->512", {1, 1, 8192, 512, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
    {"dense 6272->128", {1, 1, 6272, 128, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, false}},
};

/* One layer with its arrays, on one thread. */
struct bench_conv {
    struct cnni_conv2d_call call;
    float *x, *y, *w, *b, *dx, *dy, *dw, *db, *forward, *backward;
};

static inline void bench_forward(const struct bench_conv *a)
{
    cnni_conv2d_forward(&a->call, a->y, a->x, a->forward, a->b, true);
}

static inline void bench_backward_data(const struct bench_conv *a)
{
    cnni_conv2d_backward_data(&a->call, a->dx, a->dy, a->backward);
}

static inline void bench_backward_filter(const struct bench_conv *a)
{
    cnni_conv2d_backward_filter(&a->call, a->dw, a->db, a->x, a->dy);
}

static inline void bench_pack(const struct bench_conv *a)
{
    cnni_conv2d_pack_forward(a->call.context, 1, a->call.conv, a->forward, a->w);
    cnni_conv2d_pack_backward(a->call.context, 1, a->call.conv, a->backward, a->w);
}

/* Operations of one direction, counted as direct sums. */
static inline double bench_flops(const struct cnni_conv2d *conv, int64_t n)
{
    return 2.0 * (double)(n * conv->oh * conv->ow * conv->k) *
           (double)(conv->r * conv->s * (conv->c / conv->groups));
}

static inline void bench_conv_create(struct bench_conv *made, cnn_context *context,
                                     const struct cnni_conv2d *conv, int64_t n)
{
    struct cnni_conv2d_sizes sizes;
    if (cnni_conv2d_measure(&sizes, context, conv, n, 1, true, "bench") != CNN_OK)
        exit(EXIT_FAILURE);
    const size_t x = (size_t)(n * conv->h * conv->w * conv->c);
    const size_t y = (size_t)(n * conv->oh * conv->ow * conv->k);
    const size_t w = (size_t)(conv->r * conv->s * conv->c / conv->groups * conv->k);
    const size_t scratch =
        CNNI_MAX(sizes.forward, CNNI_MAX(sizes.backward_data, sizes.backward_filter));
    *made = (struct bench_conv){
        .call = {.context = context,
                 .conv = conv,
                 .n = n,
                 .lanes = 1,
                 .scratch = bench_floats(scratch)},
        .x = bench_floats(x),
        .y = bench_floats(y),
        .w = bench_floats(w),
        .b = bench_floats((size_t)conv->k),
        .dx = bench_floats(x),
        .dy = bench_floats(y),
        .dw = bench_floats(w),
        .db = bench_floats((size_t)conv->k),
        .forward = bench_floats(sizes.forward_weights),
        .backward = bench_floats(sizes.backward_weights),
    };
    bench_pack(made);
}

static inline void bench_conv_free(struct bench_conv *a)
{
    float *all[] = {a->x,  a->y,  a->w,       a->b,        a->dx,          a->dy,
                    a->dw, a->db, a->forward, a->backward, a->call.scratch};
    for (int i = 0; i < CNNI_COUNT(all); i++)
        free(all[i]);
}

#endif
